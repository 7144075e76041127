//! What it takes until a merge is on the disk and not just in the page cache.
//!
//! Decides which files are synced, and when. sled's own `flush` does not suffice: on Linux, 0.34.7 calls only
//! `sync_file_range` (`IoBufs::write_to_log`; under strace a run of it made 466 such calls and one fsync), which writes
//! neither the file's size nor the drive's cache (man 2 sync_file_range). And it never syncs the files in `blobs`, into
//! which it puts tree nodes of more than 128 KiB (`write_blob`).

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// The files of an open sled folder, for syncing only.
#[derive(Debug)]
pub(super) struct SledFiles {
    db: File,
    blobs: PathBuf,
    /// The highest number of a synced blob. sled names blobs by log position, which only grows.
    synced: Option<u64>,
}

impl SledFiles {
    /// Opens the log of the sled folder `dir` once more, and syncs all that is there.
    pub(super) fn open(dir: &Path) -> io::Result<Self> {
        let db = File::open(dir.join("db"))?;
        let mut files = Self { db, blobs: dir.join("blobs"), synced: None };
        files.sync()?;
        File::open(dir)?.sync_all()?;
        Ok(files)
    }

    /// Returns once all that sled has written is durable. Syncing goes by file, not by descriptor, so it covers what
    /// sled wrote through its own (POSIX fdatasync).
    pub(super) fn sync(&mut self) -> io::Result<()> {
        let mut highest = self.synced;
        for entry in std::fs::read_dir(&self.blobs)? {
            let entry = entry?;
            let number = entry.file_name().to_str().and_then(|name| name.parse::<u64>().ok());
            if number.is_some() && number > self.synced {
                match File::open(entry.path()) {
                    Ok(blob) => blob.sync_all()?,
                    // Replaced since: then the log no longer names it.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
                highest = highest.max(number);
            }
        }
        if highest > self.synced {
            File::open(&self.blobs)?.sync_all()?;
            self.synced = highest;
        }
        self.db.sync_data()
    }
}

/// Makes the name of `path` itself durable.
pub(super) fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if parent != Path::new("") => File::open(parent)?.sync_all(),
        Some(_) | None => File::open(".")?.sync_all(),
    }
}
