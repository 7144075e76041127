//! What every store must do, put to each that there is.

use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;
use sward_coordinator::store::{DEFAULT_CACHE_BYTES, IndexLimits, SledStore};
use sward_coordinator_core::batch::Batch;
use sward_coordinator_core::store::{KeyValue, MemoryStore, Store};
use tempfile::TempDir;

/// A kind of store: how it is made in a folder, and what is left of it when its process has ended and started again.
struct Kind<S> {
    make: fn(&Path) -> S,
    restart: fn(S, &Path) -> S,
}

const MEMORY: Kind<MemoryStore> =
    Kind { make: |_| MemoryStore::default(), restart: |store, _| store };

/// As it is used: what these tests write stays in the redo log.
const SLED: Kind<SledStore> = Kind {
    make: |parent| open_sled(parent, usize::MAX),
    restart: |store, parent| {
        drop(store);
        open_sled(parent, usize::MAX)
    },
};

/// What is written is merged into sled every few commits.
const MERGED: Kind<SledStore> = Kind {
    make: |parent| open_sled(parent, 12),
    restart: |store, parent| {
        drop(store);
        open_sled(parent, 12)
    },
};

fn open_sled(parent: &Path, log_keys: usize) -> SledStore {
    let limits = IndexLimits { log_keys, ..IndexLimits::with_cache(DEFAULT_CACHE_BYTES) };
    SledStore::open(&parent.join("index"), limits).expect("an index that opens")
}

impl<S: Store> Kind<S> {
    /// A new store with its folder, and what it holds from the start.
    fn fresh(&self) -> (TempDir, S, BTreeMap<Vec<u8>, Vec<u8>>) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = (self.make)(folder.path());
        let held = all(&store).into_iter().collect();
        (folder, store, held)
    }

    /// A new store that `entries` were put into.
    fn with(&self, entries: &[(&[u8], &[u8])]) -> (TempDir, S) {
        let (folder, mut store, _) = self.fresh();
        let changes: Vec<_> = entries.iter().map(|(key, value)| (*key, Some(*value))).collect();
        store.commit(batch(&changes)).expect("committed");
        (folder, store)
    }
}

fn batch(changes: &[(&[u8], Option<&[u8]>)]) -> Batch {
    let mut batch = Batch::default();
    for (key, value) in changes {
        match value {
            Some(value) => batch.put(key.to_vec(), value.to_vec()),
            None => batch.delete(key.to_vec()),
        }
    }
    batch
}

fn all(store: &impl Store) -> Vec<KeyValue> {
    store.scan(b"", b"", usize::MAX).expect("scanned")
}

fn keys(store: &impl Store, prefix: &[u8], from: &[u8], limit: usize) -> Vec<Vec<u8>> {
    let found = store.scan(prefix, from, limit).expect("scanned");
    found.into_iter().map(|(key, _)| key).collect()
}

fn a_commit_applies_all_its_changes<S: Store>(kind: &Kind<S>) {
    let (_folder, mut store) = kind.with(&[(b"Sa", b"1"), (b"Sb", b"2"), (b"Sc", b"3")]);
    store.commit(batch(&[(b"Sa", None), (b"Sb", Some(b"4")), (b"Sd", Some(b"5"))])).expect("done");
    let expected: [(&[u8], Option<&[u8]>); 4] =
        [(b"Sa", None), (b"Sb", Some(b"4")), (b"Sc", Some(b"3")), (b"Sd", Some(b"5"))];
    for (key, value) in expected {
        assert_eq!(store.get(key).expect("read").as_deref(), value, "{key:?}");
    }
    assert_eq!(keys(&store, b"S", b"", 9), [b"Sb", b"Sc", b"Sd"]);
}

