//! What happens when: a queue ordered by time, then by the order in which things were planned.

use crate::op::Op;
use std::collections::BTreeMap;
use sward_proto::ids::LeaseToken;
use sward_proto::timestamp::Timestamp;

/// Something that happens.
#[derive(Debug, Clone)]
pub enum Event {
    /// A connection reaches the coordinator.
    Dialled {
        /// Whose.
        agent: usize,
        /// Which.
        conn: u64,
    },
    /// An agent learns that its connection is open.
    Opened {
        /// Whose.
        agent: usize,
        /// Which.
        conn: u64,
    },
    /// An agent learns that its connection is gone, or could not be opened.
    Closed {
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
    /// A frame reaches an agent.
    Down {
        /// Whom.
        agent: usize,
        /// On which connection.
        conn: u64,
        /// The frame.
        frame: Vec<u8>,
    },
    /// A fetch ends.
    Fetched {
        /// Whose.
        agent: usize,
        /// Of which life of the agent.
        life: u64,
        /// Which.
        ticket: u64,
    },
    /// An agent's spool answers.
    SpoolRead {
        /// Whose.
        agent: usize,
        /// Of which life of the agent.
        life: u64,
        /// Which.
        token: LeaseToken,
    },
    /// An agent's session wanted to be woken.
    Wake {
        /// Whose.
        agent: usize,
        /// At this time; stale where it wants another by now.
        at: Timestamp,
    },
    /// The coordinator takes what has come in, and what is due.
    Turn,
    /// An agent starts again.
    AgentUp(usize),
    /// The coordinator starts again.
    CoordinatorUp,
    /// A fault.
    Op(Op),
    /// A partition ends.
    PartitionEnds,
    /// The disk has room again.
    DiskHasRoom,
    /// An owner resumes.
    Resume(usize),
    /// The operator resumes a job.
    ResumeJob(usize),
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
    pub fn next(&mut self) -> Option<(Timestamp, Event)> {
        self.events.pop_first().map(|((at, _), event)| (at, event))
    }
}
