//! Certificates that are trusted, certificates that are not, and HTTP/2.

use crate::site::{
    Answer, Seen, Site, USER_AGENT, failure, fetch_with, html, moved, names, request_for, response,
    serve, settings,
};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use std::net::SocketAddr;
use std::sync::Arc;
use sward_agent::fetch::{FetchSettings, Fetched};
use sward_proto::digest::Digest;
use sward_proto::outcome::FailureCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

const HOST: &str = "www.a.example";

/// A certificate authority of the test.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: Vec<u8>,
}

/// A certificate and its key.
struct Identity {
    certificate: CertificateDer<'static>,
    key: KeyPair,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let root = params.self_signed(&key).expect("a certificate").der().to_vec();
        Self { issuer: Issuer::new(params, key), root }
    }

    fn issue(&self, name: &str, until_year: i32) -> Identity {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until_year, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Identity { certificate: certificate.der().clone(), key }
    }
}

/// A TLS server that gives each connection to `handle`.
async fn tls_server<F: Future<Output = ()> + Send + 'static>(
    identity: &Identity,
    alpn: &[&[u8]],
    handle: impl Fn(TlsStream<TcpStream>) -> F + Send + Sync + 'static,
) -> SocketAddr {
    settings();
    let key = PrivateKeyDer::Pkcs8(identity.key.serialize_der().into());
    let config = ServerConfig::builder().with_no_client_auth();
    let config = config.with_single_cert(vec![identity.certificate.clone()], key);
    let mut config = config.expect("a certificate with its key");
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(stream) = acceptor.accept(stream).await {
                tokio::spawn(handle(stream));
            }
        }
    });
    address
}

/// A server of one page, and how many requests it saw.
async fn page_server(identity: &Identity, bytes: Vec<u8>) -> (SocketAddr, Seen) {
    let seen = Seen::default();
    let task_seen = seen.clone();
    let handle = move |stream| {
        let (seen, answer) = (task_seen.clone(), Answer::Keep(bytes.clone()));
        async move { serve(stream, &|_| answer.clone(), &seen).await }
    };
    (tls_server(identity, &[b"http/1.1"], handle).await, seen)
}

fn trusting(authority: &Authority) -> FetchSettings {
    let extra_roots = vec![authority.root.clone()];
    FetchSettings { extra_roots, names: names(&[(HOST, &["127.0.0.1"])]), ..settings() }
}

async fn fetch_host(settings: FetchSettings, server: SocketAddr) -> Fetched {
    fetch_with(settings, request_for(&format!("https://{HOST}:{}/", server.port()))).await
}

#[tokio::test]
async fn a_trusted_certificate_is_attested() {
    let authority = Authority::new("ours");
    let identity = authority.issue(HOST, 2120);
    let (server, _) = page_server(&identity, html("<p>safe")).await;
    let fetched = fetch_host(trusting(&authority), server).await;
    let seen = response(&fetched);
    assert_eq!(seen.certificate, Some(Digest::of(&identity.certificate)));
    assert_eq!((seen.status, fetched.exchanges[0].protocol.as_str()), (200, "http/1.1"));
}

#[tokio::test]
async fn no_certificate_is_worked_around() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    for (identity, word) in [
        (ours.issue("www.b.example", 2120), "not valid for name"),
        (ours.issue(HOST, 2021), "expired"),
        (theirs.issue(HOST, 2120), "UnknownIssuer"),
    ] {
        let (server, seen) = page_server(&identity, html("<p>unsafe")).await;
        let fetched = fetch_host(trusting(&ours), server).await;
        let (code, detail) = failure(&fetched);
        assert_eq!(code, FailureCode::Tls, "{detail}");
        assert!(detail.contains(word), "{detail}");
        assert!(seen.requests.lock().expect("not poisoned").is_empty());
    }
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec![HOST.to_owned()]).expect("a name");
    let certificate = params.self_signed(&key).expect("a certificate").der().clone();
    let (server, _) = page_server(&Identity { certificate, key }, html("<p>unsafe")).await;
    assert_eq!(failure(&fetch_host(trusting(&ours), server).await).0, FailureCode::Tls);
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_fails() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a client");
        let _ = stream.write_all(b"HTTP/1.1 400 x\r\n\r\n").await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    let fetched = fetch_with(settings(), request_for(&format!("https://{address}/"))).await;
    assert_eq!(failure(&fetched).0, FailureCode::Tls, "{}", failure(&fetched).1);
}

#[tokio::test]
async fn a_redirect_from_https_to_http_is_refused() {
    let plain = Site::always(Answer::Keep(html("<p>plain"))).await;
    let authority = Authority::new("ours");
    let identity = authority.issue(HOST, 2120);
    let to = format!("http://{HOST}:{}/", plain.address.port());
    let (server, _) = page_server(&identity, moved(301, &to, b"")).await;
    let fetched = fetch_host(trusting(&authority), server).await;
    let (code, detail) = failure(&fetched);
    assert!(code == FailureCode::Guard && detail.starts_with("downgrade: "), "{code}: {detail}");
    assert_eq!(plain.connections(), 0);
}

