//! Reading the archive back, from a place on or at one place.
//!
//! Decides the order (that of writing) and that no segment is silently skipped. Never writes; may run beside the
//! writer, and then must stop at a position that was synced, as the newest record may still be half there.

use super::error::ArchiveError;
use super::gzip_member::FileRecords;
use super::owned_record::OwnedRecord;
use super::segment::{self, Location, Position};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};

/// The records in `dir` from `from` on. A folder without segments has none.
///
/// # Errors
/// [`ArchiveError`] where the folder cannot be listed or a segment is missing between others.
pub fn records_from(dir: &Path, from: Position) -> Result<Records, ArchiveError> {
    let mut ahead: VecDeque<u32> = segment::list(dir)?.into();
    ahead.retain(|segment| *segment >= from.segment);
    let gap = (from.segment..).zip(&ahead).find(|(expected, found)| expected != *found);
    if let Some((missing, _)) = gap {
        return Err(ArchiveError::Missing { path: dir.join(segment::file_name(missing)) });
    }
    Ok(Records { dir: dir.to_owned(), ahead, offset: from.offset, current: None })
}

/// The record at `at`.
///
/// # Errors
/// [`ArchiveError::Damaged`] where it cannot be read, [`ArchiveError::NotThere`] where another or none is there.
pub fn read_at(dir: &Path, at: Location) -> Result<OwnedRecord, ArchiveError> {
    let path = dir.join(segment::file_name(at.segment));
    match FileRecords::open(&path, at.offset)?.next().transpose()? {
        Some((range, record)) if range.end == at.offset.saturating_add(at.length) => Ok(record),
        Some(_) | None => {
            Err(ArchiveError::NotThere { path, offset: at.offset, length: at.length })
        }
    }
}

/// Made by [`records_from`]. Ends after the first error.
#[derive(Debug)]
pub struct Records {
    dir: PathBuf,
    ahead: VecDeque<u32>,
    /// Where the next segment is entered, in bytes.
    offset: u64,
    current: Option<(u32, FileRecords)>,
}

impl Iterator for Records {
    type Item = Result<(Location, OwnedRecord), ArchiveError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((segment, records)) = &mut self.current {
                let segment = *segment;
                match records.next() {
                    Some(Ok((range, record))) => {
                        let length = range.end - range.start;
                        let location = Location { segment, offset: range.start, length };
                        return Some(Ok((location, record)));
                    }
                    Some(Err(error)) => return self.end_with(error),
                    None => self.current = None,
                }
            }
            let segment = self.ahead.pop_front()?;
            let path = self.dir.join(segment::file_name(segment));
            match FileRecords::open(&path, std::mem::take(&mut self.offset)) {
                Ok(records) => self.current = Some((segment, records)),
                Err(error) => return self.end_with(error),
            }
        }
    }
}

impl Records {
    fn end_with(
        &mut self,
        error: ArchiveError,
    ) -> Option<Result<(Location, OwnedRecord), ArchiveError>> {
        self.ahead.clear();
        self.current = None;
        Some(Err(error))
    }
}
