//! Segments and places in them.
//!
//! Decides how segment files are named and numbered. Never opens one.

use super::error::ArchiveError;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A place between two records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// The segment's number; the first is 1.
    pub segment: u32,
    /// Bytes from the segment's beginning.
    pub offset: u64,
}

impl Position {
    /// Before the first record.
    pub const START: Self = Self { segment: 1, offset: 0 };
}

pub use sward_coordinator_core::record::capture::Location;

/// The file name of a segment, for instance `sward-00000001.warc.gz`.
pub(super) fn file_name(segment: u32) -> String {
    format!("sward-{segment:08}.warc.gz")
}

/// The numbers of the segments in `dir`, in ascending order. Other files are passed over.
///
/// # Errors
/// [`ArchiveError::Read`] where the folder cannot be listed.
pub(super) fn list(dir: &Path) -> Result<Vec<u32>, ArchiveError> {
    let failed = |source| ArchiveError::Read { path: dir.to_owned(), source };
    let mut segments = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        segments.extend(number(&PathBuf::from(entry.map_err(failed)?.file_name())));
    }
    segments.sort_unstable();
    Ok(segments)
}

fn number(name: &Path) -> Option<u32> {
    let name = name.to_str()?;
    let digits = name.strip_prefix("sward-")?.strip_suffix(".warc.gz")?;
    let segment = digits.parse().ok()?;
    (segment > 0 && file_name(segment) == name).then_some(segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_spelling_of_a_segment_counts() {
        assert_eq!(number(Path::new("sward-00000012.warc.gz")), Some(12));
        assert_eq!(number(Path::new(&file_name(u32::MAX))), Some(u32::MAX));
        for name in ["sward-12.warc.gz", "sward-00000000.warc.gz", "sward-+0000001.warc.gz", "a"] {
            assert_eq!(number(Path::new(name)), None, "{name}");
        }
    }
}
