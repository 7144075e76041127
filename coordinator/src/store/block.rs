//! Many entries of the index as one of sled's.
//!
//! Decides how neighbouring entries are packed together and where a block is divided. sled 0.34 makes a page of every
//! sixteen of its entries (`Node::should_split`), and keeps some hundred bytes of memory for each page whether it is
//! cached or not: a million small entries, each on its own, take a hundred megabytes that no cache size bounds.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use sward_coordinator_core::store::{KeyValue, StoreError};

/// A block that grows beyond this many bytes is divided. Larger ones are dearer to rewrite, smaller ones more in number.
const MOST_BYTES: usize = 1024;

/// One entry. Neighbours begin alike, so a key is written as what it has in common with the one before it, and the rest.
#[derive(Serialize, Deserialize)]
struct Packed<'a> {
    shared: usize,
    rest: &'a [u8],
    value: &'a [u8],
}

/// A key and its value.
type Found<'k, 'v> = (&'k [u8], &'v [u8]);

/// The entries of a block, one after the other.
#[derive(Debug)]
pub(super) struct Entries<'a> {
    bytes: &'a [u8],
    key: Vec<u8>,
}

impl<'a> Entries<'a> {
    /// Reads the block `bytes`.
    pub(super) const fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, key: Vec::new() }
    }

    /// The next key, until the next call, and its value.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where the bytes are no block.
    pub(super) fn next(&mut self) -> Result<Option<Found<'_, 'a>>, StoreError> {
        if self.bytes.is_empty() {
            return Ok(None);
        }
        let damaged = || StoreError::Damaged("a block of entries does not read".to_owned());
        let (entry, rest) =
            postcard::take_from_bytes::<Packed<'a>>(self.bytes).map_err(|_| damaged())?;
        if entry.shared > self.key.len() {
            return Err(damaged());
        }
        self.key.truncate(entry.shared);
        self.key.extend_from_slice(entry.rest);
        self.bytes = rest;
        Ok(Some((&self.key, entry.value)))
    }
}

/// The value under `key` in the block `bytes`.
///
/// # Errors
/// As [`Entries::next`].
pub(super) fn find(bytes: &[u8], key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
    let mut entries = Entries::of(bytes);
    while let Some((found, value)) = entries.next()? {
        if found >= key {
            return Ok((found == key).then(|| value.to_vec()));
        }
    }
    Ok(None)
}

/// All entries of the block `bytes`.
///
/// # Errors
/// As [`Entries::next`].
pub(super) fn unpack(bytes: &[u8]) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, StoreError> {
    let mut map = BTreeMap::new();
    let mut entries = Entries::of(bytes);
    while let Some((key, value)) = entries.next()? {
        map.insert(key.to_vec(), value.to_vec());
    }
    Ok(map)
}

/// The blocks that hold `entries`, each with its lower bound: for the first that is `bound`, for the others their first
/// key. All are of about one size, so that one that was just divided has room. None where there is no entry.
///
/// # Errors
/// [`StoreError::Io`] where an entry cannot be written down, which no entry of bytes does.
pub(super) fn pack(
    bound: &[u8],
    entries: &BTreeMap<Vec<u8>, Vec<u8>>,
) -> Result<Vec<KeyValue>, StoreError> {
    let size = |(key, value): (&Vec<u8>, &Vec<u8>)| key.len() + value.len();
    let whole = encode(entries.iter())?;
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    if whole.len() <= MOST_BYTES || entries.len() < 2 {
        return Ok(vec![(bound.to_vec(), whole)]);
    }
    let total: usize = entries.iter().map(size).sum();
    let target = total / whole.len().div_ceil(MOST_BYTES * 3 / 4);
    let (mut blocks, mut run, mut held) = (Vec::new(), Vec::new(), 0);
    for entry in entries {
        held += size(entry);
        run.push(entry);
        if held >= target {
            blocks.push(block(bound, blocks.is_empty(), &run)?);
            run.clear();
            held = 0;
        }
    }
    if !run.is_empty() {
        blocks.push(block(bound, blocks.is_empty(), &run)?);
    }
    Ok(blocks)
}

fn block(bound: &[u8], first: bool, run: &[(&Vec<u8>, &Vec<u8>)]) -> Result<KeyValue, StoreError> {
    let own = run.first().map_or(bound, |(key, _)| key.as_slice());
    Ok((if first { bound } else { own }.to_vec(), encode(run.iter().copied())?))
}

fn encode<'a>(
    entries: impl Iterator<Item = (&'a Vec<u8>, &'a Vec<u8>)>,
) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::new();
    let mut before: &[u8] = &[];
    for (key, value) in entries {
        let shared = before.iter().zip(key).take_while(|(a, b)| a == b).count();
        let (_, rest) = key.split_at(shared);
        bytes = postcard::to_extend(&Packed { shared, rest, value }, bytes)
            .map_err(|error| StoreError::Io(format!("packing an entry: {error}")))?;
        before = key;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn some_entries() -> impl Strategy<Value = BTreeMap<Vec<u8>, Vec<u8>>> {
        let key = prop::collection::vec(0u8..3, 0..6);
        let value = (any::<u8>(), 0usize..300).prop_map(|(byte, length)| vec![byte; length]);
        prop::collection::btree_map(key, value, 0..60)
    }

    proptest! {
        #[test]
        fn blocks_hold_what_was_packed_in_order(entries in some_entries()) {
            let blocks = pack(b"", &entries).expect("bytes");
            let mut together = BTreeMap::new();
            for (number, (lower, bytes)) in blocks.iter().enumerate() {
                let held = unpack(bytes).expect("a block");
                prop_assert!(!held.is_empty());
                prop_assert!(bytes.len() <= 2 * MOST_BYTES);
                prop_assert!(held.keys().all(|key| key >= lower));
                prop_assert_eq!(lower.is_empty(), number == 0 || held.contains_key(&b""[..]));
                if let Some((next, _)) = blocks.get(number + 1) {
                    prop_assert!(held.keys().all(|key| key < next));
                }
                for (key, value) in &held {
                    prop_assert_eq!(find(bytes, key), Ok(Some(value.clone())));
                }
                together.extend(held);
            }
            prop_assert_eq!(together, entries);
        }
    }

    #[test]
    fn a_large_entry_is_a_block_of_its_own_and_other_bytes_are_refused() {
        let entries = BTreeMap::from([
            (b"a".to_vec(), vec![1; 9]),
            (b"b".to_vec(), vec![2; 90_000]),
            (b"c".to_vec(), vec![3; 9]),
        ]);
        let sizes: Vec<_> =
            pack(b"", &entries).expect("bytes").iter().map(|(_, bytes)| bytes.len()).collect();
        assert!(sizes.iter().any(|size| *size > 90_000), "{sizes:?}");
        assert!(sizes.len() > 1, "{sizes:?}");
        assert!(
            matches!(find(&[9, 1, 1, 0], b"a"), Err(StoreError::Damaged(_))),
            "shares too much"
        );
        assert!(matches!(unpack(&[0, 200]), Err(StoreError::Damaged(_))), "ends early");
    }
}
