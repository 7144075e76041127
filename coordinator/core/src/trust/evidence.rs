//! What the checks of an agent say about whether it forges.
//!
//! Decides how much each check weighs, by the page's volatility and by how it was checked, and when it is enough to convict.
//! Never convicts on one event, and never on a difference that the page, the path or a region explains.
//!
//! The measure is a cumulative sum of log-likelihood ratios (Page, Biometrika 41, 1954): each check adds
//! ln(P(check | forger) / P(check | honest)), the sum never falls below zero, and conviction takes
//! ln((1 - beta) / alpha). **How the threshold follows**: a sum that starts at an event of a class with honest rate d begins
//! at ln(S/d), where S is the forger's rate; by Ville's inequality it reaches h with a chance of at most S/d * e^-h; such
//! starts come with d a check, so that honest agents are convicted at most S * e^-h a check, whatever the mixture of
//! classes and whenever checks are drawn. With N checks in a hold window, N * S * e^-h <= 1e-5 gives
//! h = ln(N * S / 1e-5), that is alpha = 1e-5 / (N * S), as long as the honest rates below are upper bounds.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;
use sward_proto::ids::TaskId;
pub use sward_proto::quorum::ruling::CONFIRMATIONS;
use sward_proto::timestamp::Timestamp;

/// How much a page changes between two honest fetches at about the same time.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Volatility {
    /// Not at all.
    Static,
    /// Around its stable blocks; or nobody knows yet.
    #[default]
    Noisy,
    /// By the hour: feeds, front pages.
    Rolling,
    /// With the region that it is fetched from.
    Geo,
    /// With every visitor: not certifiable.
    Personalised,
}

impl Volatility {
    /// Every class.
    pub const ALL: [Self; 5] =
        [Self::Static, Self::Noisy, Self::Rolling, Self::Geo, Self::Personalised];

    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Noisy => "noisy",
            Self::Rolling => "rolling",
            Self::Geo => "geo",
            Self::Personalised => "personalised",
        }
    }
}

/// How a result was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// By an independent agent that fetched the page some minutes later.
    Replica,
    /// By a trusted fetch within half a minute: a change of the page between explains little, and accomplices cannot back it.
    Concurrent,
    /// By a page of the coordinator's own that says something else to every agent.
    Beacon,
}

/// What might explain a difference, though it does not excuse many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Excuse {
    /// Nothing.
    Nothing,
    /// The content is an older copy of the page: caches and mirrors serve those.
    OldCopy,
    /// The page came without TLS: anybody on the path could have changed it.
    OpenPath,
}

impl Excuse {
    /// The honest rate that it accounts for, per thousand million checks. Assumed: one stale copy in two thousand; and one
    /// altered page in two hundred over open paths, where about 1 % of clients met alterations at all (Reis et al., NSDI 2008).
    /// Single agents may be far above it, as they may be with regional pages: those are kept from such pages before that
    /// adds up ([`super::outcome::Limits`]).
    const fn rate(self) -> u32 {
        match self {
            Self::Nothing => 0,
            Self::OldCopy => 500_000,
            Self::OpenPath => 5_000_000,
        }
    }
}

/// The largest rate, per thousand million checks, with which an honest agent *differs*: at least two independent agents and a
/// trusted fetch concur against it, [`CONFIRMATIONS`] trusted fetches later nobody saw its content, and no
/// region's variant is equal to it. `None` where a difference proves nothing.
///
/// They are assumptions with a source, not measurements. A replica comes within five minutes (median), in which a page
/// changes with 6.6e-6 where half are unchanged after a year (Ntoulas et al., WWW 2004), 2.5e-4 where 40 % change in a week
/// and 9e-4 where 23 % change in a day (Cho and Garcia-Molina, VLDB 2000); half a minute
/// has a tenth of that. The rest is for pages that serve several variants
/// at once, of which one is so rare that no confirmation met it. A beacon is ours, and leaves damaged memory.
#[must_use]
pub const fn honest_rate(page: Volatility, check: Check, excuse: Excuse) -> Option<u32> {
    match base_rate(page, check) {
        Some(rate) if rate < excuse.rate() => Some(excuse.rate()),
        rate => rate,
    }
}

const fn base_rate(page: Volatility, check: Check) -> Option<u32> {
    match (page, check) {
        (_, Check::Beacon) => Some(100),
        (Volatility::Static, Check::Replica) => Some(10_000),
        (Volatility::Static, Check::Concurrent) => Some(3_000),
        (Volatility::Noisy, Check::Replica) => Some(400_000),
        (Volatility::Noisy, Check::Concurrent) => Some(150_000),
        (Volatility::Rolling, Check::Replica) => Some(1_500_000),
        (Volatility::Rolling, Check::Concurrent) => Some(700_000),
        (Volatility::Geo, Check::Replica | Check::Concurrent) => Some(5_000_000),
        (Volatility::Personalised, Check::Replica | Check::Concurrent) => None,
    }
}

