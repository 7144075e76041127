//! The daemon's side.

use crate::MAX_LINE_BYTES;
use crate::socket_path::SocketPath;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;

/// A question must have come by then.
const QUESTION_TIME: Duration = Duration::from_secs(5);

/// A listening socket, removed when it is dropped.
#[derive(Debug)]
pub struct Server {
    listener: UnixListener,
    path: PathBuf,
}

/// Where the lines of an answer go.
#[derive(Debug)]
pub struct Reply(OwnedWriteHalf);

impl Server {
    /// Listens at `path`, mode 0600. A socket that nobody listens on any more is replaced.
    ///
    /// # Errors
    /// `AddrInUse` where another daemon listens there, or the system's own.
    pub fn bind(path: &Path) -> io::Result<Self> {
        let reachable = SocketPath::of(path)?;
        if std::os::unix::net::UnixStream::connect(reachable.as_path()).is_ok() {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(reachable.as_path())?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self { listener, path: path.to_owned() })
    }

    /// Passes each question on with the place for its answer, until the receiver is gone.
    pub async fn serve<T: DeserializeOwned + Send + 'static>(
        self,
        questions: mpsc::Sender<(T, Reply)>,
    ) {
        while let Ok((stream, _)) = self.listener.accept().await {
            let questions = questions.clone();
            if questions.is_closed() {
                return;
            }
            tokio::spawn(async move {
                match tokio::time::timeout(QUESTION_TIME, read_question(stream)).await {
                    Ok(Ok(question)) => drop(questions.send(question).await),
                    Ok(Err(error)) => tracing::debug!(%error, "unreadable control request"),
                    Err(_) => tracing::debug!("control connection without a request"),
                }
            });
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already, with the folder.
        drop(std::fs::remove_file(&self.path));
    }
}

async fn read_question<T: DeserializeOwned>(stream: UnixStream) -> io::Result<(T, Reply)> {
    let (read, mut write) = stream.into_split();
    let mut line = Vec::new();
    BufReader::new(read.take(MAX_LINE_BYTES)).read_until(b'\n', &mut line).await?;
    match serde_json::from_slice(&line) {
        Ok(question) => Ok((question, Reply(write))),
        Err(error) => {
            let answer = serde_json::json!({ "error": error.to_string() });
            write.write_all(format!("{answer}\n").as_bytes()).await?;
            Err(error.into())
        }
    }
}

impl Reply {
    /// Writes one line. The answer ends when this is dropped.
    ///
    /// # Errors
    /// The asker went away.
    pub async fn line(&mut self, value: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        self.0.write_all(&line).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Client;

    #[tokio::test]
    async fn a_question_gets_its_lines() {
        question_and_answer("control.sock").await;
    }

    #[tokio::test]
    async fn a_folder_may_be_deeper_than_a_sockets_address_is_long() {
        question_and_answer(&format!("{}/control.sock", "deep".repeat(40))).await;
    }

    async fn question_and_answer(name: &str) {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        let server = Server::bind(&path).expect("free");
        assert_eq!(Server::bind(&path).expect_err("in use").kind(), io::ErrorKind::AddrInUse);
        let (sender, mut receiver) = mpsc::channel::<(String, Reply)>(1);
        tokio::spawn(server.serve(sender));
        let asked = path.clone();
        let asking = tokio::task::spawn_blocking(move || {
            let mut client = Client::ask(&asked, &"status").expect("running");
            let first: Option<u32> = client.next_line().expect("a line");
            (first, client.next_line::<u32>().expect("the end"))
        });
        let (question, mut reply) = receiver.recv().await.expect("a question");
        assert_eq!(question, "status");
        reply.line(&7).await.expect("listening");
        drop(reply);
        assert_eq!(asking.await.expect("no panic"), (Some(7), None));
    }

    #[test]
    fn nobody_there_is_said_so() {
        let error = Client::ask(Path::new("/nonexistent/sock"), &1).expect_err("nobody");
        assert!(error.to_string().contains("nothing is running"));
    }
}
