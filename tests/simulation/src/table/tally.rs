//! What is counted in a run, and the rates that follow.

use super::crowd::Role;
use serde::Serialize;
use std::time::Duration;

/// Counts of one run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// Fetches by agents: first ones, audits, tie-breaks, those made up.
    pub fetches: f64,
    /// Fetches by the coordinator's own fetchers.
    pub trusted_fetches: f64,
    /// Pages whose content was accepted, final or not.
    pub accepted: f64,
    /// Pages that turned final.
    pub finals: f64,
    /// Forged pages that turned final.
    pub forged_final: f64,
    /// Pages served before they were final.
    pub served: f64,
    /// Of these, forged.
    pub forged_served: f64,
    /// Pages left without a verdict.
    pub contested: f64,
    /// Hold windows of honest agents.
    pub honest_windows: f64,
    /// Honest agents convicted.
    pub honest_convicted: f64,
    /// Pages of honest agents, and those of them that were paid or are pending.
    pub honest_pages: f64,
    /// See above.
    pub honest_paid: f64,
    /// First comparisons of two honest fetches, and those that agreed: static pages, then noisy ones.
    pub compared: [f64; 2],
    /// See above.
    pub agreed: [f64; 2],
    /// Attackers' pages, those paid, those really fetched.
    pub attacker_pages: f64,
    /// See above.
    pub attacker_paid: f64,
    /// See above.
    pub attacker_fetched: f64,
    /// Attackers convicted.
    pub attackers_convicted: f64,
    /// Soft outcomes of honest agents: reviews and restrictions.
    pub honest_reviews: f64,
    /// See above.
    pub honest_restricted: f64,
    /// Pages of honest agents, and those paid or pending, by class: good path, flaky, tampered path, wrong region.
    pub by_class: [[f64; 2]; CLASSES.len()],
    /// Pages that each convicted attacker handed in from its first cheating on.
    pub detected: Vec<u64>,
    /// Final pages of honest agents, by the hours from hand-in to that.
    pub waits: Vec<f64>,
    /// Bytes of a page.
    pub page_bytes: f64,
}

/// Classes of honest agents.
pub const CLASSES: [Role; 4] = [Role::Stable, Role::Flaky, Role::Tampered, Role::WrongGeo];

/// What a fetch costs, in rewards (assumed: work that costs its owner half of what it pays).
pub const COST: f64 = 0.5;

/// The rates of one run: what the table reports. A rate that has nothing to be taken from is no number, `null` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rates {
    /// All fetches over accepted pages.
    pub fetches_per_accepted: f64,
    /// Forgeries among final pages.
    pub accepted_forgery_rate: f64,
    /// Forgeries among pages served before they were final.
    pub pre_final_forgery_rate: f64,
    /// Convictions of honest agents a hold window.
    pub false_conviction_rate: f64,
    /// Pages left without a verdict.
    pub contested_rate: f64,
    /// An attacker's profit over an honest agent's for as many pages.
    pub attacker_profit_ratio: f64,
    /// Bytes of bodies fetched over accepted pages.
    pub bytes_per_accepted: f64,
    /// Pages of a convicted attacker from its first cheating on: the median.
    pub pages_to_detection: f64,
    /// Days from hand-in until final, of honest agents' pages: the median.
    pub final_days_p50: f64,
    /// And what 95 % of them do not exceed.
    pub final_days_p95: f64,
    /// Unpaid share of honest work on good paths.
    pub lost_reward_stable: f64,
    /// Of flaky agents.
    pub lost_reward_flaky: f64,
    /// Behind paths that change pages.
    pub lost_reward_tampered: f64,
    /// Of agents elsewhere than they say.
    pub lost_reward_wrong_region: f64,
    /// What each forged page that was served brings its attacker beyond honest work, in rewards of a page.
    pub gain_per_forged: f64,
}

const fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

impl Tally {
    /// What an honest agent keeps of each page's reward.
    #[must_use]
    pub const fn honest_profit(&self) -> f64 {
        ratio(self.honest_paid, self.honest_pages) - COST
    }

    /// What an attacker keeps of each page's reward.
    #[must_use]
    pub const fn attacker_profit(&self) -> f64 {
        ratio(self.attacker_paid - COST * self.attacker_fetched, self.attacker_pages)
    }

    /// Adds work of an honest agent.
    pub(super) fn add_class(&mut self, role: Role, pages: f64, paid: f64) {
        let place = CLASSES.iter().position(|class| *class == role);
        if let Some([all, of]) = place.and_then(|place| self.by_class.get_mut(place)) {
            *all += pages;
            *of += paid;
        }
    }

    /// Adds pages that came in evenly and wait from `least` up to `most`.
    pub(super) fn add_waits(&mut self, pages: f64, least: Duration, most: Duration) {
        let hour = |wait: Duration| usize::try_from(wait.as_secs() / 3600).unwrap_or(usize::MAX);
        let (first, last) = (hour(least), hour(most).max(hour(least)));
        if self.waits.len() <= last {
            self.waits.resize(last + 1, 0.0);
        }
        let each = pages / (last - first + 1) as f64;
        self.waits.iter_mut().take(last + 1).skip(first).for_each(|count| *count += each);
    }

