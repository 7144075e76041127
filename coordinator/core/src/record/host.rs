//! What outlives a restart of a host's clock: its delay and how far it is backed off.
//!
//! The next allowed time itself is not stored: after a restart every host counts as just fetched.

use super::Kind;
use serde::{Deserialize, Serialize};
use sward_proto::canonical_url::HostName;
use sward_proto::timestamp::Timestamp;

/// A host's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HostRecord {
    /// Nothing is fetched before this time.
    pub blocked_until: Timestamp,
    /// How many times in a row the host failed or asked for less.
    pub failures: u8,
}

/// Key: kind, host.
#[must_use]
pub fn key(host: &HostName) -> Vec<u8> {
    super::key(Kind::Host, &[host.as_str().as_bytes()])
}
