//! What pages are like: the mix of section E of the research on validation, and how honest fetches of them differ.

use super::draw::Draws;
use sward_coordinator_core::trust::evidence::{Excuse, Volatility};
use sward_coordinator_core::trust::replication::Stake;

/// Kinds of page that differ in how they are checked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kind {
    /// How much it changes.
    pub volatility: Volatility,
    /// Whether it comes without TLS.
    pub open_path: bool,
    /// Its share of all pages.
    pub share: f64,
}

/// Of pages that can be certified, this many come without TLS (assumed).
const OPEN: f64 = 0.05;

const fn kind(volatility: Volatility, share: f64) -> Kind {
    Kind { volatility, open_path: false, share: share * (1.0 - OPEN) }
}

/// The default mix: static 45 %, noisy 30 %, rolling 12 %, geo-variant 8 %, personalised 5 %; and the same without TLS.
pub const KINDS: [Kind; 6] = [
    kind(Volatility::Static, 0.45),
    kind(Volatility::Noisy, 0.30),
    kind(Volatility::Rolling, 0.12),
    kind(Volatility::Geo, 0.08),
    Kind { volatility: Volatility::Personalised, open_path: false, share: 0.05 },
    Kind { volatility: Volatility::Noisy, open_path: true, share: 0.95 * OPEN },
];

impl Kind {
    /// What may excuse a difference on any such page.
    #[must_use]
    pub const fn excuse(&self) -> Excuse {
        if self.open_path { Excuse::OpenPath } else { Excuse::Nothing }
    }

    /// How much more it is audited: twice where a difference says little.
    #[must_use]
    pub fn stake(&self) -> Stake {
        let little =
            self.open_path || matches!(self.volatility, Volatility::Rolling | Volatility::Geo);
        Stake { novelty: if little { 2000 } else { 1000 }, ..Stake::ORDINARY }
    }

    /// Whether its content is accepted at all; personalised pages are paid flat and labelled so.
    #[must_use]
    pub const fn is_certifiable(&self) -> bool {
        !matches!(self.volatility, Volatility::Personalised)
    }

    /// The chance that its stable blocks change for good in the five minutes until an audit: half of all pages unchanged
    /// after a year, 40 % changed in a week, 23 % in a day (Ntoulas 2004; Cho and Garcia-Molina 2000).
    #[must_use]
    pub const fn changes(&self) -> f64 {
        match self.volatility {
            Volatility::Static => 6.6e-6,
            Volatility::Noisy | Volatility::Geo => 2.5e-4,
            Volatility::Rolling | Volatility::Personalised => 9e-4,
        }
    }

    /// The chance that it serves two versions at the moment, beyond what the comparison layers reconcile (assumed).
    #[must_use]
    pub const fn splits(&self) -> f64 {
        match self.volatility {
            Volatility::Static => 2e-4,
            Volatility::Noisy => 1e-2,
            Volatility::Rolling | Volatility::Geo | Volatility::Personalised => 5e-2,
        }
    }

    /// The chance that an old copy of it in a cheat's cache is out of date.
    #[must_use]
    pub const fn outdates(&self) -> f64 {
        match self.volatility {
            Volatility::Static => 0.05,
            Volatility::Noisy | Volatility::Geo => 0.4,
            Volatility::Rolling | Volatility::Personalised => 1.0,
        }
    }
}

/// Draws the kind of a page.
pub fn draw_kind(draws: &mut Draws) -> usize {
    let mut place = draws.unit();
    for (index, kind) in KINDS.iter().enumerate() {
        place -= kind.share;
        if place < 0.0 {
            return index;
        }
    }
    0
}

/// Sites: a tenth of them split pages five times as often as the rest.
pub const SITES: usize = 200;

/// How much more often pages of a site split than of the average one.
#[must_use]
pub const fn site_noise(site: usize) -> f64 {
    if site.is_multiple_of(10) { 5.0 / 1.4 } else { 1.0 / 1.4 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mix_is_whole() {
        let whole: f64 = KINDS.iter().map(|kind| kind.share).sum();
        assert!((whole - 1.0).abs() < 1e-9);
        let noise: f64 = (0..SITES).map(site_noise).sum::<f64>() / SITES as f64;
        assert!((noise - 1.0).abs() < 1e-9);
    }
}
