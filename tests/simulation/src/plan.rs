//! What is simulated: the seed, the size of the world, and the faults.

use crate::op::{self, TimedOp};
use std::time::Duration;
use sward_coordinator_core::job::Replication;

/// Everything that a run depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Names the world.
    pub seed: u64,
    /// How many agents.
    pub agents: usize,
    /// How many hosts with pages.
    pub hosts: usize,
    /// Pages of a host, about.
    pub pages: u64,
    /// Pages of each site that has only one kind of them; no such site where zero.
    pub habits: u64,
    /// Hosts that the coordinator keeps in memory.
    pub hot_hosts: usize,
    /// One agent in this many lies; zero for none.
    pub liars: u64,
    /// Agents that tell the same lies from networks of their own.
    pub conspirators: usize,
    /// Agents that tell the truth until they have proved themselves.
    pub sleepers: usize,
    /// From how many regions agents dial; zero where no file tells regions.
    pub regions: usize,
    /// Fetchers of the operator's own, the last among the agents: faults hit them as they hit the others.
    pub trusted: usize,
    /// How often the jobs' pages are fetched.
    pub replication: Replication,
    /// Whether pages stand on which groups agree in part.
    pub partial: bool,
    /// Audited agreements before one result of an agent is enough.
    pub probation: u32,
    /// Whether the owners of barred agents appeal; every second appeal is upheld.
    pub appeals: bool,
    /// How long credit is held, in seconds.
    pub hold_seconds: u64,
    /// What goes wrong, in order of time.
    pub ops: Vec<TimedOp>,
    /// When the last fault is over.
    pub healed: Duration,
}

impl Plan {
    /// The world of a seed: hosts, pages and faults grow with the number of agents.
    #[must_use]
    pub fn of_seed(seed: u64, agents: usize) -> Self {
        let hosts = (agents / 8).clamp(6, 40);
        let healed = Duration::from_secs(75);
        let hot_hosts = if seed.is_multiple_of(4) { (hosts / 2).max(4) } else { 2000 };
        Self {
            seed,
            agents,
            hosts,
            pages: 18,
            habits: if seed % 6 == 2 { 24 } else { 0 },
            hot_hosts,
            liars: 10,
            conspirators: 0,
            sleepers: 0,
            regions: if seed % 4 == 3 { 3 } else { 0 },
            trusted: [0, 0, 2, 0, 1][(seed % 5) as usize],
            replication: if seed % 3 == 1 { Replication::Audited } else { Replication::Full },
            partial: seed % 5 != 2,
            probation: 6,
            appeals: false,
            hold_seconds: 10,
            ops: op::draw(seed, agents, healed),
            healed,
        }
    }

    /// Whether a lie may be accepted until those who told it are caught.
    #[must_use]
    pub fn lies_are_believed(&self) -> bool {
        self.conspirators > 1 || self.replication == Replication::Audited
    }

    /// The same world without faults.
    #[must_use]
    pub fn calm(self) -> Self {
        Self { ops: Vec::new(), healed: Duration::ZERO, ..self }
    }
}
