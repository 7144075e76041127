//! What was known of a page before it was fetched.
//!
//! Decides how its copies are compared, how often one result is audited, and whether one may be enough: all by what was
//! known when its task was opened, so that no result has a part in how it is judged itself.

use crate::trust::evidence::Volatility;
use crate::trust::replication::Stake;
use serde::{Deserialize, Serialize};
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::compare::limits::Limits;

/// What was known of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// The class of its template.
    pub volatility: Volatility,
    /// Too little is known of its template.
    pub is_new: bool,
    /// The template's threshold, in thousandths, where one is learnt.
    pub jaccard: Option<u16>,
    /// The URL's stable blocks as `StableBlocks::to_bytes` has them; empty where none are known.
    pub stable: Vec<u8>,
}

impl Known {
    /// Of a page of which nothing is known.
    pub const NOTHING: Self =
        Self { volatility: Volatility::Noisy, is_new: true, jaccard: None, stable: Vec::new() };

    /// The limits for copies of it.
    #[must_use]
    pub fn limits(&self, configured: Limits) -> Limits {
        let learnt = self.jaccard.map_or(configured, |jaccard| configured.learnt(jaccard));
        if self.volatility == Volatility::Rolling { learnt.volatile() } else { learnt }
    }

    /// What it counts for when an audit is drawn: twice as much where little is known of its template, or where a
    /// difference would say little (research on validation, section B5).
    #[must_use]
    pub fn stake(&self, url: &CanonicalUrl) -> Stake {
        let little = match self.volatility {
            Volatility::Rolling | Volatility::Geo => true,
            Volatility::Static | Volatility::Noisy | Volatility::Personalised => false,
        };
        let open_path = url.as_str().starts_with("http://");
        let twice = self.is_new || little || open_path;
        Stake { novelty: if twice { 2000 } else { 1000 }, ..Stake::ORDINARY }
    }

    /// Whether one agent's word may be taken for it. Where each visitor is shown something else, no audit would prove
    /// anything.
    #[must_use]
    pub fn may_stand_alone(&self) -> bool {
        self.volatility != Volatility::Personalised
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sward_proto::compare::limits::{LEAST_JACCARD, VOLATILE_WINDOW};

    fn known(volatility: Volatility, is_new: bool) -> Known {
        Known { volatility, is_new, ..Known::NOTHING }
    }

    fn novelty(known: &Known, url: &str) -> u32 {
        known.stake(&url.parse().expect("a url")).novelty
    }

    #[test]
    fn what_says_little_is_audited_twice_as_often() {
        let (secure, open) = ("https://a.example/", "http://a.example/");
        assert_eq!(novelty(&Known::NOTHING, secure), 2000);
        for (volatility, wanted) in [
            (Volatility::Static, 1000),
            (Volatility::Noisy, 1000),
            (Volatility::Rolling, 2000),
            (Volatility::Geo, 2000),
        ] {
            assert_eq!(novelty(&known(volatility, false), secure), wanted, "{volatility:?}");
            assert_eq!(novelty(&known(volatility, false), open), 2000, "{volatility:?}");
        }
    }

    #[test]
    fn only_what_is_learnt_changes_the_limits() {
        let configured = Limits::default();
        assert_eq!(Known::NOTHING.limits(configured), configured);
        let learnt = Known { jaccard: Some(640), ..known(Volatility::Noisy, false) };
        assert_eq!(learnt.limits(configured), Limits { jaccard: 640, ..configured });
        let low = Known { jaccard: Some(1), ..learnt };
        assert_eq!(low.limits(configured).jaccard, LEAST_JACCARD);
        let rolling = known(Volatility::Rolling, false).limits(configured);
        assert_eq!(u128::from(rolling.window_ms), VOLATILE_WINDOW.as_millis());
    }

    #[test]
    fn only_a_personalised_page_is_never_taken_on_one_word() {
        let alone =
            Volatility::ALL.into_iter().filter(|class| known(*class, false).may_stand_alone());
        assert_eq!(alone.count(), Volatility::ALL.len() - 1);
        assert!(!known(Volatility::Personalised, false).may_stand_alone());
    }
}
