//! The owner's log: one line for each URL, fetched or not.

use serde::{Deserialize, Serialize};
use sward_proto::timestamp::Timestamp;

/// One URL and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// When.
    pub at: Timestamp,
    /// What.
    pub url: String,
    /// For which job; empty for a robots.txt that the agent itself wanted.
    pub job: String,
    /// Why, in the submitter's words.
    pub purpose: String,
    /// The job's category.
    pub category: String,
    /// Bytes over the wire.
    pub bytes: u64,
    /// `fetched`, or the code of the failure.
    pub outcome: String,
    /// HTTP status, or why it was not fetched.
    pub detail: String,
}
