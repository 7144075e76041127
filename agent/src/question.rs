//! What the command line asks a running agent.

use serde::{Deserialize, Serialize};

/// One question.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// How it stands.
    Status,
    /// Stop fetching, or go on.
    Pause(bool),
    /// The last lines of the owner's log.
    Log {
        /// How many.
        count: usize,
    },
    /// The owner appeals.
    Appeal {
        /// The owner's words.
        text: String,
    },
}