/// Answers the first request of a connection with a head of HPACK bytes and a body (RFC 9113, RFC 7541).
async fn serve_http2(mut stream: TlsStream<TcpStream>, head: Vec<u8>, body: Vec<u8>) {
    const DATA: u8 = 0;
    const HEADERS: u8 = 1;
    const SETTINGS: u8 = 4;
    const ACK_OR_END_STREAM: u8 = 1;
    const END_HEADERS: u8 = 4;
    let frame = |kind: u8, flags: u8, stream: u8, payload: &[u8]| {
        let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
        [&length[1..], &[kind, flags, 0, 0, 0, stream], payload].concat()
    };
    let mut preface = [0; 24];
    stream.read_exact(&mut preface).await.expect("the preface");
    assert_eq!(&preface, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    let _ = stream.write_all(&frame(SETTINGS, 0, 0, b"")).await;
    let mut header = [0; 9];
    while stream.read_exact(&mut header).await.is_ok() {
        let length = u32::from_be_bytes([0, header[0], header[1], header[2]]);
        let mut payload = vec![0; length as usize];
        stream.read_exact(&mut payload).await.expect("a whole frame");
        let answer = match (header[3], header[4]) {
            (SETTINGS, 0) => frame(SETTINGS, ACK_OR_END_STREAM, 0, b""),
            (HEADERS, _) => {
                let head = frame(HEADERS, END_HEADERS, header[8], &head);
                [head, frame(DATA, ACK_OR_END_STREAM, header[8], &body)].concat()
            }
            _ => continue,
        };
        let _ = stream.write_all(&answer).await;
    }
}

/// `:status: 200`, then each header as a literal that is not indexed.
fn hpack(headers: &[(&str, &str)]) -> Vec<u8> {
    let text = |text: &str| {
        // An integer with a prefix of seven bits (RFC 7541 section 5.1).
        let mut bytes = Vec::new();
        if text.len() < 127 {
            bytes.push(u8::try_from(text.len()).expect("short"));
        } else {
            bytes.push(127);
            let mut rest = text.len() - 127;
            while rest >= 128 {
                bytes.push(128 | u8::try_from(rest % 128).expect("seven bits"));
                rest /= 128;
            }
            bytes.push(u8::try_from(rest).expect("seven bits"));
        }
        [bytes, text.as_bytes().to_vec()].concat()
    };
    let lines =
        headers.iter().flat_map(|(name, value)| [vec![0], text(name), text(value)].concat());
    [vec![0x88], lines.collect()].concat()
}

#[tokio::test]
async fn http2_heads_are_archived_in_the_form_of_http1() {
    let authority = Authority::new("ours");
    let identity = authority.issue(HOST, 2120);
    let head = hpack(&[("content-type", "text/html"), ("x-a", "1"), ("x-b", "2"), ("x-a", "3")]);
    let handle = move |stream| serve_http2(stream, head.clone(), b"<title>T</title>two".to_vec());
    let server = tls_server(&identity, &[b"h2"], handle).await;
    let fetched = fetch_host(trusting(&authority), server).await;
    let exchange = &fetched.exchanges[0];
    assert_eq!((response(&fetched).status, exchange.protocol.as_str()), (200, "h2"));
    assert_eq!(
        String::from_utf8_lossy(&exchange.response_head),
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nx-a: 1\r\nx-a: 3\r\nx-b: 2\r\n\r\n"
    );
    let request = String::from_utf8_lossy(&exchange.request_head).into_owned();
    assert!(request.starts_with("GET / HTTP/1.1\r\naccept: "), "{request}");
    assert!(request.contains(&format!("\r\nuser-agent: {USER_AGENT}\r\n")), "{request}");
    assert!(request.ends_with(&format!("host: {HOST}:{}\r\n\r\n", server.port())), "{request}");
    assert_eq!((fetched.title.as_deref(), fetched.body.len()), (Some("T"), 19));
}

#[tokio::test]
async fn http2_heads_have_the_same_limits() {
    let authority = Authority::new("ours");
    let identity = authority.issue(HOST, 2120);
    let many: Vec<String> = (0..129).map(|n| format!("x-{n}")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "1")).collect();
    let head = hpack(&many);
    let handle = move |stream| serve_http2(stream, head.clone(), b"x".to_vec());
    let server = tls_server(&identity, &[b"h2"], handle).await;
    let fetched = fetch_host(trusting(&authority), server).await;
    assert_eq!(failure(&fetched).0, FailureCode::TooLarge, "{:?}", failure(&fetched));
}