    /// The days that this share of honest pages does not exceed.
    #[must_use]
    pub fn days_to_final(&self, share: f64) -> f64 {
        let mut left = share * self.waits.iter().sum::<f64>();
        let within = self.waits.iter().position(|count| {
            left -= count;
            left <= 0.0
        });
        within.map_or(f64::NAN, |hour| (hour + 1) as f64 / 24.0)
    }

    /// The longest that a final page waited, in days.
    #[must_use]
    pub fn longest_wait(&self) -> f64 {
        self.waits.len().saturating_sub(1) as f64 / 24.0
    }

    fn pages_to_detection(&self) -> f64 {
        let mut pages = self.detected.clone();
        pages.sort_unstable();
        pages.get(pages.len() / 2).map_or(f64::NAN, |pages| *pages as f64)
    }

    /// The rates that follow.
    #[must_use]
    pub fn rates(&self) -> Rates {
        let honest_profit = self.honest_profit();
        let profit = self.attacker_profit();
        let fetches = ratio(self.fetches + self.trusted_fetches, self.accepted);
        let [stable, flaky, tampered, wrong_region] =
            self.by_class.map(|[all, paid]| 1.0 - if all > 0.0 { paid / all } else { f64::NAN });
        let gain = (profit - honest_profit) * self.attacker_pages / self.forged_served;
        Rates {
            fetches_per_accepted: fetches,
            accepted_forgery_rate: ratio(self.forged_final, self.finals),
            pre_final_forgery_rate: ratio(self.forged_served, self.served),
            false_conviction_rate: ratio(self.honest_convicted, self.honest_windows),
            contested_rate: ratio(self.contested, self.accepted + self.contested),
            attacker_profit_ratio: ratio(profit, honest_profit),
            bytes_per_accepted: fetches * self.page_bytes,
            pages_to_detection: self.pages_to_detection(),
            final_days_p50: self.days_to_final(0.5),
            final_days_p95: self.days_to_final(0.95),
            lost_reward_stable: stable,
            lost_reward_flaky: flaky,
            lost_reward_tampered: tampered,
            lost_reward_wrong_region: wrong_region,
            gain_per_forged: if self.forged_served > 0.0 { gain } else { f64::NAN },
        }
    }
}

/// The names of the rates, in the order of [`Rates::values`].
pub const NAMES: [&str; 15] = [
    "fetches_per_accepted",
    "accepted_forgery_rate",
    "pre_final_forgery_rate",
    "false_conviction_rate",
    "contested_rate",
    "attacker_profit_ratio",
    "bytes_per_accepted",
    "pages_to_detection",
    "final_days_p50",
    "final_days_p95",
    "lost_reward_stable",
    "lost_reward_flaky",
    "lost_reward_tampered",
    "lost_reward_wrong_region",
    "gain_per_forged",
];

impl Rates {
    /// In the order of [`NAMES`].
    #[must_use]
    pub const fn values(&self) -> [f64; NAMES.len()] {
        [
            self.fetches_per_accepted,
            self.accepted_forgery_rate,
            self.pre_final_forgery_rate,
            self.false_conviction_rate,
            self.contested_rate,
            self.attacker_profit_ratio,
            self.bytes_per_accepted,
            self.pages_to_detection,
            self.final_days_p50,
            self.final_days_p95,
            self.lost_reward_stable,
            self.lost_reward_flaky,
            self.lost_reward_tampered,
            self.lost_reward_wrong_region,
            self.gain_per_forged,
        ]
    }

    /// From values in the order of [`NAMES`].
    #[must_use]
    pub const fn of(values: [f64; NAMES.len()]) -> Self {
        let [
            fetches_per_accepted,
            accepted_forgery_rate,
            pre_final_forgery_rate,
            false_conviction_rate,
            contested_rate,
            attacker_profit_ratio,
            bytes_per_accepted,
            pages_to_detection,
            final_days_p50,
            final_days_p95,
            lost_reward_stable,
            lost_reward_flaky,
            lost_reward_tampered,
            lost_reward_wrong_region,
            gain_per_forged,
        ] = values;
        Self {
            fetches_per_accepted,
            accepted_forgery_rate,
            pre_final_forgery_rate,
            false_conviction_rate,
            contested_rate,
            attacker_profit_ratio,
            bytes_per_accepted,
            pages_to_detection,
            final_days_p50,
            final_days_p95,
            lost_reward_stable,
            lost_reward_flaky,
            lost_reward_tampered,
            lost_reward_wrong_region,
            gain_per_forged,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_stand_in_the_order_of_the_values() {
        let values: [f64; NAMES.len()] = std::array::from_fn(|place| place as f64);
        let rates = Rates::of(values);
        assert_eq!(rates.values(), values);
        let json = serde_json::to_value(rates).expect("json");
        for (name, value) in NAMES.into_iter().zip(values) {
            assert_eq!(json.get(name).and_then(serde_json::Value::as_f64), Some(value), "{name}");
        }
    }

    #[test]
    fn half_of_the_pages_of_a_casual_agent_wait_four_days_and_a_half() {
        let (mut tally, day) = (Tally::default(), Duration::from_hours(24));
        assert!(tally.days_to_final(0.5).is_nan());
        tally.add_waits(500.0, day * 2, day * 7);
        assert!((tally.days_to_final(0.5) - 4.5).abs() < 0.1, "{}", tally.days_to_final(0.5));
        assert!((tally.days_to_final(0.95) - 6.75).abs() < 0.1, "{}", tally.days_to_final(0.95));
    }
}
