//! Small web servers on loopback that answer with bytes a test wrote, and a fetcher that may reach them.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;
use sward_agent::fetch::{FetchRequest, FetchSettings, Fetched, Fetcher};
use sward_agent_core::guard::{Guard, GuardConfig};
use sward_proto::attestation::{Observation, Response};
use sward_proto::outcome::FailureCode;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;

pub(crate) const USER_AGENT: &str =
    "Mozilla/5.0 (compatible; SwardBot/0.1; +https://sward.example/bot)";

/// What a server does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// Sends this, waits for the next request.
    Keep(Vec<u8>),
    /// Sends this and hangs up.
    HangUp(Vec<u8>),
    /// Sends the first, then the second again and again, as fast as it is taken.
    Endless(Vec<u8>, Vec<u8>),
    /// The same, but a hundred times a second.
    Drip(Vec<u8>, Vec<u8>),
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// Connections that were accepted.
    pub(crate) connections: Arc<AtomicUsize>,
    /// Connections that the other side closed while an endless answer was being written.
    pub(crate) hang_ups: Arc<AtomicUsize>,
    /// Heads of the requests.
    pub(crate) requests: Arc<Mutex<Vec<String>>>,
}

pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Seen,
}

impl Site {
    /// A server whose answer depends on the path.
    pub(crate) async fn new(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let (seen, answer) = (Seen::default(), Arc::new(answer));
        let task_seen = seen.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                task_seen.connections.fetch_add(1, Ordering::SeqCst);
                let (answer, seen) = (Arc::clone(&answer), task_seen.clone());
                tokio::spawn(async move { serve(stream, &*answer, &seen).await });
            }
        });
        Self { address, seen }
    }

    /// A server with one answer for all.
    pub(crate) async fn always(answer: Answer) -> Self {
        Self::new(move |_| answer.clone()).await
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// Waits until a client has hung up on an endless answer.
    pub(crate) async fn hung_up(&self) {
        let wait = async {
            while self.seen.hang_ups.load(Ordering::SeqCst) == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), wait).await.expect("the client hangs up");
    }
}

/// Answers the requests of one connection.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    answer: &(impl Fn(&str) -> Answer + Send + Sync),
    seen: &Seen,
) {
    while let Some(head) = request(&mut stream).await {
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        seen.requests.lock().expect("not poisoned").push(head);
        let (first, piece, pause) = match answer(&path) {
            Answer::Keep(bytes) => {
                let _ = stream.write_all(&bytes).await;
                continue;
            }
            Answer::HangUp(bytes) => {
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
                return;
            }
            Answer::Endless(first, piece) => (first, piece, Duration::ZERO),
            Answer::Drip(first, piece) => (first, piece, Duration::from_millis(10)),
        };
        let _ = stream.write_all(&first).await;
        while stream.write_all(&piece).await.is_ok() && stream.flush().await.is_ok() {
            tokio::time::sleep(pause).await;
        }
        seen.hang_ups.fetch_add(1, Ordering::SeqCst);
        return;
    }
}

async fn request<S: AsyncRead + Unpin>(stream: &mut S) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

/// A response with a Content-Length that is true.
pub(crate) fn page(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// A page of HTML.
pub(crate) fn html(body: &str) -> Vec<u8> {
    page("200 OK", "Content-Type: text/html; charset=utf-8\r\n", body.as_bytes())
}

/// A redirect.
pub(crate) fn moved(status: u16, to: &str, body: &[u8]) -> Vec<u8> {
    page(&format!("{status} x"), &format!("Location: {to}\r\n"), body)
}

/// Settings of an agent in developer mode.
pub(crate) fn settings() -> FetchSettings {
    // Another test of this process may have installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = GuardConfig { developer_loopback: true, ..GuardConfig::default() };
    FetchSettings::new(USER_AGENT.into(), Arc::new(RwLock::new(Guard::new(config))))
}

pub(crate) fn names(table: &[(&str, &[&str])]) -> BTreeMap<String, Vec<IpAddr>> {
    let address = |text: &&str| text.parse().expect("an address");
    let row = |(name, addresses): &(&str, &[&str])| {
        ((*name).to_owned(), addresses.iter().map(address).collect())
    };
    table.iter().map(row).collect()
}

pub(crate) fn request_for(url: &str) -> FetchRequest {
    let url = url.parse().expect("a url");
    FetchRequest { url, max_bytes: 1 << 20, media_types: Vec::new() }
}

/// Fetches with the settings of developer mode and no objection from the caller.
pub(crate) async fn fetch(url: &str) -> Fetched {
    fetch_with(settings(), request_for(url)).await
}

pub(crate) async fn fetch_with(settings: FetchSettings, request: FetchRequest) -> Fetched {
    Fetcher::new(settings).expect("a fetcher").fetch(request, |_| Ok(())).await
}

/// The response of a fetch that must have one.
pub(crate) fn response(fetched: &Fetched) -> &Response {
    match &fetched.observation {
        Observation::Response(response) => response,
        Observation::Failure { code, detail } => panic!("{code}: {detail}"),
    }
}

/// The failure of a fetch that must have none.
pub(crate) fn failure(fetched: &Fetched) -> (FailureCode, &str) {
    match &fetched.observation {
        Observation::Failure { code, detail } => (*code, detail),
        Observation::Response(response) => panic!("a response of status {}", response.status),
    }
}
