//! Why a request was refused, in codes that programs act on.
//!
//! Decides the vocabulary. Never decides to refuse.

use super::bounds::{self, MAX_TEXT_BYTES, WireError};
use super::pb;
use crate::vocabulary::vocabulary;
use std::fmt;
use std::time::Duration;

vocabulary! {
    /// What kind of refusal this is.
    RefusalCode {
        /// The peer speaks another version of the wire.
        Version => "version",
        /// The message does not keep to the wire's form.
        Malformed => "malformed",
        /// The agent is not enrolled here.
        NotEnrolled => "not_enrolled",
        /// The invite is unknown, used or expired.
        Invite => "invite",
        /// The agent is barred; the detail carries the reason code.
        Barred => "barred",
        /// A developer-mode agent at a coordinator that is not started for it.
        Developer => "developer",
        /// The request does not fit what was agreed before it.
        Conflict => "conflict",
        /// Too much is in flight, or the coordinator cannot take work now: come back later.
        Busy => "busy",
    }
}

/// A refused request: what, why, and when to try again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The kind.
    pub code: RefusalCode,
    /// One line for a person.
    pub detail: String,
    /// Not before this much time has passed; zero where trying again is of no use or free.
    pub retry_after: Duration,
}

impl Refusal {
    /// A refusal without a time.
    pub fn new(code: RefusalCode, detail: impl fmt::Display) -> Self {
        let detail = detail.to_string().chars().filter(|c| !c.is_control()).take(200).collect();
        Self { code, detail, retry_after: Duration::ZERO }
    }

    /// "Come back later".
    pub fn busy(detail: impl fmt::Display, retry_after: Duration) -> Self {
        Self { retry_after, ..Self::new(RefusalCode::Busy, detail) }
    }

    pub(crate) fn to_pb(&self) -> pb::Refusal {
        pb::Refusal {
            code: self.code.code().to_owned(),
            detail: self.detail.clone(),
            retry_after_ms: u32::try_from(self.retry_after.as_millis()).unwrap_or(u32::MAX),
        }
    }

    pub(crate) fn from_pb(value: pb::Refusal) -> Result<Self, WireError> {
        Ok(Self {
            code: value.code.parse().map_err(|e| WireError::invalid("refusal.code", e))?,
            detail: bounds::text("refusal.detail", value.detail, 4 * MAX_TEXT_BYTES)?,
            retry_after: Duration::from_millis(value.retry_after_ms.into()),
        })
    }
}

impl From<WireError> for Refusal {
    fn from(error: WireError) -> Self {
        let code = match error {
            WireError::Version { .. } => RefusalCode::Version,
            WireError::Malformed { .. }
            | WireError::UnknownRequest
            | WireError::TooLong { .. }
            | WireError::Invalid { .. } => RefusalCode::Malformed,
        };
        Self::new(code, error)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.code(), self.detail)
    }
}
