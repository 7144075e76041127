//! Captures coming in: put together piece by piece, checked against what was attested.
//!
//! Decides whether a body is the attested one. Holds a bounded number of bytes over all agents. Never decides whom to ask.

use std::collections::BTreeMap;
use std::time::Duration;
use sward_coordinator_core::input::{UploadFacts, UploadFault};
use sward_coordinator_core::output::{Expected, UploadPart};
use sward_page::Page;
use sward_page::charset::decode;
use sward_page::fingerprint::{Fingerprint, fingerprint};
use sward_page::links::links_digest;
use sward_page::neutral::{self, neutral};
use sward_proto::attestation;
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::compare::print::LayerVersions;
use sward_proto::digest::Digest;
use sward_proto::ids::LeaseToken;
use sward_proto::verdict::PublishedBlocks;
use sward_proto::wire::refusal::{Refusal, RefusalCode};
use sward_proto::wire::reply::CoordinatorReply;
use sward_proto::wire::request::UploadStart;

/// The product token that robots rules are read for.
const PRODUCT_TOKEN: &str = "SwardBot";

/// A capture that is complete and right.
#[derive(Debug)]
pub struct Capture {
    /// Exchanges and links.
    pub start: UploadStart,
    /// The body; empty where only heads were asked for.
    pub body: Vec<u8>,
}

#[derive(Debug)]
struct Partial {
    capture: Capture,
    expected: Expected,
    done: bool,
}

/// All captures that are coming in.
#[derive(Debug)]
pub struct Intake {
    partial: BTreeMap<LeaseToken, Partial>,
    held: u64,
    most: u64,
}

/// What to answer, and what is known now.
pub type Received = (CoordinatorReply, Option<Result<UploadFacts, UploadFault>>);

impl Intake {
    /// An intake that holds at most this many bytes.
    #[must_use]
    pub const fn new(most: u64) -> Self {
        Self { partial: BTreeMap::new(), held: 0, most }
    }

    /// Bytes that are held.
    #[must_use]
    pub const fn held(&self) -> u64 {
        self.held
    }

    /// Takes a piece.
    pub fn receive(&mut self, token: LeaseToken, part: UploadPart, expected: Expected) -> Received {
        match part {
            UploadPart::Start(start) => self.begin(token, *start, expected),
            UploadPart::Chunk { offset, data } => self.go_on(token, offset, &data),
        }
    }

    fn begin(&mut self, token: LeaseToken, start: UploadStart, expected: Expected) -> Received {
        self.discard(token);
        let size = if expected.head_only { 0 } else { expected.bytes };
        if start.body_bytes != size || links_digest(&start.links) != expected.links {
            return mismatch("length or links are not the attested ones");
        }
        if self.held + size > self.most {
            let busy = Refusal::busy("too many captures are coming in", Duration::from_secs(2));
            return (CoordinatorReply::Refusal(busy), None);
        }
        self.held += size;
        let capture = Capture { start, body: Vec::new() };
        self.partial.insert(token, Partial { capture, expected, done: false });
        self.progress(token)
    }

    fn go_on(&mut self, token: LeaseToken, offset: u64, data: &[u8]) -> Received {
        let Some(partial) = self.partial.get_mut(&token) else {
            let refusal = Refusal::new(RefusalCode::Conflict, "this upload has not begun");
            return (CoordinatorReply::Refusal(refusal), None);
        };
        let body = &mut partial.capture.body;
        // A piece that came before is passed over; the answer says where to go on.
        if offset == body.len() as u64 && !partial.done {
            if offset + data.len() as u64 > partial.expected.bytes {
                return mismatch("the body is longer than attested");
            }
            body.extend_from_slice(data);
        }
        self.progress(token)
    }

    fn progress(&mut self, token: LeaseToken) -> Received {
        let Some(partial) = self.partial.get_mut(&token) else { return mismatch("not begun") };
        let Partial { capture, expected, done } = partial;
        let next_offset = capture.body.len() as u64;
        let size = if expected.head_only { 0 } else { expected.bytes };
        if next_offset < size || *done {
            let done = *done;
            return (CoordinatorReply::Upload { token, next_offset, done }, None);
        }
        *done = true;
        match check(capture, expected) {
            Some(facts) => {
                (CoordinatorReply::Upload { token, next_offset, done: true }, Some(Ok(facts)))
            }
            None => mismatch("the body is not the attested one"),
        }
    }

