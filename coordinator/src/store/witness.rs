//! What the last commit left, written down apart from sled and the redo log.
//!
//! Decides how a rollback is told from an index that is in order: sled may lose the end of its log at the border of two
//! batches, and what it then shows is a whole index, only an older one, whose own summary agrees with it (900 of 6,000
//! damaged copies); and a redo log that was cut between two records is a whole one. The witness is written after the
//! commit it speaks of is durable, so it may lag behind the index but never be ahead. It is not synced itself: a process
//! killed leaves it exact, and a power cut may leave it some commits behind, which makes it less sharp but never wrong.

use super::summary::{SUMMARY_BYTES, Summary};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// The file's name. sled leaves names other than its own alone.
const NAME: &str = "sward-last-commit";

/// The summary, the commit's number and their CRC-32.
const WITNESS_BYTES: usize = SUMMARY_BYTES + 8 + 4;

/// What an index must have come to at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Last {
    /// What was merged into sled.
    pub(super) merged: Summary,
    /// The number of the last commit.
    pub(super) commit: u64,
}

/// The open file.
#[derive(Debug)]
pub(super) struct Witness(File);

impl Witness {
    /// Creates it in the folder `dir`, and makes it durable: its being there says that the index was made whole.
    pub(super) fn create(dir: &Path, last: Last) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).open(dir.join(NAME))?;
        let mut witness = Self(file);
        witness.write(last)?;
        witness.0.sync_all()?;
        File::open(dir)?.sync_all()?;
        Ok(witness)
    }

    /// Opens it in the folder `dir`, with what it says; `None` where its contents are not what was written.
    pub(super) fn open(dir: &Path) -> io::Result<(Self, Option<Last>)> {
        let mut file = OpenOptions::new().read(true).write(true).open(dir.join(NAME))?;
        let mut bytes = Vec::with_capacity(WITNESS_BYTES);
        Read::by_ref(&mut file).take(WITNESS_BYTES as u64 + 1).read_to_end(&mut bytes)?;
        let last = bytes.split_last_chunk::<4>().and_then(|(said, crc)| {
            let (merged, commit) = said.split_last_chunk::<8>()?;
            let whole = crc32fast::hash(said).to_be_bytes() == *crc;
            let commit = u64::from_be_bytes(*commit);
            whole.then_some(Last { merged: Summary::from_bytes(merged)?, commit })
        });
        Ok((Self(file), last))
    }

    /// Replaces what it says. In place, as 36 bytes at the start of a file lie in one sector and are not torn.
    pub(super) fn write(&mut self, last: Last) -> io::Result<()> {
        let mut bytes = last.merged.to_bytes().to_vec();
        bytes.extend_from_slice(&last.commit.to_be_bytes());
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_be_bytes());
        self.0.seek(SeekFrom::Start(0))?;
        self.0.write_all(&bytes)
    }
}
