//! What is counted in a run, and the rates that follow.

use serde::Serialize;

/// Counts of one run.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
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
}

/// What a fetch costs, in rewards (assumed: work that costs its owner half of what it pays).
pub const COST: f64 = 0.5;

/// The rates of one run: what the table reports.
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

    /// The rates that follow.
    #[must_use]
    pub const fn rates(&self) -> Rates {
        let honest_profit = self.honest_profit();
        let profit = self.attacker_profit();
        Rates {
            fetches_per_accepted: ratio(self.fetches + self.trusted_fetches, self.accepted),
            accepted_forgery_rate: ratio(self.forged_final, self.finals),
            pre_final_forgery_rate: ratio(self.forged_served, self.served),
            false_conviction_rate: ratio(self.honest_convicted, self.honest_windows),
            contested_rate: ratio(self.contested, self.accepted + self.contested),
            attacker_profit_ratio: ratio(profit, honest_profit),
        }
    }
}

/// The names of the rates, in the order of [`Rates::values`].
pub const NAMES: [&str; 6] = [
    "fetches_per_accepted",
    "accepted_forgery_rate",
    "pre_final_forgery_rate",
    "false_conviction_rate",
    "contested_rate",
    "attacker_profit_ratio",
];

impl Rates {
    /// In the order of [`NAMES`].
    #[must_use]
    pub const fn values(&self) -> [f64; 6] {
        [
            self.fetches_per_accepted,
            self.accepted_forgery_rate,
            self.pre_final_forgery_rate,
            self.false_conviction_rate,
            self.contested_rate,
            self.attacker_profit_ratio,
        ]
    }
}
