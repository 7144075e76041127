//! How an agent stands with its coordinator, in what its owner may read.
//!
//! Decides which statements are well formed: credit that is not final with the date on which it is, what was decided about
//! the agent, and what came of its owner's appeal. Never says which page was checked: pending credit is told by the block,
//! decisions late (research on validation, sections B3 and B7).

use super::bounds::{self, MAX_TEXT_BYTES, WireError};
use super::pb;
use crate::ids::TaskId;
use crate::timestamp::Timestamp;
use crate::vocabulary::vocabulary;
use serde::{Deserialize, Serialize};

/// Lines of pending credit.
pub const MAX_PENDING: usize = 32;
/// Notices.
pub const MAX_NOTICES: usize = 16;
/// Tasks that a notice lists.
pub const MAX_TASKS: usize = 64;
/// Characters of an appeal, and of its answer.
pub const MAX_APPEAL_CHARS: usize = 2000;

/// Credit that turns final together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingBlock {
    /// Results.
    pub tasks: u64,
    /// Micro-units.
    pub credit: u64,
    /// When it is final: at the latest then.
    pub due: Timestamp,
    /// The agent was on probation when the block was opened.
    pub probation: bool,
}

/// What was decided about the agent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Notice {
    /// When.
    pub decided: Timestamp,
    /// The reason's code (`reason.rs`); later builds may have more of them.
    pub reason: String,
    /// The tasks that speak against the agent, where it was barred.
    pub tasks: Vec<TaskId>,
}

vocabulary! {
    /// What came of an appeal.
    Decision {
        /// Nothing yet.
        Open => "open",
        /// The agent is given work again.
        Upheld => "upheld",
        /// It stays as it was.
        Rejected => "rejected",
    }
}

/// The owner's last appeal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appeal {
    /// When it came in.
    pub at: Timestamp,
    /// What came of it.
    pub decision: Decision,
    /// The operator's words; empty while it is open.
    pub answer: String,
}

/// How an agent stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Standing {
    /// What is earned and not final, oldest first.
    pub pending: Vec<PendingBlock>,
    /// What was decided about it and may be told by now, oldest first.
    pub notices: Vec<Notice>,
    /// The last appeal, where there was one.
    pub appeal: Option<Appeal>,
    /// Why it is barred: a reason's code, or empty.
    pub barred: String,
}

/// Whether this may be an appeal, or its answer.
///
/// # Errors
/// What is wrong with it.
pub fn check_words(text: &str) -> Result<(), String> {
    let chars = text.chars().count();
    if text.trim().is_empty() {
        return Err("there are no words in it: say what happened".to_owned());
    }
    if chars > MAX_APPEAL_CHARS {
        return Err(format!("it has {chars} characters, at most {MAX_APPEAL_CHARS} are taken"));
    }
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err("it has control characters: give plain text".to_owned());
    }
    Ok(())
}

/// An appeal or an answer, as it comes off the wire.
pub(super) fn words(field: &'static str, text: String) -> Result<String, WireError> {
    bounds::at_most(field, text.len(), 4 * MAX_APPEAL_CHARS)?;
    check_words(&text).map_err(|why| WireError::invalid(field, why))?;
    Ok(text)
}

impl Standing {
    pub(super) fn to_pb(&self) -> pb::Standing {
        let pending = self.pending.iter().map(|block| pb::PendingBlock {
            tasks: block.tasks,
            credit: block.credit,
            due_ms: block.due.as_millis(),
            probation: block.probation,
        });
        let notices = self.notices.iter().map(|notice| pb::Notice {
            decided_ms: notice.decided.as_millis(),
            reason: notice.reason.clone(),
            tasks: notice.tasks.iter().map(|task| task.0).collect(),
        });
        let appeal = self.appeal.as_ref().map(|appeal| pb::AppealState {
            at_ms: appeal.at.as_millis(),
            decision: appeal.decision.code().to_owned(),
            answer: appeal.answer.clone(),
        });
        let barred = self.barred.clone();
        pb::Standing { pending: pending.collect(), notices: notices.collect(), appeal, barred }
    }

