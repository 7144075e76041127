//! The evidence of an export: for each capture a signed bundle, from which `sward-verify verdict` recomputes its verdict.
//!
//! All in one gzip file: the results of one page, and those of one batch, are much alike.

use super::manifest::FileEntry;
use crate::archive::read_at;
use crate::config::{Config, Layout};
use crate::keeper::StampedSettlement;
use crate::keys::Keys;
use crate::question::CaptureView;
use crate::run::now;
use anyhow::{Context as _, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;
use std::path::Path;
use sward_coordinator_core::evidence::{EvidenceError, PastSeeds, case};
use sward_proto::draw::SeedChain;
use sward_proto::ids::JobName;
use sward_proto::note::NoteSigner;
use sward_proto::verdict::Bundle;

/// Writes a line for each capture, robots.txt files among them. `None` where no capture has evidence.
pub(super) fn write(
    layout: &Layout,
    job: &JobName,
    captures: &[CaptureView],
    out: &Path,
) -> Result<Option<FileEntry>> {
    let (config, keys) = (Config::load(layout)?, Keys::load(layout)?);
    let signer = NoteSigner::from_seed(config.key_name()?, &keys.receipts);
    let chain = SeedChain::grow(&keys.draws);
    let mut seeds = PastSeeds::new(config.draws.plan(&chain), &chain, now());
    let name = format!("{job}.evidence.jsonl.gz");
    let path = out.join(&name);
    let file = std::fs::File::create(&path).context("cannot write the evidence")?;
    let mut writer = GzEncoder::new(std::io::BufWriter::new(file), Compression::default());
    let (mut lines, mut missing) = (0, 0_u64);
    for view in captures {
        let metadata = read_at(&layout.archive(), view.capture.settlement)
            .context("a verdict is not in the archive")?;
        let stamped: StampedSettlement = serde_json::from_slice(&metadata.block)?;
        let case = match case(&stamped.settlement, job, &mut seeds) {
            Ok(case) => case,
            Err(EvidenceError::NotKept) => {
                missing += 1;
                continue;
            }
            Err(error @ EvidenceError::Batch(_)) => {
                return Err(error).with_context(|| format!("evidence of task {}", view.task));
            }
        };
        writer.write_all(&Bundle::sign(case, &signer)?.encode()?)?;
        writer.write_all(b"\n")?;
        lines += 1;
    }
    writer.finish()?.into_inner().context("flush")?.sync_all()?;
    if missing > 0 {
        tracing::warn!(%job, missing, "captures were settled before signatures were kept: they have no evidence");
    }
    if lines == 0 {
        std::fs::remove_file(&path).context("an evidence file without a line")?;
        return Ok(None);
    }
    FileEntry::of(out, &name, lines).map(Some)
}
