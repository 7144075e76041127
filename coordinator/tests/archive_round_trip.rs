//! What is written to the archive is what is read back from it.

mod archive_sample;

use archive_sample::{DATE, head, open, response, settings, url};
use std::path::Path;
use sward_coordinator::archive::{
    Archive, ArchiveError, FileRecords, Location, OwnedRecord, Position, Record, Truncated,
    WriteError, Written, completed, converted, http_head, read_at, records_from,
};
use sward_proto::digest::Digest;

fn read_all(dir: &Path, from: Position) -> Vec<(Location, OwnedRecord)> {
    records_from(dir, from).expect("segments").collect::<Result<_, _>>().expect("whole records")
}

fn read(dir: &Path, written: Written) -> OwnedRecord {
    let record = read_at(dir, written.location).expect("a record");
    assert_eq!(record.id(), Some(written.id));
    assert_eq!(record.date(), Some(DATE));
    let block_digest = format!("sha256:{}", Digest::of(&record.block));
    assert_eq!(record.field("WARC-Block-Digest"), Some(block_digest.as_str()));
    record
}

#[test]
fn a_capture_comes_back_as_a_tied_group() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut archive, _) = open(dir.path(), u64::MAX);
    let target = url("https://example.org/a b?q=<>");
    let body = b"<p>a page\r\n\r\nof two parts";
    let request_head = http_head::of_request(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").expect("a head");
    let response_head = head(body);
    let protocols = ["h2".to_owned(), "tls/1.3".to_owned()];
    let response = Record::Response {
        target: &target,
        date: DATE,
        ip: Some([192, 0, 2, 1].into()),
        protocols: &protocols,
        head: &response_head,
        body,
        truncated: Some(Truncated::Length),
        payload_type: Some("text/html"),
    };
    let request = Record::Request { target: &target, date: DATE, head: &request_head };
    let metadata = Record::Metadata {
        target: Some(&target),
        date: DATE,
        content_type: "application/json",
        body: b"{}",
        concurrent_to: None,
    };
    let (first, rest) = archive.append_group(&response, &[request, metadata]).expect("room");
    archive.sync().expect("room");

    let stored = read(dir.path(), first);
    assert_eq!(stored.kind(), "response");
    assert_eq!(stored.target(), Some("https://example.org/a%20b?q=%3C%3E"));
    assert_eq!(stored.http(), Some((response_head.as_bytes(), body.as_slice())));
    assert_eq!(stored.payload_digest(), Some(Digest::of(body)));
    assert_eq!(stored.field("WARC-IP-Address"), Some("192.0.2.1"));
    assert_eq!(stored.field("WARC-Truncated"), Some("length"));
    assert_eq!(stored.field("WARC-Identified-Payload-Type"), Some("text/html"));
    let protocols = stored.fields.iter().filter(|(name, _)| name == "WARC-Protocol");
    assert_eq!(protocols.map(|(_, value)| value.as_str()).collect::<Vec<_>>(), ["h2", "tls/1.3"]);

    let [request, metadata] = rest.as_slice() else { panic!("two more records") };
    let (request, metadata) = (read(dir.path(), *request), read(dir.path(), *metadata));
    assert_eq!((request.kind(), request.block.as_slice()), ("request", request_head.as_bytes()));
    assert_eq!(metadata.field("Content-Type"), Some("application/json"));
    assert_eq!((metadata.kind(), metadata.block.as_slice()), ("metadata", b"{}".as_slice()));
    for record in [&request, &metadata] {
        assert_eq!(record.id_in("WARC-Concurrent-To"), Some(first.id));
    }
    assert_eq!(stored.field("WARC-Concurrent-To"), None);
}

/// Writes a page at a.example, and a revisit of it at b.example.
fn page_and_revisit(dir: &Path) -> (Written, Written) {
    let (mut archive, _) = open(dir, u64::MAX);
    let (original, copy) = (url("http://a.example/"), url("http://b.example/"));
    let head = head(b"body");
    let first = archive.append(&response(&original, &head, b"body")).expect("room");
    let revisit = Record::Revisit {
        target: &copy,
        date: DATE,
        head: &head,
        payload_digest: Digest::of(b"body"),
        refers_to: first.id,
        refers_to_target: &original,
        refers_to_date: DATE,
    };
    let second = archive.append(&revisit).expect("room");
    archive.sync().expect("room");
    (first, second)
}

