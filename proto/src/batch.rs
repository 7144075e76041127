//! A batch: results sealed under one Merkle root that the agent signs.
//!
//! Decides what the signature covers, what a leaf hides, and what shows later that a leaf was signed. Each leaf is salted,
//! so that a root or a leaf gives no clue to the page beneath it until its agent opens it.

use crate::base64_bytes;
use crate::digest::Digest;
use crate::ids::{LeaseToken, PeerId};
use crate::merkle::{self, MerkleError};
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

/// What stands in a batch's tree: RFC 6962's leaf hash over the lease and the leaf that answers it, so that a proof of one
/// tells nothing of the other leases.
fn answer(token: LeaseToken, leaf: Digest) -> Digest {
    merkle::leaf_hash(&[token.0.as_slice(), &leaf.0].concat())
}

fn answers(tokens: &[LeaseToken], leaves: &[Digest]) -> Vec<Digest> {
    tokens.iter().zip(leaves).map(|(token, leaf)| answer(*token, *leaf)).collect()
}

/// The text that an agent signs: the version line, the RFC 6962 root over its answers (leases with their leaves), and how
/// many they are.
///
/// The first line separates it from receipts and from the transport's handshake, which use the same key.
#[must_use]
pub fn statement(tokens: &[LeaseToken], leaves: &[Digest]) -> String {
    let answers = answers(tokens, leaves);
    statement_of_root(merkle::root(&answers), answers.len())
}

fn statement_of_root(root: Digest, size: usize) -> String {
    format!("sward/batch/v2\nroot {}\nsize {size}\n", root.to_base64())
}

/// Whether `signature` over a [`statement`] is the agent's.
#[must_use]
pub fn is_signed(agent: &PeerId, statement: &str, signature: &[u8; 64]) -> bool {
    VerifyingKey::from_bytes(agent.public_key()).is_ok_and(|key| {
        key.verify_strict(statement.as_bytes(), &Signature::from_bytes(signature)).is_ok()
    })
}

/// What shows that an agent signed the leaf of one lease: its signature, and the way from the answer to the signed root.
/// The root itself is computed. At most 6 digests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchProof {
    /// Over [`statement`].
    #[serde(with = "base64_bytes")]
    pub signature: [u8; 64],
    /// The answer's place in the batch, from 0.
    pub index: u16,
    /// How many answers the batch has.
    pub size: u16,
    /// The answer's siblings up to the root, nearest first (RFC 6962 section 2.1.1).
    #[serde(with = "path_bytes")]
    pub path: Vec<Digest>,
}

/// The proofs of all answers of a signed batch, in its order. None where it is longer than a message may be.
#[must_use]
pub fn proofs(signature: &[u8; 64], tokens: &[LeaseToken], leaves: &[Digest]) -> Vec<BatchProof> {
    let answers = answers(tokens, leaves);
    let Ok(size) = u16::try_from(answers.len()) else { return Vec::new() };
    let proof = |index: u16| {
        let path = merkle::inclusion_proof(&answers, index.into()).ok()?;
        Some(BatchProof { signature: *signature, index, size, path })
    };
    (0..size).filter_map(proof).collect()
}

impl BatchProof {
    /// The root to which `leaf` leads as the answer to `token`.
    ///
    /// # Errors
    /// [`MerkleError`] where the proof has a length that no such proof has.
    pub fn root(&self, token: LeaseToken, leaf: Digest) -> Result<Digest, MerkleError> {
        merkle::root_of(self.size.into(), self.index.into(), answer(token, leaf), &self.path)
    }

    /// Whether `agent` signed a batch of this size with this root.
    #[must_use]
    pub fn is_signed(&self, agent: &PeerId, root: Digest) -> bool {
        is_signed(agent, &statement_of_root(root, self.size.into()), &self.signature)
    }
}

/// Digests one after the other.
mod path_bytes {
    use crate::base64_bytes;
    use crate::digest::Digest;
    use serde::de::Error as _;
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        path: &[Digest],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = path.iter().flat_map(|digest| digest.0).collect();
        base64_bytes::serialize(&bytes, serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Digest>, D::Error> {
        let bytes: Vec<u8> = base64_bytes::deserialize(deserializer)?;
        let (digests, rest) = bytes.as_chunks::<32>();
        if !rest.is_empty() {
            return Err(D::Error::custom(format!("{} bytes are no digests", bytes.len())));
        }
        Ok(digests.iter().map(|digest| Digest(*digest)).collect())
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
    fn the_statement_covers_every_lease_and_every_leaf() {
        let (tokens, leaves) = ([LeaseToken([1; 16]), LeaseToken([2; 16])], [Digest::ZERO; 2]);
        let text = statement(&tokens, &leaves);
        assert!(text.starts_with("sward/batch/v2\nroot ") && text.ends_with("\nsize 2\n"));
        assert_ne!(text, statement(&[tokens[1], tokens[0]], &leaves));
        assert_ne!(text, statement(&tokens, &[Digest::ZERO, Digest::of(b"other")]));
    }

    #[test]
    fn each_leaf_of_a_batch_is_proved_for_its_own_lease() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let agent = PeerId::from_public_key(key.verifying_key().to_bytes()).expect("a key");
        let tokens: Vec<LeaseToken> = (0..5).map(|n| LeaseToken([n; 16])).collect();
        let leaves: Vec<Digest> = (0..5u8).map(|n| leaf(Salt([n; 16]), b"page")).collect();
        let signature = key.sign(statement(&tokens, &leaves).as_bytes()).to_bytes();
        let proofs = proofs(&signature, &tokens, &leaves);
        assert_eq!(proofs.len(), 5);
        let holds = |proof: &BatchProof, token, leaf| {
            proof.root(token, leaf).is_ok_and(|root| proof.is_signed(&agent, root))
        };
        for (index, proof) in proofs.iter().enumerate() {
            let other = (index + 1) % 5;
            assert!(holds(proof, tokens[index], leaves[index]));
            assert!(!holds(proof, tokens[index], leaves[other]));
            assert!(!holds(proof, tokens[other], leaves[index]));
            assert!(!holds(&proofs[other], tokens[index], leaves[index]));
            assert!(!holds(&BatchProof { size: 6, ..proof.clone() }, tokens[index], leaves[index]));
            let json = serde_json::to_string(proof).expect("json");
            assert_eq!(serde_json::from_str::<BatchProof>(&json).expect("json"), *proof);
        }
    }
}
