//! What happens when: a queue ordered by time, then by the order in which things were planned.

use crate::op::Op;
use std::collections::BTreeMap;
use sward_proto::ids::LeaseToken;
use sward_proto::timestamp::Timestamp;

/// Something that happens.
#[derive(Debug, Clone)]
pub enum Event {
    /// To an agent.
    Agent(usize, AgentEvent),
    /// A connection reaches the coordinator.
    Dialled {
        /// Whose.
        agent: usize,
        /// Which.
        conn: u64,
    },
    /// The coordinator learns that a connection is gone.
    HungUp {
        /// Whose.
        agent: usize,
        /// Which.
        conn: u64,
    },
    /// A frame reaches the coordinator.
    Up {
        /// From whom.
        agent: usize,
        /// On which connection.
        conn: u64,
        /// The frame.
        frame: Vec<u8>,
    },
    /// The coordinator takes what has come in, and what is due.
    Turn,
    /// The coordinator starts again.
    CoordinatorUp,
    /// A fault.
    Op(Op),
    /// A partition ends.
    PartitionEnds,
    /// The disk has room again.
    DiskHasRoom,
    /// The operator resumes a job.
    ResumeJob(usize),
}

/// Something that happens to an agent.
#[derive(Debug, Clone)]
pub enum AgentEvent {
    /// This connection is open.
    Opened(u64),
    /// This connection is gone, or could not be opened.
    Closed(u64),
    /// A frame arrives.
    Down {
        /// On which connection.
        conn: u64,
        /// The frame.
        frame: Vec<u8>,
    },
    /// A fetch ends.
    Fetched {
        /// Of which life of the agent.
        life: u64,
        /// Which.
        ticket: u64,
    },
    /// Its spool answers.
    SpoolRead {
        /// Of which life of the agent.
        life: u64,
        /// Which.
        token: LeaseToken,
    },
    /// Its session wanted to be woken at this time; stale where it wants another by now.
    Wake(Timestamp),
    /// It starts again.
    Start,
    /// Its owner resumes it.
    Resume,
}

/// The queue.
#[derive(Debug, Default)]
pub struct Queue {
    events: BTreeMap<(Timestamp, u64), Event>,
    planned: u64,
}

impl Queue {
    /// Plans an event.
    pub fn plan(&mut self, at: Timestamp, event: Event) {
        self.events.insert((at, self.planned), event);
        self.planned += 1;
    }

    /// The next event with its time.
    pub fn take(&mut self) -> Option<(Timestamp, Event)> {
        self.events.pop_first().map(|((at, _), event)| (at, event))
    }
}
