//! What a commit means: a set of keys put or deleted, all or none.
//!
//! Decides the meaning by applying it to a `BTreeMap`, the yardstick for every real store. Never decides what is written.

use std::collections::BTreeMap;
use std::ops::Bound;

/// Changes to the index that become durable together. A later change of a key replaces an earlier one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch(BTreeMap<Vec<u8>, Option<Vec<u8>>>);

impl Batch {
    /// Writes `value` under `key`.
    pub fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.0.insert(key, Some(value));
    }

    /// Removes `key`, whether it is there or not.
    pub fn delete(&mut self, key: Vec<u8>) {
        self.0.insert(key, None);
    }

    /// Adds all changes of `later`, which win.
    pub fn extend(&mut self, later: Self) {
        self.0.extend(later.0);
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many keys it changes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// What it changes `key` to, if it does; an inner `None` is a deletion.
    #[must_use]
    pub fn change(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        self.0.get(key).map(Option::as_deref)
    }

    /// The changes from `key` on, in key order.
    pub fn changes_from(&self, key: &[u8]) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        let later = (Bound::Included(key), Bound::Unbounded);
        self.0.range::<[u8], _>(later).map(|(key, value)| (key.as_slice(), value.as_deref()))
    }

    /// The changes in key order; `None` is a deletion.
    pub fn changes(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.0.iter().map(|(key, value)| (key.as_slice(), value.as_deref()))
    }

    /// The definition: what a store holds after this commit.
    pub fn apply_to(self, map: &mut BTreeMap<Vec<u8>, Vec<u8>>) {
        for (key, value) in self.0 {
            match value {
                Some(value) => {
                    map.insert(key, value);
                }
                None => {
                    map.remove(&key);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_change_of_a_key_wins() {
        let mut batch = Batch::default();
        batch.put(b"a".to_vec(), b"1".to_vec());
        batch.delete(b"a".to_vec());
        let mut later = Batch::default();
        later.put(b"b".to_vec(), b"2".to_vec());
        batch.extend(later);
        let mut map = BTreeMap::from([(b"a".to_vec(), b"0".to_vec())]);
        batch.apply_to(&mut map);
        assert_eq!(map, BTreeMap::from([(b"b".to_vec(), b"2".to_vec())]));
    }
}
