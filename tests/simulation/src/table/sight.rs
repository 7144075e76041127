//! What comparisons see: chances that the runs use, measured on real pages or assumed.

use super::attack::Attack;
use super::page::Kind;
use sward_coordinator_core::trust::evidence::Volatility;

/// What a check sees of a forgery.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// The chance that its agent is held to it.
    pub found: f64,
    /// The chance that the page is published without it, and nothing else follows.
    pub withheld: f64,
}

impl Seen {
    /// All of it.
    pub const ALL: Self = Self { found: 1.0, withheld: 0.0 };
}

/// Chances and sizes; the first of two is for static pages, the second for those that vary from load to load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sight {
    /// Of a page that was never fetched.
    pub invented: [Seen; 2],
    /// Of a changed block.
    pub block: [Seen; 2],
    /// Of an old copy, where the page has changed since.
    pub old: [Seen; 2],
    /// The chance that two honest loads of a page that varies are taken for different ones.
    pub noise: f64,
    /// Results that a check of such a page wants beyond the two, though nobody contradicts anybody.
    pub further: f64,
    /// Bytes of a page.
    pub bytes: f64,
}

impl Sight {
    /// Without real pages: the goals of section C of the research on validation for what is seen, no noise but that of pages
    /// that split (page.rs), and pages of 60 KB.
    pub const ASSUMED: Self = Self {
        invented: [Seen::ALL; 2],
        block: [Seen { found: 0.99, withheld: 0.0 }; 2],
        old: [Seen::ALL; 2],
        noise: 0.0,
        further: 0.0,
        bytes: 60_000.0,
    };

    /// What a check sees of an attack's forgery of such a page.
    #[must_use]
    pub const fn of(&self, attack: Attack, kind: &Kind) -> Seen {
        let [on_static, varying] = match attack {
            Attack::BlockEditor => self.block,
            Attack::Replayer => self.old,
            Attack::LoneForger
            | Attack::Sleeper
            | Attack::Colluders
            | Attack::Farm
            | Attack::Copier
            | Attack::Bait
            | Attack::Denial
            | Attack::DropOut
            | Attack::Casual
            | Attack::DenyAndForge => self.invented,
        };
        if matches!(kind.volatility, Volatility::Static) { on_static } else { varying }
    }

    /// The chance that a page shows two versions at the moment, or that a comparison takes one for two.
    #[must_use]
    pub fn splits(&self, kind: &Kind) -> f64 {
        if kind.volatility == Volatility::Static {
            return kind.splits();
        }
        // Of a page with a rare version of a share from 0.1 to 0.5, two loads differ with chance 0.393 on average.
        kind.splits() + self.noise / 0.393
    }

    /// Further results that a check of such a page wants.
    #[must_use]
    pub const fn further(&self, kind: &Kind) -> f64 {
        if matches!(kind.volatility, Volatility::Static) { 0.0 } else { self.further }
    }
}
