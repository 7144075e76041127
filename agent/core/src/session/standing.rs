//! How the agent stands: what is told with its work, what a barred agent still asks, and the owner's appeal.
//!
//! Decides when a barred agent goes on talking to its coordinator: now and then, to read what is told late, and often while
//! an appeal waits for its answer. It asks for no work meanwhile.

use super::connection::in_words;
use super::{Asked, Session};
use crate::output::Change;
use std::time::Duration;
use sward_proto::reason::Reason;
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::refusal::{Refusal, RefusalCode};
use sward_proto::wire::request::AgentRequest;
use sward_proto::wire::standing::Standing;

/// How often a barred agent whose appeal is open asks: often enough that its stream is not dropped as silent.
const ASK_EVERY: Duration = Duration::from_secs(30);
/// How often one that waits for nothing comes back: what is told late is told once a day.
pub(super) const COME_BACK: Duration = Duration::from_secs(3600);

impl Session {
    /// The owner appeals. It is sent as soon as there is a connection.
    pub(super) fn owner_appeals(&mut self, text: String) {
        self.tidings.appeal = Some(text);
        self.tidings.not_taken.clear();
        self.keep_tidings();
    }

    /// Whether the coordinator has barred the agent for what was found of its results.
    pub(super) fn is_convicted(&self) -> bool {
        let code = self.account.barred.split(':').next().unwrap_or_default();
        code == RefusalCode::Barred.code() || Reason::of_code(code).is_some()
    }

    /// Whether the owner waits for an answer.
    pub(super) fn is_appealing(&self) -> bool {
        let told = &self.tidings.standing.appeal;
        let open = told.as_ref().is_some_and(|told| told.answer.is_empty());
        open || self.tidings.appeal.is_some()
    }

    /// Sends the appeal, or asks how a barred agent stands.
    pub(super) fn ask_standing(&mut self, now: Timestamp) {
        let asked = |asked: &Asked| matches!(asked, Asked::Appeal | Asked::Standing);
        let idle = !self.asked.values().any(asked);
        if !idle || !self.link.is_open() || self.account.vkey.is_empty() {
            return;
        }
        if let Some(text) = self.tidings.appeal.clone() {
            self.ask(Asked::Appeal, AgentRequest::Appeal { text });
        } else if self.is_convicted() && self.ask_standing_at <= now {
            self.ask_standing_at = now + if self.is_appealing() { ASK_EVERY } else { COME_BACK };
            self.ask(Asked::Standing, AgentRequest::Standing);
        }
    }

    /// When a barred agent asks next.
    pub(super) fn next_standing(&self, now: Timestamp) -> Option<Timestamp> {
        let waits = self.link.is_open() && self.is_convicted();
        Some(self.ask_standing_at).filter(|at| waits && *at > now)
    }

    /// The coordinator says how the agent stands.
    pub(super) fn stands(&mut self, standing: Standing) {
        let barred = match standing.barred.as_str() {
            "" if self.is_convicted() => String::new(),
            "" => self.account.barred.clone(),
            code => in_words(&Refusal::new(RefusalCode::Barred, code)),
        };
        if barred != self.account.barred {
            self.account.barred = barred;
            self.changes.push(Change::Account(Box::new(self.account.clone())));
        }
        let before = self.tidings.clone();
        self.tidings.update(standing);
        if self.tidings != before {
            self.keep_tidings();
        }
    }

    /// The appeal is delivered.
    pub(super) fn appeal_taken(&mut self, standing: Standing, now: Timestamp) {
        self.tidings.appeal = None;
        self.ask_standing_at = now + ASK_EVERY;
        self.stands(standing);
        self.keep_tidings();
    }

    /// The appeal is not taken.
    pub(super) fn appeal_refused(&mut self, refusal: &Refusal) {
        self.tidings.appeal = None;
        self.tidings.not_taken.clone_from(&refusal.detail);
        self.keep_tidings();
    }

    fn keep_tidings(&mut self) {
        self.changes.push(Change::Tidings(Box::new(self.tidings.clone())));
    }
}
