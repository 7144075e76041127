//! A batch: results sealed under one Merkle root that the agent signs.
//!
//! Decides what the signature covers and what a leaf hides. Each leaf is salted, so that a root or a leaf gives no clue to
//! the page beneath it until its agent opens it.

use crate::digest::Digest;
use crate::ids::LeaseToken;
use crate::merkle;

/// What hides an attestation under its leaf: 16 random bytes, drawn by the agent for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Salt(pub [u8; 16]);

/// The leaf of one attestation: RFC 6962's leaf hash over salt, then the attestation's bytes as they will be revealed.
#[must_use]
pub fn leaf(salt: Salt, attestation: &[u8]) -> Digest {
    merkle::salted_leaf(&salt.0, attestation)
}

/// The text that an agent signs: the version line, the RFC 6962 root over `leaves`, and which leases they answer.
///
/// The first line separates it from receipts and from the transport's handshake, which use the same key.
#[must_use]
pub fn statement(tokens: &[LeaseToken], leaves: &[Digest]) -> String {
    let mut text = format!("sward/batch/v1\nroot {}\n", merkle::root(leaves).to_base64());
    for token in tokens {
        text.push_str(&format!("lease {token}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_depends_on_salt_and_attestation() {
        let one = leaf(Salt([1; 16]), b"page");
        assert_ne!(one, leaf(Salt([2; 16]), b"page"));
        assert_ne!(one, leaf(Salt([1; 16]), b"pagf"));
    }

    #[test]
    fn the_statement_names_every_lease() {
        let text = statement(&[LeaseToken([0xab; 16])], &[Digest::ZERO]);
        assert!(text.starts_with("sward/batch/v1\nroot "));
        assert!(text.ends_with("lease abababababababababababababababab\n"));
    }
}
