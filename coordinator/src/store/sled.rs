//! The index on disk: a redo log in front of sled 0.34.
//!
//! Decides what a commit does until it may be relied on, when commits are merged into sled, and what is checked before an
//! index is used. A commit is one record in the log; reads see what is not merged yet before what is.

use super::contained::from_io;
use super::durable::sync_parent;
use super::redo::RedoLog;
use super::tree::{Tree, damaged};
use super::witness::{Last, Witness};
use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use sward_coordinator_core::batch::Batch;
use sward_coordinator_core::store::{KeyValue, Store, StoreError};

/// How long an index may still be in use when it is opened.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// How often that is asked.
const LOCK_POLL: Duration = Duration::from_millis(5);

/// Memory for sled's page cache, in bytes, unless configured. sled's own default is a gigabyte.
pub const DEFAULT_CACHE_BYTES: u64 = 16 << 20;

/// What an index may hold in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexLimits {
    /// For sled's page cache, in bytes.
    pub cache_bytes: u64,
    /// The redo log is merged once it is this long, in bytes.
    pub log_bytes: u64,
    /// Or once it changes this many keys: small ones take more room in memory than in the log.
    pub log_keys: usize,
}

impl IndexLimits {
    /// A page cache of this size, in bytes, and a log whose merging holds up a turn by some tenths of a second at most.
    #[must_use]
    pub const fn with_cache(cache_bytes: u64) -> Self {
        Self { cache_bytes, log_bytes: 4 << 20, log_keys: 1 << 13 }
    }
}

/// An index in a folder of its own. Its first failure is final: every later call repeats it, as what it then has in
/// memory is not what is on disk. Drop it, and open it again or move it aside.
#[derive(Debug)]
pub struct SledStore {
    tree: Tree,
    log: RedoLog,
    witness: Witness,
    limits: IndexLimits,
    /// The number of the last commit.
    commit: u64,
    /// What was committed or staged since the last merge.
    recent: Batch,
    failed: OnceLock<StoreError>,
}

