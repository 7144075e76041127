//! What becomes of an index on sled whose files are damaged: either it is exactly what it was, or it is refused.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;
use sward_coordinator::store::{IndexLimits, SledStore, move_aside};
use sward_coordinator_core::batch::Batch;
use sward_coordinator_core::record::{FORMAT, position};
use sward_coordinator_core::store::{KeyValue, Store, StoreError};
use tempfile::TempDir;

/// Small, so that pages are read from the damaged file and not from memory, and that some commits are merged.
const LIMITS: IndexLimits =
    IndexLimits { cache_bytes: 1024 * 1024, log_bytes: 1024 * 1024, log_keys: usize::MAX };

/// How long one opening may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The segments of sled's log.
const SEGMENT_BYTES: u64 = 512 * 1024;

/// Bits flipped in each of the three indexes.
const FLIPS: u64 = 30;

/// A seeded generator (splitmix64): the same damage in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % end
    }
}

fn open(dir: &Path) -> Result<SledStore, StoreError> {
    SledStore::open(dir, LIMITS)
}

fn all(store: &SledStore) -> Result<Vec<KeyValue>, StoreError> {
    store.scan(b"", b"", usize::MAX)
}

/// Some commits of new, replaced, shrunk and deleted entries.
fn work(store: &mut SledStore, chance: &mut Chance, commits: u64) {
    for _ in 0..commits {
        let mut batch = Batch::default();
        for _ in 0..20 {
            let key = format!("S{:04}", chance.below(3000)).into_bytes();
            if chance.below(5) == 0 {
                batch.delete(key);
            } else {
                let large = chance.below(500) == 0; // beyond what sled keeps in its log
                let length = if large { 200_000 } else { chance.below(3000) };
                batch.put(key, (0..length).map(|_| chance.below(256) as u8).collect());
            }
        }
        store.commit(batch).expect("committed");
    }
}

/// A sound index, from which damaged ones are copied.
struct Sound {
    folder: TempDir,
    contents: Vec<KeyValue>,
}

impl Sound {
    /// As a process left it that was killed, that ended, or that ended after having found an older part of it there,
    /// which sled has then written a snapshot of.
    fn all() -> Vec<(&'static str, Self)> {
        let (index, folder) = (|folder: &TempDir| folder.path().join("index"), tempfile::tempdir);
        let killed = folder().expect("a folder");
        let closed = folder().expect("a folder");
        let mut chance = Chance(1);
        let mut store = open(&index(&closed)).expect("a new index");
        work(&mut store, &mut chance, 250);
        let contents = all(&store).expect("scanned");
        copy(&index(&closed), &index(&killed));
        drop(store);
        let reopened = folder().expect("a folder");
        copy(&index(&closed), &index(&reopened));
        let mut store = open(&index(&reopened)).expect("an index that is in order");
        work(&mut store, &mut chance, 50);
        let later = all(&store).expect("scanned");
        drop(store);
        vec![
            ("killed", Self { folder: killed, contents: contents.clone() }),
            ("closed", Self { folder: closed, contents }),
            ("reopened", Self { folder: reopened, contents: later }),
        ]
    }

    /// The length of sled's log, in bytes.
    fn length(&self) -> u64 {
        length(&self.folder.path().join("index/db"))
    }

    /// Opens a copy of it that `damage` was done to.
    fn after(&self, damage: impl FnOnce(&Path)) -> Outcome {
        let copied = tempfile::tempdir().expect("a folder");
        let dir = copied.path().join("index");
        copy(&self.folder.path().join("index"), &dir);
        damage(&dir);
        let expected = self.contents.clone();
        patiently(move || outcome(&dir, &expected))
    }
}

/// Runs `call` in a thread of its own, for no longer than is reasonable.
fn patiently(call: impl FnOnce() -> Outcome + Send + 'static) -> Outcome {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || tell.send(call()));
    match told.recv_timeout(PATIENCE) {
        Ok(outcome) => outcome,
        Err(mpsc::RecvTimeoutError::Timeout) => Outcome::Hangs,
        Err(mpsc::RecvTimeoutError::Disconnected) => Outcome::Panics,
    }
}

/// Counts what came of a kind of damage, and fails where one is neither identical nor refused as damaged.
fn count(kind: &str, outcomes: impl IntoIterator<Item = (String, Outcome)>) -> (u32, u32) {
    let (mut identical, mut refused) = (0, 0);
    for (what, outcome) in outcomes {
        match outcome {
            Outcome::Identical => identical += 1,
            Outcome::Refused(StoreError::Damaged(_)) => refused += 1,
            Outcome::Refused(_) | Outcome::Different | Outcome::Hangs | Outcome::Panics => {
                panic!("{kind}, {what}: {outcome:?}")
            }
        }
    }
    (identical, refused)
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    Identical,
    Refused(StoreError),
    Different,
    Hangs,
    Panics,
}

