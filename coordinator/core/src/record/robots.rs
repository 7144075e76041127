//! An origin's robots rules, reduced to those that apply to us. The text as served is in the archive.

use super::Kind;
use serde::{Deserialize, Serialize};
use sward_proto::canonical_url::{HostName, Origin};
use sward_proto::timestamp::Timestamp;

/// What an origin's robots.txt says to us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RobotsRecord {
    /// The origin.
    pub origin: Origin,
    /// The rules, as robots.txt text.
    pub rules: String,
    /// Not used after this; RFC 9309 section 2.4 wants at most 24 hours.
    pub expires: Timestamp,
}

/// Key: kind, host, zero byte, origin.
#[must_use]
pub fn key(host: &HostName, origin: &Origin) -> Vec<u8> {
    super::key(Kind::Robots, &[host.as_str().as_bytes(), &[0], origin.as_str().as_bytes()])
}

/// The prefix of a host's origins.
#[must_use]
pub fn prefix(host: &HostName) -> Vec<u8> {
    super::key(Kind::Robots, &[host.as_str().as_bytes(), &[0]])
}
