//! A record as it was read, ours or another's.
//!
//! Decides how its header is looked up. Never decides whether to believe it.

use super::http_head;
use super::record_id::RecordId;
use sward_proto::digest::Digest;
use sward_proto::timestamp::Timestamp;

/// Header lines and block of one record. Bytes that are not UTF-8 in the header are replaced by U+FFFD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedRecord {
    /// Names and values in the order of the file, folded lines joined by a space.
    pub fields: Vec<(String, String)>,
    /// What `Content-Length` counts.
    pub block: Vec<u8>,
}

impl OwnedRecord {
    /// The first value of a header, whose name may be spelt in any case.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// `WARC-Type`, for instance `response`; empty where there is none.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.field("WARC-Type").unwrap_or_default()
    }

    /// `WARC-Record-ID`, where it is a UUID.
    #[must_use]
    pub fn id(&self) -> Option<RecordId> {
        self.id_in("WARC-Record-ID")
    }

    /// The record id in a header such as `WARC-Refers-To`, where it is a UUID.
    #[must_use]
    pub fn id_in(&self, name: &str) -> Option<RecordId> {
        without_brackets(self.field(name)?).parse().ok()
    }

    /// `WARC-Target-URI`, without the angle brackets that some writers add.
    #[must_use]
    pub fn target(&self) -> Option<&str> {
        self.field("WARC-Target-URI").map(without_brackets)
    }

    /// `WARC-Date`, where it is a full RFC 3339 date and not before 1970.
    #[must_use]
    pub fn date(&self) -> Option<Timestamp> {
        let date: jiff::Timestamp = self.field("WARC-Date")?.parse().ok()?;
        u64::try_from(date.as_millisecond()).ok().map(Timestamp::from_millis)
    }

    /// `WARC-Payload-Digest`, where it is a SHA-256 in hexadecimal digits, as this archive writes it.
    #[must_use]
    pub fn payload_digest(&self) -> Option<Digest> {
        Digest::from_hex(self.field("WARC-Payload-Digest")?.strip_prefix("sha256:")?).ok()
    }

    /// Head, blank line included, and payload, where the block is an HTTP message.
    #[must_use]
    pub fn http(&self) -> Option<(&[u8], &[u8])> {
        let http = self.field("Content-Type")?.starts_with("application/http");
        http.then(|| http_head::split(&self.block))
    }

    /// The id that this archive gives a record with this header at `offset` of a segment.
    pub(super) fn id_at(&self, segment: &str, offset: u64) -> RecordId {
        let line = |(name, value): &(String, String)| match name.as_str() {
            "WARC-Record-ID" => String::new(),
            _ => format!("{name}: {value}\r\n"),
        };
        RecordId::derive(segment, offset, &self.fields.iter().map(line).collect::<String>())
    }
}

fn without_brackets(value: &str) -> &str {
    value.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(value)
}
