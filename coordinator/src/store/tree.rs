//! What was merged into sled: entries in blocks, and the summary of them all.
//!
//! Decides in which block a key belongs, and what is checked before the blocks are believed. Never decides when changes
//! are merged, and relies on the redo log to hold them until all are.

use super::block::{self, Entries};
use super::contained::{contained, from_io};
use super::durable::SledFiles;
use super::summary::Summary;
use ::sled::IVec;
use std::collections::BTreeMap;
use std::iter::Peekable;
use std::path::Path;
use sward_coordinator_core::batch::Batch;
use sward_coordinator_core::record::{self, position};
use sward_coordinator_core::store::{KeyValue, StoreError};

/// Where sled keeps the summary: before all blocks.
const SUMMARY_KEY: &[u8] = b"a";

/// Begins the keys of blocks. A block's lower bound follows; that of the first is empty, so that every key has a block
/// that it belongs in: the last one whose bound is not above it.
const BLOCK: u8 = b'b';

/// Blocks that sled changes at once. While a batch lasts, sled frees no version of a page that it replaces.
const BLOCKS_A_BATCH: usize = 64;

/// An open sled folder.
#[derive(Debug)]
pub(super) struct Tree {
    db: ::sled::Db,
    files: SledFiles,
    summary: Summary,
}

impl Tree {
    /// Makes a new one in the folder `dir`, which holds the format number and nothing else.
    ///
    /// # Errors
    /// [`StoreError`] of the disk.
    pub(super) fn create(dir: &Path, cache_bytes: u64) -> Result<Self, StoreError> {
        let db = open_sled(dir, cache_bytes)?;
        let failed = |error| from_io("creating the index", &error);
        let files = SledFiles::open(dir).map_err(failed)?;
        let mut tree = Self { db, files, summary: Summary::default() };
        let mut first = Batch::default();
        first.put(position::format_key(), record::FORMAT.to_be_bytes().to_vec());
        tree.merge(&first, 1)?;
        Ok(tree)
    }

    /// Opens what is in the folder `dir`, and reads all of it.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where its contents do not come to its summary, [`StoreError::Newer`] for those of a newer
    /// build, and [`StoreError`] of the disk.
    pub(super) fn open(dir: &Path, cache_bytes: u64) -> Result<Self, StoreError> {
        let db = open_sled(dir, cache_bytes)?;
        let files = SledFiles::open(dir).map_err(|error| from_io("opening the index", &error))?;
        let mut tree = Self { db, files, summary: Summary::default() };
        tree.summary = tree.verified()?;
        Ok(tree)
    }

    /// What it comes to.
    pub(super) const fn summary(&self) -> Summary {
        self.summary
    }

    /// The value under `key`.
    ///
    /// # Errors
    /// [`StoreError`] where it cannot be read.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let (_, bytes) = self.block_of(key)?;
        block::find(&bytes, key)
    }

    /// Its entries from `from` on, in order.
    ///
    /// # Errors
    /// [`StoreError`] where they cannot be read.
    pub(super) fn entries_from(&self, from: &[u8]) -> Result<TreeEntries, StoreError> {
        let (first, _) = self.block_of(from)?;
        let (blocks, from) = (self.db.range(first..), from.to_vec());
        Ok(TreeEntries { blocks, from, block: BTreeMap::new() })
    }

    /// Takes in all `changes` up to commit number `commit`, durably. In several batches, of which a crash may leave some:
    /// taking in the same changes once more then completes it.
    ///
    /// # Errors
    /// [`StoreError`]; then it must not be used any more.
    pub(super) fn merge(&mut self, changes: &Batch, commit: u64) -> Result<(), StoreError> {
        let mut changes = changes.changes().peekable();
        while changes.peek().is_some() {
            let (mut next, mut writes) = (self.summary, ::sled::Batch::default());
            for _ in 0..BLOCKS_A_BATCH {
                self.merge_block(&mut changes, &mut next, &mut writes)?;
            }
            self.apply(next, writes)?;
        }
        let merged = Summary { merged: commit, ..self.summary };
        self.apply(merged, ::sled::Batch::default())?;
        contained("merging into the index", || self.db.flush())?;
        self.files.sync().map_err(|error| from_io("syncing the index", &error))
    }

    /// Writes the block that the next change belongs in, with all changes that do.
    fn merge_block<'a>(
        &self,
        changes: &mut Peekable<impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)>>,
        summary: &mut Summary,
        writes: &mut ::sled::Batch,
    ) -> Result<(), StoreError> {
        let Some((first, _)) = changes.peek() else { return Ok(()) };
        let (at, old) = self.block_of(first)?;
        let end = self.block_after(&at)?;
        let belongs = |key: &[u8]| end.as_ref().is_none_or(|end| end[..] > physical(key)[..]);
        let mut entries = block::unpack(&old)?;
        while let Some((key, value)) = changes.next_if(|(key, _)| belongs(key)) {
            match value {
                Some(value) => drop(entries.insert(key.to_vec(), value.to_vec())),
                None => drop(entries.remove(key)),
            }
        }
        if !old.is_empty() {
            summary.remove(&at, &old);
        }
        let blocks = block::pack(at.get(1..).unwrap_or_default(), &entries)?;
        if blocks.is_empty() {
            writes.remove(at);
        }
        for (bound, bytes) in blocks {
            let at = physical(&bound);
            summary.add(&at, &bytes);
            writes.insert(at, bytes);
        }
        Ok(())
    }

    /// Hands sled a batch, with the summary that it leads to.
    fn apply(&mut self, mut next: Summary, mut writes: ::sled::Batch) -> Result<(), StoreError> {
        next.batches += 1;
        writes.insert(SUMMARY_KEY, next.to_bytes().as_slice());
        contained("merging into the index", || self.db.apply_batch(writes))?;
        self.summary = next;
        Ok(())
    }

    /// The block that `key` belongs in: where it lies and what it holds, which is nothing where there is none yet.
    fn block_of(&self, key: &[u8]) -> Result<(IVec, IVec), StoreError> {
        let last = contained("reading the index", || {
            self.db.range([BLOCK].as_slice()..=physical(key).as_slice()).next_back().transpose()
        })?;
        Ok(last.unwrap_or_else(|| (IVec::from(&[BLOCK]), IVec::default())))
    }

    /// Where the block after the one at `at` lies.
    fn block_after(&self, at: &[u8]) -> Result<Option<IVec>, StoreError> {
        let next = contained("reading the index", || self.db.get_gt(at))?;
        Ok(next.map(|(at, _)| at))
    }

    /// Reads all there is, and returns the summary that it was checked against.
    fn verified(&self) -> Result<Summary, StoreError> {
        let format = self.get(&position::format_key())?;
        position::check_format(&format.ok_or_else(|| damaged("it has no format number"))?)?;
        let expected = contained("checking the index", || self.db.get(SUMMARY_KEY))?;
        let expected = expected
            .and_then(|bytes| Summary::from_bytes(&bytes))
            .ok_or_else(|| damaged("it has no summary of itself"))?;
        let mut found = Summary { entries: 0, sum: 0, ..expected };
        let mut blocks = self.db.range([BLOCK].as_slice()..);
        let mut next = || contained("checking the index", || blocks.next().transpose());
        while let Some((at, bytes)) = next()? {
            found.add(&at, &bytes);
            let mut entries = Entries::of(&bytes);
            while let Some((key, value)) = entries.next()? {
                record::check(key, value)?;
            }
        }
        if found == expected {
            Ok(expected)
        } else {
            Err(damaged(&format!("its blocks come to {found:?}, its summary is {expected:?}")))
        }
    }
}

