//! How long credit waits, and for what: `[hold]` of the configuration, within what the tariff promises.
//!
//! Decides how the tariff's longest wait is divided: a block gathers, then it rests, then comes the end of an epoch.

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use sward_coordinator_core::trust::hold::Terms;
use sward_proto::tariff::Tariff;

/// The hold window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Hold {
    /// Pages that close an agent's block before its time.
    pub pages: u32,
    /// Checks that a block should hold; where it is not given, 200 of a window of seven days and as many fewer of a shorter one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checks: Option<u32>,
    /// How long a closed block rests, in seconds; two sevenths of the tariff's `hold_seconds` where it is not given: 48 hours of
    /// seven days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rest_seconds: Option<u64>,
}

impl Default for Hold {
    fn default() -> Self {
        Self { pages: Terms::default().pages, checks: None, rest_seconds: None }
    }
}

impl Hold {
    /// The terms under a tariff: no credit waits longer than its `hold_seconds`, the end of an epoch included, unless that
    /// is shorter than rest and epoch are.
    ///
    /// # Errors
    /// A rest that is longer than the whole.
    pub fn terms(self, tariff: &Tariff) -> Result<Terms> {
        let (hold, epoch) = (tariff.hold_seconds(), tariff.epoch_seconds());
        let whole = Duration::from_secs(hold);
        let rest = self.rest_seconds.map_or(whole * 2 / 7, Duration::from_secs);
        ensure!(
            rest <= whole,
            "hold.rest_seconds is {}: it must not be above the tariff's hold_seconds ({hold})",
            rest.as_secs()
        );
        let gather = whole.saturating_sub(rest).saturating_sub(Duration::from_secs(epoch));
        let usual = Terms::default();
        let window = (usual.gather + usual.rest).as_secs().max(1);
        let share = u64::from(usual.checks).saturating_mul(hold.min(window)) / window;
        let checks = self.checks.unwrap_or(u32::try_from(share).unwrap_or(u32::MAX));
        let pages = self.pages.max(1);
        Ok(Terms { pages, gather, rest, checks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_samples_credit_rests_two_days_and_waits_seven_at_most() {
        let sample = include_str!("../../../deploy/tariff.toml");
        let tariff = Tariff::parse(sample).expect("the sample");
        let day = Duration::from_hours(24);
        let terms = Hold::default().terms(&tariff).expect("sound");
        assert_eq!((terms.gather, terms.rest), (day * 4, day * 2));
        assert_eq!((terms.pages, terms.checks), (5000, 200));
        let shorter = Hold { rest_seconds: Some(86_400), ..Hold::default() };
        assert_eq!(shorter.terms(&tariff).expect("sound").gather, day * 5);
        let longer = Hold { rest_seconds: Some(604_801), ..Hold::default() };
        assert!(longer.terms(&tariff).expect_err("unsound").to_string().contains("rest_seconds"));
    }
}
