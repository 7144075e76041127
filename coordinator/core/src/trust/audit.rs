//! Where audits are likely to find disagreement.
//!
//! Decides by how much a page's audit rate is raised, from what audits of the same agent, site and region found so far; never
//! lowers it, so that the floor is uniform for ever and no agent, site or region goes unwatched. It keeps the score of its own
//! predictions beside that of a forecaster that knows the overall rate alone, and raises nothing while it is the worse one.

use serde::{Deserialize, Serialize};

/// The most by which a rate is raised, in thousandths.
pub const MOST: u32 = 2000;
/// Audits that a new agent, site or region counts for as much as, at the overall rate: without it, one early disagreement
/// would be taken for a rate.
const PRIOR: u64 = 100;
/// Audits after which the older half is forgotten.
const MEMORY: u64 = 1 << 14;
const MILLION: u64 = 1_000_000;

/// What audits of one agent, site or region found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    audits: u64,
    disagreed: u64,
}

impl Tally {
    /// No audit yet.
    pub const ZERO: Self = Self { audits: 0, disagreed: 0 };

    const fn add(&mut self, disagreed: bool) {
        self.audits += 1;
        self.disagreed += disagreed as u64;
        if self.audits >= MEMORY {
            self.audits /= 2;
            self.disagreed /= 2;
        }
    }

    /// Disagreements in a million audits, drawn towards `base`.
    const fn rate(self, base: u64) -> u64 {
        (self.disagreed * MILLION + base * PRIOR) / (self.audits + PRIOR)
    }
}

/// What all audits found, and how well their parts predict the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Forecast {
    all: Tally,
    /// Sums of squared errors (Brier, 1950), in millionths: its own, and that of the overall rate.
    loss: u64,
    plain_loss: u64,
}

impl Forecast {
    /// The overall rate of disagreement in a million audits, with one disagreement in a hundred to begin with.
    fn base(&self) -> u64 {
        self.all.rate(MILLION / 100).max(1)
    }

    /// Disagreements it expects in a million audits of a page of this agent, site and region.
    #[must_use]
    pub fn predicted(&self, places: &[Tally]) -> u64 {
        let base = self.base();
        combined(places.iter().map(|tally| tally.rate(base)), base)
    }

    /// By how much to raise the audit rate here, in thousandths: from 1000 (not at all) to [`MOST`].
    #[must_use]
    pub fn boost(&self, places: &[Tally]) -> u32 {
        if self.loss > self.plain_loss {
            return 1000;
        }
        let ratio = self.predicted(places) * 1000 / self.base();
        u32::try_from(ratio).unwrap_or(MOST).clamp(1000, MOST)
    }

    /// Learns from an audit, after scoring what it had expected of it.
    pub fn learn(&mut self, places: &mut [&mut Tally], disagreed: bool) {
        let base = self.base();
        let predicted = combined(places.iter().map(|tally| tally.rate(base)), base);
        let error = |predicted: u64| {
            let miss = predicted.abs_diff(if disagreed { MILLION } else { 0 });
            miss * miss / MILLION
        };
        self.loss = self.loss.saturating_add(error(predicted));
        self.plain_loss = self.plain_loss.saturating_add(error(base));
        if self.all.audits + 1 >= MEMORY {
            self.loss /= 2;
            self.plain_loss /= 2;
        }
        self.all.add(disagreed);
        places.iter_mut().for_each(|tally| tally.add(disagreed));
    }

    /// Its loss and that of the overall rate, over the same audits; comparable with each other only.
    #[must_use]
    pub const fn losses(&self) -> (u64, u64) {
        (self.loss, self.plain_loss)
    }
}

/// Each part's rate over the overall one, multiplied, as if they were independent; at most one in two.
fn combined(rates: impl Iterator<Item = u64>, base: u64) -> u64 {
    let base = u128::from(base.max(1));
    let whole = |(product, square): (u128, u128), rate: u64| {
        (product.saturating_mul(rate.into()), square.saturating_mul(base))
    };
    let (product, power) = rates.fold((base, 1), whole);
    u64::try_from(product / power).unwrap_or(MILLION).min(MILLION / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Fifty agents on twenty sites, of which one disagrees.
    fn one_bad_site() -> (Forecast, [Tally; 50], [Tally; 20]) {
        let (mut forecast, mut agents, mut sites) =
            (Forecast::default(), [Tally::default(); 50], [Tally::default(); 20]);
        for round in 0..2000 {
            let site = round % 20;
            forecast.learn(&mut [&mut agents[round % 50], &mut sites[site]], site == 7);
        }
        (forecast, agents, sites)
    }

    #[test]
    fn it_finds_the_site_that_disagrees() {
        let (forecast, agents, sites) = one_bad_site();
        assert_eq!(forecast.boost(&[agents[3], sites[7]]), MOST);
        assert_eq!(forecast.boost(&[agents[3], sites[8]]), 1000);
        let (own, plain) = forecast.losses();
        assert!(own < plain, "{own} {plain}");
    }

    #[test]
    fn it_raises_nothing_while_it_predicts_worse_than_the_overall_rate() {
        let (mut forecast, agents, sites) = one_bad_site();
        forecast.loss = forecast.plain_loss + 1;
        assert_eq!(forecast.boost(&[agents[3], sites[7]]), 1000);
    }

    proptest! {
        /// Never below the floor, never above the cap, whatever it saw.
        #[test]
        fn it_only_raises(audits in proptest::collection::vec((0usize..4, 0usize..4, any::<bool>()), 0..300)) {
            let (mut forecast, mut agents, mut sites) =
                (Forecast::default(), [Tally::default(); 4], [Tally::default(); 4]);
            for (agent, site, disagreed) in audits {
                forecast.learn(&mut [&mut agents[agent], &mut sites[site]], disagreed);
                let places = [agents[agent], sites[site]];
                prop_assert!((1000..=MOST).contains(&forecast.boost(&places)));
                prop_assert!(forecast.predicted(&places) <= MILLION / 2);
            }
        }
    }
}