    pub(super) fn from_pb(value: pb::Standing) -> Result<Self, WireError> {
        bounds::at_most("standing.pending", value.pending.len(), MAX_PENDING)?;
        bounds::at_most("standing.notices", value.notices.len(), MAX_NOTICES)?;
        let pending = value.pending.iter().map(|block| PendingBlock {
            tasks: block.tasks,
            credit: block.credit,
            due: Timestamp::from_millis(block.due_ms),
            probation: block.probation,
        });
        let notice = |notice: pb::Notice| {
            bounds::at_most("notice.tasks", notice.tasks.len(), MAX_TASKS)?;
            Ok::<_, WireError>(Notice {
                decided: Timestamp::from_millis(notice.decided_ms),
                reason: bounds::text("notice.reason", notice.reason, MAX_TEXT_BYTES)?,
                tasks: notice.tasks.into_iter().map(TaskId).collect(),
            })
        };
        let appeal = |appeal: pb::AppealState| {
            let decision = appeal.decision.parse();
            let decision = decision.map_err(|e| WireError::invalid("appeal.decision", e))?;
            let answer = match decision {
                Decision::Open => String::new(),
                Decision::Upheld | Decision::Rejected => words("appeal.answer", appeal.answer)?,
            };
            let at = Timestamp::from_millis(appeal.at_ms);
            Ok::<_, WireError>(Appeal { at, decision, answer })
        };
        Ok(Self {
            pending: pending.collect(),
            notices: value.notices.into_iter().map(notice).collect::<Result<_, _>>()?,
            appeal: value.appeal.map(appeal).transpose()?,
            barred: bounds::text("standing.barred", value.barred, MAX_TEXT_BYTES)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing() -> Standing {
        let at = Timestamp::from_millis(1_780_000_000_000);
        let block = PendingBlock { tasks: 3, credit: 3000, due: at, probation: true };
        let tasks = vec![TaskId(4), TaskId(9)];
        let notice = Notice { decided: at, reason: "forged".to_owned(), tasks };
        let answer = "we looked again".to_owned();
        let appeal = Appeal { at, decision: Decision::Rejected, answer };
        let barred = "forged".to_owned();
        Standing { pending: vec![block], notices: vec![notice], appeal: Some(appeal), barred }
    }

    #[test]
    fn what_is_told_arrives() {
        assert_eq!(Standing::from_pb(standing().to_pb()), Ok(standing()));
    }

    #[test]
    fn nothing_past_its_bounds_is_taken() {
        let mut many = standing();
        many.pending = vec![many.pending[0]; MAX_PENDING + 1];
        assert!(Standing::from_pb(many.to_pb()).is_err());
        let mut many = standing();
        many.notices[0].tasks = vec![TaskId(1); MAX_TASKS + 1];
        assert!(Standing::from_pb(many.to_pb()).is_err());
        let mut long = standing().to_pb();
        long.appeal.as_mut().expect("one").answer = "x".repeat(MAX_APPEAL_CHARS + 1);
        assert!(Standing::from_pb(long).is_err());
        let mut unknown = standing().to_pb();
        unknown.appeal.as_mut().expect("one").decision = "perhaps".to_owned();
        assert!(Standing::from_pb(unknown).is_err());
    }

    #[test]
    fn an_appeal_is_plain_text_of_bounded_length() {
        assert_eq!(check_words("it was\nmy provider"), Ok(()));
        assert_eq!(check_words(&"\u{e4}".repeat(MAX_APPEAL_CHARS)), Ok(()));
        for bad in [String::new(), " \n".to_owned(), "a\u{1b}[0m".to_owned(), "x".repeat(2001)] {
            assert!(check_words(&bad).is_err(), "{bad:?}");
        }
    }
}
