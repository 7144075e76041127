//! The journal after a crash, on a bad disk, and under another version.

use serde::{Deserialize, Serialize};
use std::path::Path;
use sward_coordinator::journal::{Journal, JournalError, Replay};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Entry {
    Invited { code: String },
    Submitted { job: u32 },
}

fn entries() -> Vec<Entry> {
    vec![
        Entry::Invited { code: "line\none \"é\"".to_owned() },
        Entry::Submitted { job: 7 },
        Entry::Invited { code: String::new() },
    ]
}

/// Appends the sample entries, and returns the end of each line.
fn write(path: &Path) -> Vec<usize> {
    let (mut journal, _) = Journal::open(path).expect("a journal");
    let append = |entry: &Entry| {
        journal.append(entry).expect("room");
        usize::try_from(journal.position()).expect("small")
    };
    let ends = entries().iter().map(append).collect();
    journal.sync().expect("room");
    ends
}

fn replay(path: &Path) -> Result<Replay<Entry>, JournalError> {
    Journal::open(path).map(|(_, replay)| replay)
}

#[test]
fn entries_come_back_in_order_over_several_runs() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("journal");
    write(&path);
    write(&path);
    let found = replay(&path).expect("whole");
    assert_eq!(found, Replay { entries: [entries(), entries()].concat(), truncated_bytes: 0 });
}

#[test]
fn a_torn_last_line_is_cut_at_every_byte() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("journal");
    let ends = write(&path);
    let whole = std::fs::read(&path).expect("a journal");
    for cut in ends[1]..ends[2] {
        std::fs::write(&path, &whole[..cut]).expect("room");
        let found = replay(&path).expect("only torn");
        let truncated_bytes = (cut - ends[1]) as u64;
        assert_eq!(found, Replay { entries: entries()[..2].to_vec(), truncated_bytes });
        assert_eq!(std::fs::read(&path).expect("a journal"), &whole[..ends[1]]);
    }
}

#[test]
fn a_flipped_byte_is_named_and_nothing_is_cut() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("journal");
    let ends = write(&path);
    let whole = std::fs::read(&path).expect("a journal");
    for at in 0..whole.len() - 1 {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(&path, &bytes).expect("room");
        let begun = ends.iter().filter(|end| **end <= at).count();
        let Err(JournalError::Damaged { line, offset, .. }) = replay(&path) else {
            panic!("byte {at} went unnoticed");
        };
        assert_eq!(line, begun as u64 + 1, "byte {at}");
        assert_eq!(offset, begun.checked_sub(1).map_or(0, |line| ends[line]) as u64, "byte {at}");
        assert_eq!(std::fs::read(&path).expect("a journal"), bytes, "byte {at}");
    }
}

#[test]
fn an_entry_of_another_version_is_not_taken_for_damage() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("journal");
    let (mut journal, _) = Journal::open(&path).expect("a journal");
    journal.append(&"of another journal".to_owned()).expect("room");
    journal.sync().expect("room");
    drop(journal);
    let length = std::fs::metadata(&path).expect("a journal").len();
    assert!(matches!(replay(&path), Err(JournalError::NotAnEntry { line: 1, .. })));
    assert_eq!(std::fs::metadata(&path).expect("a journal").len(), length);
}
