//! Draws for the table: one stream a run, and the distributions that let a run skip what nobody checks.

use crate::chance::seed_for;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// A stream of draws.
#[derive(Debug)]
pub struct Draws(ChaCha8Rng);

impl Draws {
    /// The stream of `seed` for `purpose`.
    #[must_use]
    pub fn new(seed: u64, purpose: &str) -> Self {
        Self(ChaCha8Rng::from_seed(seed_for(seed, purpose)))
    }

    /// Any number.
    pub fn any(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// From zero up to, not including, one.
    pub fn unit(&mut self) -> f64 {
        (self.any() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Between two bounds.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Whether something of chance `p` happens.
    pub fn happens(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// An index below `len`.
    pub fn index(&mut self, len: usize) -> usize {
        ((self.unit() * len as f64) as usize).min(len.saturating_sub(1))
    }

    /// How many trials of chance `p` fail before the first that succeeds.
    pub fn skip(&mut self, p: f64) -> u64 {
        if p >= 1.0 {
            return 0;
        }
        if p <= 0.0 {
            return u64::MAX;
        }
        let trials = (1.0 - self.unit()).ln() / (-p).ln_1p();
        if trials < 9e18 { trials as u64 } else { u64::MAX }
    }

    /// How many of `n` trials of chance `p` succeed.
    pub fn binomial(&mut self, n: u64, p: f64) -> u64 {
        if n == 0 || p <= 0.0 {
            return 0;
        }
        if p > 0.5 {
            return n - self.binomial(n, 1.0 - p);
        }
        let (mut seen, mut hits) = (self.skip(p), 0);
        while seen < n {
            hits += 1;
            seen = seen.saturating_add(1).saturating_add(self.skip(p));
        }
        hits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipping_and_counting_have_the_means_they_should() {
        let mut draws = Draws::new(1, "test");
        let skips: u64 = (0..20_000).map(|_| draws.skip(0.05)).sum();
        assert!((skips as f64 / 20_000.0 - 19.0).abs() < 0.6);
        let hits: u64 = (0..2_000).map(|_| draws.binomial(100, 0.7)).sum();
        assert!((hits as f64 / 2_000.0 - 70.0).abs() < 0.6);
        assert_eq!((draws.skip(1.0), draws.skip(0.0), draws.binomial(9, 1.0)), (0, u64::MAX, 9));
    }
}