#[test]
fn a_revisit_names_what_it_repeats() {
    let dir = tempfile::tempdir().expect("a folder");
    let (first, second) = page_and_revisit(dir.path());
    let record = read(dir.path(), second);
    assert_eq!((record.kind(), record.target()), ("revisit", Some("http://b.example/")));
    assert_eq!(record.id_in("WARC-Refers-To"), Some(first.id));
    assert_eq!(record.field("WARC-Refers-To-Target-URI"), Some("http://a.example/"));
    assert_eq!(record.field("WARC-Refers-To-Date"), Some("2026-11-22T12:40:34.005Z"));
    assert_eq!(record.payload_digest(), Some(Digest::of(b"body")));
    assert_eq!(record.http(), Some((head(b"body").as_bytes(), b"".as_slice())));
}

#[test]
fn a_conversion_names_what_it_was_made_from_and_always_has_the_same_bytes() {
    let dir = tempfile::tempdir().expect("a folder");
    let (first, _) = page_and_revisit(dir.path());
    let response = read(dir.path(), first);
    let member = converted(&response, "text").expect("short");
    assert_eq!(converted(&response, "text").expect("short"), member);
    let path = dir.path().join("text.warc.gz");
    std::fs::write(&path, member).expect("room");
    let mut records = FileRecords::open(&path, 0).expect("a file");
    let (_, text) = records.next().expect("a record").expect("sound");
    assert_eq!((text.kind(), text.target()), ("conversion", Some("http://a.example/")));
    assert_eq!((text.id_in("WARC-Refers-To"), text.date()), (Some(first.id), Some(DATE)));
    assert_eq!(text.block, b"text");
    assert!(text.id().is_some_and(|id| id != first.id) && records.next().is_none());
}

#[test]
fn a_revisit_with_its_body_put_back_is_the_response_that_it_stands_for() {
    let dir = tempfile::tempdir().expect("a folder");
    let (_, second) = page_and_revisit(dir.path());
    let member = completed(&read(dir.path(), second), b"body").expect("short");
    let path = dir.path().join("whole.warc.gz");
    std::fs::write(&path, member).expect("room");
    let mut records = FileRecords::open(&path, 0).expect("a file");
    let (_, whole) = records.next().expect("a record").expect("sound");
    assert_eq!((whole.kind(), whole.target()), ("response", Some("http://b.example/")));
    assert_eq!((whole.id(), whole.date()), (Some(second.id), Some(DATE)));
    assert_eq!(whole.http(), Some((head(b"body").as_bytes(), b"body".as_slice())));
    assert_eq!(whole.payload_digest(), Some(Digest::of(b"body")));
    let block = format!("sha256:{}", Digest::of(&whole.block));
    assert_eq!(whole.field("WARC-Block-Digest"), Some(block.as_str()));
    let gone = ["WARC-Profile", "WARC-Refers-To", "WARC-Refers-To-Date"];
    assert!(gone.iter().all(|name| whole.field(name).is_none()), "{whole:?}");
    assert!(records.next().is_none());
}

#[test]
fn each_segment_begins_with_its_warcinfo_and_full_ones_are_left() {
    let dir = tempfile::tempdir().expect("a folder");
    let target = url("http://a.example/");
    let head = head(b"x");
    let mut written = Vec::new();
    for _ in 0..3 {
        // Opening again goes on where the last run stopped.
        let (mut archive, opened) = open(dir.path(), 1200);
        assert_eq!(opened.truncated_bytes, 0);
        for _ in 0..4 {
            written.push(archive.append(&response(&target, &head, b"x")).expect("room"));
        }
        archive.sync().expect("room");
    }
    let all = read_all(dir.path(), Position::START);
    let (infos, pages): (Vec<_>, Vec<_>) = all.iter().partition(|(_, r)| r.kind() == "warcinfo");
    assert!(infos.len() > 3, "{} segments", infos.len());
    for (number, (location, info)) in (1..).zip(&infos) {
        assert_eq!((location.segment, location.offset), (number, 0));
        let name = format!("sward-{number:08}.warc.gz");
        assert_eq!(info.field("WARC-Filename"), Some(name.as_str()));
        let text = String::from_utf8(info.block.clone()).expect("text");
        for line in ["software: sward-", "format: WARC", "isPartOf: test\r\n", "robots: obey\r\n"] {
            assert!(text.contains(line), "{text}");
        }
        let length = std::fs::metadata(dir.path().join(name)).expect("a segment").len();
        assert!(length < 1200 + 1200, "a segment of {length} bytes");
    }
    assert_eq!(
        pages.iter().map(|(location, _)| *location).collect::<Vec<_>>(),
        written.iter().map(|written| written.location).collect::<Vec<_>>()
    );
    for (location, page) in pages {
        let info = infos.iter().find(|(info, _)| info.segment == location.segment);
        assert_eq!(page.id_in("WARC-Warcinfo-ID"), info.and_then(|(_, info)| info.id()));
    }
    let middle = all.get(all.len() / 2).expect("a record").0;
    let from = Position { segment: middle.segment, offset: middle.offset };
    assert_eq!(read_all(dir.path(), from), all[all.len() / 2..]);
}

