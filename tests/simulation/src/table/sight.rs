//! What the comparison sees: chances that the runs use, measured on real pages or assumed.

use super::attack::Attack;
use super::page::Kind;
use sward_coordinator_core::trust::evidence::Volatility;

/// Chances and sizes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sight {
    /// That a page which was never fetched is seen not to be the one asked for.
    pub invented: f64,
    /// That a changed block is.
    pub block: f64,
    /// That an old copy is, where the page has changed since.
    pub old: f64,
    /// That two honest loads of a page that is not static disagree, for what a page varies by from load to load.
    pub noise: f64,
    /// That two such loads agree only nearly, and so want a third.
    pub near: f64,
    /// Bytes of a page.
    pub bytes: f64,
}

impl Sight {
    /// Without real pages: the goals of section C of the research on validation for what is seen, no noise but that of pages
    /// that split (page.rs), and pages of 60 KB.
    pub const ASSUMED: Self =
        Self { invented: 1.0, block: 0.99, old: 1.0, noise: 0.0, near: 0.0, bytes: 60_000.0 };

    /// The chance that a comparison sees an attack's forgery.
    #[must_use]
    pub const fn of(&self, attack: Attack) -> f64 {
        match attack {
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
        }
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

    /// The chance that a first comparison wants a third result, though nobody contradicts anybody.
    #[must_use]
    pub const fn wants_third(&self, kind: &Kind) -> f64 {
        if matches!(kind.volatility, Volatility::Static) { 0.0 } else { self.near }
    }
}
