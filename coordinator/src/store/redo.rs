//! The commits that sled has not merged yet, in one file that is appended to and synced once a commit.
//!
//! Decides which records are whole, and tells the end of a commit that was never acknowledged from damage. A record is the
//! length of its changes and a CRC-32 (four bytes each, big-endian), the commit's number (eight), and the changes. Each
//! commit through sled itself would wake its seven writer threads (`threadpool::Queue::send`) and rewrite a tree node for
//! each key; most of what a crawl writes is replaced within seconds.

use super::contained::from_io;
use super::tree::damaged;
use crate::archive::WriteError;
use crate::archive::append_file::AppendFile;
use serde::{Deserialize, Serialize};
use std::path::Path;
use sward_coordinator_core::batch::Batch;
use sward_coordinator_core::record::{self, position};
use sward_coordinator_core::store::StoreError;

/// The file's name. sled leaves names other than its own alone.
const NAME: &str = "sward-redo-log";

/// Bytes before a record's changes.
const HEADER_BYTES: usize = 16;

/// One change of a key; none is a deletion.
#[derive(Serialize, Deserialize)]
struct Change<'a> {
    key: &'a [u8],
    value: Option<&'a [u8]>,
}

/// The open file.
#[derive(Debug)]
pub(super) struct RedoLog {
    file: AppendFile,
    /// The next record: room for its header, then changes.
    next: Vec<u8>,
}

/// What a log held.
#[derive(Debug, Default)]
pub(super) struct Replay {
    /// The changes of commits after the last one merged.
    pub(super) changes: Batch,
    /// The number of the last commit, where there is one.
    pub(super) last: Option<u64>,
}

impl RedoLog {
    /// Opens the log in the folder `dir`, or makes one there, with what it says of the commits after number `merged`.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where a record other than the last is not whole, or one is missing after `merged`;
    /// [`StoreError::Newer`] and [`StoreError`] of the disk.
    pub(super) fn open(dir: &Path, merged: u64) -> Result<(Self, Replay), StoreError> {
        let path = dir.join(NAME);
        let mut file = AppendFile::open(&path).map_err(from_write)?;
        let bytes =
            std::fs::read(&path).map_err(|error| from_io("reading the redo log", &error))?;
        let (replay, whole) = replay(&bytes, merged)?;
        file.cut(whole as u64).map_err(from_write)?;
        Ok((Self { file, next: vec![0; HEADER_BYTES] }, replay))
    }

    /// How long it is, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.file.end()
    }

    /// Adds changes to the next commit.
    ///
    /// # Errors
    /// [`StoreError::Io`] where a change cannot be written down, which no change of bytes does.
    pub(super) fn stage(&mut self, batch: &Batch) -> Result<(), StoreError> {
        for (key, value) in batch.changes() {
            self.next = postcard::to_extend(&Change { key, value }, std::mem::take(&mut self.next))
                .map_err(|error| StoreError::Io(format!("writing down a change: {error}")))?;
        }
        Ok(())
    }

    /// Whether the next commit has any changes.
    pub(super) const fn has_staged(&self) -> bool {
        self.next.len() > HEADER_BYTES
    }

    /// Makes the staged changes durable as commit `number`.
    ///
    /// # Errors
    /// [`StoreError`] of the disk; then the log must not be used any more.
    pub(super) fn commit(&mut self, number: u64) -> Result<(), StoreError> {
        let length = u32::try_from(self.next.len() - HEADER_BYTES);
        let length = length.map_err(|_| StoreError::Io("a commit of over 4 GiB".to_owned()))?;
        if let Some((header, _)) = self.next.split_first_chunk_mut::<HEADER_BYTES>() {
            let (sizes, name) = header.split_at_mut(8);
            name.copy_from_slice(&number.to_be_bytes());
            let (first, second) = sizes.split_at_mut(4);
            first.copy_from_slice(&length.to_be_bytes());
            second.fill(0);
        }
        let crc = self.next.get(8..).map_or(0, crc32fast::hash).to_be_bytes();
        if let Some(place) = self.next.get_mut(4..8) {
            place.copy_from_slice(&crc);
        }
        self.file.append(&self.next).and_then(|()| self.file.sync()).map_err(from_write)?;
        self.next.truncate(HEADER_BYTES);
        Ok(())
    }

    /// Empties it, once sled has all of it.
    ///
    /// # Errors
    /// [`StoreError`] of the disk.
    pub(super) fn restart(&mut self) -> Result<(), StoreError> {
        self.file.cut(0).map(drop).map_err(from_write)
    }
}

/// What the log `bytes` says, and how many of them are whole records.
fn replay(bytes: &[u8], merged: u64) -> Result<(Replay, usize), StoreError> {
    let (mut replay, mut rest) = (Replay::default(), bytes);
    while let Some((record, after)) = next_record(rest)? {
        let (number, changes) = record;
        let expected = replay.last.map_or(number, |last| last + 1);
        if number != expected || number > replay.last.unwrap_or(merged) + 1 {
            return Err(damaged(&format!("commit {number} follows {:?}", replay.last)));
        }
        if number > merged {
            let changes = read_changes(changes)?;
            check(&changes)?;
            replay.changes.extend(changes);
        }
        replay.last = Some(number);
        rest = after;
    }
    Ok((replay, bytes.len() - rest.len()))
}

