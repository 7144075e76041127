//! The index in sled 0.34.
//!
//! Decides what a commit does until it may be relied on, and what is checked before an index is used. Each commit moves
//! on a summary of all entries, kept under [`SELF_KEY`] in the same atomic batch and once more outside of sled; opening
//! reads every entry and refuses an index that does not come to it.

use super::contained::{contained, from_io};
use super::durable::{SledFiles, sync_parent};
use super::summary::Summary;
use super::witness::Witness;
use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use sward_coordinator_core::batch::Batch;
use sward_coordinator_core::record::{self, position};
use sward_coordinator_core::store::{KeyValue, Store, StoreError};

/// Memory for sled's page cache, in bytes, unless configured. sled's own default is a gigabyte.
pub const DEFAULT_CACHE_BYTES: u64 = 16 << 20;

/// The key of the summary: of the kind `Meta`, and the store's own. Nobody else sees it in a scan or can write it.
const SELF_KEY: &[u8] = b"Mself";

/// How long an index may still be in use when it is opened.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// How often that is asked.
const LOCK_POLL: Duration = Duration::from_millis(5);

/// An index in a folder of its own. Its first failure is final: every later call repeats it, as what sled then has in
/// memory is not what is on disk. Drop it, and open it again or move it aside.
#[derive(Debug)]
pub struct SledStore {
    db: ::sled::Db,
    files: SledFiles,
    witness: Witness,
    summary: Summary,
    /// Changes that reads show already, and that the next commit makes durable.
    staged: Batch,
    failed: OnceLock<StoreError>,
}

impl SledStore {
    /// Opens the index in the folder `dir`, with `cache_bytes` of memory for its pages; makes a new one where there is
    /// no such folder. A folder that is there must hold a whole index, so do not create it beforehand. Reads every
    /// entry once.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where what is there is not exactly what was last committed (or the folder is that of an
    /// index whose creation was cut short): use [`super::move_aside`] and build it anew. [`StoreError::Newer`] for the
    /// index of a newer build; [`StoreError::Full`] and [`StoreError::Io`] where the disk fails, or another process
    /// has it open.
    pub fn open(dir: &Path, cache_bytes: u64) -> Result<Self, StoreError> {
        if dir.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            Self::create(dir, cache_bytes)
        } else {
            Self::reopen(dir, cache_bytes)
        }
    }

    fn create(dir: &Path, cache_bytes: u64) -> Result<Self, StoreError> {
        let db = open_sled(dir, cache_bytes)?;
        let mut summary = Summary::default();
        let mut first = Batch::default();
        first.put(position::format_key(), record::FORMAT.to_be_bytes().to_vec());
        apply(&db, &first, &mut summary)?;
        let failed = |error: io::Error| from_io("creating the index", &error);
        let files = SledFiles::open(dir).map_err(failed)?;
        // Last, as its presence says that all of the above is done.
        let witness = Witness::create(dir, summary).map_err(failed)?;
        sync_parent(dir).map_err(failed)?;
        Ok(Self { db, files, witness, summary, staged: Batch::default(), failed: OnceLock::new() })
    }

    fn reopen(dir: &Path, cache_bytes: u64) -> Result<Self, StoreError> {
        let unwitnessed = "opening the record of the last commit (it is missing where an index was \
                           emptied, or its creation was cut short)";
        let (mut witness, last) =
            Witness::open(dir).map_err(|error| from_io(unwitnessed, &error))?;
        let last = last.ok_or_else(|| damaged("the record of the last commit is unreadable"))?;
        let unopened = |error: io::Error| from_io("opening the index's files", &error);
        let log = File::open(dir.join("db")).map_err(unopened)?; // sled would make a new one
        await_lock(&log).map_err(unopened)?;
        let db = open_sled(dir, cache_bytes)?;
        let files = SledFiles::open(dir).map_err(unopened)?;
        let summary = verify(&db)?;
        let rolled_back = summary.commits < last.commits;
        if rolled_back || (summary.commits == last.commits && summary != last) {
            return Err(damaged(&format!("read {summary:?}, but the last commit left {last:?}")));
        }
        witness.write(summary).map_err(unopened)?;
        Ok(Self { db, files, witness, summary, staged: Batch::default(), failed: OnceLock::new() })
    }

    /// Changes that reads are to show from now on, without waiting for the disk: they become durable with the next
    /// commit, all at once, or are lost together.
    pub fn stage(&mut self, batch: Batch) {
        self.staged.extend(batch);
    }

    /// Whether the next commit has anything to make durable already.
    #[must_use]
    pub fn has_staged(&self) -> bool {
        !self.staged.is_empty()
    }

    /// The commit itself; whatever fails in it, the store is done with.
    fn write(&mut self, batch: &Batch) -> Result<(), StoreError> {
        apply(&self.db, batch, &mut self.summary)?;
        self.files.sync().map_err(|error| from_io("syncing a commit", &error))?;
        let witnessed = self.witness.write(self.summary);
        witnessed.map_err(|error| from_io("recording a commit", &error))
    }

    /// Refuses any work after a failure.
    fn usable(&self) -> Result<(), StoreError> {
        self.failed.get().map_or(Ok(()), |error| Err(error.clone()))
    }

    /// Keeps the first failure.
    fn keep<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        result.inspect_err(|error| drop(self.failed.set(error.clone())))
    }
}

