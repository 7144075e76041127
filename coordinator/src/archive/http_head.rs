//! The HTTP head as the archive stores it, before a body that is already decoded.
//!
//! Decides which header lines must change so that head and body agree, in Common Crawl's way: a coding that was
//! removed is kept under `X-Crawler-`, and `Content-Length` says what is stored. All other lines stay byte for byte.
//! Never decides what the body is.

/// A head that ends with its one empty line: lines of text, each ending in CR LF, none of them blank but the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpHead(Vec<u8>);

/// Bytes that do not begin as an HTTP head does (RFC 9112 sections 3 and 4).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the head of an http {kind}, its first line is {first:?}")]
pub struct NotAHead {
    kind: &'static str,
    first: String,
}

/// What is put before the name of a header that no longer describes what is stored.
const CRAWLER_PREFIX: &[u8] = b"X-Crawler-";

impl HttpHead {
    /// The bytes, ending in an empty line.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The stored head of a response whose decoded body has `body_len` bytes. What follows the first blank line is
/// dropped, so a head can never pose as a part of the body.
///
/// An HTTP/2 or HTTP/3 status line becomes `HTTP/1.1 200 `, as replay tools know no other; `WARC-Protocol` says what
/// it was ([iipc/warc-specifications#42](https://github.com/iipc/warc-specifications/issues/42)).
///
/// # Errors
/// [`NotAHead`] where the first line is no status line.
pub fn for_storage(head: &[u8], body_len: u64) -> Result<HttpHead, NotAHead> {
    let mut lines = lines(head);
    let first = lines.next().unwrap_or_default();
    let status = status_line(first).ok_or_else(|| not_a_head("response", first))?;
    let mut stored = Stored(Vec::with_capacity(head.len() + 64));
    stored.push(&[&status]);
    let mut length_stands = false;
    let mut name_before: &[u8] = b"";
    for line in lines {
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            // A folded line belongs to the header before it (RFC 9112 section 5.2).
            if !name_before.eq_ignore_ascii_case(b"content-length") {
                stored.push(&[line]);
            }
            continue;
        }
        let (name, value) = split_at_colon(line);
        name_before = name;
        if [b"content-encoding".as_slice(), b"transfer-encoding"]
            .iter()
            .any(|coding| name.eq_ignore_ascii_case(coding))
        {
            stored.push(&[CRAWLER_PREFIX, line]);
        } else if name.eq_ignore_ascii_case(b"content-length") {
            if length_stands || value.trim_ascii() != body_len.to_string().as_bytes() {
                stored.push(&[CRAWLER_PREFIX, line]);
            }
            if !length_stands {
                stored.push_length(body_len);
                length_stands = true;
            }
        } else {
            stored.push(&[line]);
        }
    }
    if !length_stands {
        stored.push_length(body_len);
    }
    stored.push(&[]);
    Ok(HttpHead(stored.0))
}

/// The stored head of a request; what follows the first blank line is dropped.
///
/// # Errors
/// [`NotAHead`] where the first line does not end in an HTTP version.
pub fn of_request(head: &[u8]) -> Result<HttpHead, NotAHead> {
    let first = lines(head).next().unwrap_or_default();
    let last_word = first.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    if !last_word.starts_with(b"HTTP/") || last_word == first {
        return Err(not_a_head("request", first));
    }
    let mut stored = Stored(Vec::with_capacity(head.len() + 2));
    lines(head).for_each(|line| stored.push(&[line]));
    stored.push(&[]);
    Ok(HttpHead(stored.0))
}

/// Splits the block of an `application/http` record into head, blank line included, and payload.
#[must_use]
pub fn split(block: &[u8]) -> (&[u8], &[u8]) {
    let mut head_len = 0;
    for line in block.split_inclusive(|byte| *byte == b'\n') {
        head_len += line.len();
        if is_blank(line) {
            break;
        }
    }
    block.split_at(head_len)
}

/// The lines before the first blank one, without their ends. Python's readers take a line of spaces for blank, so
/// it is blank here too.
fn lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    head.split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .take_while(|line| !is_blank(line))
}

fn is_blank(line: &[u8]) -> bool {
    line.trim_ascii().is_empty()
}

fn not_a_head(kind: &'static str, first: &[u8]) -> NotAHead {
    NotAHead { kind, first: String::from_utf8_lossy(first).chars().take(64).collect() }
}

