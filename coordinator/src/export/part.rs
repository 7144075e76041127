//! What an export may say of a page: all of it, or only what independent groups attest.
//!
//! Decides that from the page's settlement. A body cannot be cut without becoming another document, so that of a page of
//! which groups saw different versions is in no export; its text and its verdict are. Never decides which blocks are
//! attested: the verdict did.

use crate::archive::{OwnedRecord, read_at};
use crate::intake::header;
use crate::keeper::StampedSettlement;
use crate::question::CaptureView;
use anyhow::{Context as _, Result};
use serde::Serialize;
use std::path::Path;
use sward_coordinator_core::settlement::Settlement;
use sward_page::attested::OtherBlocks;
use sward_page::charset::decode;
use sward_page::document::Page;
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::ids::TaskId;
use sward_proto::quorum::Layer;

/// What is attested of a page that is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Attested {
    /// Its bytes, or on the word of one agent all that it says.
    Whole,
    /// All of its blocks; what is in none, such as advertisements, is left out of its text.
    Blocks,
    /// Some of its blocks.
    Part,
}

/// The title and the texts of what may be said of a page.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) title: Option<String>,
    pub(super) main_text: String,
    pub(super) text: String,
}

/// All pages of which only a part is exported.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Parts {
    /// Blocks of these pages that are left out, as one agent alone saw them.
    pub blocks_left_out: usize,
    /// Pages that are left out altogether.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// A page that is accepted and not exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Its task.
    pub task: TaskId,
    /// What was asked for.
    pub url: CanonicalUrl,
    /// Why.
    pub reason: String,
}

impl Attested {
    pub(super) fn of(settlement: &Settlement) -> Self {
        match (&settlement.blocks, settlement.layer) {
            (Some(_), _) => Self::Part,
            (None, Some(Layer::Canonical)) => Self::Blocks,
            (None, _) => Self::Whole,
        }
    }
}

/// The settlement of a capture.
pub(super) fn settlement(archive: &Path, view: &CaptureView) -> Result<Settlement> {
    let metadata =
        read_at(archive, view.capture.settlement).context("a verdict is not in the archive")?;
    let stamped: StampedSettlement = serde_json::from_slice(&metadata.block)?;
    Ok(stamped.settlement)
}

/// What may be said of the page in `response`, which `settlement` accepts.
///
/// # Errors
/// [`OtherBlocks`] where it cannot be told which parts of it are attested.
pub(super) fn said(response: &OwnedRecord, settlement: &Settlement) -> Result<Said, OtherBlocks> {
    let Some((head, body)) = response.http() else { return Ok(Said::default()) };
    let decoded = decode(body, header(head, "content-type").as_deref());
    let Ok(page) = Page::parse(&decoded.text) else { return Ok(Said::default()) };
    Ok(match (Attested::of(settlement), &settlement.blocks) {
        (Attested::Part, Some(blocks)) => Said::of(page.attested(blocks)?.page()),
        (Attested::Blocks, _) => Said::of(page.in_blocks().page()),
        (Attested::Whole | Attested::Part, _) => Said::of(&page),
    })
}

/// How many blocks of a page are left out, and of how many.
pub(super) fn blocks_left_out(settlement: &Settlement) -> Option<(usize, usize)> {
    let marks = &settlement.blocks.as_ref()?.attested;
    Some((marks.bytes().filter(|mark| *mark != b'1').count(), marks.len()))
}

/// Looks at every page of which only a part is attested.
pub(super) fn find(archive: &Path, captures: &[CaptureView]) -> Result<Parts> {
    let mut parts = Parts::default();
    for view in captures.iter().filter(|view| view.capture.in_part) {
        let settlement = settlement(archive, view)?;
        let response =
            read_at(archive, view.capture.page).context("a page is not in the archive")?;
        match said(&response, &settlement) {
            Ok(_) => {
                parts.blocks_left_out += blocks_left_out(&settlement).map_or(0, |(out, _)| out);
            }
            Err(error @ OtherBlocks) => parts.left_out.push(LeftOut {
                task: view.task,
                url: settlement.url,
                reason: format!("{error}: it was accepted under other rules"),
            }),
        }
    }
    Ok(parts)
}

impl Said {
    fn of(page: &Page) -> Self {
        Self { title: page.title(), main_text: page.main_text(), text: page.text() }
    }
}