/// The rate of differing checks of the slowest forger that conviction is designed for, per thousand million.
pub const FORGER_RATE: u32 = 20_000_000;
/// Checks of an agent in one hold window, as first fetcher and as auditor: N above, rounded up.
pub const CHECKS_A_WINDOW: u32 = 750;
/// Distinct tasks that must speak against an agent before it is convicted.
pub const EVENTS: usize = 2;
/// ln(N * S / 1e-5) with N = 750 and S = 0.02, in millionths of a nat.
pub const THRESHOLD: i64 = 14_220_976;
/// What is left of evidence after this time is half.
pub const HALF_LIFE: Duration = Duration::from_hours(90 * 24);

/// What one check adds when it differs, in millionths of a nat: ln(S / d).
#[must_use]
pub const fn weight(page: Volatility, check: Check, excuse: Excuse) -> i64 {
    match honest_rate(page, check, excuse) {
        Some(100) => 12_206_073,
        Some(3_000) => 8_804_875,
        Some(10_000) => 7_600_902,
        Some(150_000) => 4_892_852,
        Some(400_000) => 3_912_023,
        Some(700_000) => 3_352_407,
        Some(500_000) => 3_688_879,
        Some(1_500_000) => 2_590_267,
        Some(5_000_000) => 1_386_294,
        Some(_) | None => 0,
    }
}

/// What one check adds when it agrees, in millionths of a nat: ln((1 - S) / (1 - d)). The path counts, as it would have
/// excused a difference.
#[must_use]
pub const fn relief(page: Volatility, check: Check, excuse: Excuse) -> i64 {
    match honest_rate(page, check, excuse) {
        // ln(1 - d) is -d to within a hundred thousandth of a nat at these rates.
        Some(rate) => -20_203 + rate as i64 / 1000,
        None => 0,
    }
}

/// What a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// The same.
    Agrees,
    /// Content that nobody else saw: see [`honest_rate`].
    Differs,
}

/// One check of an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observation {
    /// Of which task: the same task speaks once.
    pub task: TaskId,
    /// What kind of page.
    pub page: Volatility,
    /// How.
    pub check: Check,
    /// What else might explain it.
    pub excuse: Excuse,
    /// With what result.
    pub finding: Finding,
}

/// All that speaks against an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The sum, in millionths of a nat.
    sum: i64,
    /// Tasks that differed since the sum was last zero.
    events: BTreeSet<TaskId>,
    /// When it last changed.
    at: Timestamp,
}

impl Evidence {
    /// None.
    #[must_use]
    pub const fn new(now: Timestamp) -> Self {
        Self { sum: 0, events: BTreeSet::new(), at: now }
    }

    /// The sum, in millionths of a nat.
    #[must_use]
    pub const fn sum(&self) -> i64 {
        self.sum
    }

    /// The tasks that speak against the agent.
    #[must_use]
    pub const fn events(&self) -> &BTreeSet<TaskId> {
        &self.events
    }

    /// Adds a check. Returns whether it convicts.
    pub fn observe(&mut self, seen: Observation, now: Timestamp) -> bool {
        self.decay(now);
        match seen.finding {
            Finding::Agrees => {
                self.sum = (self.sum + relief(seen.page, seen.check, seen.excuse)).max(0)
            }
            Finding::Differs if weight(seen.page, seen.check, seen.excuse) > 0 => {
                if self.events.insert(seen.task) {
                    self.sum = self.sum.saturating_add(weight(seen.page, seen.check, seen.excuse));
                }
            }
            Finding::Differs => {}
        }
        if self.sum == 0 {
            self.events.clear();
        }
        self.convicts()
    }

    /// Whether it is enough to convict.
    #[must_use]
    pub fn convicts(&self) -> bool {
        self.sum >= THRESHOLD && self.events.len() >= EVENTS
    }

