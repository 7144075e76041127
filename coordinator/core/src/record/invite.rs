//! An invite, known by its fingerprint only.

use super::Kind;
use serde::{Deserialize, Serialize};
use sward_proto::digest::Digest;
use sward_proto::ids::PeerId;
use sward_proto::timestamp::Timestamp;

/// A single-use invite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteRecord {
    /// Of no use after this.
    pub expires: Timestamp,
    /// Who used it.
    pub used_by: Option<PeerId>,
    /// For a fetcher of the operator's own.
    pub trusted: bool,
}

/// Key: kind, fingerprint of the code.
#[must_use]
pub fn key(fingerprint: &Digest) -> Vec<u8> {
    super::key(Kind::Invite, &[&fingerprint.0])
}
