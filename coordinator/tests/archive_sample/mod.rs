//! Small records for the archive's tests.

use std::path::Path;
use sward_coordinator::archive::http_head::{self, HttpHead};
use sward_coordinator::archive::{Archive, Opened, Record, Settings};
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::timestamp::Timestamp;

/// The date of every sample: 2026-11-22T12:40:34.005Z.
pub(crate) const DATE: Timestamp = Timestamp::from_millis(1_795_351_234_005);

pub(crate) fn open(dir: &Path, max_segment_bytes: u64) -> (Archive, Opened) {
    Archive::open(dir, settings(max_segment_bytes)).expect("an archive")
}

pub(crate) fn settings(max_segment_bytes: u64) -> Settings {
    Settings {
        max_segment_bytes,
        is_part_of: "test".to_owned(),
        operator: "nobody".to_owned(),
        robots: "obey".to_owned(),
    }
}

pub(crate) fn url(text: &str) -> CanonicalUrl {
    text.parse().expect(text)
}

pub(crate) fn head(body: &[u8]) -> HttpHead {
    http_head::for_storage(b"HTTP/2 200\r\nContent-Type: text/html\r\n\r\n", body.len() as u64)
        .expect("a head")
}

pub(crate) fn response<'a>(
    target: &'a CanonicalUrl,
    head: &'a HttpHead,
    body: &'a [u8],
) -> Record<'a> {
    Record::Response {
        target,
        date: DATE,
        ip: None,
        protocols: &[],
        head,
        body,
        truncated: None,
        payload_type: None,
    }
}
