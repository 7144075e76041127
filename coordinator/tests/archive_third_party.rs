//! WARC files that other programs wrote, good and bad: read or refused with a reason, never a panic.

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use std::io::Write;
use std::path::{Path, PathBuf};
use sward_coordinator::archive::{ArchiveError, Damage, FileRecords, OwnedRecord};

/// `warc/` of the shared test data, if this machine has it.
fn data() -> Option<PathBuf> {
    let given = std::env::var_os("SWARD_DATA").map(PathBuf::from);
    let beside = |dir: &Path| Some(dir.join("shared/data")).filter(|data| data.is_dir());
    let data = given
        .or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().find_map(beside))
        .map(|data| data.join("warc"))
        .filter(|warc| warc.is_dir());
    if data.is_none() {
        let _ = std::io::stderr().write_all(b"skipped: shared/data/warc is missing\n");
    }
    data
}

/// The whole records before the file's end or its first damage.
fn read(path: &Path) -> (Vec<OwnedRecord>, Option<Damage>) {
    let mut records = Vec::new();
    for record in FileRecords::open(path, 0).expect("a file") {
        match record {
            Ok((_, record)) => records.push(record),
            Err(ArchiveError::Damaged { damage, .. }) => return (records, Some(damage)),
            Err(other) => panic!("{}: {other}", path.display()),
        }
    }
    (records, None)
}

#[test]
fn good_files_are_read_as_warcio_reads_them() {
    let Some(data) = data() else { return };
    // How many lines `warcio index` prints for each.
    let expected = [
        ("archivesunleashed__aut/example.txt.warc.gz", 6),
        ("chatnoir-eu__chatnoir-resiliparse/block-sized-records.warc.gz", 3),
        ("chatnoir-eu__chatnoir-resiliparse/warcfile.warc.gz", 50),
        ("commoncrawl__whirlwind-python/whirlwind.warc.gz", 4),
        ("commoncrawl__whirlwind-python/whirlwind.warc.wat.gz", 2),
        ("commoncrawl__whirlwind-python/whirlwind.warc.wet.gz", 2),
        ("extua__wacksy/example.warc.gz", 6),
        ("iipc__jwarc/cc.warc.gz", 1),
        ("webrecorder__py-wacz/example-resource.warc.gz", 3),
        ("webrecorder__warcio/example-resource.warc.gz", 3),
        ("webrecorder__warcio/example-space-in-target-uri.warc.gz", 2),
        ("webrecorder__warcio/example-wget-bad-target-uri.warc.gz", 6),
        ("webrecorder__warcio/example.warc.gz", 6),
        ("webrecorder__warcio/post-test.warc.gz", 6),
    ];
    for (name, count) in expected {
        let (records, damage) = read(&data.join(name));
        assert_eq!((records.len(), damage), (count, None), "{name}");
        for record in records {
            assert!(!record.kind().is_empty() && record.date().is_some(), "{name}");
            if matches!(record.kind(), "response" | "request" | "resource") {
                assert!(record.target().is_some_and(|url| !url.starts_with('<')), "{name}");
            }
        }
    }
}

#[test]
fn bad_files_are_refused_with_the_reason() {
    let Some(data) = data() else { return };
    let damage = |name: &str| read(&data.join(name)).1;
    let whole_file_gzip = damage("webrecorder__warcio/example-bad-non-chunked.warc.gz");
    assert_eq!(whole_file_gzip, Some(Damage::NotPerRecord));
    let split_record = damage("webrecorder__warcio/example-wrong-chunks.warc.gz");
    assert_eq!(split_record, Some(Damage::BlockTooShort { said: 1613, actual: 343 }));
    assert!(matches!(damage("webrecorder__warcio/example.arc.gz"), Some(Damage::Version(_))));
    for name in [
        "webrecorder__warcio/example.warc",
        "chatnoir-eu__chatnoir-resiliparse/block-sized-records.warc.lz4",
        "webrecorder__py-wacz/valid_example_1.wacz",
    ] {
        assert!(matches!(damage(name), Some(Damage::Gzip(_))), "{name}");
    }
}

/// Writes `text` as one gzip member and reads it as a WARC file.
fn read_text(text: &[u8]) -> (Vec<OwnedRecord>, Option<Damage>) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let mut gzip = GzEncoder::new(&file, Compression::fast());
    gzip.write_all(text).and_then(|()| gzip.finish().map(drop)).expect("room");
    read(file.path())
}

#[test]
fn each_fault_of_a_header_has_its_name() {
    let long = format!("WARC/1.1\r\nA: {}\r\n", "a".repeat(200_000));
    let cases: [(&str, Damage); 9] = [
        ("", Damage::CutShort),
        ("WARC/0.18\r\n\r\n", Damage::Version("WARC/0.18".to_owned())),
        ("WARC/1.1\r\nA: b", Damage::CutShort),
        ("WARC/1.1\r\n folded\r\n", Damage::Field(" folded".to_owned())),
        ("WARC/1.1\r\nA: b\r\n\r\n", Damage::NoLength),
        ("WARC/1.1\r\nContent-Length: -1\r\n\r\n", Damage::NoLength),
        ("WARC/1.1\r\nContent-Length: 999999999\r\n\r\n", Damage::BlockTooLong(999_999_999)),
        ("WARC/1.1\r\nContent-Length: 1\r\n\r\nab\r\n\r\n", Damage::NoEnd(1)),
        (&long, Damage::HeaderTooLong),
    ];
    for (text, damage) in cases {
        let name: String = text.chars().take(60).collect();
        assert_eq!(read_text(text.as_bytes()), (Vec::new(), Some(damage)), "{name:?}");
    }
    let (records, damage) =
        read_text(b"WARC/1.0\nWARC-Type: a\n\tb\ncontent-length: 2\n\nhi\r\n\r\n");
    assert_eq!((records[0].kind(), records[0].block.as_slice(), damage), ("a b", &b"hi"[..], None));
}

/// Header lines, for the most part.
const LINE: &str = "(Content-Length: [0-9]{1,20}|[ -~]{0,20}|\\PC{0,9})(\r\n|\n|)";

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(
        lines in proptest::collection::vec(LINE, 0..8),
        flip in any::<proptest::sample::Index>(),
    ) {
        let text = format!("WARC/1.1\r\n{}", lines.concat());
        read_text(text.as_bytes());
        let file = tempfile::NamedTempFile::new().expect("a file");
        let mut bytes = GzEncoder::new(Vec::new(), Compression::fast());
        bytes.write_all(text.as_bytes()).expect("memory");
        let mut bytes = bytes.finish().expect("memory");
        let at = flip.index(bytes.len());
        bytes[at] ^= 0x55;
        std::fs::write(file.path(), bytes).expect("room");
        read(file.path());
    }
}