    /// A capture that is complete, to be archived; it stays until it is discarded.
    #[must_use]
    pub fn complete(&self, token: LeaseToken) -> Option<&Capture> {
        self.partial.get(&token).filter(|partial| partial.done).map(|partial| &partial.capture)
    }

    /// Forgets a capture.
    pub fn discard(&mut self, token: LeaseToken) {
        if let Some(Partial { expected, .. }) = self.partial.remove(&token) {
            let size = if expected.head_only { 0 } else { expected.bytes };
            self.held = self.held.saturating_sub(size);
        }
    }
}

fn mismatch(why: &str) -> Received {
    let refusal = Refusal::new(RefusalCode::Conflict, why);
    (CoordinatorReply::Refusal(refusal), Some(Err(UploadFault::Mismatch)))
}

fn check(capture: &Capture, expected: &Expected) -> Option<UploadFacts> {
    let page = capture.start.exchanges.last()?;
    let Capture { start, body } = capture;
    if !expected.head_only && Digest::of(body) != expected.raw {
        return None;
    }
    let mut links = start.links.clone();
    if let Some(reading) = expected.reading {
        let content_type = header(&page.response_head, "content-type");
        let found = fingerprint(body, content_type.as_deref(), &page.url, PRODUCT_TOKEN);
        if reading_of(&found, &page.response_head) != reading
            || found.links_digest != expected.links
        {
            return None;
        }
        links = found.links;
    }
    if let Some(published) = &expected.published {
        let content_type = header(&page.response_head, "content-type");
        links = attested_links(body, content_type.as_deref(), published, &links, &page.url)?;
    }
    let robots_body = expected.robots.then(|| body.clone());
    Some(UploadFacts { links, robots_body })
}

/// The links in those blocks that independent groups attest; none where the body has other blocks.
fn attested_links(
    body: &[u8],
    content_type: Option<&str>,
    published: &PublishedBlocks,
    links: &[CanonicalUrl],
    url: &CanonicalUrl,
) -> Option<Vec<CanonicalUrl>> {
    let page = Page::parse(&decode(body, content_type).text).ok()?;
    Some(page.attested(published).ok()?.links(links, url, PRODUCT_TOKEN))
}

/// What an honest agent attests of this body under this head.
fn reading_of(found: &Fingerprint, head: &[u8]) -> Digest {
    let (server, cf_mitigated) = (header(head, "server"), header(head, "cf-mitigated"));
    let head = neutral::Head {
        status: status(head).unwrap_or_default(),
        server: server.as_deref(),
        cf_mitigated: cf_mitigated.as_deref(),
    };
    let reason = neutral(head, found.neutral);
    attestation::reading(LayerVersions::CURRENT, found.canonical, found.page.as_deref(), reason)
}

fn status(head: &[u8]) -> Option<u16> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    std::str::from_utf8(line).ok()?.split(' ').nth(1)?.parse().ok()
}

