//! What an agent can say of itself at any time.

use super::Session;
use crate::reason::StopReason;
use serde::{Deserialize, Serialize};
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::standing::{Appeal, Notice, PendingBlock};

/// The state in figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Its identity.
    pub peer_id: String,
    /// Why it is not fetching; `None` while it is.
    pub reason: Option<StopReason>,
    /// What the coordinator said where it has barred this agent; empty where it has not.
    pub detail: String,
    /// When that ends by itself, in milliseconds since the epoch.
    pub until_ms: Option<u64>,
    /// The coordinator's operator.
    pub operator: String,
    /// Fetches that go on now.
    pub fetching: usize,
    /// Leases that wait.
    pub waiting: usize,
    /// Sealed results that are not settled yet.
    pub unsettled: usize,
    /// Bytes over the wire today.
    pub today_bytes: u64,
    /// The day's cap.
    pub day_bytes: u64,
    /// Results that the coordinator has taken.
    pub taken: u64,
    /// What the newest receipt says: results.
    pub receipt_tasks: u64,
    /// What the newest receipt says: micro-units.
    pub receipt_credit: u64,
    /// What is earned and not final, and when it will be, oldest first.
    pub pending: Vec<PendingBlock>,
    /// What was decided about the agent, as far as it was told, oldest first.
    pub notices: Vec<Notice>,
    /// What came of the last appeal.
    pub appeal: Option<Appeal>,
    /// An appeal waits to be delivered.
    pub appeal_waits: bool,
    /// Why the last appeal was not taken; empty where it was.
    pub appeal_not_taken: String,
    /// In developer mode: loopback can be reached.
    pub developer: bool,
}

impl Session {
    /// The state now.
    #[must_use]
    pub fn view(&self, now: Timestamp) -> View {
        let reason = self.reason(now);
        let until = match reason {
            Some(StopReason::CapReached) => self.cap_resets(now),
            Some(_) | None => None,
        };
        let receipt = self.newest_receipt();
        View {
            peer_id: self.config.peer.to_string(),
            reason,
            detail: self.account.barred.clone(),
            until_ms: until.map(Timestamp::as_millis),
            operator: self.account.operator.clone(),
            fetching: self.fetching.len(),
            waiting: self.runs.values().map(|run| run.len()).sum(),
            unsettled: self.sealed.len(),
            today_bytes: self.usage.today(now),
            day_bytes: self.config.limits.day_bytes,
            taken: self.account.taken,
            receipt_tasks: receipt.as_ref().map_or(0, |receipt| receipt.tasks),
            receipt_credit: receipt.as_ref().map_or(0, |receipt| receipt.credit),
            pending: self.tidings.standing.pending.clone(),
            notices: self.tidings.standing.notices.clone(),
            appeal: self.tidings.standing.appeal.clone(),
            appeal_waits: self.tidings.appeal.is_some(),
            appeal_not_taken: self.tidings.not_taken.clone(),
            developer: self.config.developer,
        }
    }

    /// The page that the User-Agent names.
    #[must_use]
    pub fn contact(&self) -> &str {
        &self.account.contact
    }

    /// Why it is not fetching: the first reason that holds.
    fn reason(&self, now: Timestamp) -> Option<StopReason> {
        let idle = self.fetching.is_empty() && self.runs.is_empty();
        let holds = |reason: &StopReason| match reason {
            StopReason::NoConsent => self.account.vkey.is_empty() && self.config.invite.is_none(),
            StopReason::Revoked => !self.account.barred.is_empty(),
            StopReason::PausedByYou => self.account.paused,
            StopReason::CapReached => self.cap_resets(now).is_some(),
            StopReason::CoordinatorUnreachable => !self.link.is_open(),
            StopReason::CoordinatorFull => idle && self.notice == "coordinator_full",
            StopReason::NoWork => idle,
        };
        StopReason::ALL.into_iter().find(holds)
    }
}
