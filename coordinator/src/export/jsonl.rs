//! One JSON object a page: its text, and where each claim about it can be checked.

use super::manifest::FileEntry;
use super::originals::Originals;
use super::part::{self, Attested, Said};
use super::warc::Places;
use crate::archive::read_at;
use crate::question::CaptureView;
use anyhow::{Context as _, Result};
use serde::Serialize;
use std::io::Write as _;
use std::path::Path;
use sward_coordinator_core::record::capture::Location;
use sward_coordinator_core::trust::evidence::Volatility;
use sward_proto::digest::Digest;
use sward_proto::ids::{JobName, TaskId};
use sward_proto::quorum::finding::Finding;
use sward_proto::region::Region;
use sward_proto::verdict::Variant;

#[derive(Serialize)]
struct Line<'a> {
    id: String,
    url: &'a str,
    final_url: &'a str,
    date: String,
    status: u16,
    media_type: &'a str,
    title: Option<String>,
    text: String,
    language: Option<&'static str>,
    language_score: Option<f64>,
    bytes: u64,
    payload_digest: String,
    duplicate: bool,
    attested: Attested,
    #[serde(skip_serializing_if = "Option::is_none")]
    blocks: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blocks_left_out: Option<usize>,
    depth: u16,
    job: &'a JobName,
    verdict: Verdict,
    #[serde(skip_serializing_if = "<[VariantLine]>::is_empty")]
    variants: &'a [VariantLine<'a>],
    #[serde(skip_serializing_if = "Option::is_none")]
    warc_file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warc_offset: Option<u64>,
}

/// What one region sees in place of the page. Its body is not part of the corpus.
#[derive(Serialize)]
struct VariantLine<'a> {
    region: Region,
    layer: sward_proto::quorum::Layer,
    status: u16,
    final_url: &'a str,
    bytes: u64,
    payload_digest: String,
}

impl<'a> From<&'a Variant> for VariantLine<'a> {
    fn from(variant: &'a Variant) -> Self {
        Self {
            region: variant.region,
            layer: variant.layer,
            status: variant.page.status,
            final_url: variant.page.final_url.as_str(),
            bytes: variant.page.bytes,
            payload_digest: format!("sha256:{}", variant.page.payload),
        }
    }
}

/// How the page came to be accepted.
#[derive(Serialize)]
struct Verdict {
    /// Names its line in the evidence.
    task: TaskId,
    layer: Option<sward_proto::quorum::Layer>,
    /// How much pages of its template change, as far as was known; one that is personalised is nobody else's page.
    volatility: Volatility,
    agreed: usize,
    contradicted: usize,
    leaves: Vec<Digest>,
}

/// Writes every page, robots.txt files apart.
pub(super) fn write(
    archive: &Path,
    job: &JobName,
    captures: &[CaptureView],
    places: &Places,
    originals: &Originals,
    out: &Path,
) -> Result<FileEntry> {
    let name = format!("{job}.jsonl");
    let file = std::fs::File::create(out.join(&name)).context("cannot write the jsonl")?;
    let mut writer = std::io::BufWriter::new(file);
    let mut lines = 0;
    for view in captures {
        if view.capture.robots {
            continue;
        }
        let body = originals.get(&view.task).map_or(view.capture.page, |original| original.at);
        let line = line(archive, job, view, body, places)?;
        writer.write_all(&line)?;
        writer.write_all(b"\n")?;
        lines += 1;
    }
    writer.into_inner().context("flush")?.sync_all()?;
    FileEntry::of(out, &name, lines)
}

fn line(
    archive: &Path,
    job: &JobName,
    view: &CaptureView,
    body: Location,
    places: &Places,
) -> Result<Vec<u8>> {
    let capture = &view.capture;
    let record = read_at(archive, capture.page).context("a page is not in the archive")?;
    let settlement = part::settlement(archive, view)?;
    let page = settlement.page.as_ref().context("a verdict without a page")?;
    let source = if body == capture.page {
        record.clone()
    } else {
        read_at(archive, body).context("a body is missing")?
    };
    let Said { title, main_text: text, .. } = part::said(&source, &settlement)?;
    let left_out = part::blocks_left_out(&settlement);
    let language = whatlang::detect(&text);
    let findings =
        |finding: Finding| settlement.results.iter().filter(move |r| r.finding == finding);
    let verdict = Verdict {
        task: settlement.task,
        layer: settlement.layer,
        volatility: settlement.volatility,
        agreed: findings(Finding::Agreed).count(),
        contradicted: findings(Finding::Forged).count()
            + findings(Finding::Replayed).count()
            + findings(Finding::Disputed).count(),
        leaves: findings(Finding::Agreed).map(|result| result.leaf).collect(),
    };
    let variants: Vec<VariantLine<'_>> =
        settlement.variants.iter().map(VariantLine::from).collect();
    let place = places.get(&view.task);
    let line = Line {
        id: record.id().map(|id| id.to_string()).unwrap_or_default(),
        url: settlement.url.as_str(),
        final_url: page.final_url.as_str(),
        date: record.field("WARC-Date").unwrap_or_default().to_owned(),
        status: page.status,
        media_type: &page.media_type,
        title,
        text,
        language: language.as_ref().map(|found| found.lang().code()),
        language_score: language.map(|found| found.confidence()),
        bytes: page.bytes,
        payload_digest: format!("sha256:{}", page.payload),
        duplicate: capture.revisit,
        attested: Attested::of(&settlement),
        blocks: left_out.map(|(_, all)| all),
        blocks_left_out: left_out.map(|(out, _)| out),
        depth: settlement.depth,
        job,
        verdict,
        variants: &variants,
        warc_file: place.map(|(file, _)| file.as_str()),
        warc_offset: place.map(|(_, offset)| *offset),
    };
    serde_json::to_vec(&line).context("json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_is_labelled_with_its_region_and_names_its_body() {
        let page = serde_json::json!({
            "final_url": "https://a.example/se", "status": 200, "media_type": "text/html",
            "fetched_at": 5, "payload": "00".repeat(32), "bytes": 7, "canonical": null,
            "redirect_target": null,
        });
        let variant = serde_json::json!({ "region": "SE", "layer": "canonical", "page": page });
        let variant: Variant = serde_json::from_value(variant).expect("a variant");
        let line = serde_json::to_value(VariantLine::from(&variant)).expect("json");
        let expected = serde_json::json!({
            "region": "SE", "layer": "canonical", "status": 200, "bytes": 7,
            "final_url": "https://a.example/se",
            "payload_digest": format!("sha256:{}", "00".repeat(32)),
        });
        assert_eq!(line, expected);
    }
}
