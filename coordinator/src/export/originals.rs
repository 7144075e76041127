//! Where the bodies of an export's revisits lie.
//!
//! Decides that, and which revisits would point at nothing, as the record that they name is not part of the export: it
//! belongs to another job, or was taken back. Reads the archive through once at most, and only where a body is in no
//! capture of the job itself.

use crate::archive::{Location, Position, RecordId, read_at, records_from};
use crate::question::CaptureView;
use anyhow::{Context as _, Result, ensure};
use std::collections::BTreeMap;
use std::path::Path;
use sward_proto::digest::Digest;
use sward_proto::ids::TaskId;

/// A record that has a revisit's body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Original {
    /// Where it lies.
    pub(super) at: Location,
    /// Whether it is the one that the revisit names, and part of the export.
    pub(super) is_exported: bool,
}

/// The originals of all revisits, by their tasks.
pub(super) type Originals = BTreeMap<TaskId, Original>;

/// Finds them.
pub(super) fn find(archive: &Path, captures: &[CaptureView]) -> Result<Originals> {
    let mut own: BTreeMap<Digest, (Location, bool)> = BTreeMap::new();
    // The body of a page that is exported in part is not part of the export: rather one that is.
    let mut bodies: Vec<&CaptureView> =
        captures.iter().filter(|view| !view.capture.revisit).collect();
    bodies.sort_by_key(|view| view.capture.in_part);
    for CaptureView { capture, .. } in bodies {
        own.entry(capture.payload).or_insert((capture.page, !capture.in_part));
    }
    let (mut found, mut wanted) = (Originals::new(), BTreeMap::<RecordId, Vec<TaskId>>::new());
    for CaptureView { task, capture } in captures.iter().filter(|view| view.capture.revisit) {
        let revisit = read_at(archive, capture.page).context("a page is not in the archive")?;
        let first = revisit.id_in("WARC-Refers-To").context("a revisit of nothing")?;
        match own.get(&capture.payload) {
            Some((at, is_whole)) => {
                let is_exported = *is_whole && read_at(archive, *at)?.id() == Some(first);
                found.insert(*task, Original { at: *at, is_exported });
            }
            None => wanted.entry(first).or_default().push(*task),
        }
    }
    if wanted.is_empty() {
        return Ok(found);
    }
    for record in records_from(archive, Position::START)? {
        let (at, record) = record?;
        let tasks = record.id().and_then(|id| wanted.remove(&id)).unwrap_or_default();
        let original = Original { at, is_exported: false };
        found.extend(tasks.into_iter().map(|task| (task, original)));
    }
    ensure!(
        wanted.is_empty(),
        "{} records that revisits name are not in the archive",
        wanted.len()
    );
    Ok(found)
}
