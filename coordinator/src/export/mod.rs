//! A corpus in files: what a job accepted, each record with where it comes from.
//!
//! Decides how an export appears: written aside, every file's digest in a manifest, then renamed into place whole. Reads one
//! snapshot of the captures; the same snapshot gives the same bytes, but for
//! seeds of draws that were published since.

mod evidence;
mod jsonl;
mod manifest;
mod originals;
mod part;
mod retractions;
mod warc;

pub use manifest::{FileEntry, Manifest};
pub use part::{LeftOut, Parts};

use crate::config::Layout;
use crate::question::CaptureView;
use anyhow::{Context as _, Result, bail, ensure};
use std::path::{Path, PathBuf};
use sward_proto::ids::JobName;

/// What can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// The archive's own records, as WARC 1.1.
    Warc,
    /// One JSON object a page: URL, text, title and where it comes from.
    Jsonl,
}

impl std::str::FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "warc" => Ok(Self::Warc),
            "jsonl" => Ok(Self::Jsonl),
            other => Err(format!("format {other} is not known: give warc or jsonl")),
        }
    }
}

/// What an export would hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Plan {
    /// Pages, robots.txt files not counted.
    pub pages: usize,
    /// Of them, pages whose body is that of another.
    pub duplicates: usize,
    /// Of them, pages of which only some blocks are attested; nothing else of these is exported.
    pub in_part: usize,
    /// Decoded bytes of the pages.
    pub bytes: u64,
}

impl Plan {
    /// Counts a snapshot.
    #[must_use]
    pub fn of(captures: &[CaptureView]) -> Self {
        let pages = captures.iter().filter(|view| !view.capture.robots);
        let mut plan = Self { pages: 0, duplicates: 0, in_part: 0, bytes: 0 };
        for page in pages {
            plan.pages += 1;
            plan.duplicates += usize::from(page.capture.revisit);
            plan.in_part += usize::from(page.capture.in_part);
            plan.bytes += page.capture.bytes;
        }
        plan
    }
}

/// Writes an export.
///
/// # Errors
/// Where `out` exists, the disk fails, or the archive does not hold what the index says.
pub fn write(
    layout: &Layout,
    job: &JobName,
    captures: &[CaptureView],
    formats: &[Format],
    out: &Path,
) -> Result<Manifest> {
    ensure!(!out.exists(), "{} exists already: choose another folder", out.display());
    ensure!(!captures.is_empty(), "job {job} has accepted no page yet");
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
    let aside = tempfile::Builder::new()
        .prefix(".sward-export-")
        .tempdir_in(parent)
        .with_context(|| format!("cannot write into {}", parent.display()))?;
    let archive = layout.archive();
    let needs_warc = formats.contains(&Format::Warc);
    if !needs_warc && !formats.contains(&Format::Jsonl) {
        bail!("no format was given: give --format warc,jsonl");
    }
    let parts = part::find(&archive, captures)?;
    let is_left_out = |view: &&CaptureView| parts.left_out.iter().any(|out| out.task == view.task);
    let captures: Vec<CaptureView> =
        captures.iter().filter(|view| !is_left_out(view)).cloned().collect();
    let captures = captures.as_slice();
    let originals = originals::find(&archive, captures)?;
    let mut files = Vec::new();
    let mut places = std::collections::BTreeMap::new();
    if needs_warc {
        let (entry, found) = warc::write(&archive, job, captures, &originals, aside.path())?;
        files.push(entry);
        places = found;
    }
    if formats.contains(&Format::Jsonl) {
        files.push(jsonl::write(&archive, job, captures, &places, &originals, aside.path())?);
    }
    files.extend(evidence::write(layout, job, captures, aside.path())?);
    files.extend(retractions::write(layout, job, aside.path())?);
    let manifest = Manifest::new(job, Plan::of(captures), parts, files);
    manifest.write(aside.path())?;
    let path: PathBuf = aside.keep();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    std::fs::rename(&path, out).with_context(|| format!("cannot make {}", out.display()))?;
    Ok(manifest)
}
