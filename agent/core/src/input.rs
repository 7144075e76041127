//! Everything that can happen to an agent.

use crate::owner::Limits;
use crate::sealed::Capture;
use sward_proto::attestation::Observation;
use sward_proto::compare::block::BlockList;
use sward_proto::ids::LeaseToken;
use sward_proto::wire::reply::CoordinatorReply;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The stream to the coordinator is open.
    Connected,
    /// It is gone, or could not be opened.
    Disconnected,
    /// The coordinator answers.
    Reply {
        /// Which request.
        id: u64,
        /// With what.
        reply: CoordinatorReply,
    },
    /// A fetch has ended.
    Fetched {
        /// Which.
        ticket: u64,
        /// How.
        fetched: Box<Fetched>,
    },
    /// A spooled capture was read; `None` where it is gone.
    SpoolRead {
        /// Which.
        token: LeaseToken,
        /// The capture.
        capture: Option<Box<Capture>>,
    },
    /// The owner pauses, or resumes.
    Pause(bool),
    /// The owner appeals against what was decided.
    Appeal(String),
    /// The owner changes what is allowed.
    SetLimits(Limits),
}

/// How a fetch ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// What came.
    pub observation: Observation,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u32,
    /// Bytes over the wire.
    pub wire_bytes: u64,
    /// The page's blocks, which are opened beside the attestation.
    pub blocks: BlockList,
    /// What may be asked for later.
    pub capture: Capture,
}
