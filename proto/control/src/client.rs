//! The command line's side.

use crate::MAX_LINE_BYTES;
use crate::socket_path::SocketPath;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// Nothing answers at the socket, or it broke off.
#[derive(Debug, thiserror::Error)]
pub enum NotRunning {
    /// No daemon listens.
    #[error("nothing is running at {path} ({cause}): start it first")]
    Absent {
        /// The socket.
        path: String,
        /// What the system said.
        cause: std::io::Error,
    },
    /// It went away before it answered.
    #[error("the daemon went away before it answered")]
    Gone(#[source] std::io::Error),
    /// It answered something else.
    #[error("the daemon answered something else: {0}: are both of one version")]
    Garbled(#[source] serde_json::Error),
}

/// A connection on which one question was asked.
#[derive(Debug)]
pub struct Client {
    lines: BufReader<UnixStream>,
}

impl Client {
    /// Asks the daemon behind a socket.
    ///
    /// # Errors
    /// [`NotRunning`] where nobody listens.
    pub fn ask(socket: &Path, request: &impl Serialize) -> Result<Self, NotRunning> {
        let absent = |cause| NotRunning::Absent { path: socket.display().to_string(), cause };
        let reached = SocketPath::of(socket).and_then(|path| UnixStream::connect(path.as_path()));
        let mut stream = reached.map_err(absent)?;
        stream.set_write_timeout(Some(Duration::from_secs(10))).map_err(NotRunning::Gone)?;
        let mut line = serde_json::to_vec(request).map_err(NotRunning::Garbled)?;
        line.push(b'\n');
        stream.write_all(&line).map_err(NotRunning::Gone)?;
        Ok(Self { lines: BufReader::new(stream) })
    }

    /// The next line of the answer, or `None` at its end.
    ///
    /// # Errors
    /// [`NotRunning`] where the daemon went away or answers something else.
    pub fn next_line<T: DeserializeOwned>(&mut self) -> Result<Option<T>, NotRunning> {
        let mut line = Vec::new();
        let mut limited = (&mut self.lines).take(MAX_LINE_BYTES);
        limited.read_until(b'\n', &mut line).map_err(NotRunning::Gone)?;
        if line.is_empty() {
            return Ok(None);
        }
        serde_json::from_slice(&line).map(Some).map_err(NotRunning::Garbled)
    }

    /// The one line of an answer.
    ///
    /// # Errors
    /// [`NotRunning`], also where there is no line.
    pub fn only<T: DeserializeOwned>(mut self) -> Result<T, NotRunning> {
        let gone = || NotRunning::Gone(std::io::ErrorKind::UnexpectedEof.into());
        self.next_line()?.ok_or_else(gone)
    }
}
