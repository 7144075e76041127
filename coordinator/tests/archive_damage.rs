//! A crash and a bad disk.

mod archive_sample;

use archive_sample::{head, open, response, settings, url};
use std::path::Path;
use sward_coordinator::archive::{Archive, ArchiveError, Damage, Position, records_from};

const SEGMENT: &str = "sward-00000001.warc.gz";

/// Writes `bodies`, one response each, and returns the end of each record.
fn write(dir: &Path, bodies: &[&[u8]]) -> Vec<usize> {
    let (mut archive, _) = open(dir, u64::MAX);
    let target = url("http://a.example/");
    let end = |body: &&[u8]| {
        archive.append(&response(&target, &head(body), body)).expect("room");
        usize::try_from(archive.position().offset).expect("small")
    };
    let ends = bodies.iter().map(end).collect();
    archive.sync().expect("room");
    ends
}

fn count(dir: &Path) -> usize {
    let records = records_from(dir, Position::START).expect("segments");
    records.collect::<Result<Vec<_>, _>>().expect("whole records").len()
}

#[test]
fn a_torn_end_is_cut_at_every_byte() {
    let dir = tempfile::tempdir().expect("a folder");
    let ends = write(dir.path(), &[b"one", b"two"]);
    let path = dir.path().join(SEGMENT);
    let whole = std::fs::read(&path).expect("a segment");
    for cut in ends[0]..ends[1] {
        std::fs::write(&path, &whole[..cut]).expect("a copy");
        let (archive, opened) = open(dir.path(), u64::MAX);
        assert_eq!(opened.truncated_bytes, (cut - ends[0]) as u64);
        assert_eq!(archive.position().offset, ends[0] as u64);
        assert_eq!(std::fs::read(&path).expect("a segment"), &whole[..ends[0]]);
    }
    // What is written next is what would have been written without the crash.
    assert_eq!(write(dir.path(), &[b"two"]), [ends[1]]);
    assert_eq!(std::fs::read(&path).expect("a segment"), whole);
}

#[test]
fn a_torn_first_record_leaves_an_empty_segment_that_begins_anew() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join(SEGMENT);
    std::fs::write(&path, b"\x1f\x8b\x08\0\0").expect("a segment");
    assert_eq!(open(dir.path(), u64::MAX).1.truncated_bytes, 5);
    write(dir.path(), &[b"one"]);
    assert_eq!(count(dir.path()), 2);
}

#[test]
fn zeros_at_the_end_are_a_torn_write() {
    let dir = tempfile::tempdir().expect("a folder");
    let ends = write(dir.path(), &[b"one"]);
    let path = dir.path().join(SEGMENT);
    let mut bytes = std::fs::read(&path).expect("a segment");
    bytes.extend([0; 5000]);
    std::fs::write(&path, bytes).expect("a segment");
    let (archive, opened) = open(dir.path(), u64::MAX);
    assert_eq!((opened.truncated_bytes, archive.position().offset), (5000, ends[0] as u64));
}

#[test]
fn a_flipped_byte_in_the_middle_is_named_and_nothing_is_cut() {
    let dir = tempfile::tempdir().expect("a folder");
    let ends = write(dir.path(), &[b"one", b"two", b"three"]);
    let path = dir.path().join(SEGMENT);
    let whole = std::fs::read(&path).expect("a segment");
    let good: Vec<_> = records_from(dir.path(), Position::START).expect("a segment").collect();
    for at in ends[0]..ends[1] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(&path, &bytes).expect("a segment");
        match Archive::open(dir.path(), settings(u64::MAX)) {
            Err(ArchiveError::Damaged { path: named, offset, .. }) => {
                assert_eq!((named, offset), (path.clone(), ends[0] as u64), "byte {at}");
            }
            Err(other) => panic!("byte {at}: {other}"),
            // Gzip has no checksum over its flags, time, level and system (RFC 1952 section 2.3).
            Ok(_) => assert!((3..10).contains(&(at - ends[0])), "byte {at} went unnoticed"),
        }
        assert_eq!(std::fs::read(&path).expect("a segment"), bytes, "byte {at}");
        let read: Vec<_> = records_from(dir.path(), Position::START).expect("a segment").collect();
        match read.last().expect("records") {
            Ok(_) => assert_eq!(format!("{read:?}"), format!("{good:?}"), "byte {at}"),
            Err(error) => assert!(error.to_string().contains(SEGMENT), "{error}"),
        }
    }
}

#[test]
fn a_page_that_holds_an_archive_does_not_stop_a_repair() {
    let inner = tempfile::tempdir().expect("a folder");
    write(inner.path(), &[b"inner"]);
    let page = std::fs::read(inner.path().join(SEGMENT)).expect("a segment");
    let dir = tempfile::tempdir().expect("a folder");
    let ends = write(dir.path(), &[b"one", &page]);
    let path = dir.path().join(SEGMENT);
    let mut bytes = std::fs::read(&path).expect("a segment");
    // Stored in the clear, as deflate does with what it cannot make smaller.
    bytes.truncate(ends[1] - 9);
    bytes.extend(page);
    std::fs::write(&path, bytes).expect("a segment");
    assert_eq!(open(dir.path(), u64::MAX).0.position().offset, ends[0] as u64);
}

#[test]
fn a_closed_segment_has_no_torn_end() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut archive, _) = open(dir.path(), 1);
    let target = url("http://a.example/");
    for _ in 0..2 {
        archive.append(&response(&target, &head(b""), b"")).expect("room");
    }
    archive.sync().expect("room");
    let path = dir.path().join(SEGMENT);
    let bytes = std::fs::read(&path).expect("a segment");
    std::fs::write(&path, &bytes[..bytes.len() - 1]).expect("a segment");
    let last = records_from(dir.path(), Position::START).expect("segments").last();
    let Some(Err(ArchiveError::Damaged { damage, .. })) = last else { panic!("{last:?}") };
    assert_eq!(damage, Damage::CutShort);
}
