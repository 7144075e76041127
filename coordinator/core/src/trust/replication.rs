//! How much of an agent's work is done twice.
//!
//! Decides the chance with which a page of an agent is audited: all of it on probation and on retrial, then less as audited
//! agreements add up, and never less than a floor. Never decides what an audit proves (evidence), and its counter is shown
//! to nobody: BOINC shows it, and so tells a cheater when trust begins (research on validation, section A).

use super::evidence::Check;
use super::rate::Rate;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use sward_proto::draw::{LEAST_AUDITED, SPOT_CHECKED};
use sward_proto::timestamp::Timestamp;

/// Audited agreements before a newcomer's page may stand alone: K of research on validation, section B5.
pub const PROBATION: u32 = 50;
/// Pages a day of an agent on probation: the trickle makes a new name cost a day, whatever its owner's line carries.
pub const PROBATION_A_DAY: u32 = PROBATION;
/// The least share of a trusted agent's pages that is audited, for ever: p_min of section B5.
pub const FLOOR: Rate = Rate::millionths(LEAST_AUDITED);
/// The share of pages that a trusted fetcher or a ringer checks, whoever fetched them: r of section B5.
pub const TRUSTED: Rate = Rate::millionths(SPOT_CHECKED);
/// Idle time in which the counter falls to half: section B5.
pub const IDLE_HALF_LIFE: Duration = Duration::from_hours(14 * 24);

/// What part of a newcomer's pages is audited right after its probation: one in so many. Section B5 has 1/V; then the rate
/// falls from all to the floor in one step, and whoever forges a few pages there and leaves is hardly ever met: the
/// simulator's `drop_out` at 10 % passes the promised 3e-4. From a fifth it falls to the floor while V grows from 50 to 200,
/// which costs an agent some fifty audits in its life.
const AFTER_PROBATION: u32 = 5;

/// One audited agreement, in the counter's own unit.
const UNIT: u64 = 1000;

/// What a page counts for, in thousandths: 1000 is an ordinary page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stake {
    /// What a forgery of it would be worth to somebody.
    pub value: u32,
    /// How little is known of its template.
    pub novelty: u32,
}

impl Stake {
    /// An ordinary page.
    pub const ORDINARY: Self = Self { value: 1000, novelty: 1000 };
}

/// How far an agent is trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trust {
    /// Audited agreements with independent partners, in thousandths: V of section B5.
    passed: u64,
    /// Pages that are still to be audited without exception.
    to_prove: u32,
    /// When it last did anything.
    active: Timestamp,
    /// It has not passed probation since it enrolled.
    newcomer: bool,
    /// Its rate is this, over what counts.
    caution: u32,
}

impl Trust {
    /// A newcomer's, who proves itself by so many audited agreements: [`PROBATION`] but in tests.
    #[must_use]
    pub const fn new(now: Timestamp, probation: u32) -> Self {
        let caution = probation.div_ceil(AFTER_PROBATION);
        Self { passed: 0, to_prove: probation, active: now, newcomer: true, caution }
    }

    /// Whole audited agreements that count.
    #[must_use]
    pub const fn passed(&self) -> u64 {
        self.passed / UNIT
    }

    /// Whether it is still on its first probation: nothing of it is receipted yet.
    #[must_use]
    pub const fn on_probation(&self) -> bool {
        self.newcomer
    }

    /// Whether every page of it is audited.
    #[must_use]
    pub const fn is_proving(&self) -> bool {
        self.to_prove > 0
    }

    /// How its pages are audited: by other agents; but on retrial by a trusted fetch at the same time, which a page that
    /// changes in between hardly deceives, and accomplices cannot back.
    #[must_use]
    pub const fn audited_by(&self) -> Check {
        if self.is_proving() && !self.newcomer { Check::Concurrent } else { Check::Replica }
    }

    /// An audit agreed. Only a partner that is independent of the agent counts.
    pub fn agreed(&mut self, independent: bool, now: Timestamp) {
        self.idle_until(now);
        if independent {
            self.passed = self.passed.saturating_add(UNIT);
            self.to_prove = self.to_prove.saturating_sub(1);
            self.newcomer &= self.to_prove > 0;
        }
    }

    /// An audit was lost, though it convicts nobody: the next `pages` are audited without exception.
    pub fn retry(&mut self, pages: u32, now: Timestamp) {
        self.idle_until(now);
        self.to_prove = self.to_prove.max(pages);
    }

    /// It was convicted: nothing counts any more.
    pub const fn convicted(&mut self) {
        self.passed = 0;
        self.to_prove = PROBATION;
    }

    /// It dials from another network, or runs another version: a quarter counts (section B5).
    pub const fn moved(&mut self) {
        self.passed /= 4;
    }

