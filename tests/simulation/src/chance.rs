//! The one source of chance: independent streams, each drawn from the seed and a purpose.
//!
//! A purpose of its own for each part keeps one part's draws from shifting another's.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use sward_proto::digest::Digest;

/// A stream of draws.
#[derive(Debug)]
pub struct Chance(ChaCha12Rng);

impl Chance {
    /// The stream of `seed` for `purpose`.
    #[must_use]
    pub fn new(seed: u64, purpose: &str) -> Self {
        Self(ChaCha12Rng::from_seed(seed_for(seed, purpose)))
    }

    /// A number from zero up to, not including, `count`; zero where there is none.
    pub fn below(&mut self, count: u64) -> u64 {
        self.0.next_u64() % count.max(1)
    }

    /// An index into something of `len` entries.
    pub fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or_default()
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True once in `count` draws.
    pub fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }
}

/// Thirty-two bytes for a purpose: keys, and the seeds of the cores' own generators.
#[must_use]
pub fn seed_for(seed: u64, purpose: &str) -> [u8; 32] {
    Digest::of_parts(&[&seed.to_be_bytes(), purpose.as_bytes()]).0
}

/// SplitMix64's finaliser (Steele, Lea, Flood 2014): spreads consecutive numbers evenly.
#[must_use]
pub const fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}
