//! One record as one gzip member.
//!
//! Decides the header lines of each kind of record and their order (WARC 1.1 sections 5 and 6). A value can never
//! begin a new line: control characters become spaces here, whatever the caller passed. Never touches a disk.

use super::error::ArchiveError;
use super::gzip_member::{MAX_BLOCK_BYTES, MAX_HEADER_BYTES};
use super::record::Record;
use super::record_id::RecordId;
use flate2::Compression;
use flate2::GzBuilder;
use std::fmt::Display;
use std::io::Write;
use sward_proto::digest::Digest;
use sward_proto::timestamp::Timestamp;

/// Compression level 3: on pages of documentation its files are 4 % longer than those of the customary level 6, for 72 %
/// of the time, which is the largest single cost of a page.
const LEVEL: Compression = Compression::new(3);

/// The profile of a revisit by equal payload (WARC 1.1 section 6.7.2).
const IDENTICAL_PAYLOAD: &str = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest";

/// Where a record is about to be written, and which earlier records of its segment it belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    /// File name of the segment.
    pub(super) segment: &'a str,
    /// Where the gzip member begins, in bytes.
    pub(super) offset: u64,
    /// The segment's warcinfo record.
    pub(super) warcinfo: Option<RecordId>,
    /// The first record of the group.
    pub(super) concurrent_to: Option<RecordId>,
}

/// Appends the gzip member of `record` to `out`, and returns the record's id.
///
/// # Errors
/// [`ArchiveError::TooLarge`], [`ArchiveError::Date`]; then `out` may hold a part of the member.
pub(super) fn encode(
    record: &Record<'_>,
    place: Place<'_>,
    out: &mut Vec<u8>,
) -> Result<RecordId, ArchiveError> {
    let warcinfo_block;
    let (head, body): (&[u8], &[u8]) = match record {
        Record::Warcinfo { fields, .. } => {
            let mut lines = Fields(String::new());
            fields.iter().for_each(|(name, value)| lines.push(name, value));
            warcinfo_block = lines.0;
            (&[], warcinfo_block.as_bytes())
        }
        Record::Request { head, .. } | Record::Revisit { head, .. } => (head.as_bytes(), &[]),
        Record::Response { head, body, .. } => (head.as_bytes(), body),
        Record::Metadata { body, .. } => (&[], body),
    };
    let block = head.len() as u64 + body.len() as u64;

    let mut fields = Fields(String::new());
    push_kind(&mut fields, record)?;
    place.warcinfo.iter().for_each(|id| fields.push("WARC-Warcinfo-ID", format!("<{id}>")));
    place.concurrent_to.iter().for_each(|id| fields.push("WARC-Concurrent-To", format!("<{id}>")));
    if let Record::Response { .. } = record {
        fields.push_digest("WARC-Payload-Digest", Digest::of(body));
    }
    fields.push_digest("WARC-Block-Digest", Digest::of_parts(&[head, body]));
    fields.push("Content-Length", block);

    let id = RecordId::derive(place.segment, place.offset, &fields.0);
    let header = format!("WARC/1.1\r\nWARC-Record-ID: <{id}>\r\n{}\r\n", fields.0);
    member(&header, &[head, body], out)?;
    Ok(id)
}

/// Appends the gzip member of a record with this header, blank line included, whose block is these parts.
pub(super) fn member(header: &str, block: &[&[u8]], out: &mut Vec<u8>) -> Result<(), ArchiveError> {
    let length = block.iter().map(|part| part.len() as u64).sum();
    if header.len() as u64 > MAX_HEADER_BYTES || length > MAX_BLOCK_BYTES {
        return Err(ArchiveError::TooLarge { header: header.len() as u64, block: length });
    }
    let mut gzip = GzBuilder::new().write(out, LEVEL);
    for part in [header.as_bytes()].iter().chain(block).chain(&[b"\r\n\r\n".as_slice()]) {
        gzip.write_all(part).map_err(ArchiveError::Compress)?;
    }
    gzip.finish().map_err(ArchiveError::Compress)?;
    Ok(())
}

