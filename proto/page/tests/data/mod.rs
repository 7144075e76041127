//! Finds and reads the real test data, which are no part of the repository.

use flate2::read::GzDecoder;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A folder of the data: under `SWARD_DATA`, else under `shared/data` beside an ancestor of this package. Says what is
/// missing where there is none, so that a test can skip.
#[expect(clippy::print_stderr, reason = "a skipped test must say so")]
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let given = std::env::var_os("SWARD_DATA").map(PathBuf::from);
    let above = || Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let beside = || above().map(|folder| folder.join("shared/data")).find(|data| data.is_dir());
    let data = given.or_else(beside);
    let found = data.map(|data| data.join(name)).filter(|folder| folder.is_dir());
    if found.is_none() {
        eprintln!("skipped: no {name} under SWARD_DATA or a shared/data directory");
    }
    found
}

/// All files below a folder whose name ends so, sorted.
pub(crate) fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a readable folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The content of a file, unpacked where it is gzip.
pub(crate) fn read(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).expect("a readable file");
    if !bytes.starts_with(b"\x1f\x8b") {
        return bytes;
    }
    let mut unpacked = Vec::new();
    GzDecoder::new(bytes.as_slice()).read_to_end(&mut unpacked).expect("good gzip");
    unpacked
}
