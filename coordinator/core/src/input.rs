//! Everything that can happen to a coordinator.

use crate::group::Whereabouts;
use crate::job::{JobSpec, JobState};
use crate::lookup::Answer;
use crate::record::capture::Location;
use std::net::IpAddr;
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::digest::Digest;
use sward_proto::ids::{JobName, LeaseToken, PeerId, TaskId};
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::request::AgentRequest;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// An agent's stream is open.
    Connected {
        /// Who, as the handshake proved.
        agent: PeerId,
        /// From where.
        ip: IpAddr,
        /// What the operator's files say of that address.
        whereabouts: Whereabouts,
    },
    /// Its stream is gone.
    Disconnected {
        /// Who.
        agent: PeerId,
    },
    /// An agent asks.
    Request {
        /// Who.
        agent: PeerId,
        /// To be echoed.
        id: u64,
        /// What.
        request: AgentRequest,
    },
    /// The operator asks.
    Operator {
        /// To be echoed.
        ticket: u64,
        /// What.
        order: Order,
    },
    /// A capture has come in whole, or will not.
    Uploaded {
        /// For which lease.
        token: LeaseToken,
        /// What was found in it.
        result: Result<UploadFacts, UploadFault>,
    },
    /// A settlement is in the archive.
    Archived {
        /// The task.
        task: TaskId,
        /// Where.
        archived: Archived,
    },
    /// A settlement could not be written: the disk is full.
    ArchiveFull {
        /// The task.
        task: TaskId,
    },
    /// The index answers.
    Answer(Answer),
}

/// What an operator can order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Takes a job.
    Submit(Box<JobSpec>),
    /// Pauses, resumes or cancels one.
    SetState {
        /// Which.
        job: JobName,
        /// To what.
        state: JobState,
    },
    /// Makes an invite known.
    Invite {
        /// Of the code.
        fingerprint: Digest,
        /// Until when it is good.
        expires: Timestamp,
        /// For a fetcher of the operator's own.
        trusted: bool,
    },
    /// Decides on an agent's open appeal.
    DecideAppeal {
        /// Whose.
        agent: PeerId,
        /// Whether it is given work again.
        upheld: bool,
        /// What its owner reads.
        why: String,
    },
}

/// What the coordinator itself found in a body that was handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadFacts {
    /// The links: as handed in under the attested digest, or computed anew.
    pub links: Vec<CanonicalUrl>,
    /// The body of a robots.txt.
    pub robots_body: Option<Vec<u8>>,
}

/// Why a capture is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadFault {
    /// It is not what its agent attested.
    Mismatch,
    /// It was broken off.
    Broken,
}

/// Where a settlement lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    /// The settlement's own record.
    pub settlement: Location,
    /// The page, where one was accepted.
    pub page: Option<ArchivedPage>,
}

/// Where an accepted page lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedPage {
    /// The first record of the group.
    pub group: Location,
    /// The response or revisit record.
    pub page: Location,
    /// Its WARC-Record-ID.
    pub record_id: String,
    /// The body lies in an earlier record.
    pub revisit: bool,
}
