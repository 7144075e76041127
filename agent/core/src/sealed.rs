//! A result that was handed in sealed, and what is needed to open it.

use serde::{Deserialize, Serialize};
use sward_proto::batch::{self, Salt};
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::digest::Digest;
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::exchange::Exchange;

/// A sealed result. It is stored before its leaf is sent, so that a crash loses nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// Under the leaf, with the attestation.
    pub salt: [u8; 16],
    /// The attestation's bytes.
    pub attestation: Vec<u8>,
    /// The page's blocks as they travel; the attestation has their digest.
    pub blocks: Vec<u8>,
    /// When it was sealed.
    pub at: Timestamp,
    /// The coordinator has taken the leaf.
    pub committed: bool,
    /// Length of the spooled body; nothing is spooled for a failure.
    pub body_bytes: Option<u64>,
}

impl Sealed {
    /// The leaf that goes into the batch.
    #[must_use]
    pub fn leaf(&self) -> Digest {
        batch::leaf(Salt(self.salt), &self.attestation)
    }
}

/// What is spooled beside a sealed result until the coordinator has asked for it or let it go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// Redirect hops, then the page's own exchange.
    pub exchanges: Vec<Exchange>,
    /// The page's links.
    pub links: Vec<CanonicalUrl>,
    /// The decoded body.
    pub body: Vec<u8>,
}
