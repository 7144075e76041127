//! The parts of Sward's rules that a run may go without, to show what each buys.

use clap::ValueEnum;
use sward_coordinator_core::trust::rate::Rate;
use sward_coordinator_core::trust::replication::{PROBATION, Stake, Trust};

/// One part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Part {
    /// Trusted fetches beside a share of all pages: r.
    Trusted,
    /// The floor of the audit rate, and what a hold window asks for: only 1/V is left.
    Floor,
    /// The hold window: all is final and paid at once, and nothing is fetched again.
    Hold,
    /// Limits: after two differences on regional, fast or open-path pages an agent gets no more of them for a fortnight.
    Limits,
    /// Probation: one audited page, and a newcomer is trusted by the rule of 1/V.
    Probation,
    /// Two events before a conviction: the first that weighs anything convicts.
    Events,
    /// Twelve trusted fetches before a result counts as seen by nobody else: one is enough.
    Confirmations,
    /// Retrial after a difference that convicts nobody.
    Retrial,
    /// More audits where disagreement is likely.
    Allocator,
    /// The cap on the work of agents behind one prefix.
    Cap,
}

/// Which parts are in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts(u16);

impl Parts {
    /// The rules as they are.
    pub const ALL: Self = Self(u16::MAX);

    /// The rules without one more part.
    #[must_use]
    pub const fn without(self, part: Part) -> Self {
        Self(self.0 & !(1 << part as u16))
    }

    /// Whether a part is in force.
    #[must_use]
    pub const fn has(self, part: Part) -> bool {
        self.0 & (1 << part as u16) != 0
    }

    /// Audited agreements that a newcomer needs.
    #[must_use]
    pub const fn probation(self) -> u32 {
        if self.has(Part::Probation) { PROBATION } else { 1 }
    }

    /// An agent's audit rate.
    #[must_use]
    pub fn rate(self, trust: &Trust, stake: Stake, need: Rate) -> Rate {
        if self.has(Part::Floor) || trust.is_proving() {
            return trust.rate(stake, need);
        }
        Rate::of(1, trust.passed()).times(stake.value).times(stake.novelty)
    }
}

impl Part {
    /// Its name, as on the command line and in the files.
    #[must_use]
    pub fn name(self) -> String {
        self.to_possible_value()
            .map_or_else(String::new, |value| value.get_name().replace('-', "_"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sward_proto::timestamp::Timestamp;

    #[test]
    fn a_part_is_taken_out_alone() {
        for part in Part::value_variants() {
            let parts = Parts::ALL.without(*part);
            let lacking = Part::value_variants().iter().filter(|part| !parts.has(**part));
            assert_eq!(lacking.collect::<Vec<_>>(), [part]);
        }
    }

    #[test]
    fn without_a_floor_only_the_counter_is_left() {
        let mut trust = Trust::new(Timestamp::ZERO, 1);
        let rate = |trust: &Trust| {
            Parts::ALL.without(Part::Floor).rate(trust, Stake::ORDINARY, Rate::ONE).ppm()
        };
        assert_eq!(rate(&trust), 1_000_000);
        (0..100).for_each(|_| trust.agreed(true, Timestamp::ZERO));
        assert_eq!(rate(&trust), 10_000);
    }
}