type Record<'a> = (u64, &'a [u8]);

/// The record at the start of `bytes`, and what follows it; none where the rest is what a write leaves that was cut short:
/// the beginning of a record, one whole length of something else, or zeros.
fn next_record(bytes: &[u8]) -> Result<Option<(Record<'_>, &[u8])>, StoreError> {
    let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return Ok(None);
    };
    let [l0, l1, l2, l3, c0, c1, c2, c3, number @ ..] = *header;
    let length = u32::from_be_bytes([l0, l1, l2, l3]) as usize;
    let Some((changes, after)) = rest.split_at_checked(length) else {
        return Ok(None);
    };
    let mut crc = crc32fast::Hasher::new();
    crc.update(&number);
    crc.update(changes);
    if crc.finalize() == u32::from_be_bytes([c0, c1, c2, c3]) {
        return Ok(Some(((u64::from_be_bytes(number), changes), after)));
    }
    if after.is_empty() || bytes.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    Err(damaged("a commit in the redo log fails its checksum"))
}

fn read_changes(mut bytes: &[u8]) -> Result<Batch, StoreError> {
    let mut batch = Batch::default();
    while !bytes.is_empty() {
        let (change, rest) = postcard::take_from_bytes::<Change<'_>>(bytes)
            .map_err(|_| damaged("a change in the redo log does not read"))?;
        match change.value {
            Some(value) => batch.put(change.key.to_vec(), value.to_vec()),
            None => batch.delete(change.key.to_vec()),
        }
        bytes = rest;
    }
    Ok(batch)
}

/// Whether every entry reads as what its key says, the format number first.
fn check(changes: &Batch) -> Result<(), StoreError> {
    if let Some(Some(format)) = changes.change(&position::format_key()) {
        position::check_format(format)?;
    }
    for (key, value) in changes.changes() {
        if let Some(value) = value {
            record::check(key, value)?;
        }
    }
    Ok(())
}

fn from_write(error: WriteError) -> StoreError {
    match error {
        WriteError::Full { .. } => StoreError::Full(error.to_string()),
        WriteError::Io { .. } | WriteError::Broken { .. } | WriteError::InUse { .. } => {
            StoreError::Io(error.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(number: u64) -> Batch {
        let mut batch = Batch::default();
        batch.put(b"Sa".to_vec(), number.to_be_bytes().to_vec());
        batch.put(format!("S{number}").into_bytes(), Vec::new());
        batch.delete(b"Sgone".to_vec());
        batch
    }

    /// A log of commits `from` to `to`, as it lies on the disk, with the length of each record.
    fn written(from: u64, to: u64) -> (Vec<u8>, Vec<usize>) {
        let dir = tempfile::tempdir().expect("a folder");
        let (mut log, _) = RedoLog::open(dir.path(), from - 1).expect("a new log");
        let mut ends = Vec::new();
        for number in from..=to {
            log.stage(&some(number)).expect("bytes");
            assert!(log.has_staged());
            log.commit(number).expect("room");
            assert!(!log.has_staged());
            ends.push(usize::try_from(log.bytes()).expect("short"));
        }
        (std::fs::read(dir.path().join(NAME)).expect("a log"), ends)
    }

    fn expected(from: u64, to: u64) -> Batch {
        let mut all = Batch::default();
        (from..=to).for_each(|number| all.extend(some(number)));
        all
    }

    #[test]
    fn commits_after_the_merged_ones_are_replayed() {
        let (bytes, _) = written(4, 9);
        for merged in 3..=9 {
            let (replay, whole) = replay(&bytes, merged).expect("whole");
            assert_eq!((replay.changes, replay.last), (expected(merged + 1, 9), Some(9)));
            assert_eq!(whole, bytes.len());
        }
        assert!(matches!(replay(&bytes, 2), Err(StoreError::Damaged(_))), "commit 3 is missing");
        let (nothing, _) = replay(&[], 2).expect("an empty log");
        assert_eq!((nothing.changes.is_empty(), nothing.last), (true, None));
    }

    #[test]
    fn only_the_last_commit_may_be_torn() {
        let (bytes, ends) = written(1, 3);
        for length in 0..bytes.len() {
            let (replay, whole) = replay(&bytes[..length], 0).expect("torn");
            let kept = ends.iter().filter(|end| **end <= length).count();
            assert_eq!(replay.last.unwrap_or(0), kept as u64, "cut to {length}");
            assert_eq!(whole, ends[..kept].last().copied().unwrap_or(0));
        }
        for (place, number) in (0..bytes.len()).map(|at| (at, ends.partition_point(|e| *e <= at))) {
            let mut flipped = bytes.clone();
            flipped[place] ^= 0x10;
            match replay(&flipped, 0) {
                Err(StoreError::Damaged(_)) => {}
                Ok((replay, _)) => assert_eq!(replay.last.unwrap_or(0), number as u64, "{place}"),
                Err(other) => panic!("{place}: {other}"),
            }
        }
        let zeros = [bytes.as_slice(), &[0; 900]].concat();
        assert_eq!(replay(&zeros, 0).expect("never written").1, bytes.len());
    }
}
