//! The bodies of revisits whose first record is not part of the export: it belongs to another job, or was taken back.
//!
//! Decides which revisits would point at nothing, and where a body for each lies. Reads the archive through once at most,
//! and only where such a body is in no capture of the job itself.

use crate::archive::{Location, Position, RecordId, read_at, records_from};
use crate::question::CaptureView;
use anyhow::{Context as _, Result, ensure};
use std::collections::BTreeMap;
use std::path::Path;
use sward_proto::digest::Digest;
use sward_proto::ids::TaskId;

/// Where the body of each such revisit lies, by its task.
pub(super) type Originals = BTreeMap<TaskId, Location>;

/// Finds them.
pub(super) fn find(archive: &Path, captures: &[CaptureView]) -> Result<Originals> {
    let whole = captures.iter().filter(|view| !view.capture.revisit);
    let own: BTreeMap<Digest, Location> =
        whole.map(|view| (view.capture.payload, view.capture.page)).collect();
    let (mut found, mut wanted) = (Originals::new(), BTreeMap::<RecordId, Vec<TaskId>>::new());
    for CaptureView { task, capture } in captures.iter().filter(|view| view.capture.revisit) {
        let revisit = read_at(archive, capture.page).context("a page is not in the archive")?;
        let first = revisit.id_in("WARC-Refers-To").context("a revisit of nothing")?;
        match own.get(&capture.payload) {
            Some(at) if read_at(archive, *at)?.id() == Some(first) => {}
            Some(at) => drop(found.insert(*task, *at)),
            None => wanted.entry(first).or_default().push(*task),
        }
    }
    if wanted.is_empty() {
        return Ok(found);
    }
    for record in records_from(archive, Position::START)? {
        let (at, record) = record?;
        let tasks = record.id().and_then(|id| wanted.remove(&id)).unwrap_or_default();
        found.extend(tasks.into_iter().map(|task| (task, at)));
    }
    ensure!(
        wanted.is_empty(),
        "{} records that revisits name are not in the archive",
        wanted.len()
    );
    Ok(found)
}
