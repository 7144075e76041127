//! The journal: what must outlive the index and is not a page (invites, enrolments, jobs and their states, receipts).
//!
//! One entry a line, `crc32 in 8 hexadecimal digits, space, JSON, LF`, only ever appended. Decides which lines are
//! whole and what a crash left of the last. Never decides what an entry means, and never drops one that was synced.

use crate::archive::WriteError;
use crate::archive::append_file::AppendFile;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

/// The longest line that is read or written, in bytes: bounds what a damaged file can make a reader hold.
pub const MAX_LINE_BYTES: u64 = 16 << 20;

/// Why a journal cannot be opened or appended to.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Appending or syncing failed; [`WriteError::Full`] is the case that more room mends.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The operating system refused a read.
    #[error("could not read {path}: {source}")]
    Read {
        /// The journal's file.
        path: PathBuf,
        /// Its reason.
        source: io::Error,
    },
    /// A line that has its end but fails its checksum.
    #[error("damaged line {line} at byte {offset} of {path}; restore the file from a backup")]
    Damaged {
        /// The journal's file.
        path: PathBuf,
        /// The line's number; the first is 1.
        line: u64,
        /// Where the line begins, in bytes.
        offset: u64,
    },
    /// A whole line that is no entry of this journal: the file of another journal, or of a newer version.
    #[error("line {line} of {path} is not an entry that this version knows: {source}")]
    NotAnEntry {
        /// The journal's file.
        path: PathBuf,
        /// The line's number; the first is 1.
        line: u64,
        /// What the JSON parser says.
        source: serde_json::Error,
    },
    /// An entry that JSON cannot hold.
    #[error("could not write an entry as json: {0}")]
    Encode(serde_json::Error),
    /// An entry that could be written but would be refused when read.
    #[error("entry of {0} bytes is longer than a journal's line may be ({MAX_LINE_BYTES})")]
    TooLong(u64),
}

/// What opening a journal found.
#[derive(Debug, PartialEq, Eq)]
pub struct Replay<T> {
    /// The whole entries, in the order in which they were appended.
    pub entries: Vec<T>,
    /// Bytes of a torn write that were cut from the end. Not zero after a crash; nothing that was synced is lost.
    pub truncated_bytes: u64,
}

/// A journal of entries `T`, open for appending.
#[derive(Debug)]
pub struct Journal<T> {
    file: AppendFile,
    entries: PhantomData<fn(&T)>,
}

impl<T: Serialize + DeserializeOwned> Journal<T> {
    /// Opens the journal at `path`, or begins one; its folder must exist. Cuts a torn write from its end.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] and [`JournalError::NotAnEntry`], which change nothing;
    /// [`WriteError::InUse`] where another process writes here.
    pub fn open(path: &Path) -> Result<(Self, Replay<T>), JournalError> {
        let mut file = AppendFile::open(path)?;
        file.lock()?;
        let (entries, end) = read_entries(path)?;
        let truncated_bytes = file.cut(end)?;
        Ok((Self { file, entries: PhantomData }, Replay { entries, truncated_bytes }))
    }

    /// The whole entries of the journal at `path` as they are now; another process may be writing to it.
    ///
    /// # Errors
    /// [`JournalError`] where it cannot be read, or is damaged before its end.
    pub fn read(path: &Path) -> Result<Vec<T>, JournalError> {
        read_entries(path).map(|(entries, _)| entries)
    }

    /// Appends an entry; it is durable after [`Self::sync`].
    ///
    /// # Errors
    /// [`JournalError`]; then nothing was appended.
    pub fn append(&mut self, entry: &T) -> Result<(), JournalError> {
        let json = serde_json::to_string(entry).map_err(JournalError::Encode)?;
        let line = format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes()));
        if line.len() as u64 > MAX_LINE_BYTES {
            return Err(JournalError::TooLong(line.len() as u64));
        }
        Ok(self.file.append(line.as_bytes())?)
    }

    /// Waits until everything that was appended is on the disk.
    ///
    /// # Errors
    /// [`WriteError::Full`] leaves nothing torn and forgets nothing: call it again once there is room. After any
    /// other error the journal must be opened again.
    pub fn sync(&mut self) -> Result<(), WriteError> {
        self.file.sync()
    }

    /// The journal's length in bytes; all of it is durable after a sync.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.file.end()
    }
}

/// The entries of the file, and where the last of them ends. A torn write is a line without its end: LF is the last
/// byte of each, and JSON has none within.
fn read_entries<T: DeserializeOwned>(path: &Path) -> Result<(Vec<T>, u64), JournalError> {
    let failed = |source| JournalError::Read { path: path.to_owned(), source };
    let mut file = BufReader::new(File::open(path).map_err(failed)?);
    let mut entries = Vec::new();
    let mut end = 0;
    for line in 1.. {
        let mut bytes = Vec::new();
        let mut limited = file.by_ref().take(MAX_LINE_BYTES);
        let read = limited.read_until(b'\n', &mut bytes).map_err(failed)? as u64;
        if read < MAX_LINE_BYTES && bytes.last() != Some(&b'\n') {
            break;
        }
        let json = json_of(&bytes).ok_or_else(|| JournalError::Damaged {
            path: path.to_owned(),
            line,
            offset: end,
        })?;
        entries.push(serde_json::from_slice(json).map_err(|source| JournalError::NotAnEntry {
            path: path.to_owned(),
            line,
            source,
        })?);
        end += read;
    }
    Ok((entries, end))
}

/// The JSON of a line whose checksum holds.
fn json_of(line: &[u8]) -> Option<&[u8]> {
    let (checksum, rest) = line.split_first_chunk::<8>()?;
    let json = rest.strip_prefix(b" ")?.strip_suffix(b"\n")?;
    (format!("{:08x}", crc32fast::hash(json)).as_bytes() == checksum).then_some(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_its_checksum_and_its_json() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("jobs.journal");
        let (mut journal, replay) = Journal::<String>::open(&path).expect("a new journal");
        assert_eq!(replay, Replay { entries: Vec::new(), truncated_bytes: 0 });
        journal.append(&"a\nb".to_owned()).expect("room");
        journal.sync().expect("room");
        // CRC-32 of the six bytes `"a\nb"`, as zlib's crc32 computes it.
        assert_eq!(std::fs::read_to_string(&path).expect("text"), "1ecd4592 \"a\\nb\"\n");
        assert_eq!(journal.position(), 16);
    }

    #[test]
    fn only_one_process_writes() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("jobs.journal");
        let _first = Journal::<u8>::open(&path).expect("a new journal");
        let second = Journal::<u8>::open(&path);
        assert!(matches!(second, Err(JournalError::Write(WriteError::InUse { .. }))));
    }
}
