//! What of a job was taken back: the coordinator's signed statements, for whoever holds an earlier export.

use super::manifest::FileEntry;
use crate::config::{Config, Layout};
use crate::journal::Journal;
use crate::keeper::StampedEntry;
use crate::keys::Keys;
use anyhow::{Context as _, Result};
use std::io::Write as _;
use std::path::Path;
use sward_coordinator_core::journal::JournalEntry;
use sward_proto::ids::JobName;
use sward_proto::note::{NoteSigner, SignedNote};
use sward_proto::retraction::{PublishedRetraction, Retraction};

/// Writes a line for each page of the job that was taken back. `None` where there is none.
pub(super) fn write(layout: &Layout, job: &JobName, out: &Path) -> Result<Option<FileEntry>> {
    let (config, keys) = (Config::load(layout)?, Keys::load(layout)?);
    let key = NoteSigner::from_seed(config.key_name()?, &keys.receipts).verifier_key();
    let entries = Journal::<StampedEntry>::read(&layout.journal()).context("journal")?;
    let mut lines = Vec::new();
    for stamped in entries {
        let JournalEntry::Retracted { note: Some(note), .. } = stamped.entry else { continue };
        let signed = SignedNote::parse(note.as_bytes()).context("a retraction in the journal")?;
        let retraction =
            Retraction::verify(&signed, &key).context("a retraction in the journal")?;
        if retraction.job == *job {
            let signer = key.to_string();
            lines.push(serde_json::to_string(&PublishedRetraction { signer, note })?);
        }
    }
    if lines.is_empty() {
        return Ok(None);
    }
    let name = format!("{job}.retractions.jsonl");
    let mut file = std::fs::File::create(out.join(&name)).context("cannot write retractions")?;
    for line in &lines {
        writeln!(file, "{line}")?;
    }
    file.sync_all()?;
    FileEntry::of(out, &name, lines.len() as u64).map(Some)
}
