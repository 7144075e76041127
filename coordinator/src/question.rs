//! What the command line asks a running coordinator.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use sward_coordinator_core::job::{JobSpec, JobState};
use sward_coordinator_core::record::capture::CaptureRecord;
use sward_coordinator_core::record::job::JobCounts;
use sward_coordinator_core::trust::evidence::Volatility;
use sward_proto::ids::{JobId, JobName, PeerId, TaskId};
use sward_proto::wire::standing::Decision;

/// One question.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Take a job.
    Submit(Box<JobSpec>),
    /// Change a job's state.
    SetState {
        /// Which.
        job: JobName,
        /// To what.
        state: JobState,
    },
    /// All jobs.
    Jobs,
    /// One invite.
    Invite {
        /// How long it is good, in seconds.
        seconds: u64,
        /// For a fetcher of the operator's own.
        #[serde(default)]
        trusted: bool,
    },
    /// All agents.
    Agents,
    /// The last appeal of each owner.
    Appeals,
    /// Decide on an open appeal.
    DecideAppeal {
        /// Of which agent.
        agent: PeerId,
        /// Whether it is given work again.
        upheld: bool,
        /// What its owner reads.
        why: String,
    },
    /// Hosts in memory.
    Hosts,
    /// Where a job's accepted pages lie.
    Captures {
        /// Which.
        job: JobName,
    },
}

/// The answer to an order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Done.
    Done(String),
    /// Not done, and why.
    Refused(String),
}

/// A job in figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobView {
    /// Its name.
    pub name: JobName,
    /// Its number.
    pub id: JobId,
    /// Whether it runs.
    pub state: JobState,
    /// Why, in its owner's words.
    pub purpose: String,
    /// When it was submitted, in milliseconds since the epoch.
    pub submitted_ms: u64,
    /// How far it has come.
    pub counts: JobCounts,
    /// Tasks in hand.
    pub open: usize,
    /// Why it does not move, where it does not.
    pub waiting_for: Option<String>,
}

/// An agent in figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentView {
    /// Who.
    pub peer_id: String,
    /// Who is paid.
    pub payee: String,
    /// A fetcher of the operator's own.
    pub trusted: bool,
    /// The network that it dials from, as it counts for independence.
    pub network: Option<String>,
    /// The autonomous system of that network, where the operator's file has it.
    pub asn: Option<u32>,
    /// Its region: a country's code, where the operator's file has it.
    pub region: Option<String>,
    /// Whether its stream is open.
    pub connected: bool,
    /// `good` or `caught`.
    pub standing: String,
    /// Why it was caught.
    pub reason: Option<String>,
    /// Results handed in.
    pub fetched: u64,
    /// Results that agreed.
    pub agreed: u64,
    /// Results that others contradicted.
    pub contradicted: u64,
    /// Credit in the hold window, in micro-units.
    pub pending: u64,
    /// When all of that is final at the latest, in milliseconds since the epoch.
    pub pending_until_ms: Option<u64>,
    /// Credit that is not issued for ever, in micro-units.
    pub forfeited: u64,
    /// Credit under receipts, in micro-units.
    pub receipted: u64,
    /// Results under receipts.
    pub receipted_tasks: u64,
    /// The newest receipt's number.
    pub receipt_seq: u64,
    /// Whether the agent has signed it.
    pub countersigned: bool,
    /// The newest receipt.
    pub receipt: String,
}

/// What is known of pages whose URLs are alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateView {
    /// The shape of their URLs' paths and queries.
    pub template: String,
    /// How much they change between two honest fetches.
    pub volatility: Volatility,
    /// How many settled pages say so.
    pub pages: u32,
    /// The least Jaccard index of near copies, in thousandths, where it is learnt; else it is that of the rules.
    pub jaccard: Option<u16>,
}

/// An owner's appeal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppealView {
    /// Of which agent.
    pub peer_id: String,
    /// `good`, or why it is barred.
    pub standing: String,
    /// When the appeal came in, in milliseconds since the epoch.
    pub at_ms: u64,
    /// The owner's words.
    pub text: String,
    /// What came of it.
    pub decision: Decision,
    /// The operator's words.
    pub answer: String,
    /// The tasks that spoke against the agent when it was barred.
    pub tasks: Vec<TaskId>,
}

/// A host in figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostView {
    /// Which.
    pub host: String,
    /// URLs that wait, by job.
    pub queued: BTreeMap<JobId, u64>,
    /// Tasks in hand.
    pub open: usize,
    /// A lease is out.
    pub busy: bool,
    /// What is known of its pages.
    #[serde(default)]
    pub templates: Vec<TemplateView>,
    /// Not before this time, in milliseconds since the epoch.
    pub next_allowed_ms: u64,
    /// Failures in a row.
    pub failures: u8,
}

/// An accepted page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaptureView {
    /// Its task.
    pub task: TaskId,
    /// Where it lies.
    pub capture: CaptureRecord,
}