/// What opening the index gives; one that opens must also take commits as before.
fn outcome(dir: &Path, expected: &[KeyValue]) -> Outcome {
    let mut store = match open(dir) {
        Ok(store) => store,
        Err(error) => return Outcome::Refused(error),
    };
    match all(&store) {
        Ok(found) if found == expected => {}
        Ok(_) => return Outcome::Different,
        Err(error) => return Outcome::Refused(error),
    }
    work(&mut store, &mut Chance(2), 10);
    let after = all(&store).expect("scanned after commits");
    drop(store);
    let store = open(dir).expect("opens after commits");
    if all(&store) == Ok(after) { Outcome::Identical } else { Outcome::Different }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a folder to copy to");
    for entry in fs::read_dir(from).expect("a folder to copy") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            match fs::copy(&path, &target) {
                // A large entry that was replaced: sled removes its blob in the background.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                copied => drop(copied.expect("copied")),
            }
        }
    }
}

/// The files of an index: of each sort of sled's, one of its blobs, and ours.
fn files(index: &Path) -> Vec<PathBuf> {
    let names = |dir: &Path| {
        let entries = fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry"));
        let files = entries.filter(|entry| entry.path().is_file());
        BTreeSet::from_iter(files.map(|file| file.file_name()))
    };
    let blob = names(&index.join("blobs")).pop_first().expect("large entries are in blobs");
    let mut files: Vec<_> = names(index).into_iter().map(PathBuf::from).collect();
    assert!(files.len() >= 3, "{files:?}");
    files.push(Path::new("blobs").join(blob));
    files
}

fn length(path: &Path) -> u64 {
    path.metadata().expect("a file").len()
}

fn cut(path: &Path, bytes: u64) {
    let file = OpenOptions::new().write(true).open(path).expect("a file");
    file.set_len(length(path).saturating_sub(bytes)).expect("cut");
}

/// Overwrites `bytes` from `at` with zeroes, which is what a write leaves that was lost after the file had grown.
fn blank(path: &Path, at: u64, bytes: u64) {
    let end = length(path).min(at + bytes);
    let mut file = OpenOptions::new().write(true).open(path).expect("a file");
    file.seek(SeekFrom::Start(at)).expect("a place in it");
    file.write_all(&vec![0; usize::try_from(end - at).expect("fits")]).expect("written");
}

fn flip(path: &Path, at: u64, bit: u64) {
    let mut file = OpenOptions::new().read(true).write(true).open(path).expect("a file");
    let mut byte = [0];
    file.seek(SeekFrom::Start(at)).expect("a place in it");
    file.read_exact(&mut byte).expect("a byte there");
    file.seek(SeekFrom::Start(at)).expect("a place in it");
    file.write_all(&[byte[0] ^ 1 << bit]).expect("written");
}

/// How far tails are cut, in bytes: from less than a commit to four megabytes.
fn tails(chance: &mut Chance) -> Vec<u64> {
    let near = (0..8).map(|_| 1 + chance.below(20_000));
    near.chain((0..20).map(|step| 100_000 + step * 200_000)).collect()
}

#[test]
fn a_tail_that_is_cut_or_blank_is_noticed() {
    let mut chance = Chance(3);
    for (name, sound) in Sound::all() {
        let whole = sound.length();
        let outcomes = tails(&mut chance).into_iter().flat_map(|bytes| {
            let cut = sound.after(|dir| cut(&dir.join("db"), bytes));
            let blank = sound.after(|dir| blank(&dir.join("db"), whole - bytes, bytes));
            [(format!("cut by {bytes}"), cut), (format!("blank for {bytes}"), blank)]
        });
        let (identical, refused) = count(name, outcomes);
        assert!(refused >= 20, "{name}: {identical} identical, {refused} refused");
    }
}

#[test]
fn a_tail_of_the_redo_log_is_noticed_to_be_gone() {
    let mut chance = Chance(6);
    for (name, sound) in Sound::all() {
        let log = Path::new("sward-redo-log");
        let whole = length(&sound.folder.path().join("index").join(log));
        assert!(whole > 100_000, "{name}: {whole}");
        let outcomes = (0..10).flat_map(|_| {
            let bytes = 1 + chance.below(whole);
            let cut = sound.after(|dir| cut(&dir.join(log), bytes));
            let blank = sound.after(|dir| blank(&dir.join(log), whole - bytes, bytes));
            [(format!("cut by {bytes}"), cut), (format!("blank for {bytes}"), blank)]
        });
        assert_eq!(count(name, outcomes), (0, 20), "{name}");
    }
}

#[test]
fn a_flipped_bit_is_noticed_or_lies_in_waste() {
    let mut chance = Chance(4);
    for (name, sound) in Sound::all() {
        let outcomes = (0..FLIPS).map(|_| {
            let (at, bit) = (chance.below(sound.length()), chance.below(8));
            let what = format!("bit {bit} of byte {at}");
            (what, sound.after(|dir| flip(&dir.join("db"), at, bit)))
        });
        let (identical, refused) = count(name, outcomes);
        assert!(refused > 0, "{name}: {identical} identical, {refused} refused");
    }
}

