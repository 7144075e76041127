//! The beacon site: the coordinator's own pages, served to whoever asks, each visitor's marked by its address.
//!
//! Decides nothing: what a page says is the core's. Listens on plain HTTP, which the agents must reach without a proxy in
//! between: it is their address that counts.

use anyhow::{Context as _, Result};
use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use std::net::SocketAddr;
use std::sync::Arc;
use sward_coordinator_core::beacon::Beacon;
use sward_proto::canonical_url::CanonicalUrl;
use tokio::net::TcpListener;

/// Listens.
///
/// # Errors
/// Where the address is in use.
pub async fn listen(address: SocketAddr) -> Result<TcpListener> {
    let advice = || format!("cannot listen on {address}: set another beacon.listen in config.toml");
    TcpListener::bind(address).await.with_context(advice)
}

/// Serves until the process ends.
///
/// # Errors
/// Where the listener breaks.
pub async fn serve(listener: TcpListener, beacon: Beacon) -> Result<()> {
    let router = Router::new().fallback(answer).with_state(Arc::new(beacon));
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).await.context("beacon listener")
}

async fn answer(
    State(beacon): State<Arc<Beacon>>,
    ConnectInfo(visitor): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    if path == "/robots.txt" {
        return "User-agent: *\nAllow: /\n".into_response();
    }
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let url = format!("http://{}{path}", host.unwrap_or_default()).parse::<CanonicalUrl>();
    let Some(url) = url.ok().filter(|url| beacon.has(url)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    // A cache on the way would show one visitor's page to the next.
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "private, no-store"),
    ];
    (headers, beacon.page(&url, visitor.ip())).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};
    use std::num::NonZeroU32;
    use sward_page::fingerprint::fingerprint;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpSocket;

    async fn fetch(from: IpAddr, server: SocketAddr, host: &str, path: &str) -> String {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::new(from, 0)).expect("a loopback address");
        let mut stream = socket.connect(server).await.expect("listens");
        let request = format!("GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("open");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("text");
        answer
    }

    #[tokio::test]
    async fn each_visitor_is_shown_its_own_page() {
        let listener = listen((Ipv4Addr::LOCALHOST, 0).into()).await.expect("a port");
        let server = listener.local_addr().expect("bound");
        let origin = format!("http://pages.example:{}/", server.port());
        let origins = vec![origin.parse::<CanonicalUrl>().expect("a url").origin()];
        let beacon = Beacon { key: [1; 32], origins, every: NonZeroU32::MIN };
        tokio::spawn(serve(listener, beacon.clone()));
        let url = beacon.url(7).expect("a url");
        let (host, path) = (format!("pages.example:{}", server.port()), url.path_and_query());
        for last in [2, 3] {
            let from: IpAddr = [127, 0, 0, last].into();
            let answer = fetch(from, server, &host, path).await;
            assert!(answer.ends_with(&format!("\r\n\r\n{}", beacon.page(&url, from))), "{answer}");
            assert!(answer.contains("private, no-store"), "{answer}");
        }
        let [one, other]: [IpAddr; 2] = [[127, 0, 0, 2].into(), [127, 0, 0, 3].into()];
        // Whoever changes the page is known by the mark in it, as the page's blocks are attested.
        let copy = beacon.page(&url, one).replace("<body>", "<body><p>And this.</p>");
        let kind = Some("text/html; charset=utf-8");
        let found = fingerprint(copy.as_bytes(), kind, &url, "SwardBot");
        assert!(beacon.was_shown(&url, one, found.raw, &found.blocks));
        assert!(!beacon.was_shown(&url, other, found.raw, &found.blocks));
        let from = Ipv4Addr::LOCALHOST.into();
        assert!(fetch(from, server, &host, "/robots.txt").await.ends_with("Allow: /\n"));
        assert!(fetch(from, server, "other.example", path).await.contains(" 404 "));
    }
}
