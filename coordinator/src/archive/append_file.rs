//! A file that only grows, and never keeps half of a write.
//!
//! Decides when buffered bytes reach the disk and what a failed write leaves behind: nothing. Never decides what
//! the bytes mean.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Bytes that are gathered before a write. A megabyte amortises the system call over some tens of pages.
const FLUSH_AT: usize = 1 << 20;

/// Why bytes could not be appended or made durable.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// No room: the disk, the quota or the file-size limit is used up. Nothing torn was left.
    #[error("no room to write {path}: free some space, then try again")]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("could not {action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Its reason.
        source: io::Error,
    },
    /// An earlier failure left it unknown what is on the disk; opening the file again finds out.
    #[error("{path} failed in an earlier write or sync: open it again before writing more")]
    Broken {
        /// The file.
        path: PathBuf,
    },
    /// Another process has it open for writing.
    #[error("{path} is in use by another process: stop that one first")]
    InUse {
        /// The file or folder.
        path: PathBuf,
    },
}

impl WriteError {
    /// The error of an operating system call, told apart by whether more room would help.
    pub(crate) fn of(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        let full = matches!(
            source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
        );
        if full { Self::Full { path } } else { Self::Io { action, path, source } }
    }
}

/// Takes the writer's lock of an open file or folder; it lasts as long as the handle.
///
/// # Errors
/// [`WriteError::InUse`] where another process holds it.
pub(crate) fn lock(file: &File, path: &Path) -> Result<(), WriteError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(WriteError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(WriteError::of("lock", path, source)),
    }
}

/// Makes the creation of `path` durable: its name stands in the folder above.
///
/// # Errors
/// [`WriteError`] of the operating system.
pub(super) fn sync_parent(path: &Path) -> Result<(), WriteError> {
    let dir = path.parent().filter(|dir| *dir != Path::new("")).unwrap_or(Path::new("."));
    File::open(dir)
        .and_then(|handle| handle.sync_all())
        .map_err(|source| WriteError::of("sync", dir, source))
}

/// The open file, with what is not yet written to it.
#[derive(Debug)]
pub(crate) struct AppendFile {
    path: PathBuf,
    file: File,
    written: u64,
    pending: Vec<u8>,
    broken: bool,
}

impl AppendFile {
    /// Opens `path`, or creates it durably; its folder must exist.
    ///
    /// # Errors
    /// [`WriteError`] of the operating system.
    pub(crate) fn open(path: &Path) -> Result<Self, WriteError> {
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .map_err(|source| WriteError::of("open", path, source))?;
        let written = file.metadata().map_err(|source| WriteError::of("stat", path, source))?.len();
        sync_parent(path)?;
        Ok(Self { path: path.to_owned(), file, written, pending: Vec::new(), broken: false })
    }

    /// Takes the writer's lock of this file.
    ///
    /// # Errors
    /// [`WriteError::InUse`] where another process holds it.
    pub(crate) fn lock(&self) -> Result<(), WriteError> {
        lock(&self.file, &self.path)
    }

    /// Cuts everything after `end` away, durably, and returns how many bytes that were.
    ///
    /// # Errors
    /// [`WriteError`] of the operating system.
    pub(crate) fn cut(&mut self, end: u64) -> Result<u64, WriteError> {
        let cut = self.written.saturating_sub(end);
        if cut > 0 {
            self.file
                .set_len(end)
                .and_then(|()| self.file.sync_all())
                .map_err(|source| WriteError::of("truncate", &self.path, source))?;
            self.written = end;
        }
        Ok(cut)
    }

    /// The length that the file has once everything is written.
    pub(crate) fn end(&self) -> u64 {
        self.written + self.pending.len() as u64
    }

    /// Takes `bytes` in; they are durable after [`Self::sync`].
    ///
    /// # Errors
    /// [`WriteError`] where earlier bytes had to be written first and could not: then nothing was taken in.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        if self.broken {
            return Err(WriteError::Broken { path: self.path.clone() });
        }
        if self.pending.len() + bytes.len() > FLUSH_AT {
            self.flush()?;
        }
        self.pending.extend_from_slice(bytes);
        Ok(())
    }

    /// Takes `bytes` in and hands them to the operating system at once, so that a full disk is known now.
    ///
    /// # Errors
    /// [`WriteError`]; then nothing of `bytes` was taken in.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.append(bytes)?;
        let before = self.pending.len() - bytes.len();
        let written = self.flush();
        if written.is_err() {
            self.pending.truncate(before);
        }
        written
    }

    /// Writes what is pending and waits until the disk has it.
    ///
    /// # Errors
    /// [`WriteError::Full`] leaves the file as it was and keeps what is pending, so that it can be tried again.
    /// After a failed fdatasync the kernel may have dropped the pages, so every later call is
    /// [`WriteError::Broken`].
    pub(crate) fn sync(&mut self) -> Result<(), WriteError> {
        self.flush()?;
        self.file.sync_data().map_err(|source| {
            self.broken = true;
            WriteError::of("sync", &self.path, source)
        })
    }

    fn flush(&mut self) -> Result<(), WriteError> {
        if self.broken {
            return Err(WriteError::Broken { path: self.path.clone() });
        }
        if let Err(source) = self.file.write_all(&self.pending) {
            self.broken = self.file.set_len(self.written).is_err();
            return Err(WriteError::of("write", &self.path, source));
        }
        self.written = self.end();
        self.pending.clear();
        self.pending.shrink_to(FLUSH_AT);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_wait_for_the_sync_and_a_second_writer_is_refused() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("log");
        let mut file = AppendFile::open(&path).expect("a file");
        file.lock().expect("a free lock");
        file.append(b"abc").expect("room");
        assert_eq!((file.end(), std::fs::read(&path).expect("a file").len()), (3, 0));
        file.sync().expect("room");
        assert_eq!(std::fs::read(&path).expect("a file"), b"abc");
        let second = AppendFile::open(&path).expect("a file");
        assert!(matches!(second.lock(), Err(WriteError::InUse { .. })));
    }

    #[test]
    fn a_full_disk_is_told_apart() {
        let Ok(mut file) = AppendFile::open(Path::new("/dev/full")) else { return };
        file.append(b"abc").expect("only buffered");
        assert!(matches!(file.sync(), Err(WriteError::Full { .. })));
        // A device cannot be truncated, so what is on it is unknown.
        assert!(matches!(file.append(b"def"), Err(WriteError::Broken { .. })));
    }
}
