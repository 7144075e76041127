//! Everything that an agent's core can ask of its shell. This enum is the port.

use crate::log::LogEntry;
use crate::owner::Usage;
use crate::sealed::{Capture, Sealed};
use crate::tidings::Tidings;
use serde::{Deserialize, Serialize};
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::draw::DrawPlan;
use sward_proto::ids::LeaseToken;
use sward_proto::robots::Robots;
use sward_proto::wire::request::AgentRequest;

/// One request to the shell. Within a turn the shell stores before it sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Make these changes durable, together.
    Store(Vec<Change>),
    /// Open the stream to the coordinator.
    Dial,
    /// Ask the coordinator.
    Send {
        /// To be echoed.
        id: u64,
        /// What.
        request: AgentRequest,
    },
    /// Fetch a page.
    Fetch(FetchOrder),
    /// Read a spooled capture.
    ReadSpool(LeaseToken),
}

/// A page to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchOrder {
    /// To be echoed.
    pub ticket: u64,
    /// What.
    pub url: CanonicalUrl,
    /// The largest decoded body, in bytes.
    pub max_bytes: u64,
    /// Media types whose body is read; any where empty.
    pub media_types: Vec<String>,
    /// What the host's robots.txt says, for redirects on the way.
    pub rules: Robots,
}

/// A change to what an agent keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A sealed result, with its capture where there is one to spool.
    Seal {
        /// The lease.
        token: LeaseToken,
        /// What opens it.
        sealed: Box<Sealed>,
        /// What is spooled; `None` leaves what is there.
        capture: Option<Box<Capture>>,
    },
    /// A result that nobody will ask for any more.
    Forget(LeaseToken),
    /// What is known of the coordinator and of the agent's own account.
    Account(Box<Account>),
    /// How the agent stands, and the owner's appeal.
    Tidings(Box<Tidings>),
    /// Bytes used.
    Usage(Usage),
    /// A receipt that was checked and signed, or that is held as evidence.
    Receipt {
        /// The note.
        note: String,
        /// Why it was not signed; empty where it was.
        objection: String,
    },
    /// A line of the owner's log.
    Log(Box<LogEntry>),
}

/// What an agent knows of its standing with its coordinator.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Account {
    /// Who runs it.
    pub operator: String,
    /// The page that the User-Agent names.
    pub contact: String,
    /// The key that signs receipts.
    pub vkey: String,
    /// The tariff document.
    pub tariff: String,
    /// How it draws whom it gives work to, as it said before it gave any.
    pub draws: Option<DrawPlan>,
    /// The newest receipt with both signatures; empty for none.
    pub receipt: String,
    /// Results that the coordinator has taken.
    pub taken: u64,
    /// The owner's pause outlives a restart.
    pub paused: bool,
    /// The coordinator has barred this agent, for this reason; empty where not.
    pub barred: String,
}
