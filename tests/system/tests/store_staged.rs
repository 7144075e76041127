//! What is staged in the index on disk reads as if it were committed, and becomes durable with the next commit.

use proptest::prelude::*;
use sward_coordinator::store::{DEFAULT_CACHE_BYTES, IndexLimits, SledStore};
use sward_coordinator_core::batch::Batch;
use sward_coordinator_core::store::{MemoryStore, Store};

type Changes = Vec<(u8, Option<u8>)>;

/// Keys of one kind, `J`, and of a neighbour.
fn batch(changes: &Changes) -> Batch {
    let mut batch = Batch::default();
    for (key, value) in changes {
        let key = vec![if key % 5 == 0 { b'K' } else { b'J' }, *key];
        match value {
            Some(value) => batch.put(key, vec![*value]),
            None => batch.delete(key),
        }
    }
    batch
}

fn some_changes() -> impl Strategy<Value = Changes> {
    prop::collection::vec((0u8..24, prop::option::of(any::<u8>())), 0..20)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn staged_changes_read_as_committed_ones(
        committed in some_changes(),
        staged in prop::collection::vec(some_changes(), 1..4),
        from in 0u8..24,
        limit in 0usize..12,
        log_keys in prop::sample::select(vec![1, 20, usize::MAX]),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let limits = IndexLimits { log_keys, ..IndexLimits::with_cache(DEFAULT_CACHE_BYTES) };
        let mut sled = SledStore::open(&folder.path().join("index"), limits).expect("new");
        let mut model = MemoryStore::default();
        sled.commit(batch(&committed)).expect("room");
        model.commit(batch(&committed)).expect("memory");
        for changes in &staged {
            sled.stage(batch(changes));
            model.commit(batch(changes)).expect("memory");
        }
        for key in 0..24 {
            prop_assert_eq!(sled.get(&[b'J', key]), model.get(&[b'J', key]));
        }
        prop_assert_eq!(sled.scan(b"J", &[b'J', from], limit), model.scan(b"J", &[b'J', from], limit));
        sled.commit(Batch::default()).expect("room");
        prop_assert!(!sled.has_staged());
        prop_assert_eq!(sled.scan(b"J", b"", 99), model.scan(b"J", b"", 99));
    }
}
