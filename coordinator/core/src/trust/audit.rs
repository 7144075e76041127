//! Where audits are likely to find disagreement.
//!
//! Decides by how much a page's audit rate is raised, from what audits of the same agent, site and region found so far; never
//! lowers it, so that the floor is uniform for ever and no agent, site or region goes unwatched. It keeps the score of its own
//! predictions beside that of a forecaster that knows the overall rate alone, and raises nothing while it is the worse one.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most by which a rate is raised, in thousandths.
pub const MOST: u32 = 2000;
/// Audits that a new agent, site or region counts for as much as, at the overall rate: without it, one early disagreement
/// would be taken for a rate.
const PRIOR: u64 = 100;
/// Audits after which the older half is forgotten.
const MEMORY: u64 = 1 << 14;
const MILLION: u64 = 1_000_000;

/// What is audited, by whatever numbers the caller knows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The first fetcher.
    pub agent: u64,
    /// The site.
    pub site: u64,
    /// The region that it was fetched from.
    pub region: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Tally {
    audits: u64,
    disagreed: u64,
}

impl Tally {
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

/// What audits found, and how well that predicts the next.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Allocator {
    all: Tally,
    agents: BTreeMap<u64, Tally>,
    sites: BTreeMap<u64, Tally>,
    regions: BTreeMap<u64, Tally>,
    /// Sums of squared errors (Brier, 1950), in millionths: its own, and that of the overall rate.
    loss: u64,
    plain_loss: u64,
}

impl Allocator {
    /// The overall rate of disagreement in a million audits, with one disagreement in a hundred to begin with.
    fn base(&self) -> u64 {
        self.all.rate(MILLION / 100).max(1)
    }

    /// Disagreements it expects in a million audits of this kind.
    #[must_use]
    pub fn predicted(&self, place: Place) -> u64 {
        let base = self.base();
        let of = |tallies: &BTreeMap<u64, Tally>, key| {
            tallies.get(&key).copied().unwrap_or_default().rate(base)
        };
        let rates = [
            of(&self.agents, place.agent),
            of(&self.sites, place.site),
            of(&self.regions, place.region),
        ];
        combined(rates, base)
    }

    /// By how much to raise the audit rate here, in thousandths: from 1000 (not at all) to [`MOST`].
    #[must_use]
    pub fn boost(&self, place: Place) -> u32 {
        if self.loss > self.plain_loss {
            return 1000;
        }
        let ratio = self.predicted(place) * 1000 / self.base();
        u32::try_from(ratio).unwrap_or(MOST).clamp(1000, MOST)
    }

    /// Learns from an audit, after scoring what it had expected of it.
    pub fn learn(&mut self, place: Place, disagreed: bool) {
        let base = self.base();
        let tallies = [
            self.agents.entry(place.agent).or_default(),
            self.sites.entry(place.site).or_default(),
            self.regions.entry(place.region).or_default(),
        ];
        let mut rates = [base; 3];
        for (tally, rate) in tallies.into_iter().zip(&mut rates) {
            *rate = tally.rate(base);
            tally.add(disagreed);
        }
        let error = |predicted: u64| {
            let miss = predicted.abs_diff(if disagreed { MILLION } else { 0 });
            miss * miss / MILLION
        };
        self.loss = self.loss.saturating_add(error(combined(rates, base)));
        self.plain_loss = self.plain_loss.saturating_add(error(base));
        if self.all.audits + 1 >= MEMORY {
            self.loss /= 2;
            self.plain_loss /= 2;
        }
        self.all.add(disagreed);
    }

    /// Its loss and that of the overall rate, over the same audits; comparable with each other only.
    #[must_use]
    pub const fn losses(&self) -> (u64, u64) {
        (self.loss, self.plain_loss)
    }

    /// The agent is gone.
    pub fn forget(&mut self, agent: u64) {
        self.agents.remove(&agent);
    }
}

/// Each place's rate over the overall one, multiplied, as if the three were independent; at most one in two.
fn combined(rates: [u64; 3], base: u64) -> u64 {
    let product = rates.into_iter().map(u128::from).product::<u128>();
    let square = u128::from(base) * u128::from(base);
    u64::try_from(product / square.max(1)).unwrap_or(MILLION).min(MILLION / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn place(agent: u64, site: u64) -> Place {
        Place { agent, site, region: 0 }
    }

    fn one_bad_site() -> Allocator {
        let mut allocator = Allocator::default();
        for round in 0..2000u64 {
            allocator.learn(place(round % 50, round % 20), round % 20 == 7);
        }
        allocator
    }

    #[test]
    fn it_finds_the_site_that_disagrees() {
        let allocator = one_bad_site();
        assert_eq!(allocator.boost(place(3, 7)), MOST);
        assert_eq!(allocator.boost(place(3, 8)), 1000);
        let (own, plain) = allocator.losses();
        assert!(own < plain, "{own} {plain}");
    }

    #[test]
    fn it_raises_nothing_while_it_predicts_worse_than_the_overall_rate() {
        let mut allocator = one_bad_site();
        allocator.loss = allocator.plain_loss + 1;
        assert_eq!(allocator.boost(place(3, 7)), 1000);
    }

    proptest! {
        /// Never below the floor, never above the cap, whatever it saw.
        #[test]
        fn it_only_raises(audits in proptest::collection::vec((0u64..4, 0u64..4, any::<bool>()), 0..300)) {
            let mut allocator = Allocator::default();
            for (agent, site, disagreed) in audits {
                allocator.learn(place(agent, site), disagreed);
                prop_assert!((1000..=MOST).contains(&allocator.boost(place(agent, site))));
                prop_assert!(allocator.predicted(place(site, agent)) <= MILLION / 2);
            }
        }
    }
}
