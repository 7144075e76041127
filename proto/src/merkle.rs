//! Merkle trees over a list of entries, as RFC 6962 section 2.1 hashes them.
//!
//! Decides the root of a list and whether a proof places an entry in it. Never decides what an
//! entry means, nor whether anybody signed the root.

use crate::digest::Digest;

/// Why a proof does not place a leaf under a root.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MerkleError {
    /// The tree has no leaf of that index.
    #[error("no leaf {index} in a tree of {size}, ask for one below {size}")]
    IndexBeyondSize {
        /// The leaf asked for, counted from 0.
        index: u64,
        /// How many leaves the tree has.
        size: u64,
    },
    /// The index and the size fix how many hashes a proof has.
    #[error("a proof of {found} hashes instead of {expected}, fetch it anew for this tree size")]
    ProofLength {
        /// The only length that can be right.
        expected: usize,
        /// The length of the proof given.
        found: usize,
    },
    /// The proof leads elsewhere.
    #[error("the proof leads to root {computed} instead of {expected}")]
    OtherRoot {
        /// The root the caller trusts.
        expected: Digest,
        /// The root that leaf and proof give.
        computed: Digest,
    },
}

/// The hash of one entry: SHA-256 of 0x00 and the entry (RFC 6962 section 2.1).
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Digest {
    Digest::of_parts(&[&[0x00], entry])
}

/// The hash of an attestation that stays private: `leaf_hash(salt || attestation)`.
///
/// An attestation names a URL, and URLs can be guessed; 16 random bytes that only the two parties
/// know keep a published root from confirming a guess. Whoever is shown the leaf is given its salt.
#[must_use]
pub fn salted_leaf(salt: &[u8; 16], attestation: &[u8]) -> Digest {
    Digest::of_parts(&[&[0x00], salt, attestation])
}

/// The root over leaf hashes; SHA-256 of nothing for an empty list (RFC 6962 section 2.1).
#[must_use]
pub fn root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => Digest::of(b""),
        [leaf] => *leaf,
        [..] => {
            let (left, right) = leaves.split_at(left_size(leaves.len()));
            node_hash(root(left), root(right))
        }
    }
}

