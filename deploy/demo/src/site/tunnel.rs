//! Fetching through another's machine: what the copier hands in was shown to that one.

use super::pages::Answer;
use anyhow::{Context as _, Result};
use std::net::{Ipv4Addr, SocketAddr};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;

/// The page at `host` and `path` as `server` shows it to a visitor from `through`.
pub(super) async fn fetch(
    server: Ipv4Addr,
    through: Ipv4Addr,
    host: &str,
    path: &str,
) -> Result<Answer> {
    let port = host.split(':').nth(1).context("a port")?.parse()?;
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(through.into(), 0))?;
    let mut stream = socket.connect(SocketAddr::new(server.into(), port)).await?;
    let request = format!("GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").context("a head")?;
    let (head, body) = answer.split_at(end + 4);
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let status = head.split(' ').nth(1).context("a status")?.parse()?;
    let kind = head.lines().find_map(|line| line.strip_prefix("content-type: "));
    let content_type = kind.unwrap_or("text/plain").to_owned();
    Ok(Answer { status, content_type, body: body.to_vec(), ..Answer::missing() })
}
