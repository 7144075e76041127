//! An index on sled whose process is killed: nothing acknowledged is lost, and no batch is torn.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use sward_coordinator::store::{IndexLimits, SledStore};
use sward_coordinator_core::batch::Batch;
use sward_coordinator_core::store::Store;

/// Tells the child where to work.
const FOLDER: &str = "SWARD_TEST_KILLED_INDEX";

const ROUND: &[u8] = b"Sround";

fn open(dir: &Path) -> SledStore {
    let limits = IndexLimits { cache_bytes: 1 << 20, log_bytes: 1 << 16, log_keys: 1 << 10 };
    SledStore::open(dir, limits).expect("an index that is in order")
}

/// Commit number `round`: ten entries changed, and its own number.
fn commit(round: u64) -> Batch {
    let mut batch = Batch::default();
    for place in 0..10 {
        let key = format!("S{:03}", (round * 7 + place * 31) % 400).into_bytes();
        if (round + place).is_multiple_of(4) {
            batch.delete(key);
        } else {
            batch.put(key, format!("{round} ").repeat(40 * place as usize).into_bytes());
        }
    }
    batch.put(ROUND.to_vec(), round.to_be_bytes().to_vec());
    batch
}

fn round(store: &SledStore) -> u64 {
    let bytes = store
        .get(ROUND)
        .expect("read")
        .map_or([0; 8], |bytes| <[u8; 8]>::try_from(bytes.as_slice()).expect("a number"));
    u64::from_be_bytes(bytes)
}

/// What the process does that is killed: this very test, told where to work.
fn commit_until_killed(dir: &str) {
    let mut store = open(Path::new(dir));
    let mut said = std::io::stdout();
    for number in round(&store) + 1.. {
        store.commit(commit(number)).expect("committed");
        writeln!(said, "\ncommitted {number}").and_then(|()| said.flush()).expect("a parent");
    }
}

#[test]
fn a_killed_process_leaves_all_that_it_acknowledged() {
    if let Ok(dir) = std::env::var(FOLDER) {
        return commit_until_killed(&dir);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("index");
    let start = open(&dir).scan(b"", b"", usize::MAX).expect("scanned");
    let mut expected: BTreeMap<_, _> = start.into_iter().collect();
    let mut replayed = 0;
    for life in 1..=10 {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "a_killed_process_leaves_all_that_it_acknowledged", "--nocapture"])
            .env(FOLDER, &dir)
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let acknowledged: Vec<u64> = lines
            .map_while(Result::ok)
            .filter_map(|line| line.strip_prefix("committed ")?.parse().ok())
            .take(17 * life)
            .collect();
        child.kill().expect("killed");
        child.wait().expect("gone");

        let store = open(&dir);
        let reached = round(&store);
        assert!(Some(&reached) >= acknowledged.last(), "life {life}: lost after {reached}");
        assert_eq!(acknowledged.len(), 17 * life, "life {life}: it ended on its own");
        for number in replayed + 1..=reached {
            commit(number).apply_to(&mut expected);
        }
        replayed = reached;
        let found = store.scan(b"", b"", usize::MAX).expect("scanned");
        assert!(found == Vec::from_iter(expected.clone()), "life {life}: torn at {reached}");
    }
}
