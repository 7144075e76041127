//! A probability as whole millionths, so that what decides about money is integer arithmetic.
//!
//! Decides how rates are held, scaled and drawn against. Never makes the draw: chance is an argument.

use serde::{Deserialize, Serialize};

const MILLION: u32 = 1_000_000;

/// A probability, in millionths, never above one.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Rate(u32);

impl Rate {
    /// Never.
    pub const ZERO: Self = Self(0);
    /// Always.
    pub const ONE: Self = Self(MILLION);

    /// From millionths; more than a million is one.
    #[must_use]
    pub const fn millionths(ppm: u32) -> Self {
        Self(if ppm > MILLION { MILLION } else { ppm })
    }

    /// `part` out of `whole`; one where the whole is zero.
    #[must_use]
    pub fn of(part: u64, whole: u64) -> Self {
        let scaled = u128::from(part) * u128::from(MILLION);
        let ppm = scaled.checked_div(u128::from(whole)).unwrap_or(u128::from(MILLION));
        Self::millionths(u32::try_from(ppm).unwrap_or(MILLION))
    }

    /// In millionths.
    #[must_use]
    pub const fn ppm(self) -> u32 {
        self.0
    }

    /// As a fraction, for what is reported and simulated; never for what is paid.
    #[must_use]
    pub fn fraction(self) -> f64 {
        f64::from(self.0) / f64::from(MILLION)
    }

    /// This rate times `thousandths` / 1000, at most one.
    #[must_use]
    pub fn times(self, thousandths: u32) -> Self {
        let scaled = u64::from(self.0) * u64::from(thousandths) / 1000;
        Self::millionths(u32::try_from(scaled).unwrap_or(MILLION))
    }

    /// Whether an even draw over all 64-bit numbers falls within this rate.
    #[must_use]
    pub const fn hit(self, draw: u64) -> bool {
        ((draw as u128 * MILLION as u128) >> 64) < self.0 as u128
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_are_certain() {
        for draw in [0, 1, u64::MAX / 2, u64::MAX] {
            assert!(Rate::ONE.hit(draw));
            assert!(!Rate::ZERO.hit(draw));
        }
        assert_eq!(Rate::of(1, 0), Rate::ONE);
        assert_eq!(Rate::of(1, 3).ppm(), 333_333);
    }

    proptest::proptest! {
        /// A draw hits exactly when its place among all draws is below the rate.
        #[test]
        fn a_hit_is_a_place_below_the_rate(ppm in 0u32..=MILLION, draw: u64) {
            let place = draw as f64 / 2f64.powi(64) * f64::from(MILLION);
            if (place - f64::from(ppm)).abs() > 1e-6 {
                proptest::prop_assert_eq!(Rate::millionths(ppm).hit(draw), place < f64::from(ppm));
            }
        }
    }
}
