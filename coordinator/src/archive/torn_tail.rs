//! What a crash left at the end of a segment.
//!
//! Decides where the last whole record ends, and whether what follows is a write that was torn (no record of ours
//! begins in it) or damage in the middle of the archive (one does). Never cuts anything itself.

use super::error::ArchiveError;
use super::gzip_member::FileRecords;
use super::record_id::RecordId;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// How a gzip member begins: magic number, deflate, no flags (RFC 1952 section 2.3.1).
const MEMBER_START: u32 = 0x1f8b_0800;

/// What of a segment is whole.
#[derive(Debug, Default)]
pub(super) struct Whole {
    /// Where the last whole record ends, in bytes.
    pub(super) end: u64,
    /// The id of the warcinfo record that the segment begins with.
    pub(super) warcinfo: Option<RecordId>,
}

/// Reads the segment at `path`, whose file name is `name`, and returns what of it is whole.
///
/// # Errors
/// [`ArchiveError::Damaged`] where whole records follow a damaged one, [`ArchiveError::Read`] where the disk fails.
pub(super) fn whole_part(path: &Path, name: &str) -> Result<Whole, ArchiveError> {
    let mut whole = Whole::default();
    for read in FileRecords::open(path, 0)? {
        match read {
            Ok((range, record)) => {
                if range.start == 0 && record.kind() == "warcinfo" {
                    whole.warcinfo = record.id();
                }
                whole.end = range.end;
            }
            Err(ArchiveError::Damaged { path, offset, damage }) => {
                if has_record_after(&path, name, offset)? {
                    return Err(ArchiveError::Damaged { path, offset, damage });
                }
            }
            Err(other) => return Err(other),
        }
    }
    Ok(whole)
}

/// Whether a whole record of this segment begins somewhere after `offset`. A page may itself contain gzip members
/// and WARC records, so only one whose id names this very place counts.
fn has_record_after(path: &Path, name: &str, offset: u64) -> Result<bool, ArchiveError> {
    let failed = |source| ArchiveError::Read { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(failed)?;
    file.seek(SeekFrom::Start(offset + 1)).map_err(failed)?;
    let mut last_four = 0_u32;
    for (byte, end) in BufReader::new(file).bytes().zip(offset + 2..) {
        last_four = last_four << 8 | u32::from(byte.map_err(failed)?);
        if last_four == MEMBER_START && is_record(path, name, end.saturating_sub(4))? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_record(path: &Path, name: &str, offset: u64) -> Result<bool, ArchiveError> {
    match FileRecords::open(path, offset)?.next() {
        Some(Ok((_, record))) => Ok(record.id() == Some(record.id_at(name, offset))),
        Some(Err(ArchiveError::Damaged { .. })) | None => Ok(false),
        Some(Err(other)) => Err(other),
    }
}