/// The lines that depend on the kind of the record.
fn push_kind(fields: &mut Fields, record: &Record<'_>) -> Result<(), ArchiveError> {
    let kind = match record {
        Record::Warcinfo { .. } => "warcinfo",
        Record::Request { .. } => "request",
        Record::Response { .. } => "response",
        Record::Revisit { .. } => "revisit",
        Record::Metadata { .. } => "metadata",
    };
    fields.push("WARC-Type", kind);
    fields.push_date("WARC-Date", record.date())?;
    match record {
        Record::Warcinfo { filename, .. } => {
            fields.push("WARC-Filename", filename);
            fields.push("Content-Type", "application/warc-fields");
        }
        Record::Request { target, .. } => {
            fields.push("WARC-Target-URI", target);
            fields.push("Content-Type", "application/http; msgtype=request");
        }
        Record::Response { target, ip, protocols, truncated, payload_type, .. } => {
            fields.push("WARC-Target-URI", target);
            fields.push("Content-Type", "application/http; msgtype=response");
            ip.iter().for_each(|ip| fields.push("WARC-IP-Address", ip));
            protocols.iter().for_each(|protocol| fields.push("WARC-Protocol", protocol));
            truncated.iter().for_each(|why| fields.push("WARC-Truncated", why.as_str()));
            payload_type.iter().for_each(|of| fields.push("WARC-Identified-Payload-Type", of));
        }
        Record::Revisit {
            target,
            payload_digest,
            refers_to,
            refers_to_target,
            refers_to_date,
            ..
        } => {
            fields.push("WARC-Target-URI", target);
            fields.push("Content-Type", "application/http; msgtype=response");
            fields.push("WARC-Profile", IDENTICAL_PAYLOAD);
            fields.push_digest("WARC-Payload-Digest", *payload_digest);
            fields.push("WARC-Refers-To", format!("<{refers_to}>"));
            fields.push("WARC-Refers-To-Target-URI", refers_to_target);
            fields.push_date("WARC-Refers-To-Date", *refers_to_date)?;
        }
        Record::Metadata { target, content_type, concurrent_to, .. } => {
            target.iter().for_each(|target| fields.push("WARC-Target-URI", target));
            fields.push("Content-Type", content_type);
            concurrent_to
                .iter()
                .for_each(|id| fields.push("WARC-Concurrent-To", format!("<{id}>")));
        }
    }
    Ok(())
}

/// Header lines in the making.
struct Fields(String);

impl Fields {
    fn push(&mut self, name: &str, value: impl Display) {
        let value: String =
            value.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.0.extend([name, ": ", value.trim(), "\r\n"]);
    }

    fn push_digest(&mut self, name: &str, digest: Digest) {
        self.push(name, format!("sha256:{digest}"));
    }

    /// RFC 3339 in UTC with milliseconds.
    fn push_date(&mut self, name: &str, date: Timestamp) -> Result<(), ArchiveError> {
        let beyond = || ArchiveError::Date(date.as_millis());
        let millis = i64::try_from(date.as_millis()).map_err(|_| beyond())?;
        let date = jiff::Timestamp::from_millisecond(millis).map_err(|_| beyond())?;
        self.push(name, format!("{date:.3}"));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_begin_a_line() {
        let mut fields = Fields(String::new());
        fields.push("WARC-Protocol", "h2\r\nWARC-Type: forged\n\0x\u{85}y ");
        assert_eq!(fields.0, "WARC-Protocol: h2  WARC-Type: forged  x y\r\n");
    }

    #[test]
    fn dates_have_milliseconds_and_end_before_the_year_10000() {
        let mut fields = Fields(String::new());
        let date = Timestamp::from_millis(1_795_351_234_005);
        fields.push_date("WARC-Date", date).expect("a date");
        assert_eq!(fields.0, "WARC-Date: 2026-11-22T12:40:34.005Z\r\n");
        assert!(matches!(fields.push_date("d", Timestamp::MAX), Err(ArchiveError::Date(_))));
    }
}