#[test]
fn the_same_records_give_the_same_bytes() {
    let bytes = || {
        let dir = tempfile::tempdir().expect("a folder");
        let (mut archive, _) = open(dir.path(), u64::MAX);
        let target = url("http://a.example/");
        archive.append(&response(&target, &head(b"x"), b"x")).expect("room");
        archive.sync().expect("room");
        std::fs::read(dir.path().join("sward-00000001.warc.gz")).expect("a segment")
    };
    assert_eq!(bytes(), bytes());
}

#[test]
fn no_value_can_begin_a_header_line() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut settings = settings(u64::MAX);
    settings.operator = "me\r\nrobots: ignore".to_owned();
    let (mut archive, _) = Archive::open(dir.path(), settings).expect("an archive");
    let evil = "x\r\nWARC-Type: warcinfo\r\n\r\nWARC/1.1\n";
    let target = url(&format!("http://a.example/{evil}"));
    let head = head(b"");
    let page = Record::Response {
        target: &target,
        date: DATE,
        ip: None,
        protocols: &[evil.to_owned()],
        head: &head,
        body: b"",
        truncated: None,
        payload_type: Some(evil),
    };
    let metadata = Record::Metadata {
        target: None,
        date: DATE,
        content_type: evil,
        body: evil.as_bytes(),
        concurrent_to: None,
    };
    archive.append_group(&page, &[metadata]).expect("room");
    archive.sync().expect("room");
    let all = read_all(dir.path(), Position::START);
    let kinds: Vec<_> = all.iter().map(|(_, record)| record.kind()).collect();
    assert_eq!(kinds, ["warcinfo", "response", "metadata"]);
    for (_, record) in &all {
        assert_eq!(record.fields.iter().filter(|(name, _)| name == "WARC-Type").count(), 1);
    }
    let info = String::from_utf8(all[0].1.block.clone()).expect("text");
    assert_eq!(info.lines().filter(|line| line.starts_with("robots:")).count(), 1, "{info}");
    assert_eq!(all[2].1.block, evil.as_bytes());
}

#[test]
fn a_second_writer_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let _first = open(dir.path(), u64::MAX);
    let second = Archive::open(dir.path(), settings(u64::MAX));
    assert!(matches!(second, Err(ArchiveError::Write(WriteError::InUse { .. }))));
}

#[test]
fn a_record_that_could_not_be_read_again_is_not_written() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut archive, _) = open(dir.path(), u64::MAX);
    let before = archive.position();
    let long = "a".repeat(200_000);
    let metadata = |content_type| Record::Metadata {
        target: None,
        date: DATE,
        content_type,
        body: b"",
        concurrent_to: None,
    };
    let refused = archive.append_group(&metadata("text/plain"), &[metadata(&long)]);
    assert!(matches!(refused, Err(ArchiveError::TooLarge { .. })));
    assert_eq!(archive.position(), before);
}

#[test]
fn a_place_between_records_and_a_missing_segment_are_said() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut archive, _) = open(dir.path(), 1);
    let target = url("http://a.example/");
    for _ in 0..3 {
        archive.append(&response(&target, &head(b""), b"")).expect("room");
    }
    archive.sync().expect("room");
    let end = archive.position();
    let nothing = Location { segment: end.segment, offset: end.offset, length: 1 };
    assert!(matches!(read_at(dir.path(), nothing), Err(ArchiveError::NotThere { .. })));
    let longer = Location { segment: 1, offset: 0, length: 1 };
    assert!(matches!(read_at(dir.path(), longer), Err(ArchiveError::NotThere { .. })));
    let within = Location { segment: 1, offset: 5, length: 1 };
    assert!(matches!(read_at(dir.path(), within), Err(ArchiveError::Damaged { .. })));
    std::fs::remove_file(dir.path().join("sward-00000002.warc.gz")).expect("a segment");
    let error = records_from(dir.path(), Position::START).expect_err("a gap");
    assert!(error.to_string().contains("sward-00000002.warc.gz"), "{error}");
}
