//! A full disk, in a process of its own: a child that is being started holds the locks of tests beside it for a moment.

mod archive_sample;

use archive_sample::{head, open, response, url};
use std::path::Path;
use std::process::Command;
use sward_coordinator::archive::{ArchiveError, Position, WriteError, records_from};

const SEGMENT: &str = "sward-00000001.warc.gz";

/// Set in the child process that runs under a limit on the size of its files.
const LIMITED: &str = "SWARD_TEST_LIMITED_DIR";

/// A limit on file size makes a write fail half done, as a full disk does.
#[test]
fn a_full_disk_leaves_nothing_torn_and_loses_nothing() {
    if let Some(dir) = std::env::var_os(LIMITED) {
        return fill_up(Path::new(&dir));
    }
    let dir = tempfile::tempdir().expect("a folder");
    // 64 blocks of 512 or 1,024 bytes; the signal that comes with the error is ignored.
    let script = "trap '' XFSZ; ulimit -f 64; exec \"$0\" --exact \"$1\"";
    let run = Command::new("sh")
        .args(["-c", script])
        .arg(std::env::current_exe().expect("this test"))
        .arg("a_full_disk_leaves_nothing_torn_and_loses_nothing")
        .env(LIMITED, dir.path())
        .output();
    let Ok(run) = run else { return };
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
    let records = records_from(dir.path(), Position::START).expect("segments");
    let whole = records.collect::<Result<Vec<_>, _>>().expect("whole records").len();
    assert_eq!(whole, 1 + 1, "what was synced before the disk was full");
    assert_eq!(open(dir.path(), u64::MAX).1.truncated_bytes, 0);
}

fn fill_up(dir: &Path) {
    let (mut archive, _) = open(dir, u64::MAX);
    let target = url("http://a.example/");
    archive.append(&response(&target, &head(b"one"), b"one")).expect("room");
    archive.sync().expect("room");
    let synced = archive.position().offset;
    // What deflate cannot make smaller: a chain of digests.
    let mut body = Vec::new();
    while body.len() < 1 << 20 {
        body.extend(sward_proto::digest::Digest::of(&body[body.len().saturating_sub(32)..]).0);
    }
    for _ in 0..2 {
        let full = archive.append(&response(&target, &head(&body), &body));
        assert!(matches!(full, Err(ArchiveError::Write(WriteError::Full { .. }))));
        let length = std::fs::metadata(dir.join(SEGMENT)).expect("a segment").len();
        assert_eq!((length, archive.position().offset), (synced, synced));
    }
    archive.sync().expect("nothing is pending");
}
