//! The events that are truth and that no page carries: who joined, which jobs were given, which receipts were signed.
//!
//! Decides their form. With the archive's settlements they are all that an index is rebuilt from.

use crate::job::{JobSpec, JobState};
use crate::record::agent::Totals;
use crate::record::pending::HeldPage;
use crate::trust::blocks::BlockId;
use serde::{Deserialize, Serialize};
use sward_proto::digest::Digest;
use sward_proto::ids::{JobId, Lane, Payee, PeerId, TaskId};
use sward_proto::timestamp::Timestamp;

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum JournalEntry {
    /// An invite was made.
    Invited {
        /// Of its code.
        fingerprint: Digest,
        /// Until when it is good.
        expires: Timestamp,
        /// It is for a fetcher of the operator's own.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        trusted: bool,
    },
    /// An agent joined by it.
    Enrolled {
        /// The invite's.
        fingerprint: Digest,
        /// Who.
        agent: PeerId,
        /// Who is paid.
        payee: Payee,
        /// Which installation.
        lane: Lane,
        /// When.
        at: Timestamp,
        /// As a fetcher of the operator's own.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        trusted: bool,
    },
    /// A job was submitted.
    Submitted {
        /// Its number.
        job: JobId,
        /// What was asked for.
        spec: Box<JobSpec>,
        /// When.
        at: Timestamp,
    },
    /// A job changed state by its owner's will or because it is done.
    JobState {
        /// Which.
        job: JobId,
        /// To what.
        state: JobState,
    },
    /// A receipt was signed.
    Receipt {
        /// For whom.
        agent: PeerId,
        /// The note.
        note: String,
        /// The last credit that it covers, in the order of blocks and tasks. `None` in journals of builds that had no blocks.
        #[serde(default)]
        covers: Option<(BlockId, TaskId)>,
        /// How many results that come first were passed over, as they are forfeited.
        #[serde(default)]
        forfeited: u32,
    },
    /// Credit turned final and was all forfeited: there is no receipt.
    Forfeited {
        /// Whose.
        agent: PeerId,
        /// The last of it, in the order of blocks and tasks.
        covers: (BlockId, TaskId),
    },
    /// Its agent signed it too.
    Countersigned {
        /// Who.
        agent: PeerId,
        /// The note with both signatures.
        note: String,
    },
    /// A page was taken back, as all who agreed on it were caught before its hold window was over; or a contested one, as one
    /// of those who saw it was.
    Retracted {
        /// Which.
        page: HeldPage,
        /// When.
        at: Timestamp,
        /// The signed statement of it (`sward_proto::retraction`); none of a contested page, which was never released.
        #[serde(default)]
        note: Option<String>,
    },
    /// An agent was caught.
    Convicted {
        /// Who.
        agent: PeerId,
        /// When.
        at: Timestamp,
        /// The reason code.
        reason: String,
        /// The tasks that speak against it, which its owner is told late.
        #[serde(default)]
        tasks: Vec<TaskId>,
        /// All of its credit that was ever forfeited, with what was pending now.
        #[serde(default)]
        forfeited: Totals,
    },
    /// An owner appealed.
    Appealed {
        /// Of which agent.
        agent: PeerId,
        /// The owner's words.
        text: String,
        /// When.
        at: Timestamp,
    },
    /// The operator decided on an appeal.
    AppealDecided {
        /// Of which agent.
        agent: PeerId,
        /// Whether the agent is given work again.
        upheld: bool,
        /// The operator's words.
        why: String,
        /// When.
        at: Timestamp,
    },
}