    /// Whole and part half-lives, in a straight line between; never upwards.
    fn decay(&mut self, now: Timestamp) {
        if self.sum == 0 || now <= self.at {
            self.at = self.at.max(now);
            return;
        }
        let (idle, half_life) = (now.since(self.at).as_millis(), HALF_LIFE.as_millis().max(1));
        self.at = self.at.max(now);
        let halvings = u32::try_from(idle / half_life).unwrap_or(u32::MAX);
        let left = self.sum.checked_shr(halvings).unwrap_or(0);
        let rest = i64::try_from(idle % half_life).unwrap_or(0);
        let double = i64::try_from(2 * half_life).unwrap_or(i64::MAX);
        self.sum = left - left.saturating_mul(rest) / double;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CHECKS: [Check; 3] = [Check::Replica, Check::Concurrent, Check::Beacon];

    const EXCUSES: [Excuse; 3] = [Excuse::Nothing, Excuse::OldCopy, Excuse::OpenPath];

    fn seen(task: u64, page: Volatility, check: Check, finding: Finding) -> Observation {
        Observation { task: TaskId(task), page, check, excuse: Excuse::Nothing, finding }
    }

    #[test]
    fn the_constants_are_the_logarithms_they_stand_for() {
        let forger = f64::from(FORGER_RATE) / 1e9;
        let threshold = (f64::from(CHECKS_A_WINDOW) * forger / 1e-5).ln() * 1e6;
        assert!((threshold - THRESHOLD as f64).abs() < 1.0, "{threshold}");
        for page in Volatility::ALL {
            for (check, excuse) in CHECKS.into_iter().flat_map(|c| EXCUSES.map(|e| (c, e))) {
                let (weight, relief) = (weight(page, check, excuse), relief(page, check, excuse));
                let Some(rate) = honest_rate(page, check, excuse) else {
                    assert_eq!((weight, relief), (0, 0));
                    continue;
                };
                let honest = f64::from(rate) / 1e9;
                let differs = (forger / honest).ln() * 1e6;
                let agrees = ((1.0 - forger) / (1.0 - honest)).ln() * 1e6;
                assert!((differs - weight as f64).abs() < 1.0, "{page:?} {differs}");
                assert!((agrees - relief as f64).abs() < 20.0, "{page:?} {agrees}");
            }
        }
    }

    #[test]
    fn two_static_pages_convict_and_one_does_not_however_often() {
        let mut evidence = Evidence::new(Timestamp::ZERO);
        let strike = |task| seen(task, Volatility::Static, Check::Replica, Finding::Differs);
        for _ in 0..10 {
            assert!(!evidence.observe(strike(1), Timestamp::ZERO));
        }
        assert!(evidence.observe(strike(2), Timestamp::ZERO));
    }

    #[test]
    fn a_personalised_page_proves_nothing() {
        let mut evidence = Evidence::new(Timestamp::ZERO);
        for task in 0..1000 {
            let strike = seen(task, Volatility::Personalised, Check::Replica, Finding::Differs);
            assert!(!evidence.observe(strike, Timestamp::ZERO));
        }
        assert_eq!((evidence.sum(), evidence.events().len()), (0, 0));
    }

    #[test]
    fn evidence_halves_in_ninety_days() {
        let mut evidence = Evidence::new(Timestamp::ZERO);
        let strike = seen(1, Volatility::Static, Check::Replica, Finding::Differs);
        evidence.observe(strike, Timestamp::ZERO);
        let before = evidence.sum();
        evidence.observe(strike, Timestamp::ZERO + HALF_LIFE);
        assert_eq!(evidence.sum(), before / 2);
    }

    proptest! {
        /// Against a plain model in floating point; and whatever comes, one task alone never convicts.
        #[test]
        fn it_sums_as_a_plain_model_does(
            checks in proptest::collection::vec((0u64..6, 0usize..5, 0usize..3, any::<bool>()), 0..80)
        ) {
            let mut evidence = Evidence::new(Timestamp::ZERO);
            let (mut sum, mut tasks) = (0f64, BTreeSet::new());
            for (task, page, check, differs) in checks {
                let (page, check) = (Volatility::ALL[page], CHECKS[check]);
                let finding = if differs { Finding::Differs } else { Finding::Agrees };
                let convicts = evidence.observe(seen(task, page, check, finding), Timestamp::ZERO);
                if let Some(rate) = honest_rate(page, check, Excuse::Nothing) {
                    let honest = f64::from(rate) / 1e9;
                    if !differs {
                        sum = (sum + (0.98 / (1.0 - honest)).ln()).max(0.0);
                    } else if tasks.insert(task) {
                        sum += (0.02 / honest).ln();
                    }
                }
                if sum == 0.0 {
                    tasks.clear();
                }
                prop_assert!((evidence.sum() as f64 / 1e6 - sum).abs() < 0.01);
                prop_assert!(!convicts || evidence.events().len() >= EVENTS);
                prop_assert!(!convicts || sum > THRESHOLD as f64 / 1e6 - 0.01);
            }
        }
    }
}
