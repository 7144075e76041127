//! What became of a committed or revealed lease.
//!
//! Decides the vocabulary. Never decides which answer is due.

use super::bounds::{self, WireError};
use super::pb;
use crate::ids::LeaseToken;
use crate::vocabulary::vocabulary;

vocabulary! {
    /// The coordinator's answer to one result. Nothing but [`Self::Taken`] ever moves a task forward.
    AnswerCode {
        /// Taken, for the first time.
        Taken => "taken",
        /// The very same was taken before.
        Duplicate => "duplicate",
        /// The lease had expired, or its task is settled.
        Late => "late",
        /// The token was given to another agent.
        Foreign => "foreign",
        /// The attestation is not the one that was committed to.
        Mismatch => "mismatch",
    }
}

/// One lease's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The lease.
    pub token: LeaseToken,
    /// What became of it.
    pub code: AnswerCode,
}

pub(super) fn to_pb(answers: &[Answer]) -> pb::Answers {
    let one = |a: &Answer| pb::Answer { token: a.token.0.into(), code: a.code.code().into() };
    pb::Answers { answers: answers.iter().map(one).collect() }
}

pub(super) fn from_pb(value: &pb::Answers) -> Result<Vec<Answer>, WireError> {
    bounds::at_most("answers", value.answers.len(), bounds::MAX_BATCH)?;
    let one = |a: &pb::Answer| {
        Ok(Answer {
            token: bounds::token("answer.token", &a.token)?,
            code: a.code.parse().map_err(|e| WireError::invalid("answer.code", e))?,
        })
    };
    value.answers.iter().map(one).collect()
}
