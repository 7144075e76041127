//! What comes back from servers that are honest, broken or hostile.

use crate::site::{
    Answer, Site, failure, fetch, fetch_with, html, page, request_for, response, settings,
};
use flate2::{Compression, write::GzEncoder};
use std::io::Write as _;
use std::time::Duration;
use sward_agent::fetch::FetchRequest;
use sward_page::fingerprint::fingerprint;
use sward_page::links::links_digest;
use sward_proto::attestation::{Attestation, REQUEST_PROFILE};
use sward_proto::digest::Digest;
use sward_proto::outcome::FailureCode;
use sward_proto::timestamp::Timestamp;

const HTML: &str = "<title>A page</title><p>text <a href=/b>b</a> <a href=c#d>c</a>";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("in memory");
    encoder.finish().expect("in memory")
}

fn coded(coding: &str, body: &[u8]) -> Vec<u8> {
    let headers = format!("Content-Type: text/html\r\nContent-Encoding: {coding}\r\n");
    page("200 OK", &headers, body)
}

async fn code_of(answer: Answer) -> FailureCode {
    let site = Site::always(answer).await;
    failure(&fetch(&site.url("/")).await).0
}

#[tokio::test]
async fn a_page_is_attested_as_the_coordinator_will_read_it() {
    let bytes =
        page("200 OK", "Content-Type: text/html\r\nX-B: \u{e9}\r\nX-A: 1\r\n", HTML.as_bytes());
    let site = Site::always(Answer::Keep(bytes)).await;
    let url = site.url("/dir/page?q=1");
    let fetched = fetch(&url).await;
    let seen = response(&fetched);
    let print = fingerprint(HTML.as_bytes(), Some("text/html"), &seen.final_url, "SwardBot");
    assert_eq!((seen.raw, seen.canonical), (print.raw, print.canonical));
    assert_eq!((seen.links, &fetched.links), (print.links_digest, &print.links));
    assert_eq!((seen.status, seen.link_count, seen.raw_bytes), (200, 2, HTML.len() as u64));
    assert!(seen.canonical.is_some());
    assert_eq!(fetched.title.as_deref(), Some("A page"));
    assert_eq!(fetched.body, HTML.as_bytes());
    assert_eq!(seen.header_names, ["content-length", "content-type", "x-a", "x-b"]);
    assert_eq!(seen.media_type, "text/html");
    assert_eq!(seen.peer_ip, site.address.ip());
    assert_eq!((seen.certificate, seen.retry_after_s), (None, None));

    let [exchange] = fetched.exchanges.as_slice() else { panic!("one exchange") };
    let requests = site.seen.requests.lock().expect("not poisoned").clone();
    assert_eq!(requests, [String::from_utf8(exchange.request_head.clone()).expect("ascii")]);
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nx-b: \u{e9}\r\nx-a: 1\r\n\
         content-length: {}\r\n\r\n",
        HTML.len()
    );
    assert_eq!(String::from_utf8_lossy(&exchange.response_head), head);
    assert_eq!((exchange.protocol.as_str(), exchange.body.len()), ("http/1.1", 0));
    assert_eq!(fetched.wire_bytes, (head.len() + HTML.len()) as u64);
    assert_eq!(seen.wire_bytes, fetched.wire_bytes);
}

#[tokio::test]
async fn requests_carry_the_profile_and_nothing_else() {
    let site = Site::always(Answer::Keep(html(HTML))).await;
    fetch(&site.url("/")).await;
    let requests = site.seen.requests.lock().expect("not poisoned").clone();
    let mut lines: Vec<&str> = requests[0].split_terminator("\r\n").collect();
    lines.sort_unstable();
    let host = format!("host: {}", site.address);
    let user_agent = format!("user-agent: {}", crate::site::USER_AGENT);
    let accept = "accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.5";
    let expected = ["", "GET / HTTP/1.1", "accept-encoding: gzip", "accept-language: en", accept];
    assert_eq!(lines, [&expected[..], &[&host, &user_agent]].concat());
}

#[tokio::test]
async fn gzip_is_undone_and_its_wire_bytes_are_counted() {
    let body = HTML.repeat(50);
    let packed = gzip(body.as_bytes());
    let site = Site::always(Answer::Keep(coded("gzip", &packed))).await;
    let fetched = fetch(&site.url("/")).await;
    assert_eq!(response(&fetched).raw, Digest::of(body.as_bytes()));
    let head = fetched.exchanges[0].response_head.len();
    assert_eq!(fetched.wire_bytes, (head + packed.len()) as u64);
    let empty = Site::always(Answer::Keep(coded("gzip", b""))).await;
    assert_eq!(response(&fetch(&empty.url("/")).await).raw_bytes, 0);
}