    /// Time has passed without work: half is left after each [`IDLE_HALF_LIFE`], in a straight line between. Any activity
    /// calls this; so an agent at work loses nothing that it could notice.
    pub fn idle_until(&mut self, now: Timestamp) {
        if now <= self.active {
            return;
        }
        let idle = now.since(self.active);
        self.active = self.active.max(now);
        let half_life = IDLE_HALF_LIFE.as_millis().max(1);
        let halvings = u32::try_from(idle.as_millis() / half_life).unwrap_or(u32::MAX);
        let rest = idle.as_millis() % half_life;
        let left = u128::from(self.passed.checked_shr(halvings).unwrap_or(0));
        let left = left - left * rest / (2 * half_life);
        self.passed = u64::try_from(left).unwrap_or(u64::MAX);
    }

    /// The chance with which a page of this agent is audited: max(floor, c/V, `need`), where c makes it a fifth after probation, times the page's stake, never below
    /// the floor. `need` is what its hold window asks for ([`super::hold::need`]).
    #[must_use]
    pub fn rate(&self, stake: Stake, need: Rate) -> Rate {
        if self.is_proving() {
            return Rate::ONE;
        }
        let base = FLOOR.max(Rate::of(u64::from(self.caution) * UNIT, self.passed)).max(need);
        base.times(stake.value).times(stake.novelty).max(FLOOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: Duration = Duration::from_hours(24);

    fn proven(audits: u32) -> Trust {
        let mut trust = Trust::new(Timestamp::ZERO, PROBATION);
        (0..audits).for_each(|_| trust.agreed(true, Timestamp::ZERO));
        trust
    }

    #[test]
    fn probation_takes_fifty_independent_agreements() {
        let mut trust = proven(PROBATION - 1);
        trust.agreed(false, Timestamp::ZERO);
        assert_eq!(trust.rate(Stake::ORDINARY, Rate::ZERO), Rate::ONE);
        assert!(trust.on_probation());
        trust.agreed(true, Timestamp::ZERO);
        assert_eq!(trust.rate(Stake::ORDINARY, Rate::ZERO).ppm(), 200_000);
        assert!(!trust.on_probation());
        let old = proven(200);
        assert_eq!(old.rate(Stake::ORDINARY, Rate::ZERO), FLOOR);
    }

    #[test]
    fn trust_halves_in_a_fortnight_and_quarters_on_a_move() {
        let mut trust = proven(640);
        trust.idle_until(Timestamp::ZERO + DAY * 28);
        assert_eq!(trust.passed(), 160);
        trust.moved();
        assert_eq!(trust.passed(), 40);
        assert_eq!(trust.rate(Stake::ORDINARY, Rate::ZERO).ppm(), 250_000);
    }

    #[test]
    fn a_retrial_audits_everything_and_ends() {
        let mut trust = proven(200);
        trust.retry(2, Timestamp::ZERO);
        assert_eq!(trust.rate(Stake::ORDINARY, Rate::ZERO), Rate::ONE);
        assert!(!trust.on_probation());
        trust.agreed(true, Timestamp::ZERO);
        trust.agreed(true, Timestamp::ZERO);
        assert_eq!(trust.rate(Stake::ORDINARY, Rate::ZERO), FLOOR);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Agreed(bool),
        Retry(u32),
        Moved,
        Convicted,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            8 => any::<bool>().prop_map(Step::Agreed),
            1 => (1u32..60).prop_map(Step::Retry),
            1 => Just(Step::Moved),
            1 => Just(Step::Convicted),
        ];
        proptest::collection::vec(step, 0..300)
    }

    proptest! {
        /// A model that counts in floating point agrees, and no path leads below the floor.
        #[test]
        fn it_counts_as_a_plain_model_does(steps in steps(), value in 0u32..4000, need in 0u32..1_000_000) {
            let mut trust = Trust::new(Timestamp::ZERO, PROBATION);
            let (mut passed, mut to_prove) = (0f64, PROBATION);
            for step in steps {
                match step {
                    Step::Agreed(independent) => {
                        trust.agreed(independent, Timestamp::ZERO);
                        if independent {
                            passed += 1.0;
                            to_prove = to_prove.saturating_sub(1);
                        }
                    }
                    Step::Retry(pages) => {
                        trust.retry(pages, Timestamp::ZERO);
                        to_prove = to_prove.max(pages);
                    }
                    Step::Moved => {
                        trust.moved();
                        passed /= 4.0;
                    }
                    Step::Convicted => {
                        trust.convicted();
                        (passed, to_prove) = (0.0, PROBATION);
                    }
                }
            }
            prop_assert!((trust.passed as f64 / 1000.0 - passed).abs() < 0.01);
            let rate = trust.rate(Stake { value, novelty: 1000 }, Rate::millionths(need));
            prop_assert!(rate >= FLOOR);
            if to_prove > 0 {
                prop_assert_eq!(rate, Rate::ONE);
            } else {
                let base = (10.0 / passed.max(1e-9)).clamp(0.05, 1.0).max(f64::from(need) / 1e6);
                let wanted = (base * f64::from(value) / 1000.0).clamp(0.05, 1.0);
                prop_assert!((rate.fraction() - wanted).abs() < 0.002 * wanted + 1e-5, "{} {}", rate.fraction(), wanted);
            }
        }
    }
}
