//! What outlives a restart of a host: how far it is backed off, and what audits of its pages found.
//!
//! The next allowed time itself is not stored: after a restart every host counts as just fetched.

use super::Kind;
use crate::trust::audit::Tally;
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
    /// What audits of its pages found.
    pub audits: Tally,
}

/// Key: kind, host.
#[must_use]
pub fn key(host: &HostName) -> Vec<u8> {
    super::key(Kind::Host, &[host.as_str().as_bytes()])
}
