//! The attackers: what they answer, with whom they share it, and what they may tune.

use super::baseline::Scheme;
use super::draw::Draws;
use super::page::{KINDS, Kind};
use clap::ValueEnum;
use serde::Serialize;
use sward_coordinator_core::trust::evidence::Volatility;

/// The attacks of section E of the research on validation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Attack {
    /// Forges every page from the first, alone.
    LoneForger,
    /// Is honest on probation, then forges some, alone.
    Sleeper,
    /// As the sleeper, and all attackers answer the same.
    Colluders,
    /// As colluders, ten identities behind each prefix.
    Farm,
    /// Does not fetch; copies from one accomplice where it can, else invents.
    Copier,
    /// Hands in old copies.
    Replayer,
    /// As colluders, changing one block.
    BlockEditor,
    /// Five pages in a hundred genuine, from the first.
    Bait,
    /// Contradicts others' results, with one voice, to frame them.
    Denial,
    /// Is honest on probation, forges a burst, leaves, and comes back under a new name.
    DropOut,
    /// As the sleeper, with identities that do only a hundred pages a day each.
    Casual,
    /// As colluders, and contradicts others' results as well, so that checking is busy elsewhere.
    DenyAndForge,
}

/// Pages a day of an identity of [`Attack::Casual`].
pub const CASUAL: u32 = 100;

/// What an attacker tunes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Tuning {
    /// The share of aimed-at pages that it forges.
    pub rate: f64,
    /// Which pages.
    pub aim: Aim,
    /// Pages of a burst, for those that leave after it; zero for none.
    pub burst: u32,
    /// The share of others' results that it contradicts, beside its forging.
    pub denies: f64,
}

impl Tuning {
    /// Every page.
    #[must_use]
    pub const fn always() -> Self {
        Self { rate: 1.0, aim: Aim::All, burst: 0, denies: 0.0 }
    }
}

/// Which pages an attacker forges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Aim {
    /// Any.
    All,
    /// Static ones, which are half of all.
    Static,
    /// Noisy ones.
    Noisy,
    /// Those on which a difference proves little: rolling, regional, without TLS.
    Weak,
}

impl Aim {
    /// Whether pages of this kind are forged.
    #[must_use]
    pub const fn takes(self, kind: &Kind) -> bool {
        let weak =
            kind.open_path || matches!(kind.volatility, Volatility::Rolling | Volatility::Geo);
        kind.is_certifiable()
            && match self {
                Self::All => true,
                Self::Static => matches!(kind.volatility, Volatility::Static),
                Self::Noisy => !weak && matches!(kind.volatility, Volatility::Noisy),
                Self::Weak => weak,
            }
    }

    /// The share of all pages that it takes.
    #[must_use]
    pub fn share(self) -> f64 {
        KINDS.iter().filter(|kind| self.takes(kind)).map(|kind| kind.share).sum()
    }
}

/// What a cheat hands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// What an honest fetch shows, fetched or not.
    True,
    /// Something else.
    Forged,
    /// An old copy that is out of date.
    Old,
}

impl Attack {
    /// Its name, as on the command line and in the files.
    #[must_use]
    pub fn name(self) -> String {
        self.to_possible_value()
            .map_or_else(String::new, |value| value.get_name().replace('-', "_"))
    }

    /// Whether attackers give one and the same false answer for a page.
    #[must_use]
    pub const fn shares(self) -> bool {
        match self {
            Self::Colluders
            | Self::Farm
            | Self::BlockEditor
            | Self::Denial
            | Self::DenyAndForge => true,
            Self::LoneForger
            | Self::Sleeper
            | Self::Copier
            | Self::Replayer
            | Self::Bait
            | Self::DropOut
            | Self::Casual => false,
        }
    }

    /// Whether it is honest until its first probation is over.
    #[must_use]
    pub const fn waits(self) -> bool {
        !matches!(self, Self::LoneForger | Self::Bait | Self::Denial)
    }

    /// Identities behind one prefix, which count and are given work as one group.
    #[must_use]
    pub const fn identities_a_group(self) -> u32 {
        if matches!(self, Self::Farm) { 10 } else { 1 }
    }

    /// Whether what it hands in was fetched, in the share of pages that it cheats on.
    #[must_use]
    pub const fn fetches_what_it_forges(self) -> bool {
        matches!(self, Self::BlockEditor | Self::Denial)
    }