/// The siblings from leaf `index` up to the root, nearest first (RFC 6962 section 2.1.1).
///
/// # Errors
/// [`MerkleError::IndexBeyondSize`] where there is no such leaf.
pub fn inclusion_proof(leaves: &[Digest], index: usize) -> Result<Vec<Digest>, MerkleError> {
    if index >= leaves.len() {
        let (index, size) = (index as u64, leaves.len() as u64);
        return Err(MerkleError::IndexBeyondSize { index, size });
    }
    let (mut subtree, mut index) = (leaves, index);
    let mut proof = Vec::new();
    while subtree.len() > 1 {
        let middle = left_size(subtree.len());
        let (left, right) = subtree.split_at(middle);
        if index < middle {
            proof.push(root(right));
            subtree = left;
        } else {
            proof.push(root(left));
            subtree = right;
            index -= middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The root to which `leaf` leads from `index` of a tree of `size` leaves.
///
/// # Errors
/// [`MerkleError`] where the index is beyond the tree, or the proof has a length that no such proof has.
pub fn root_of(
    size: u64,
    index: u64,
    leaf: Digest,
    proof: &[Digest],
) -> Result<Digest, MerkleError> {
    if index >= size {
        return Err(MerkleError::IndexBeyondSize { index, size });
    }
    // Below `fork` the path to the leaf and the path to the last leaf differ, so siblings lie on
    // either side. Above it the leaf is on the tree's right edge and every sibling is to its left;
    // a level without a left neighbour has no sibling there at all.
    let fork = u64::BITS - (index ^ (size - 1)).leading_zeros();
    let on_edge = index.checked_shr(fork).unwrap_or_default().count_ones();
    let length = (fork + on_edge) as usize;
    if proof.len() != length {
        return Err(MerkleError::ProofLength { expected: length, found: proof.len() });
    }
    let mut computed = leaf;
    for (level, sibling) in (0..).zip(proof) {
        computed = if level >= fork || (index >> level) & 1 == 1 {
            node_hash(*sibling, computed)
        } else {
            node_hash(computed, *sibling)
        };
    }
    Ok(computed)
}

/// Checks that `leaf` stands at `index` of the tree of `size` leaves whose root is `expected`.
///
/// # Errors
/// [`MerkleError`] where the index is beyond the tree, the proof has a length that no such proof
/// has, or it leads to another root.
pub fn verify_inclusion(
    expected: Digest,
    size: u64,
    index: u64,
    leaf: Digest,
    proof: &[Digest],
) -> Result<(), MerkleError> {
    let computed = root_of(size, index, leaf, proof)?;
    if computed == expected { Ok(()) } else { Err(MerkleError::OtherRoot { expected, computed }) }
}

/// SHA-256 of 0x01 and both children (RFC 6962 section 2.1).
fn node_hash(left: Digest, right: Digest) -> Digest {
    Digest::of_parts(&[&[0x01], &left.0, &right.0])
}

/// The largest power of two below `size`, which is at least 2.
fn left_size(size: usize) -> usize {
    size.div_ceil(2).next_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(size: usize) -> Vec<Digest> {
        (0..size).map(|n| leaf_hash(&n.to_be_bytes())).collect()
    }

    #[test]
    fn roots_of_the_reference_tree() {
        // The eight entries of the reference implementation of RFC 6962.
        let entries: [&[u8]; 8] = [
            b"",
            &[0x00],
            &[0x10],
            &[0x20, 0x21],
            &[0x30, 0x31],
            &[0x40, 0x41, 0x42, 0x43],
            &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
            &[
                0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d,
                0x6e, 0x6f,
            ],
        ];
        let hashes: Vec<Digest> = entries.iter().map(|entry| leaf_hash(entry)).collect();
        for (size, expected) in [
            (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
            (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
            (3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
            (5, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
            (7, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
            (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
        ] {
            assert_eq!(root(&hashes[..size]).to_string(), expected, "{size}");
        }
    }

    #[test]
    fn a_tree_of_one_leaf_is_proved_by_nothing() {
        let leaf = leaf_hash(b"only");
        assert_eq!(inclusion_proof(&[leaf], 0), Ok(vec![]));
        assert_eq!(verify_inclusion(root(&[leaf]), 1, 0, leaf, &[]), Ok(()));
    }

    #[test]
    fn an_index_at_or_beyond_the_size_is_refused() {
        let beyond = |index, size| Err(MerkleError::IndexBeyondSize { index, size });
        assert_eq!(verify_inclusion(root(&[]), 0, 0, Digest::ZERO, &[]), beyond(0, 0));
        assert_eq!(
            verify_inclusion(root(&[]), 5, u64::MAX, Digest::ZERO, &[]),
            beyond(u64::MAX, 5)
        );
        assert_eq!(
            inclusion_proof(&leaves(3), 3),
            Err(MerkleError::IndexBeyondSize { index: 3, size: 3 })
        );
    }

    #[test]
    fn the_widest_tree_does_not_overflow() {
        let refused = verify_inclusion(Digest::ZERO, u64::MAX, 0, Digest::ZERO, &[]);
        assert_eq!(refused, Err(MerkleError::ProofLength { expected: 64, found: 0 }));
    }

    #[test]
    fn a_salt_is_part_of_the_leaf() {
        assert_eq!(
            salted_leaf(&[7; 16], b"seen"),
            leaf_hash(&[&[7; 16], b"seen".as_slice()].concat())
        );
        assert_ne!(salted_leaf(&[7; 16], b"seen"), salted_leaf(&[8; 16], b"seen"));
    }

    proptest::proptest! {
        #[test]
        fn every_leaf_is_proved_where_it_stands_and_nowhere_else(
            size in 1_usize..70, pick: proptest::sample::Index, other: proptest::sample::Index,
        ) {
            let leaves = leaves(size);
            let (index, other) = (pick.index(size), other.index(size));
            let proof = inclusion_proof(&leaves, index).expect("index below size");
            let check = |at: usize, proof: &[Digest]| {
                verify_inclusion(root(&leaves), size as u64, at as u64, leaves[index], proof)
            };
            proptest::prop_assert_eq!(check(index, &proof), Ok(()));
            proptest::prop_assert_eq!(check(other, &proof).is_ok(), other == index);
            let longer = [proof.as_slice(), &[Digest::ZERO]].concat();
            let wrong = |found| Err(MerkleError::ProofLength { expected: proof.len(), found });
            proptest::prop_assert_eq!(check(index, &longer), wrong(longer.len()));
            if let Some((_, shorter)) = proof.split_last() {
                proptest::prop_assert_eq!(check(index, shorter), wrong(shorter.len()));
            }
        }
    }
}