/// The value of a header line in a head, its name in any case.
#[must_use]
pub fn header(head: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(head);
    text.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use sward_proto::wire::exchange::Exchange;

    const TOKEN: LeaseToken = LeaseToken([1; 16]);

    fn start(body: &[u8]) -> UploadPart {
        let exchange = Exchange {
            url: "http://a.example/".parse().expect("a url"),
            request_head: b"GET / HTTP/1.1\r\n\r\n".to_vec(),
            response_head: b"HTTP/1.1 200 OK\r\n\r\n".to_vec(),
            body: Vec::new(),
            body_truncated: false,
            protocol: "http/1.1".into(),
            peer_ip: Ipv4Addr::LOCALHOST.into(),
        };
        let exchanges = vec![exchange];
        let (token, links, body_bytes) = (TOKEN, Vec::new(), body.len() as u64);
        UploadPart::Start(Box::new(UploadStart { token, exchanges, links, body_bytes }))
    }

    fn expected(body: &[u8]) -> Expected {
        Expected {
            raw: Digest::of(body),
            bytes: body.len() as u64,
            reading: None,
            links: links_digest(&[]),
            published: None,
            head_only: false,
            robots: false,
        }
    }

    fn chunk(offset: u64, data: &[u8]) -> UploadPart {
        UploadPart::Chunk { offset, data: data.to_vec() }
    }

    #[test]
    fn pieces_may_come_twice_but_must_be_the_attested_body() {
        let body = b"hello world";
        let mut intake = Intake::new(100);
        intake.receive(TOKEN, start(body), expected(body));
        intake.receive(TOKEN, chunk(0, b"hello"), expected(body));
        let (again, _) = intake.receive(TOKEN, chunk(0, b"hello"), expected(body));
        let at_five = CoordinatorReply::Upload { token: TOKEN, next_offset: 5, done: false };
        assert_eq!(again, at_five);
        let (_, result) = intake.receive(TOKEN, chunk(5, b" world"), expected(body));
        assert!(matches!(result, Some(Ok(_))));
        assert_eq!(intake.complete(TOKEN).map(|c| c.body.as_slice()), Some(body.as_slice()));
        intake.discard(TOKEN);
        assert_eq!(intake.held(), 0);
    }

    #[test]
    fn another_body_and_a_longer_one_are_a_mismatch() {
        let body = b"hello";
        let mut intake = Intake::new(100);
        intake.receive(TOKEN, start(body), expected(body));
        let (_, result) = intake.receive(TOKEN, chunk(0, b"hellO"), expected(body));
        assert_eq!(result, Some(Err(UploadFault::Mismatch)));
        intake.receive(TOKEN, start(body), expected(body));
        let (_, result) = intake.receive(TOKEN, chunk(0, b"hello!"), expected(body));
        assert_eq!(result, Some(Err(UploadFault::Mismatch)));
    }

    #[test]
    fn what_is_read_again_must_read_the_same() {
        let body = b"<p>hello";
        let url = "http://a.example/".parse().expect("a url");
        let found = fingerprint(body, None, &url, PRODUCT_TOKEN);
        let reading = reading_of(&found, b"HTTP/1.1 200 OK\r\n\r\n");
        let refused = reading_of(&found, b"HTTP/1.1 403 Forbidden\r\n\r\n");
        for (attested, is_right) in [(reading, true), (refused, false), (Digest::ZERO, false)] {
            let expected = Expected { reading: Some(attested), ..expected(body) };
            let mut intake = Intake::new(100);
            intake.receive(TOKEN, start(body), expected.clone());
            let (_, result) = intake.receive(TOKEN, chunk(0, body), expected);
            assert_eq!(result.is_some_and(|result| result.is_ok()), is_right);
        }
    }

    #[test]
    fn links_of_blocks_that_one_agent_alone_saw_are_not_followed() {
        let body = b"<p>one <a href=/a>a</a><p>two <a href=/b>b</a>";
        let url = "http://a.example/".parse().expect("a url");
        let found = fingerprint(body, None, &url, PRODUCT_TOKEN);
        let published = PublishedBlocks::new(&found.blocks, &[true, false]);
        let other = fingerprint(b"<p>one<p>two", None, &url, PRODUCT_TOKEN).blocks;
        let of_another = PublishedBlocks::new(&other, &[true, true]);
        let links = |published| {
            let UploadPart::Start(start) = start(body) else { panic!("a start") };
            let start = UploadStart { links: found.links.clone(), ..*start };
            let reading = Some(reading_of(&found, b"HTTP/1.1 200 OK\r\n\r\n"));
            let links = found.links_digest;
            let expected = Expected { reading, links, published, ..expected(body) };
            let mut intake = Intake::new(100);
            intake.receive(TOKEN, UploadPart::Start(Box::new(start)), expected.clone());
            let (_, result) = intake.receive(TOKEN, chunk(0, body), expected);
            result.expect("complete").map(|facts| facts.links)
        };
        assert_eq!(links(None), Ok(found.links.clone()));
        assert_eq!(links(Some(published)), Ok(found.links[..1].to_vec()));
        assert_eq!(links(Some(of_another)), Err(UploadFault::Mismatch));
    }

    #[test]
    fn more_than_is_held_is_asked_to_come_back() {
        let body = b"hello";
        let (reply, result) = Intake::new(4).receive(TOKEN, start(body), expected(body));
        assert!(matches!(reply, CoordinatorReply::Refusal(r) if r.code == RefusalCode::Busy));
        assert_eq!(result, None);
    }
}