fn the_last_change_of_a_key_wins<S: Store>(kind: &Kind<S>) {
    let (_folder, mut store) = kind.with(&[(b"Sa", b"old"), (b"Sb", b"old")]);
    let mut changes = batch(&[
        (b"Sa", Some(b"1")),
        (b"Sa", None),
        (b"Sb", None),
        (b"Sb", Some(b"2")),
        (b"Sc", Some(b"3")),
    ]);
    changes.extend(batch(&[(b"Sc", Some(b"4"))]));
    store.commit(changes).expect("committed");
    assert_eq!(store.get(b"Sa"), Ok(None));
    assert_eq!(store.get(b"Sb"), Ok(Some(b"2".to_vec())));
    assert_eq!(store.get(b"Sc"), Ok(Some(b"4".to_vec())));
}

fn changing_nothing_changes_nothing<S: Store>(kind: &Kind<S>) {
    let (folder, mut store, held) = kind.fresh();
    store.commit(Batch::default()).expect("an empty batch");
    store.commit(batch(&[(b"Sa", None)])).expect("deletes what is not there");
    assert_eq!(all(&store), Vec::from_iter(held.clone()));
    let store = (kind.restart)(store, folder.path());
    assert_eq!(all(&store), Vec::from_iter(held));
}

fn an_empty_value_is_a_value<S: Store>(kind: &Kind<S>) {
    let (folder, store) = kind.with(&[(b"Sa", b"")]);
    let store = (kind.restart)(store, folder.path());
    assert_eq!(store.get(b"Sa"), Ok(Some(Vec::new())));
    assert_eq!(store.scan(b"Sa", b"", 9), Ok(vec![(b"Sa".to_vec(), Vec::new())]));
}

fn a_scan_keeps_to_its_prefix<S: Store>(kind: &Kind<S>) {
    let present: [&[u8]; 8] = [b"R", b"S", b"Sa", b"Sa\0", b"Sab", b"Sb", b"T", b"\xff\xff\xff"];
    let (_folder, store) = kind.with(&present.map(|key| (key, key)));
    assert_eq!(keys(&store, b"Sa", b"", 9), [&b"Sa"[..], b"Sa\0", b"Sab"], "from nothing");
    assert_eq!(keys(&store, b"Sa", b"R", 9), [&b"Sa"[..], b"Sa\0", b"Sab"], "from before");
    assert_eq!(keys(&store, b"Sa", b"Sa", 9), [&b"Sa"[..], b"Sa\0", b"Sab"], "from the prefix");
    assert_eq!(keys(&store, b"Sa", b"Sa\0", 9), [&b"Sa\0"[..], b"Sab"], "from inside, included");
    assert_eq!(keys(&store, b"Sa", b"Sa\0\0", 9), [b"Sab"], "from between");
    assert_eq!(keys(&store, b"Sa", b"Sb", 9).len(), 0, "from behind");
    assert_eq!(keys(&store, b"Sc", b"", 9).len(), 0, "nothing there");
    assert_eq!(keys(&store, b"S", b"", 2), [&b"S"[..], b"Sa"], "limited");
    assert_eq!(keys(&store, b"S", b"Sab", 1), [b"Sab"], "limited, from inside");
    assert_eq!(keys(&store, b"S", b"", 0).len(), 0, "limited to nothing");
}

fn a_prefix_of_highest_bytes_has_its_bound<S: Store>(kind: &Kind<S>) {
    let present: [&[u8]; 6] =
        [b"S\xfe\xff", b"S\xff", b"S\xff\xff", b"S\xff\xff\xff", b"T", b"\xff\xff"];
    let (_folder, store) = kind.with(&present.map(|key| (key, key)));
    let within = [&b"S\xff"[..], b"S\xff\xff", b"S\xff\xff\xff"];
    assert_eq!(keys(&store, b"S\xff", b"", 9), within);
    assert_eq!(keys(&store, b"S\xff\xff", b"", 9), within[1..]);
    assert_eq!(keys(&store, b"\xff", b"", 9), [b"\xff\xff"]);
    assert_eq!(keys(&store, b"\xff\xff\xff", b"", 9).len(), 0);
}

