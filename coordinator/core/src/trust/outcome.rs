//! What a finding means for the agent.
//!
//! Decides which outcome follows from what was found against an agent, what work it keeps it from, and when the owner may be
//! told; the words are in `sward_proto::reason`. Soft outcomes carry no guilt: honest paths do tamper (up to 4.8 % of 1.2
//! million residential exit nodes, Chung et al., IMC 2016) and vantage points do misreport their place (1.5 % of RIPE Atlas,
//! arXiv 2409.19109). Never decides that an agent forged (evidence).

use super::evidence::{Excuse, Volatility};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use sward_proto::reason::Reason;
use sward_proto::timestamp::Timestamp;

/// How long a soft outcome lasts.
pub const RESTRICTED_FOR: Duration = Duration::from_hours(14 * 24);
/// Differences on pages of regional or fast-changing sites, or without TLS, within [`RESTRICTED_FOR`], after which an agent gets
/// no more of them: such a difference weighs too little to convict, and so must not be free either.
pub const STRIKES: usize = 2;
/// Pages that are fetched twice after a difference that weighs at least `GRAVE`; a third of them after a lesser one.
pub const REVIEW_PAGES: u32 = 300;
/// What an older copy of a page weighs, about, or more: 3.5 nats, in millionths (evidence).
const GRAVE: i64 = 3_500_000;
/// Least time between an outcome and the day on which the owner reads of it.
pub const TELL_DELAY: Duration = Duration::from_hours(48);
/// Outcomes are told once a day, all together.
pub const TELL_EVERY: Duration = Duration::from_hours(24);

/// When the owner may be told of something decided at `decided`, whose effect lasts until `until`: after both, at the end of
/// a day, so that neither the moment nor the company in which it comes tells which page was a check.
#[must_use]
pub fn told_at(decided: Timestamp, until: Timestamp) -> Timestamp {
    let every = u64::try_from(TELL_EVERY.as_millis()).unwrap_or(u64::MAX).max(1);
    let earliest = (decided + TELL_DELAY).max(until).as_millis();
    Timestamp::from_millis(earliest.div_ceil(every).saturating_mul(every))
}

/// Pages that are fetched twice after a difference that weighs this (evidence, millionths of a nat).
#[must_use]
pub const fn review_pages(cause: i64) -> u32 {
    match cause {
        ..=0 => 0,
        1..GRAVE => REVIEW_PAGES / 3,
        GRAVE.. => REVIEW_PAGES,
    }
}

/// Pages' credit in the hold window that is not issued after a difference that weighs this: a difference that was seen
/// stands for those that were not, and without this a cheat too slow to be convicted would save more than it loses.
#[must_use]
pub const fn forfeit(cause: i64) -> u32 {
    review_pages(cause) / 6
}

/// Kinds of page that an agent is kept from without guilt.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Limits {
    rolling: Vec<Timestamp>,
    geo: Vec<Timestamp>,
    open_path: Vec<Timestamp>,
}

impl Limits {
    /// A difference that conviction weighs little or not at all. Returns the reason once it restricts the agent.
    pub fn differed(&mut self, page: Volatility, path: Excuse, now: Timestamp) -> Option<Reason> {
        let (reason, strikes) = match (path, page) {
            (Excuse::OpenPath, _) => (Reason::PathTampered, &mut self.open_path),
            (_, Volatility::Rolling) => (Reason::VolatileDiffers, &mut self.rolling),
            (_, Volatility::Geo) => (Reason::RegionUnsure, &mut self.geo),
            (_, Volatility::Static | Volatility::Noisy | Volatility::Personalised) => return None,
        };
        strikes.retain(|at| now.since(*at) < RESTRICTED_FOR);
        strikes.push(now);
        (strikes.len() == STRIKES).then_some(reason)
    }

    /// Whether the agent may be given such a page.
    #[must_use]
    pub fn allows(&self, page: Volatility, path: Excuse, now: Timestamp) -> bool {
        let strikes = match (path, page) {
            (Excuse::OpenPath, _) => &self.open_path,
            (_, Volatility::Rolling) => &self.rolling,
            (_, Volatility::Geo) => &self.geo,
            (_, Volatility::Static | Volatility::Noisy | Volatility::Personalised) => return true,
        };
        strikes.iter().filter(|at| now.since(**at) < RESTRICTED_FOR).count() < STRIKES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::evidence::{Check, weight};

    const DAY: Duration = Duration::from_hours(24);

    #[test]
    fn two_regional_differences_restrict_for_a_fortnight() {
        let mut limits = Limits::default();
        assert_eq!(limits.differed(Volatility::Geo, Excuse::Nothing, Timestamp::ZERO), None);
        assert!(limits.allows(Volatility::Geo, Excuse::Nothing, Timestamp::ZERO));
        let second = Timestamp::ZERO + DAY;
        assert_eq!(
            limits.differed(Volatility::Geo, Excuse::Nothing, second),
            Some(Reason::RegionUnsure)
        );
        assert!(!limits.allows(Volatility::Geo, Excuse::Nothing, second));
        assert!(limits.allows(Volatility::Rolling, Excuse::Nothing, second));
        assert!(limits.allows(Volatility::Geo, Excuse::Nothing, Timestamp::ZERO + DAY * 14));
        assert_eq!(limits.differed(Volatility::Static, Excuse::Nothing, second), None);
    }

    #[test]
    fn a_review_is_as_long_as_its_cause_is_grave() {
        let pages = |page, excuse| review_pages(weight(page, Check::Replica, excuse));
        assert_eq!(pages(Volatility::Static, Excuse::Nothing), REVIEW_PAGES);
        assert_eq!(pages(Volatility::Static, Excuse::OldCopy), REVIEW_PAGES);
        assert_eq!(forfeit(weight(Volatility::Static, Check::Replica, Excuse::Nothing)), 50);
        assert_eq!(pages(Volatility::Static, Excuse::OpenPath), REVIEW_PAGES / 3);
        assert_eq!(pages(Volatility::Rolling, Excuse::Nothing), REVIEW_PAGES / 3);
        assert_eq!(pages(Volatility::Personalised, Excuse::Nothing), 0);
    }

    proptest::proptest! {
        /// Told at a day's end, never early, never more than a day after it might be.
        #[test]
        fn it_is_told_late_and_in_company(decided in 0u64..1 << 41, lasts in 0u64..1 << 31) {
            let decided = Timestamp::from_millis(decided);
            let until = decided + Duration::from_millis(lasts);
            let told = told_at(decided, until);
            let due = (decided + TELL_DELAY).max(until);
            proptest::prop_assert!(told >= due && told.since(due) < TELL_EVERY);
            proptest::prop_assert_eq!(told.as_millis() % 86_400_000, 0);
        }
    }
}