#[test]
fn a_lost_segment_is_noticed() {
    for (name, sound) in Sound::all() {
        let outcomes = (0..sound.length() / SEGMENT_BYTES).map(|number| {
            let at = number * SEGMENT_BYTES;
            (format!("at {at}"), sound.after(|dir| blank(&dir.join("db"), at, SEGMENT_BYTES)))
        });
        let (identical, refused) = count(name, outcomes);
        assert!(refused > 0, "{name}: {identical} identical, {refused} refused");
    }
}

#[test]
fn files_that_are_changed_or_gone_are_noticed() {
    let mut chance = Chance(5);
    for (name, sound) in Sound::all() {
        let index = sound.folder.path().join("index");
        for file in files(&index) {
            let outcomes = (0..10).map(|_| {
                let (at, bit) = (chance.below(length(&index.join(&file))), chance.below(8));
                let changed = sound.after(|dir| flip(&dir.join(&file), at, bit));
                (format!("{}, bit {bit} of byte {at}", file.display()), changed)
            });
            count(name, outcomes);
            let gone = sound.after(|dir| fs::remove_file(dir.join(&file)).expect("removed"));
            let empty = sound.after(|dir| cut(&dir.join(&file), u64::MAX));
            let what = |done| format!("{} {done}", file.display());
            count(name, [(what("gone"), gone), (what("empty"), empty)]);
        }
        let emptied = sound.after(|dir| {
            fs::remove_dir_all(dir).expect("removed");
            fs::create_dir(dir).expect("an empty folder");
        });
        assert!(matches!(emptied, Outcome::Refused(StoreError::Damaged(_))), "{emptied:?}");
    }
}

#[test]
fn damage_done_while_it_is_open_ends_in_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("index");
    let mut store = open(&dir).expect("a new index");
    let mut many = Batch::default(); // so many pages that sled's cache cannot but let go of some
    for number in 0..10_000 {
        many.put(format!("S{number:05}").into_bytes(), vec![0; 500]);
    }
    store.commit(many).expect("committed");
    let whole = length(&dir.join("db"));
    blank(&dir.join("db"), 0, whole);
    let outcome = patiently(move || {
        // Again and again, as the cache counts accesses late.
        let error = (0..500).find_map(|_| all(&store).err()).expect("nothing is left to read");
        assert_eq!(store.get(b"S0001"), Err(error.clone()), "the first failure is final");
        let mut batch = Batch::default();
        batch.put(b"S".to_vec(), Vec::new());
        assert_eq!(store.commit(batch), Err(error.clone()), "for commits as well");
        drop(store);
        Outcome::Refused(error)
    });
    assert!(matches!(outcome, Outcome::Refused(StoreError::Damaged(_))), "{outcome:?}");
}

#[test]
fn an_index_of_a_newer_build_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("index");
    let mut store = open(&dir).expect("a new index");
    assert_eq!(store.get(&position::format_key()), Ok(Some(FORMAT.to_be_bytes().to_vec())));
    let mut newer = Batch::default();
    newer.put(position::format_key(), (FORMAT + 1).to_be_bytes().to_vec());
    newer.put(b"?of a kind to come".to_vec(), Vec::new());
    store.commit(newer).expect("committed");
    drop(store);
    let refused = open(&dir).expect_err("an index of the future");
    assert_eq!(refused, StoreError::Newer { found: FORMAT + 1, known: FORMAT });
}

/// Damaged, and so moved aside and built anew from archive and journal, which say the same in every build.
#[test]
fn an_index_of_an_older_build_is_not_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("index");
    let mut store = open(&dir).expect("a new index");
    let mut older = Batch::default();
    older.put(position::format_key(), (FORMAT - 1).to_be_bytes().to_vec());
    store.commit(older).expect("committed");
    drop(store);
    let refused = open(&dir).expect_err("an index of the past");
    let said = format!("format number {}, this build has {FORMAT}", FORMAT - 1);
    assert_eq!(refused, StoreError::Damaged(said));
}

#[test]
fn an_index_that_is_open_already_is_not_taken_for_damaged() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("index");
    let mut store = open(&dir).expect("a new index");
    assert!(matches!(open(&dir), Err(StoreError::Io(_))));
    work(&mut store, &mut Chance(1), 3);
}

#[test]
fn a_damaged_index_makes_room_for_a_new_one() {
    let (_, sound) = Sound::all().swap_remove(0);
    let dir = sound.folder.path().join("index");
    cut(&dir.join("db"), 1_000_000);
    assert!(matches!(open(&dir), Err(StoreError::Damaged(_))));
    let aside = move_aside(&dir).expect("moved");
    assert_eq!(aside, sound.folder.path().join("index.damaged-1"));
    let mut store = open(&dir).expect("a new index");
    work(&mut store, &mut Chance(1), 20);
    let contents = all(&store).expect("scanned");
    drop(store);
    assert_eq!(all(&open(&dir).expect("opened again")), Ok(contents));
}
