//! What the archive can be asked to keep.
//!
//! Decides which kinds of record there are and what each must have. Never decides how they are written: that is
//! `encode`.

use super::http_head::HttpHead;
use super::record_id::RecordId;
use std::net::IpAddr;
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::digest::Digest;
use sward_proto::timestamp::Timestamp;

/// A record to be written; the names are those of WARC 1.1 section 6.
#[derive(Debug, Clone, Copy)]
pub enum Record<'a> {
    /// Who wrote the segment and how. The archive writes it itself, first in each segment.
    Warcinfo {
        /// When the segment was begun.
        date: Timestamp,
        /// The segment's file name.
        filename: &'a str,
        /// The `application/warc-fields` lines: name and value.
        fields: &'a [(&'a str, &'a str)],
    },
    /// What was asked of the server.
    Request {
        /// The URL that was asked for.
        target: &'a CanonicalUrl,
        /// When the capture began.
        date: Timestamp,
        /// Request line and headers.
        head: &'a HttpHead,
    },
    /// What the server answered.
    Response {
        /// The URL that answered.
        target: &'a CanonicalUrl,
        /// When the capture began.
        date: Timestamp,
        /// The server's address, where it is known.
        ip: Option<IpAddr>,
        /// `WARC-Protocol` values, for instance `h2` and `tls/1.3`.
        protocols: &'a [String],
        /// Status line and headers.
        head: &'a HttpHead,
        /// The body, with transfer and content coding removed.
        body: &'a [u8],
        /// Why the body is not whole, where it is not.
        truncated: Option<Truncated>,
        /// The media type that the body was found to have, whatever the server claims.
        payload_type: Option<&'a str>,
    },
    /// A response whose body equals that of an earlier record (WARC 1.1 section 6.7.2).
    Revisit {
        /// The URL that answered.
        target: &'a CanonicalUrl,
        /// When the capture began.
        date: Timestamp,
        /// Status line and headers of this answer.
        head: &'a HttpHead,
        /// The digest that both bodies have.
        payload_digest: Digest,
        /// The record that holds the body.
        refers_to: RecordId,
        /// That record's URL. Without it replay tools find nothing.
        refers_to_target: &'a CanonicalUrl,
        /// That record's date.
        refers_to_date: Timestamp,
    },
    /// What Sward has to say of a capture: attestations, verdict.
    Metadata {
        /// The URL that it is about, if it is about one.
        target: Option<&'a CanonicalUrl>,
        /// When it was decided.
        date: Timestamp,
        /// The media type of `body`, for instance `application/json`.
        content_type: &'a str,
        /// The contents.
        body: &'a [u8],
        /// A record of the same capture that was written before; the members of a group are tied without it.
        concurrent_to: Option<RecordId>,
    },
}

impl Record<'_> {
    pub(super) const fn date(&self) -> Timestamp {
        match self {
            Self::Warcinfo { date, .. }
            | Self::Request { date, .. }
            | Self::Response { date, .. }
            | Self::Revisit { date, .. }
            | Self::Metadata { date, .. } => *date,
        }
    }
}

/// Why a body was cut: the values of `WARC-Truncated` (WARC 1.1 section 5.13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truncated {
    /// Longer than the job accepts.
    Length,
    /// It took longer than the job accepts.
    Time,
    /// The connection broke.
    Disconnect,
    /// Not known.
    Unspecified,
}

impl Truncated {
    /// The value as WARC writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Time => "time",
            Self::Disconnect => "disconnect",
            Self::Unspecified => "unspecified",
        }
    }
}