    /// The share of a page kind on which an attacker cheats, once it does.
    #[must_use]
    pub fn rate_on(self, kind: &Kind, tuning: Tuning) -> f64 {
        match self {
            Self::Denial => 0.0,
            Self::LoneForger if kind.is_certifiable() => 1.0,
            Self::Bait if kind.is_certifiable() => 0.95,
            Self::LoneForger | Self::Bait => 0.0,
            Self::Sleeper
            | Self::Colluders
            | Self::Farm
            | Self::Copier
            | Self::Replayer
            | Self::BlockEditor
            | Self::DropOut
            | Self::Casual
            | Self::DenyAndForge => {
                if tuning.aim.takes(kind) {
                    tuning.rate
                } else {
                    0.0
                }
            }
        }
    }

    /// The chance that an attacker who fetches as somebody's second cheats there.
    #[must_use]
    pub fn rate_as_partner(self, kind: &Kind, tuning: Tuning) -> f64 {
        if self == Self::Denial {
            tuning.rate
        } else {
            self.rate_on(kind, tuning).max(tuning.denies)
        }
    }

    /// What it hands in for a page on which it cheats. A `ringer` is drawn from pages that are known to have changed.
    pub fn cheat(self, kind: &Kind, ringer: bool, draws: &mut Draws) -> Answer {
        match self {
            Self::Replayer if ringer || draws.happens(kind.outdates()) => Answer::Old,
            Self::Replayer => Answer::True,
            Self::LoneForger
            | Self::Sleeper
            | Self::Colluders
            | Self::Farm
            | Self::Copier
            | Self::BlockEditor
            | Self::Bait
            | Self::Denial
            | Self::DropOut
            | Self::Casual
            | Self::DenyAndForge => Answer::Forged,
        }
    }

    /// The grid that it is optimised on. `scale` is the rate at which about one forgery is checked in a hold window of
    /// Sward's; schemes without one leave room for more.
    #[must_use]
    pub fn grid(self, scale: f64, scheme: Scheme) -> Vec<Tuning> {
        let all = |rate| Tuning { rate, ..Tuning::always() };
        match self {
            Self::LoneForger | Self::Bait => vec![Tuning::always()],
            Self::Denial => [0.01, 0.1, 1.0].map(all).to_vec(),
            _ if scheme != Scheme::Sward => [0.01, 0.1, 0.3, 1.0].map(all).to_vec(),
            Self::DropOut => bursts(),
            Self::Sleeper
            | Self::Colluders
            | Self::Farm
            | Self::Copier
            | Self::Replayer
            | Self::BlockEditor
            | Self::Casual => aims(scale, &[0.0]),
            Self::DenyAndForge => aims(scale, &[0.01, 0.1]),
        }
    }
}

/// Every aim at several rates, with each of some rates of denial.
fn aims(scale: f64, denials: &[f64]) -> Vec<Tuning> {
    let mut grid = Vec::new();
    for aim in [Aim::All, Aim::Static, Aim::Noisy, Aim::Weak] {
        for times in [0.2, 0.5, 1.0, 2.0, 4.0, 10.0] {
            let rate = (times * scale / aim.share()).min(1.0);
            grid.extend(denials.iter().map(|denies| Tuning {
                rate,
                aim,
                burst: 0,
                denies: *denies,
            }));
        }
    }
    grid
}

/// Any tuning of an attack: rates spread evenly by their logarithm, from a twentieth of `scale` to thirty times it.
pub fn random(attack: Attack, scale: f64, draws: &mut Draws) -> Tuning {
    let aims = [Aim::All, Aim::Static, Aim::Noisy, Aim::Weak];
    let aim = aims.get(draws.index(aims.len())).copied().unwrap_or(Aim::All);
    let rate = (scale * logarithmic(0.05, 30.0, draws) / aim.share()).min(1.0);
    let denies = if attack == Attack::DenyAndForge { logarithmic(0.001, 1.0, draws) } else { 0.0 };
    if attack == Attack::DropOut {
        let burst = logarithmic(2.0, 5000.0, draws) as u32;
        return Tuning { rate: logarithmic(0.01, 1.0, draws), aim, burst, denies };
    }
    Tuning { rate, aim, burst: 0, denies }
}

fn logarithmic(low: f64, high: f64, draws: &mut Draws) -> f64 {
    draws.between(low.ln(), high.ln()).exp()
}

/// Bursts of several lengths, of which little or all is forged.
fn bursts() -> Vec<Tuning> {
    let mut grid = Vec::new();
    for burst in [12, 40, 150, 500, 2000] {
        for aim in [Aim::All, Aim::Static, Aim::Noisy] {
            grid.extend([0.02, 0.07, 0.25, 1.0].map(|rate| Tuning {
                rate,
                aim,
                burst,
                denies: 0.0,
            }));
        }
    }
    grid
}