impl Store for SledStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.usable()?;
        if key == SELF_KEY {
            return Ok(None);
        }
        if let Some(staged) = self.staged.change(key) {
            return Ok(staged.map(<[u8]>::to_vec));
        }
        let value = contained("reading the index", || self.db.get(key));
        Ok(self.keep(value)?.map(|value| value.to_vec()))
    }

    fn scan(&self, prefix: &[u8], from: &[u8], limit: usize) -> Result<Vec<KeyValue>, StoreError> {
        self.usable()?;
        let from = from.max(prefix);
        let staged = self.staged.changes_from(from);
        let staged: Vec<_> = staged.take_while(|(key, _)| key.starts_with(prefix)).collect();
        // Enough of them that `limit` are left when every staged change deletes one.
        let wanted = limit.saturating_add(staged.len());
        let mut found = self.keep(contained("scanning the index", || {
            let mut found = BTreeMap::new();
            for entry in self.db.range(from..) {
                let (key, value) = entry?;
                if found.len() >= wanted || !key.starts_with(prefix) {
                    break;
                }
                if key != SELF_KEY {
                    found.insert(key.to_vec(), value.to_vec());
                }
            }
            Ok(found)
        }))?;
        for (key, value) in staged {
            match value {
                Some(value) => drop(found.insert(key.to_vec(), value.to_vec())),
                None => drop(found.remove(key)),
            }
        }
        Ok(found.into_iter().take(limit).collect())
    }

    fn commit(&mut self, batch: Batch) -> Result<(), StoreError> {
        self.usable()?;
        let mut all = std::mem::take(&mut self.staged);
        all.extend(batch);
        if all.is_empty() {
            return Ok(());
        }
        let result = self.write(&all);
        self.keep(result)
    }
}

/// Opens sled's part of the folder `dir`.
fn open_sled(dir: &Path, cache_bytes: u64) -> Result<::sled::Db, StoreError> {
    // No flusher: each commit flushes for itself, and segments are cleaned as pages are replaced
    // (`PageCache::replace`). `Mode` is left alone, as 0.34.7 reads it nowhere.
    let config = ::sled::Config::new().path(dir).cache_capacity(cache_bytes).flush_every_ms(None);
    contained("opening the index", || config.open())
}

/// Waits for whoever had the index open before: a process that is ending, or sled itself, whose threads hold on to the
/// lock for a moment after the last user has gone.
fn await_lock(log: &File) -> io::Result<()> {
    let start = Instant::now();
    loop {
        match log.try_lock() {
            Ok(()) => return log.unlock(),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if start.elapsed() > LOCK_PATIENCE => {
                return Err(io::Error::other("in use, stop the other process first"));
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_POLL),
        }
    }
}

/// Applies `batch` as one, with the summary that it leads to, and hands it to the operating system.
fn apply(db: &::sled::Db, batch: &Batch, summary: &mut Summary) -> Result<(), StoreError> {
    let mut next = *summary;
    next.commits = next.commits.wrapping_add(1);
    contained("committing", || {
        let mut changes = ::sled::Batch::default();
        for (key, value) in batch.changes().filter(|(key, _)| *key != SELF_KEY) {
            if let Some(old) = db.get(key)? {
                next.remove(key, &old);
            }
            match value {
                Some(value) => {
                    next.add(key, value);
                    changes.insert(key, value);
                }
                None => changes.remove(key),
            }
        }
        changes.insert(SELF_KEY, next.to_bytes().as_slice());
        db.apply_batch(changes)?;
        db.flush()
    })?;
    *summary = next;
    Ok(())
}

/// Reads all there is, and returns the summary that it was checked against.
fn verify(db: &::sled::Db) -> Result<Summary, StoreError> {
    let read = |key: &[u8]| contained("checking the index", || db.get(key));
    let format = read(&position::format_key())?;
    position::check_format(&format.ok_or_else(|| damaged("it has no format number"))?)?;
    let expected = read(SELF_KEY)?.and_then(|bytes| Summary::from_bytes(&bytes));
    let expected = expected.ok_or_else(|| damaged("it has no summary of itself"))?;

    let mut found = Summary { commits: expected.commits, ..Summary::default() };
    let mut entries = db.iter();
    while let Some((key, value)) = contained("checking the index", || entries.next().transpose())? {
        if key != SELF_KEY {
            record::check(&key, &value)?;
            found.add(&key, &value);
        }
    }
    if found == expected {
        Ok(expected)
    } else {
        Err(damaged(&format!("its entries come to {found:?}, its summary is {expected:?}")))
    }
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(what.to_owned())
}
