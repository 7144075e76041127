//! A batch: results sealed under one Merkle root that the agent signs.
//!
//! Decides what the signature covers, what a leaf hides, and what shows later that a leaf was signed. Each leaf is salted,
//! so that a root or a leaf gives no clue to the page beneath it until its agent opens it.

use crate::base64_bytes;
use crate::digest::Digest;
use crate::ids::{LeaseToken, PeerId};
use crate::merkle::{self, MerkleError};
use crate::wire::bounds::MAX_BATCH;
use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Serialize};

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
    statement_of_root(tokens, merkle::root(leaves))
}

fn statement_of_root(tokens: &[LeaseToken], root: Digest) -> String {
    let mut text = format!("sward/batch/v1\nroot {}\n", root.to_base64());
    for token in tokens {
        text.push_str(&format!("lease {token}\n"));
    }
    text
}

/// Whether `signature` over [`statement`] is the agent's.
#[must_use]
pub fn is_signed(
    agent: &PeerId,
    tokens: &[LeaseToken],
    root: Digest,
    signature: &[u8; 64],
) -> bool {
    VerifyingKey::from_bytes(agent.public_key()).is_ok_and(|key| {
        let signature = Signature::from_bytes(signature);
        key.verify_strict(statement_of_root(tokens, root).as_bytes(), &signature).is_ok()
    })
}

/// What shows that an agent signed the leaf of one lease: its signature, and the way from the leaf to the signed root.
/// The root itself is computed. At most 64 tokens and 6 digests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Packed", into = "Packed")]
pub struct BatchProof {
    /// Over [`statement`].
    pub signature: [u8; 64],
    /// All leases of the batch, in its order.
    pub tokens: Vec<LeaseToken>,
    /// The leaf's siblings up to the root, nearest first (RFC 6962 section 2.1.1).
    pub path: Vec<Digest>,
}

/// Why a leaf was not signed by an agent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// The statement names other leases.
    #[error("the signed batch does not name lease {0}")]
    OtherLease(LeaseToken),
    /// The proof has another form.
    #[error(transparent)]
    Path(#[from] MerkleError),
    /// The signature is not that of this agent over this statement.
    #[error("the batch with root {root} is not signed by {agent}")]
    Signature {
        /// The root that leaf and proof give.
        root: Digest,
        /// Who should have signed.
        agent: PeerId,
    },
}

impl BatchProof {
    /// The proof of the leaf at `index` of a batch.
    ///
    /// # Errors
    /// [`MerkleError`] where there is no such leaf.
    pub fn new(
        signature: &[u8; 64],
        tokens: &[LeaseToken],
        leaves: &[Digest],
        index: usize,
    ) -> Result<Self, MerkleError> {
        let path = merkle::inclusion_proof(leaves, index)?;
        Ok(Self { signature: *signature, tokens: tokens.to_vec(), path })
    }

    /// The root to which `leaf` leads, as that of `token`.
    ///
    /// # Errors
    /// [`BatchError`] where the batch does not answer that lease, or the proof has another length.
    pub fn root(&self, token: LeaseToken, leaf: Digest) -> Result<Digest, BatchError> {
        let index = self.tokens.iter().position(|other| *other == token);
        let index = index.ok_or(BatchError::OtherLease(token))?;
        Ok(merkle::root_of(self.tokens.len() as u64, index as u64, leaf, &self.path)?)
    }

    /// Whether `agent` signed `leaf` as its answer to `token`; the root that it signed.
    ///
    /// # Errors
    /// [`BatchError`] with what is wrong.
    pub fn check(
        &self,
        agent: &PeerId,
        token: LeaseToken,
        leaf: Digest,
    ) -> Result<Digest, BatchError> {
        let root = self.root(token, leaf)?;
        if is_signed(agent, &self.tokens, root, &self.signature) {
            Ok(root)
        } else {
            Err(BatchError::Signature { root, agent: *agent })
        }
    }
}

/// How a proof is stored: tokens and path one after the other.
#[derive(Serialize, Deserialize)]
struct Packed {
    #[serde(with = "base64_bytes")]
    signature: [u8; 64],
    #[serde(with = "base64_bytes")]
    tokens: Vec<u8>,
    #[serde(with = "base64_bytes")]
    path: Vec<u8>,
}

impl From<BatchProof> for Packed {
    fn from(proof: BatchProof) -> Self {
        let tokens = proof.tokens.iter().flat_map(|token| token.0).collect();
        let path = proof.path.iter().flat_map(|digest| digest.0).collect();
        Self { signature: proof.signature, tokens, path }
    }
}

impl TryFrom<Packed> for BatchProof {
    type Error = String;

    fn try_from(packed: Packed) -> Result<Self, String> {
        let (tokens, rest) = packed.tokens.as_chunks::<16>();
        let (path, more) = packed.path.as_chunks::<32>();
        if !rest.is_empty() || tokens.len() > MAX_BATCH {
            return Err(format!("{} bytes of tokens", packed.tokens.len()));
        }
        if !more.is_empty() || path.len() > MAX_BATCH {
            return Err(format!("{} bytes of path", packed.path.len()));
        }
        let tokens = tokens.iter().map(|token| LeaseToken(*token)).collect();
        let path = path.iter().map(|digest| Digest(*digest)).collect();
        Ok(Self { signature: packed.signature, tokens, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signer as _, SigningKey};

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

    #[test]
    fn each_leaf_of_a_batch_is_proved_for_its_own_lease() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let agent = PeerId::from_public_key(key.verifying_key().to_bytes()).expect("a key");
        let tokens: Vec<LeaseToken> = (0..5).map(|n| LeaseToken([n; 16])).collect();
        let leaves: Vec<Digest> = (0..5u8).map(|n| leaf(Salt([n; 16]), b"page")).collect();
        let root = merkle::root(&leaves);
        let signature = key.sign(statement(&tokens, &leaves).as_bytes()).to_bytes();
        for index in 0..5 {
            let proof = BatchProof::new(&signature, &tokens, &leaves, index).expect("a leaf");
            assert_eq!(proof.check(&agent, tokens[index], leaves[index]), Ok(root));
            assert!(proof.check(&agent, tokens[index], leaves[(index + 1) % 5]).is_err());
            assert!(proof.check(&agent, tokens[(index + 1) % 5], leaves[index]).is_err());
            assert!(proof.check(&agent, LeaseToken([9; 16]), leaves[index]).is_err());
            let json = serde_json::to_string(&proof).expect("json");
            assert_eq!(serde_json::from_str::<BatchProof>(&json).expect("json"), proof);
        }
        assert!(BatchProof::new(&signature, &tokens, &leaves, 5).is_err());
    }
}