fn what_was_committed_survives_a_restart<S: Store>(kind: &Kind<S>) {
    let (folder, mut store, mut held) = kind.fresh();
    for round in 0..5_u8 {
        let large = vec![round; 200_000]; // beyond what sled keeps in its log
        let mut changes = batch(&[(b"Slarge", Some(&large)), (b"Sgone", None)]);
        changes.put(vec![b'S', round], vec![round; 10]);
        changes.put(b"Sgone".to_vec(), vec![round]);
        changes.clone().apply_to(&mut held);
        store.commit(changes).expect("committed");
        store = (kind.restart)(store, folder.path());
        assert_eq!(all(&store), Vec::from_iter(held.clone()), "round {round}");
    }
}

#[derive(Debug, Clone)]
enum Step {
    Commit(Vec<(Vec<u8>, Option<Vec<u8>>)>),
    Get(Vec<u8>),
    Scan(Vec<u8>, Vec<u8>, usize),
    Restart,
}

/// Keys of a kind whose values may be anything, few enough to meet again.
fn some_key() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![Just(0_u8), Just(1), Just(0xfe), Just(0xff)];
    prop::collection::vec(byte, 0..4).prop_map(|rest| [b"S".as_slice(), &rest].concat())
}

fn some_step() -> impl Strategy<Value = Step> {
    let value = prop::option::of(prop::collection::vec(any::<u8>(), 0..40));
    let from = prop_oneof![some_key(), Just(Vec::new()), Just(b"R".to_vec()), Just(b"T".to_vec())];
    prop_oneof![
        4 => prop::collection::vec((some_key(), value), 0..30).prop_map(Step::Commit),
        2 => some_key().prop_map(Step::Get),
        3 => (prop_oneof![some_key(), Just(Vec::new())], from, 0..12_usize)
            .prop_map(|(prefix, from, limit)| Step::Scan(prefix, from, limit)),
        1 => Just(Step::Restart),
    ]
}

/// Does `steps` in a store and in the map that defines what a commit means.
fn behaves_like_the_map<S: Store>(kind: &Kind<S>, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let (folder, mut store, mut map) = kind.fresh();
    for step in steps {
        match step {
            Step::Commit(changes) => {
                let changes: Vec<_> =
                    changes.iter().map(|(k, v)| (k.as_slice(), v.as_deref())).collect();
                batch(&changes).apply_to(&mut map);
                prop_assert_eq!(store.commit(batch(&changes)), Ok(()));
            }
            Step::Get(key) => {
                prop_assert_eq!(store.get(&key), Ok(map.get(&key).cloned()));
            }
            Step::Scan(prefix, from, limit) => {
                let within =
                    map.iter().filter(|(key, _)| key.starts_with(&prefix) && **key >= from);
                let expected: Vec<_> =
                    within.take(limit).map(|(key, value)| (key.clone(), value.clone())).collect();
                prop_assert_eq!(store.scan(&prefix, &from, limit), Ok(expected));
            }
            Step::Restart => store = (kind.restart)(store, folder.path()),
        }
    }
    let store = (kind.restart)(store, folder.path());
    prop_assert_eq!(all(&store), Vec::from_iter(map));
    Ok(())
}

macro_rules! store_contract {
    ($name:ident, $kind:expr, $($law:ident),+ $(,)?) => {
        mod $name {
            use super::*;

            $(
                #[test]
                fn $law() {
                    super::$law(&$kind);
                }
            )+

            proptest! {
                #![proptest_config(ProptestConfig {
                    failure_persistence: None,
                    ..ProptestConfig::with_cases(64)
                })]

                #[test]
                fn behaves_like_the_map(steps in prop::collection::vec(some_step(), 1..30)) {
                    super::behaves_like_the_map(&$kind, steps)?;
                }
            }
        }
    };
    ($($name:ident: $kind:expr),+ $(,)?) => {
        $(store_contract!(
            $name,
            $kind,
            a_commit_applies_all_its_changes,
            the_last_change_of_a_key_wins,
            changing_nothing_changes_nothing,
            an_empty_value_is_a_value,
            a_scan_keeps_to_its_prefix,
            a_prefix_of_highest_bytes_has_its_bound,
            what_was_committed_survives_a_restart,
        );)+
    };
}

store_contract! { memory: MEMORY, sled: SLED, merged: MERGED }
