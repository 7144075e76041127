//! What can go wrong, as plain values: a schedule can be printed, edited and replayed.

use crate::chance::Chance;
use std::time::Duration;

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// The coordinator stops after this many more of its outputs, commits and sends included.
    CrashCoordinator {
        /// Outputs until then.
        after: u32,
        /// How long it stays down.
        down: Duration,
    },
    /// The same at once, and its index is gone.
    LoseIndex {
        /// How long it stays down.
        down: Duration,
    },
    /// An agent stops, and comes back with another clock.
    CrashAgent {
        /// Which.
        agent: usize,
        /// Not before it has stored something, and ahead of the messages that follow.
        after_store: bool,
        /// How long it stays down.
        down: Duration,
        /// Its clock's error from then on, in milliseconds.
        skew_ms: i64,
    },
    /// An agent's connection breaks.
    Cut {
        /// Which.
        agent: usize,
        /// When the coordinator notices.
        noticed: Duration,
    },
    /// One agent in `every` cannot be reached.
    Partition {
        /// Each agent whose number this divides.
        every: usize,
        /// For how long.
        time: Duration,
    },
    /// The archive has no room for a body.
    FullDisk {
        /// For how long.
        time: Duration,
    },
    /// An owner pauses an agent.
    Pause {
        /// Which.
        agent: usize,
        /// For how long.
        time: Duration,
    },
    /// The operator pauses a job.
    PauseJob {
        /// Which, from zero.
        job: usize,
        /// For how long.
        time: Duration,
    },
}

/// A fault and its time, from the beginning of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimedOp {
    /// When.
    pub at: Duration,
    /// What.
    pub op: Op,
}

/// Clocks are wrong by a day at most.
const MAX_SKEW_MS: u64 = 24 * 3600 * 1000;

/// The faults of a seed; all are over at `healed`.
#[must_use]
pub fn draw(seed: u64, agents: usize, healed: Duration) -> Vec<TimedOp> {
    let mut chance = Chance::new(seed, "ops");
    let total = u64::try_from(healed.as_millis()).unwrap_or(u64::MAX);
    let count = 6 + chance.below(6 + agents as u64 / 8);
    let mut ops: Vec<TimedOp> = (0..count)
        .map(|_| {
            let at = chance.between(500, total * 3 / 4);
            let most = (total - at).min(20_000);
            let time = Duration::from_millis(chance.between(100, most));
            let op = draw_one(&mut chance, agents, time);
            TimedOp { at: Duration::from_millis(at), op }
        })
        .collect();
    ops.sort_by_key(|timed| timed.at);
    ops
}

fn draw_one(chance: &mut Chance, agents: usize, time: Duration) -> Op {
    let agent = chance.index(agents);
    match chance.below(20) {
        0..3 => {
            let after = u32::try_from(chance.between(1, 60)).unwrap_or(1);
            Op::CrashCoordinator { after, down: time / 4 }
        }
        3 => Op::LoseIndex { down: time / 4 },
        4..9 => {
            let (skewed, error) = (chance.one_in(3), chance.between(0, 2 * MAX_SKEW_MS));
            let skew_ms = if skewed { error.cast_signed() - MAX_SKEW_MS.cast_signed() } else { 0 };
            Op::CrashAgent { agent, after_store: chance.one_in(2), down: time / 2, skew_ms }
        }
        9..14 => Op::Cut { agent, noticed: time / 3 },
        14 => Op::Partition { every: 2 + chance.index(4), time },
        15 => Op::FullDisk { time },
        16..19 => Op::Pause { agent, time },
        _ => Op::PauseJob { job: chance.index(2), time },
    }
}
