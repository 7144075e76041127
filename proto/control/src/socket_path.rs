//! How a socket is reached in a folder however deep.
//!
//! Decides the path that the system is given. Never decides where the socket lies.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};

/// The longest path that a socket's address holds on Linux: 108 bytes with the final zero (unix(7)).
const MAX_PATH_BYTES: usize = 107;
/// Linux's handles of this process, by number.
const HANDLES: &str = "/proc/self/fd";

/// A path that a socket's address can hold, good as long as this lives.
#[derive(Debug)]
pub(crate) struct SocketPath {
    path: PathBuf,
    _folder: Option<OwnedFd>,
}

impl SocketPath {
    /// The path itself, or where that is too long one through its open folder.
    pub(crate) fn of(socket: &Path) -> io::Result<Self> {
        let fits = socket.as_os_str().len() <= MAX_PATH_BYTES;
        let parts = socket.parent().zip(socket.file_name());
        match parts.filter(|_| !fits && Path::new(HANDLES).exists()) {
            None => Ok(Self { path: socket.to_owned(), _folder: None }),
            Some((folder, name)) => {
                let folder = OwnedFd::from(OpenOptions::new().read(true).open(folder)?);
                let path = Path::new(HANDLES).join(folder.as_raw_fd().to_string()).join(name);
                Ok(Self { path, _folder: Some(folder) })
            }
        }
    }

    pub(crate) fn as_path(&self) -> &Path {
        &self.path
    }
}
