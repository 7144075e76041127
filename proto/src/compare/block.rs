//! The blocks of a page, as they travel.
//!
//! Decides their form, their bound and what their one digest covers. Never decides where a block of a page ends: that
//! is `sward-page`, which both sides run.

use crate::digest::Digest;
use crate::wire::bounds::{self, WireError};
use std::collections::BTreeMap;

/// The most blocks of one page; a page with more has them grouped.
pub const MAX_BLOCKS: usize = 256;

/// Bytes of one block's digest.
pub const BLOCK_BYTES: usize = 8;

/// The first line of what a list's digest covers.
const DOMAIN: &[u8] = b"sward/blocks/v1\n";

/// The first 64 bits of a SHA-256 over one block. A second page that hides a change behind them costs its forger
/// 2^64 tries for each block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Block(pub [u8; BLOCK_BYTES]);

/// The first line of what a block's digest covers.
const PIECE_DOMAIN: &[u8] = b"sward/block/v1\n";

impl Block {
    /// The block of a piece in the block element `name`; `covered` is what it says, a line each for a run of text, which
    /// begins with `"`, and for an attribute.
    #[must_use]
    pub fn of_piece(name: &str, covered: &str) -> Self {
        Self::of_parts(&[PIECE_DOMAIN, name.as_bytes(), b"\n", covered.as_bytes()])
    }

    /// The digest of what one block covers.
    #[must_use]
    pub fn of_parts(parts: &[&[u8]]) -> Self {
        let Digest(whole) = Digest::of_parts(parts);
        let [a, b, c, d, e, f, g, h, ..] = whole;
        Self([a, b, c, d, e, f, g, h])
    }
}

/// A page's blocks in document order, at most [`MAX_BLOCKS`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BlockList(Vec<Block>);

impl BlockList {
    /// A list.
    ///
    /// # Errors
    /// [`WireError`] for more than [`MAX_BLOCKS`].
    pub fn new(blocks: Vec<Block>) -> Result<Self, WireError> {
        bounds::at_most("blocks", blocks.len(), MAX_BLOCKS)?;
        Ok(Self(blocks))
    }

    /// The blocks in order.
    #[must_use]
    pub fn blocks(&self) -> &[Block] {
        &self.0
    }

    /// The bytes that travel: the digests one after the other.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|block| block.0).collect()
    }

    /// The inverse of [`Self::to_bytes`].
    ///
    /// # Errors
    /// [`WireError`] for more than [`MAX_BLOCKS`], or a length that is no multiple of [`BLOCK_BYTES`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let (blocks, rest) = bytes.as_chunks::<BLOCK_BYTES>();
        if !rest.is_empty() {
            return Err(WireError::invalid("blocks", format!("{} bytes", bytes.len())));
        }
        Self::new(blocks.iter().map(|block| Block(*block)).collect())
    }

    /// What an attestation says of the list: SHA-256 over `sward/blocks/v1`, a line feed and [`Self::to_bytes`].
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of_parts(&[DOMAIN, &self.to_bytes()])
    }

    /// How often each block stands in the list.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<Block, usize> {
        let mut counts = BTreeMap::new();
        for block in &self.0 {
            *counts.entry(*block).or_default() += 1;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_come_back_and_are_bounded() {
        let list = BlockList::new(vec![Block([1; 8]), Block([2; 8])]).expect("short");
        assert_eq!(BlockList::from_bytes(&list.to_bytes()), Ok(list.clone()));
        assert!(BlockList::from_bytes(&[0; 12]).is_err());
        assert!(BlockList::from_bytes(&[0; 8 * (MAX_BLOCKS + 1)]).is_err());
        let turned = BlockList::new(vec![Block([2; 8]), Block([1; 8])]).expect("short");
        assert_ne!(list.digest(), turned.digest());
        assert_eq!(list.counts(), turned.counts());
    }
}