/// A walk through the entries.
pub(super) struct TreeEntries {
    blocks: ::sled::Iter,
    from: Vec<u8>,
    /// What is left of the block that is being read.
    block: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl TreeEntries {
    /// The next entry.
    ///
    /// # Errors
    /// [`StoreError`] where it cannot be read.
    pub(super) fn next(&mut self) -> Result<Option<KeyValue>, StoreError> {
        while self.block.is_empty() {
            let next = contained("scanning the index", || self.blocks.next().transpose())?;
            let Some((_, bytes)) = next else { return Ok(None) };
            self.block = block::unpack(&bytes)?.split_off(&self.from);
        }
        Ok(self.block.pop_first())
    }
}

/// The key in sled of a block whose lower bound is `bound`.
fn physical(bound: &[u8]) -> Vec<u8> {
    let mut key = vec![BLOCK];
    key.extend_from_slice(bound);
    key
}

/// Opens sled's part of the folder `dir`.
fn open_sled(dir: &Path, cache_bytes: u64) -> Result<::sled::Db, StoreError> {
    // No flusher: each merge flushes for itself, and segments are cleaned as pages are replaced
    // (`PageCache::replace`). `Mode` is left alone, as 0.34.7 reads it nowhere.
    let config = ::sled::Config::new().path(dir).cache_capacity(cache_bytes).flush_every_ms(None);
    contained("opening the index", || config.open())
}

pub(super) fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ops::Range;

    fn some(numbers: Range<u32>, length: usize) -> Batch {
        let mut batch = Batch::default();
        for number in numbers {
            batch.put(format!("S{number:04}").into_bytes(), vec![number as u8; length]);
        }
        batch
    }

    fn all(tree: &Tree) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let mut entries = tree.entries_from(b"S").expect("readable");
        std::iter::from_fn(|| entries.next().expect("readable")).collect()
    }

    #[test]
    fn a_merge_that_was_cut_short_is_sound_and_the_next_completes_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = folder.path().join("index");
        let mut tree = Tree::create(&dir, 1 << 20).expect("a new one");
        tree.merge(&some(0..500, 90), 7).expect("room");
        let mut changes = some(200..900, 40);
        (0..100).for_each(|number| changes.delete(format!("S{number:04}").into_bytes()));
        let (mut next, mut writes) = (tree.summary, ::sled::Batch::default());
        let mut some_of_them = changes.changes().peekable();
        for _ in 0..20 {
            tree.merge_block(&mut some_of_them, &mut next, &mut writes).expect("room");
        }
        assert!(some_of_them.peek().is_some(), "some are left");
        tree.apply(next, writes).expect("room");
        tree.db.flush().expect("room");
        drop(tree);

        let mut tree = Tree::open(&dir, 1 << 20).expect("sound");
        assert_eq!(tree.summary().merged, 7);
        tree.merge(&changes, 9).expect("room");
        let mut expected = BTreeMap::new();
        some(0..500, 90).apply_to(&mut expected);
        changes.clone().apply_to(&mut expected);
        assert_eq!(all(&tree), expected);
        drop(tree);
        let tree = Tree::open(&dir, 1 << 20).expect("sound");
        assert_eq!((tree.summary().merged, all(&tree)), (9, expected));
    }
}
