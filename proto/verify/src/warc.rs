//! WARC files whose records are one gzip member each, as exports write them (WARC 1.1, ISO 28500).
//!
//! Decides where each record begins and whether its block and payload have the digests it states.
//! Reads as a stream, so a record may be larger than memory. Never decides what a record is worth.

use flate2::bufread::GzDecoder;
use sha2::{Digest as _, Sha256};
use std::io::{self, BufRead, BufReader, Read};
use sward_proto::digest::Digest;

/// The longest WARC header, and the longest line of one. Ours have under two kilobytes.
const MAX_HEADER_BYTES: u64 = 65_536;
/// The longest HTTP head inside a block.
const MAX_HTTP_HEAD_BYTES: u64 = 1 << 20;

/// What is wrong with the record that begins at `offset`.
#[derive(Debug, thiserror::Error)]
#[error("record at byte {offset}: {fault}")]
pub struct WarcError {
    /// Where its gzip member begins.
    pub offset: u64,
    /// What is wrong.
    pub fault: Fault,
}

/// What can be wrong with a record.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The file cannot be read, or the member is no gzip or damaged.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// Not a WARC/1.1 header.
    #[error("not a warc/1.1 header: {0}")]
    Header(String),
    /// The block is shorter than stated, or followed by other than two line ends.
    #[error("the block is not as long as its content-length says")]
    Length,
    /// An HTTP head without its blank line.
    #[error("the http head in the block does not end")]
    HttpHead,
    /// The contents were changed, or the header was.
    #[error("{header} is sha256:{stated} but the contents give sha256:{computed}")]
    Digest {
        /// The header's name.
        header: &'static str,
        /// What it states.
        stated: Digest,
        /// What was computed.
        computed: Digest,
    },
}

impl Fault {
    /// Whether the record can be read and only its contents do not match.
    #[must_use]
    pub const fn is_mismatch(&self) -> bool {
        matches!(self, Self::Digest { .. })
    }
}

/// A record whose digests hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Where its gzip member begins in the file, in bytes.
    pub offset: u64,
    /// What is in it.
    pub holds: Holds,
}

/// What a record holds, as far as lines and verdicts speak of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// A payload of this digest; for a revisit, that of the record it refers to.
    Payload(Digest),
    /// What was made from a page of which only a part may be exported.
    Conversion,
    /// Anything else.
    Other,
}

/// Walks a file, checks each record and hands it to `visit`.
///
/// # Errors
/// [`WarcError`] at the first record that cannot be read or whose digests do not hold.
pub fn walk(file: impl BufRead, mut visit: impl FnMut(Record)) -> Result<(), WarcError> {
    let mut file = Counted { inner: file, offset: 0 };
    loop {
        let offset = file.offset;
        let at = |fault: Fault| WarcError { offset, fault };
        if file.fill_buf().map_err(|error| at(error.into()))?.is_empty() {
            return Ok(());
        }
        let mut member = BufReader::new(GzDecoder::new(&mut file));
        let holds = record(&mut member).map_err(at)?;
        visit(Record { offset, holds });
    }
}

/// Reads one record to the end of its member, whose checksum is thereby checked too.
fn record(member: &mut impl BufRead) -> Result<Holds, Fault> {
    let header = Header::read(member)?;
    let mut block = member.take(header.length);
    let (mut whole, mut payload) = (Sha256::new(), Sha256::new());
    if header.is_http {
        skip_http_head(&mut block, &mut whole)?;
    }
    loop {
        let part = block.fill_buf()?;
        if part.is_empty() {
            break;
        }
        whole.update(part);
        payload.update(part);
        let length = part.len();
        block.consume(length);
    }
    let mut end = Vec::new();
    // A few bytes more than the end has, so that a longer one shows; the rest need not be read. A
    // block that was cut short leaves nothing for the end.
    member.take(8).read_to_end(&mut end)?;
    if end != b"\r\n\r\n" {
        return Err(Fault::Length);
    }
    compare("WARC-Block-Digest", header.block_digest, whole)?;
    if let (Some(stated), false) = (header.payload_digest, header.is_revisit) {
        compare("WARC-Payload-Digest", stated, payload)?;
    }
    Ok(match header.payload_digest {
        _ if header.is_conversion => Holds::Conversion,
        Some(payload) => Holds::Payload(payload),
        None => Holds::Other,
    })
}

