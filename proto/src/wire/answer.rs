//! What became of a committed or revealed lease.
//!
//! Decides the vocabulary. Never decides which answer is due.

use super::bounds::{self, WireError};
use super::pb;
use crate::ids::LeaseToken;
use std::str::FromStr;

/// The coordinator's answer to one result. Nothing but [`Self::Taken`] ever moves a task forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerCode {
    /// Taken, for the first time.
    Taken,
    /// The very same was taken before.
    Duplicate,
    /// The lease had expired, or its task is settled.
    Late,
    /// The token is unknown, or was given to another agent.
    Foreign,
    /// The attestation is not the one that was committed to.
    Mismatch,
}

const CODES: [(AnswerCode, &str); 5] = [
    (AnswerCode::Taken, "taken"),
    (AnswerCode::Duplicate, "duplicate"),
    (AnswerCode::Late, "late"),
    (AnswerCode::Foreign, "foreign"),
    (AnswerCode::Mismatch, "mismatch"),
];

impl AnswerCode {
    /// The code as it stands on the wire and in logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        CODES.iter().find(|(code, _)| *code == self).map_or("foreign", |(_, text)| text)
    }
}

impl FromStr for AnswerCode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        CODES
            .iter()
            .find(|(_, name)| *name == text)
            .map(|(code, _)| *code)
            .ok_or_else(|| format!("unknown answer {text}"))
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
    let one = |a: &Answer| pb::Answer { token: a.token.0.into(), code: a.code.as_str().into() };
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