#[tokio::test]
async fn codings_that_are_nested_unknown_false_or_cut_are_refused() {
    let once = gzip(HTML.as_bytes());
    for (coding, body) in [
        ("gzip, gzip", gzip(&once)),
        ("br", once.clone()),
        ("deflate", once.clone()),
        ("gzip", HTML.into()),
        ("gzip", once[..once.len() - 3].to_vec()),
    ] {
        let code = code_of(Answer::Keep(coded(coding, &body))).await;
        assert_eq!(code, FailureCode::Decode, "{coding}");
    }
}

#[tokio::test]
async fn a_bomb_is_stopped_at_the_decoded_limit() {
    let bomb = gzip(&vec![0; 16 << 20]);
    let site = Site::always(Answer::Keep(coded("gzip", &bomb))).await;
    let fetched = fetch(&site.url("/")).await;
    assert_eq!(failure(&fetched).0, FailureCode::TooLarge);
    assert!(fetched.body.is_empty() && fetched.wire_bytes > 0);
}

#[tokio::test]
async fn bodies_past_the_limit_are_hung_up_on() {
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let chunk = [&b"4000\r\n"[..], &[b'x'; 0x4000], b"\r\n"].concat();
    let until_close = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    for (head, piece) in [(head, chunk), (until_close, vec![b'x'; 0x4000])] {
        let site = Site::always(Answer::Endless(head, piece)).await;
        let fetched = fetch(&site.url("/")).await;
        assert_eq!(failure(&fetched).0, FailureCode::TooLarge);
        assert!(fetched.wire_bytes < 4 << 20, "{}", fetched.wire_bytes);
        site.hung_up().await;
    }
    let declared = b"HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n".to_vec();
    let site = Site::always(Answer::Drip(declared, b"x".to_vec())).await;
    assert_eq!(failure(&fetch(&site.url("/")).await).0, FailureCode::TooLarge);
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_whole() {
    let site = Site::always(Answer::Keep(page("200 OK", "", b"12345678"))).await;
    for (max_bytes, is_whole) in [(8, true), (7, false)] {
        let request = FetchRequest { max_bytes, ..request_for(&site.url("/")) };
        let fetched = fetch_with(settings(), request).await;
        assert_eq!(fetched.body == b"12345678", is_whole);
    }
}

#[tokio::test]
async fn a_body_shorter_than_it_says_is_no_response() {
    let short = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort".to_vec();
    let unended = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n".to_vec();
    for answer in [short, unended, b"SSH-2.0-x\r\n".to_vec(), Vec::new()] {
        let code = code_of(Answer::HangUp(answer.clone())).await;
        assert_eq!(code, FailureCode::Http, "{}", String::from_utf8_lossy(&answer));
    }
}

#[tokio::test]
async fn a_dripping_body_or_head_ends_at_the_deadline() {
    let body = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n".to_vec();
    let head = b"HTTP/1.1 200 OK\r\nX-A: ".to_vec();
    for first in [body, head] {
        let site = Site::always(Answer::Drip(first, b"x".to_vec())).await;
        let mut settings = settings();
        settings.deadline = Duration::from_millis(300);
        let fetched = fetch_with(settings, request_for(&site.url("/"))).await;
        assert_eq!(failure(&fetched).0, FailureCode::Timeout);
        assert!(fetched.elapsed_ms >= 300);
        site.hung_up().await;
    }
}

#[tokio::test]
async fn heads_past_their_limits_are_too_large() {
    let with = |headers: String| Answer::Keep(page("200 OK", &headers, b"ok"));
    let lines = |count: usize| (0..count).map(|n| format!("X-{n}: 1\r\n")).collect::<String>();
    let long = |bytes: usize| format!("X-A: {}\r\n", "a".repeat(bytes));
    // Content-Length is the 128th.
    let site = Site::always(with(lines(127))).await;
    assert_eq!(response(&fetch(&site.url("/")).await).header_names.len(), 128);
    let site = Site::always(with(long(65_000))).await;
    assert_eq!(response(&fetch(&site.url("/")).await).status, 200);
    for headers in [lines(128), lines(1000), long(65_536), long(2 << 20)] {
        let size = headers.len();
        assert_eq!(code_of(with(headers)).await, FailureCode::TooLarge, "{size}");
    }
}

#[tokio::test]
async fn an_unwanted_media_type_is_not_read() {
    let pdf = b"HTTP/1.1 200 OK\r\nContent-Type: Application/PDF; x=y\r\n\r\n".to_vec();
    let site = Site::always(Answer::Endless(pdf, vec![b'x'; 0x4000])).await;
    let media_types = vec!["text/html".into(), "application/xhtml+xml".into()];
    let request = FetchRequest { media_types, ..request_for(&site.url("/")) };
    let fetched = fetch_with(settings(), request.clone()).await;
    let seen = response(&fetched);
    assert_eq!((seen.status, seen.media_type.as_str()), (200, "application/pdf"));
    assert_eq!((seen.raw, seen.raw_bytes, seen.canonical), (Digest::of(b""), 0, None));
    assert_eq!((seen.links, seen.link_count), (links_digest(&[]), 0));
    assert_eq!(seen.wire_bytes, fetched.exchanges[0].response_head.len() as u64);
    site.hung_up().await;

    let site = Site::always(Answer::Keep(html(HTML))).await;
    let request = FetchRequest { url: site.url("/").parse().expect("a url"), ..request };
    assert_eq!(fetch_with(settings(), request).await.body, HTML.as_bytes());
}

#[tokio::test]
async fn an_error_page_is_hashed_and_not_read() {
    let busy = page("503 x", "Content-Type: text/html\r\nRetry-After: 120\r\n", HTML.as_bytes());
    for (bytes, status, retry_after_s) in [
        (page("404 x", "Content-Type: text/html\r\n", HTML.as_bytes()), 404, None),
        (busy, 503, Some(120)),
        (page("302 x", "Location: ftp://a.example/\r\n", HTML.as_bytes()), 302, None),
    ] {
        let site = Site::always(Answer::Keep(bytes)).await;
        let fetched = fetch(&site.url("/")).await;
        let seen = response(&fetched);
        assert_eq!((seen.status, seen.retry_after_s), (status, retry_after_s));
        assert_eq!((seen.raw, seen.canonical), (Digest::of(HTML.as_bytes()), None));
        assert_eq!((seen.link_count, &seen.redirect_target), (0, &None));
        assert!(fetched.links.is_empty() && fetched.body == HTML.as_bytes());
    }
}

#[tokio::test]
async fn a_page_in_another_charset_has_the_canonical_digest_of_its_text() {
    let utf = Site::always(Answer::Keep(html("<p>café</p>"))).await;
    let latin = page("200 OK", "Content-Type: text/html; charset=latin1\r\n", b"<p>caf\xe9</p>");
    let latin = Site::always(Answer::Keep(latin)).await;
    let (utf, latin) = (fetch(&utf.url("/")).await, fetch(&latin.url("/")).await);
    assert_eq!(response(&utf).canonical, response(&latin).canonical);
    assert_ne!(response(&utf).raw, response(&latin).raw);
    assert_eq!(latin.body, b"<p>caf\xe9</p>");
}

#[tokio::test]
async fn what_is_attested_passes_the_wire() {
    let headers = format!("Content-Type: text/html\r\n{}: 1\r\n", "n".repeat(300));
    let site = Site::always(Answer::Keep(page("200 OK", &headers, HTML.as_bytes()))).await;
    let fetched = fetch(&site.url("/")).await;
    let attestation = Attestation {
        profile: REQUEST_PROFILE,
        url: site.url("/").parse().expect("a url"),
        fetched_at: Timestamp::ZERO,
        elapsed_ms: fetched.elapsed_ms,
        developer: true,
        observation: fetched.observation,
    };
    assert_eq!(Attestation::decode(&attestation.encode()), Ok(attestation));
}

#[tokio::test]
async fn a_connection_serves_one_fetch_after_another() {
    let site = Site::always(Answer::Keep(html(HTML))).await;
    let fetcher = sward_agent::fetch::Fetcher::new(settings()).expect("a fetcher");
    for path in ["/robots.txt", "/page"] {
        response(&fetcher.fetch(request_for(&site.url(path)), |_| Ok(())).await);
    }
    assert_eq!(site.connections(), 1);
}