fn compare(header: &'static str, stated: Digest, hasher: Sha256) -> Result<(), Fault> {
    let computed = Digest(hasher.finalize().into());
    if computed == stated { Ok(()) } else { Err(Fault::Digest { header, stated, computed }) }
}

/// The payload of an HTTP record begins after the first blank line (WARC 1.1 section 6.3.2).
fn skip_http_head(block: &mut impl BufRead, whole: &mut Sha256) -> Result<(), Fault> {
    let mut head = block.take(MAX_HTTP_HEAD_BYTES);
    loop {
        let mut line = Vec::new();
        head.read_until(b'\n', &mut line)?;
        whole.update(&line);
        match line.as_slice() {
            b"\r\n" => return Ok(()),
            [.., b'\n'] => {}
            [..] => return Err(Fault::HttpHead),
        }
    }
}

/// The lines of a header that the check needs.
struct Header {
    length: u64,
    is_http: bool,
    is_revisit: bool,
    is_conversion: bool,
    block_digest: Digest,
    payload_digest: Option<Digest>,
}

impl Header {
    fn read(member: &mut impl BufRead) -> Result<Self, Fault> {
        let mut lines = member.take(MAX_HEADER_BYTES);
        if line(&mut lines)? != "WARC/1.1" {
            return Err(Fault::Header("its first line is not WARC/1.1".into()));
        }
        let mut fields: Vec<(String, String)> = Vec::new();
        loop {
            let line = line(&mut lines)?;
            if line.is_empty() {
                break;
            }
            let no_colon = || Fault::Header(format!("no colon in {line:?}"));
            let (name, value) = line.split_once(':').ok_or_else(no_colon)?;
            fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        Self::of(&fields)
    }

    fn of(fields: &[(String, String)]) -> Result<Self, Fault> {
        // The mandatory fields of WARC 1.1 section 5 that are not read below.
        required(fields, "warc-record-id")?;
        required(fields, "warc-date")?;
        let kind = required(fields, "warc-type")?;
        let is_revisit = kind == "revisit";
        let payload_digest = optional(fields, "warc-payload-digest")?.map(sha256).transpose()?;
        if payload_digest.is_none() && (is_revisit || kind == "response") {
            return Err(Fault::Header(format!("a {kind} without warc-payload-digest")));
        }
        let length = required(fields, "content-length")?;
        let bad_length = |_| Fault::Header(format!("content-length {length:?} is no number"));
        let media_type = optional(fields, "content-type")?.unwrap_or_default();
        Ok(Self {
            length: length.parse().map_err(bad_length)?,
            // A revisit's block may stop short of the blank line and holds no payload.
            is_http: media_type.starts_with("application/http") && !is_revisit,
            is_revisit,
            is_conversion: kind == "conversion",
            block_digest: sha256(required(fields, "warc-block-digest")?)?,
            payload_digest,
        })
    }
}

/// One line without its end, which must be CR LF.
fn line(lines: &mut impl BufRead) -> Result<String, Fault> {
    let mut line = String::new();
    lines.read_line(&mut line)?;
    let unended = || Fault::Header("a line is too long or does not end in cr lf".into());
    line.strip_suffix("\r\n").map(str::to_owned).ok_or_else(unended)
}

fn optional<'a>(fields: &'a [(String, String)], name: &str) -> Result<Option<&'a str>, Fault> {
    let mut values = fields.iter().filter(|(field, _)| field == name).map(|(_, value)| value);
    let value = values.next();
    if values.next().is_some() {
        return Err(Fault::Header(format!("{name} stands twice")));
    }
    Ok(value.map(String::as_str))
}

fn required<'a>(fields: &'a [(String, String)], name: &str) -> Result<&'a str, Fault> {
    optional(fields, name)?.ok_or_else(|| Fault::Header(format!("{name} is missing")))
}

fn sha256(value: &str) -> Result<Digest, Fault> {
    labelled_digest(value).ok_or_else(|| Fault::Header(format!("{value:?} is no sha256:hex")))
}

/// The digest in `sha256:` and 64 lower-case hexadecimal digits, as WARC headers label it.
#[must_use]
pub fn labelled_digest(value: &str) -> Option<Digest> {
    Digest::from_hex(value.strip_prefix("sha256:")?).ok()
}

/// A reader that knows how many bytes were taken from it.
struct Counted<R> {
    inner: R,
    offset: u64,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.offset += length as u64;
        Ok(length)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.offset += amount as u64;
        self.inner.consume(amount);
    }
}