/// The status line to store, if this is one: a version, a code of three digits, and perhaps a reason.
fn status_line(line: &[u8]) -> Option<Vec<u8>> {
    let rest = line.strip_prefix(b"HTTP/")?;
    let mut words = rest.splitn(3, |byte| *byte == b' ');
    let (version, code) = (words.next()?, words.next()?);
    let reason = words.next().unwrap_or_default();
    if code.len() != 3 || !code.iter().all(u8::is_ascii_digit) {
        return None;
    }
    if version.starts_with(b"1.") {
        return Some(line.to_vec());
    }
    Some([b"HTTP/1.1 ", code, b" ", reason].concat())
}

/// Name and value of a header line; a line without a colon is all name.
fn split_at_colon(line: &[u8]) -> (&[u8], &[u8]) {
    let mut parts = line.splitn(2, |byte| *byte == b':');
    let name = parts.next().unwrap_or_default().trim_ascii();
    (name, parts.next().unwrap_or_default())
}

/// Header lines in the making.
struct Stored(Vec<u8>);

impl Stored {
    fn push(&mut self, parts: &[&[u8]]) {
        parts.iter().for_each(|part| self.0.extend_from_slice(part));
        self.0.extend_from_slice(b"\r\n");
    }

    fn push_length(&mut self, length: u64) {
        self.push(&[b"Content-Length: ", length.to_string().as_bytes()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stored(head: &[u8], body_len: u64) -> String {
        let head = for_storage(head, body_len).expect("a head");
        String::from_utf8(head.0).expect("ascii")
    }

    #[test]
    fn codings_are_renamed_and_the_length_is_that_of_what_is_stored() {
        let head =
            b"HTTP/1.1 200 OK\r\ncontent-encoding: br\r\nX-a:  odd \r\nContent-Length: 7\r\n\
            Transfer-Encoding: chunked\r\n\r\n";
        assert_eq!(
            stored(head, 42),
            "HTTP/1.1 200 OK\r\nX-Crawler-content-encoding: br\r\nX-a:  odd \r\n\
             X-Crawler-Content-Length: 7\r\nContent-Length: 42\r\n\
             X-Crawler-Transfer-Encoding: chunked\r\n\r\n"
        );
        assert_eq!(
            stored(b"HTTP/1.0 204 No\n\n", 0),
            "HTTP/1.0 204 No\r\nContent-Length: 0\r\n\r\n"
        );
    }

    #[test]
    fn a_true_length_stands_once() {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nContent-Length: 9\r\n 9\r\n\r\n";
        assert_eq!(
            stored(head, 7),
            "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nX-Crawler-Content-Length: 9\r\n\r\n"
        );
    }

    #[test]
    fn later_protocols_are_written_as_the_first() {
        let expected = "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n";
        for line in ["HTTP/2 200", "HTTP/2.0 200 ", "HTTP/3 200"] {
            assert_eq!(stored(format!("{line}\r\n\r\n").as_bytes(), 0), expected, "{line}");
        }
    }

    #[test]
    fn what_is_no_head_is_refused() {
        for head in ["", "\r\n", "HTTP/1.1", "HTTP/1.1 20 OK", "<html>", "HTTP/1.1 2000 OK"] {
            assert!(for_storage(head.as_bytes(), 0).is_err(), "{head:?}");
        }
        for head in ["", "GET /", "HTTP/1.1"] {
            assert!(of_request(head.as_bytes()).is_err(), "{head:?}");
        }
        let head = of_request(b"GET / HTTP/1.1\nHost: a\n\nbody").expect("a head");
        assert_eq!(head.as_bytes(), b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    }

    proptest! {
        #[test]
        fn a_stored_head_ends_at_its_first_blank_line(
            rest in proptest::collection::vec(
                prop_oneof![Just(b'\r'), Just(b'\n'), Just(b' '), Just(b':'), any::<u8>()], 0..80,
            ),
            body in proptest::collection::vec(any::<u8>(), 0..8),
        ) {
            let head = [b"HTTP/2 200\r\n", rest.as_slice()].concat();
            let head = for_storage(&head, body.len() as u64).expect("it has a status line");
            let block = [head.as_bytes(), &body].concat();
            prop_assert_eq!(split(&block), (head.as_bytes(), body.as_slice()));
        }
    }
}
