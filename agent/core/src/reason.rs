//! Why an agent is not fetching: one ordered vocabulary for command line, page, JSON, log and metric.
//!
//! Decides the words and which comes first. Never decides the conditions.

use serde::{Deserialize, Serialize};

/// The reasons, in order: the first that holds is the one that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// The owner has not agreed to anything yet.
    NoConsent,
    /// The coordinator has barred this agent.
    Revoked,
    /// The owner paused it.
    PausedByYou,
    /// Today's bytes are used up.
    CapReached,
    /// There is no connection to the coordinator.
    CoordinatorUnreachable,
    /// The coordinator asked to come back later.
    CoordinatorFull,
    /// There is nothing to fetch.
    NoWork,
}

impl StopReason {
    /// Every reason, in order.
    pub const ALL: [Self; 7] = [
        Self::NoConsent,
        Self::Revoked,
        Self::PausedByYou,
        Self::CapReached,
        Self::CoordinatorUnreachable,
        Self::CoordinatorFull,
        Self::NoWork,
    ];

    /// The word.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoConsent => "no_consent",
            Self::Revoked => "revoked",
            Self::PausedByYou => "paused_by_you",
            Self::CapReached => "cap_reached",
            Self::CoordinatorUnreachable => "coordinator_unreachable",
            Self::CoordinatorFull => "coordinator_full",
            Self::NoWork => "no_work",
        }
    }

    /// A sentence for a person, with what can be done.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::NoConsent => "Nothing is fetched before you agree: run sward-agent setup.",
            Self::Revoked => "The coordinator has barred this agent.",
            Self::PausedByYou => "Paused by you: sward-agent resume goes on.",
            Self::CapReached => "Today's volume is used up; it begins anew at midnight UTC.",
            Self::CoordinatorUnreachable => "The coordinator cannot be reached; trying again.",
            Self::CoordinatorFull => "The coordinator asked to come back later.",
            Self::NoWork => "Waiting: the coordinator has nothing to fetch.",
        }
    }
}
