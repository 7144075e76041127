//! What a run comes to, for people and for programs.

use serde::Serialize;

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Of this form.
    pub schema_version: u32,
    /// The world.
    pub seed: u64,
    /// How many agents it had.
    pub agents: usize,
    /// Faults that were injected.
    pub faults: usize,
    /// Events that happened.
    pub events: u64,
    /// Turns of the coordinator that were committed.
    pub turns: u64,
    /// How often the coordinator was started.
    pub starts: u64,
    /// Fetches, robots.txt files included.
    pub fetches: u64,
    /// Fetches that outlived their lease.
    pub strays: u64,
    /// URLs that ended.
    pub settled: u64,
    /// Agents that lied, and how many of them were convicted.
    pub liars: usize,
    /// Agents that were convicted.
    pub convicted: usize,
    /// Agents that work again as their owners appealed.
    pub reinstated: u64,
    /// Pages that were accepted and taken back.
    pub retracted: u64,
    /// Results of the operator's own fetchers.
    pub trusted: u64,
    /// Results that they confirmed to be forged.
    pub ruled: u64,
    /// Results that a vote spoke against, and that they spared.
    pub spared: u64,
    /// Lies that were accepted and stayed.
    pub lies: usize,
    /// Variants that regions have of accepted pages.
    pub variants: u64,
    /// Pages that were accepted because blocks agreed that were known beforehand to be stable.
    pub by_known_blocks: usize,
    /// When every job was done, in simulated milliseconds.
    pub done_ms: u64,
    /// The digest of every event: equal for equal runs.
    pub trace: String,
    /// What did not hold.
    pub violations: Vec<String>,
}

impl Report {
    /// Whether everything held.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.violations.is_empty()
    }

    /// How to see this run again.
    #[must_use]
    pub fn command(&self) -> String {
        format!("cargo sim -- run --seed {} --agents {}", self.seed, self.agents)
    }
}