impl SledStore {
    /// Opens the index in the folder `dir`; makes a new one where there is no such folder. A folder that is there must
    /// hold a whole index, so do not create it beforehand. Reads every entry once.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where what is there is not exactly what was last committed (or the folder is that of an
    /// index whose creation was cut short): use [`super::move_aside`] and build it anew. [`StoreError::Newer`] for the
    /// index of a newer build; [`StoreError::Full`] and [`StoreError::Io`] where the disk fails, or another process
    /// has it open.
    pub fn open(dir: &Path, limits: IndexLimits) -> Result<Self, StoreError> {
        if dir.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            Self::create(dir, limits)
        } else {
            Self::reopen(dir, limits)
        }
    }

    fn create(dir: &Path, limits: IndexLimits) -> Result<Self, StoreError> {
        let tree = Tree::create(dir, limits.cache_bytes)?;
        let commit = tree.summary().merged;
        let (log, _) = RedoLog::open(dir, commit)?;
        let failed = |error| from_io("creating the index", &error);
        // Last, as its presence says that all of the above is done.
        let last = Last { merged: tree.summary(), commit };
        let witness = Witness::create(dir, last).map_err(failed)?;
        sync_parent(dir).map_err(failed)?;
        let (recent, failed) = (Batch::default(), OnceLock::new());
        Ok(Self { tree, log, witness, limits, commit, recent, failed })
    }

    fn reopen(dir: &Path, limits: IndexLimits) -> Result<Self, StoreError> {
        let unwitnessed = "opening the record of the last commit (it is missing where an index was \
                           emptied, or its creation was cut short)";
        let (mut witness, last) =
            Witness::open(dir).map_err(|error| from_io(unwitnessed, &error))?;
        let last = last.ok_or_else(|| damaged("the record of the last commit is unreadable"))?;
        let unopened = |error| from_io("opening the index's files", &error);
        let files = File::open(dir.join("db")).map_err(unopened)?; // sled would make a new one
        await_lock(&files).map_err(unopened)?;
        let tree = Tree::open(dir, limits.cache_bytes)?;
        let merged = tree.summary();
        let rolled_back = merged.batches < last.merged.batches;
        if rolled_back || (merged.batches == last.merged.batches && merged != last.merged) {
            return Err(damaged(&format!("read {merged:?}, but the last merge left {last:?}")));
        }
        let (log, replay) = RedoLog::open(dir, merged.merged)?;
        let commit = replay.last.unwrap_or(0).max(merged.merged);
        if commit < last.commit {
            return Err(damaged(&format!("it ends with commit {commit}, not {}", last.commit)));
        }
        witness.write(Last { merged, commit }).map_err(unopened)?;
        let (recent, failed) = (replay.changes, OnceLock::new());
        Ok(Self { tree, log, witness, limits, commit, recent, failed })
    }

    /// Changes that reads are to show from now on, without waiting for the disk: they become durable with the next
    /// commit, all at once, or are lost together.
    pub fn stage(&mut self, batch: Batch) {
        let staged = self.log.stage(&batch);
        self.recent.extend(batch);
        drop(self.keep(staged)); // a failure is told by the commit
    }

    /// Whether the next commit has anything to make durable already.
    #[must_use]
    pub const fn has_staged(&self) -> bool {
        self.log.has_staged()
    }

    /// The commit itself; whatever fails in it, the store is done with.
    fn write(&mut self) -> Result<(), StoreError> {
        let number = self.commit + 1;
        self.log.commit(number)?;
        self.commit = number;
        if self.log.bytes() >= self.limits.log_bytes || self.recent.len() >= self.limits.log_keys {
            self.tree.merge(&self.recent, number)?;
            self.witness()?;
            self.log.restart()?;
            self.recent = Batch::default();
            return Ok(());
        }
        self.witness()
    }

    /// What is not merged yet wins over what is.
    fn merged_scan(
        &self,
        prefix: &[u8],
        from: &[u8],
        limit: usize,
    ) -> Result<Vec<KeyValue>, StoreError> {
        let recent = self.recent.changes_from(from);
        let mut recent = recent.take_while(|(key, _)| key.starts_with(prefix)).peekable();
        let mut entries = self.tree.entries_from(from)?;
        let mut next_merged =
            || Ok(entries.next()?.filter(|(key, _): &KeyValue| key.starts_with(prefix)));
        let mut merged = next_merged()?;
        let mut found = Vec::new();
        while found.len() < limit {
            let earlier = recent
                .next_if(|(key, _)| merged.as_ref().is_none_or(|(merged, _)| *key <= &merged[..]));
            if let Some((key, value)) = earlier {
                if merged.as_ref().is_some_and(|(merged, _)| merged == key) {
                    merged = next_merged()?;
                }
                found.extend(value.map(|value| (key.to_vec(), value.to_vec())));
            } else if let Some(entry) = merged.take() {
                found.push(entry);
                merged = next_merged()?;
            } else {
                break;
            }
        }
        Ok(found)
    }

    fn witness(&mut self) -> Result<(), StoreError> {
        let last = Last { merged: self.tree.summary(), commit: self.commit };
        self.witness.write(last).map_err(|error| from_io("recording a commit", &error))
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
        match self.recent.change(key) {
            Some(recent) => Ok(recent.map(<[u8]>::to_vec)),
            None => self.keep(self.tree.get(key)),
        }
    }

    fn scan(&self, prefix: &[u8], from: &[u8], limit: usize) -> Result<Vec<KeyValue>, StoreError> {
        self.usable()?;
        self.keep(self.merged_scan(prefix, from.max(prefix), limit))
    }

    fn commit(&mut self, batch: Batch) -> Result<(), StoreError> {
        self.usable()?;
        self.stage(batch);
        self.usable()?;
        if !self.has_staged() {
            return Ok(());
        }
        let result = self.write();
        self.keep(result)
    }
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
