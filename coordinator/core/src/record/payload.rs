//! A body that is in the archive, so that its next appearance becomes a revisit.

use super::Kind;
use serde::{Deserialize, Serialize};
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::digest::Digest;
use sward_proto::timestamp::Timestamp;

/// The response record that first carried a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayloadRecord {
    /// Its WARC-Record-ID.
    pub record_id: String,
    /// Its target.
    pub url: CanonicalUrl,
    /// Its date.
    pub date: Timestamp,
}

/// Key: kind, digest of the body.
#[must_use]
pub fn key(payload: &Digest) -> Vec<u8> {
    super::key(Kind::Payload, &[&payload.0])
}
