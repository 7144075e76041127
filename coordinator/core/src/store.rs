//! The port to an ordered key-value index, and the index in memory.
//!
//! Decides what a core may expect of a store: point reads, ordered scans, atomic commits. The core itself never holds one:
//! it names what it wants to know as a `Lookup`, and whoever owns the store answers it.

use crate::batch::Batch;
use std::collections::BTreeMap;

/// What went wrong in a store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// What is on disk is not what was written.
    #[error("index is damaged: {0}")]
    Damaged(String),
    /// Written by a newer build.
    #[error(
        "index has format {found}, this build reads up to {known}: use a newer sward-coordinator"
    )]
    Newer {
        /// The format on disk.
        found: u32,
        /// The newest that this build knows.
        known: u32,
    },
    /// The disk or its quota is full.
    #[error("no space left for the index: {0}")]
    Full(String),
    /// Any other failure of the disk.
    #[error("index cannot be read or written: {0}")]
    Io(String),
}

/// One key with its value.
pub type KeyValue = (Vec<u8>, Vec<u8>);

/// An ordered index. Two exist: sled on disk, and [`MemoryStore`].
pub trait Store {
    /// The value under `key`.
    ///
    /// # Errors
    /// [`StoreError`] where the index cannot be read.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Up to `limit` entries whose keys start with `prefix`, in order, beginning at `from` (itself included) where it is
    /// later than `prefix`.
    ///
    /// # Errors
    /// [`StoreError`] where the index cannot be read.
    fn scan(&self, prefix: &[u8], from: &[u8], limit: usize) -> Result<Vec<KeyValue>, StoreError>;

    /// Makes `batch` durable, all or nothing, before it returns.
    ///
    /// # Errors
    /// [`StoreError`] where it cannot be written; then nothing of it may be relied on.
    fn commit(&mut self, batch: Batch) -> Result<(), StoreError>;
}

/// The index in memory: defines what the others must do, and serves the simulator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryStore(BTreeMap<Vec<u8>, Vec<u8>>);

impl MemoryStore {
    /// How many keys it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Store for MemoryStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.get(key).cloned())
    }

    fn scan(&self, prefix: &[u8], from: &[u8], limit: usize) -> Result<Vec<KeyValue>, StoreError> {
        let start = from.max(prefix).to_vec();
        let within = self.0.range(start..).take_while(|(key, _)| key.starts_with(prefix));
        Ok(within.take(limit).map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn commit(&mut self, batch: Batch) -> Result<(), StoreError> {
        batch.apply_to(&mut self.0);
        Ok(())
    }
}
