//! Everything that a coordinator's core can ask of its shell. This enum is the port.

use crate::batch::Batch;
use crate::journal::JournalEntry;
use crate::lookup::Lookup;
use crate::record::payload::PayloadRecord;
use crate::settlement::Settlement;
use sward_proto::digest::Digest;
use sward_proto::ids::{JobName, LeaseToken, PeerId, TaskId};
use sward_proto::outcome::Outcome;
use sward_proto::verdict::PublishedBlocks;
use sward_proto::wire::reply::CoordinatorReply;
use sward_proto::wire::request::UploadStart;

/// One request to the shell. Within a turn the shell writes archive and journal, then commits, then sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Make these changes durable.
    Commit(Batch),
    /// Answer a request, once the turn is durable.
    Send {
        /// Whom.
        agent: PeerId,
        /// Which request.
        reply_to: u64,
        /// With what.
        reply: Box<CoordinatorReply>,
    },
    /// Look this up and answer by an input, with every change before it applied.
    Lookup(Lookup),
    /// Take part of a capture: check it against what is expected and answer the agent.
    Receive {
        /// From whom.
        agent: PeerId,
        /// The request to answer.
        reply_to: u64,
        /// The lease.
        token: LeaseToken,
        /// What came.
        part: UploadPart,
        /// What it must be.
        expected: Expected,
    },
    /// Forget what was received for this lease.
    Discard(LeaseToken),
    /// Append this verdict, and the capture received under the lease, to the archive.
    Archive {
        /// The verdict.
        settlement: Box<Settlement>,
        /// The lease whose capture is kept.
        capture: Option<LeaseToken>,
        /// The record that holds the body already.
        known: Option<Box<PayloadRecord>>,
    },
    /// Append this to the journal.
    Journal(JournalEntry),
    /// Answer the operator.
    Operator {
        /// Which order.
        ticket: u64,
        /// What came of it: a line, or why not.
        result: Result<String, String>,
    },
    /// Something that a log or a metric may want to know.
    Event(Event),
}

/// A piece of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UploadPart {
    /// All but the body.
    Start(Box<UploadStart>),
    /// A piece of the body.
    Chunk {
        /// Where it belongs.
        offset: u64,
        /// The bytes.
        data: Vec<u8>,
    },
}

/// What a capture must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Of the decoded body.
    pub raw: Digest,
    /// Its length.
    pub bytes: u64,
    /// Of all that was read from the body (`Response::reading`), where everything is to be computed anew from it: where
    /// the verdict rests on less than equal bytes, and else by sample.
    pub reading: Option<Digest>,
    /// Of the list of links.
    pub links: Digest,
    /// Which of its blocks independent groups attest, where the verdict rests on less than equal content: only links in
    /// these are wanted back.
    pub published: Option<PublishedBlocks>,
    /// No body is to come.
    pub head_only: bool,
    /// The body is a robots.txt and is wanted back.
    pub robots: bool,
}

/// Something worth a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A URL has an outcome.
    Settled {
        /// The task, where one was made.
        task: Option<TaskId>,
        /// How it ended.
        outcome: Outcome,
    },
    /// An agent joined.
    Enrolled(PeerId),
    /// An agent was caught.
    Convicted {
        /// Who.
        agent: PeerId,
        /// The reason code.
        reason: String,
    },
    /// A page of the beacon site was handed in by an agent to which it was not shown.
    Copied {
        /// The task.
        task: TaskId,
        /// Who handed it in.
        agent: PeerId,
        /// To whom it was shown.
        from: PeerId,
    },
    /// An owner appealed.
    Appealed(PeerId),
    /// An accepted page was taken back.
    Retracted {
        /// Its task.
        task: TaskId,
    },
    /// A receipt was signed.
    Receipt(PeerId),
    /// A job ended or changed state.
    Job {
        /// Which.
        job: JobName,
        /// The state's word.
        state: &'static str,
    },
}
