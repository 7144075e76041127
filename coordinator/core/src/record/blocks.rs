//! The stable blocks of a URL that was agreed on in part, in one of a few places of its host.

use super::Kind;
use super::seen::Fingerprint;
use crate::profile::Slot;
use serde::{Deserialize, Serialize};
use sward_proto::canonical_url::HostName;

/// The stable blocks of one URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlocksRecord {
    /// Which URL.
    pub url: Fingerprint,
    /// Its stable blocks, as `StableBlocks::to_bytes` has them.
    pub stable: Vec<u8>,
}

/// Key: kind, host, zero byte, place.
#[must_use]
pub fn key(host: &HostName, slot: Slot) -> Vec<u8> {
    super::key(Kind::Blocks, &[host.as_str().as_bytes(), &[0], &[slot.0]])
}
