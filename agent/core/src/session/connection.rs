//! The one connection to the coordinator: dialled with jittered back-off, rested when asked.

use super::standing::COME_BACK;
use super::{Asked, Session};
use crate::output::{Account, Change, Output};
use rand_chacha::rand_core::Rng as _;
use std::time::Duration;
use sward_proto::reason::Reason;
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::refusal::{Refusal, RefusalCode};
use sward_proto::wire::reply::Terms;
use sward_proto::wire::request::AgentRequest;

/// The first wait after a lost connection; doubled with each failure in a row.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// How the connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed { dial_at: Timestamp },
    Dialling,
    Open,
}

/// The connection.
#[derive(Debug)]
pub(super) struct Link {
    state: State,
    failures: u32,
    /// No request for work before this time, because the coordinator asked so.
    rest_until: Timestamp,
}

impl Link {
    pub(super) const fn new(now: Timestamp) -> Self {
        Self { state: State::Closed { dial_at: now }, failures: 0, rest_until: Timestamp::ZERO }
    }

    pub(super) fn is_open(&self) -> bool {
        self.state == State::Open
    }

    pub(super) fn rests(&self, now: Timestamp) -> bool {
        self.rest_until > now
    }

    pub(super) fn rest(&mut self, now: Timestamp, time: Duration) {
        self.rest_until = self.rest_until.max(now + time);
    }

    fn timeout(&self, now: Timestamp) -> Option<Timestamp> {
        match self.state {
            State::Closed { dial_at } => Some(dial_at),
            State::Dialling => None,
            State::Open => Some(self.rest_until).filter(|until| *until > now),
        }
    }
}

impl Session {
    pub(super) fn connected(&mut self) {
        self.link.state = State::Open;
        self.link.failures = 0;
        self.link.rest_until = Timestamp::ZERO;
        self.asked.clear();
        self.uploads.restart();
        self.ask_standing_at = Timestamp::ZERO;
        // What was sent and not answered may not have arrived: sent once more, it is answered as a duplicate.
        let unanswered = self.sealed.iter().filter(|(_, sealed)| !sealed.committed);
        self.unsent = unanswered.map(|(token, _)| *token).collect();
        // They go out ahead of the request for work, which names the leases still in hand: a result that waited would be
        // taken for a lost lease.
        self.unsent_since = (!self.unsent.is_empty()).then_some(Timestamp::ZERO);
    }

    pub(super) fn disconnected(&mut self, now: Timestamp) {
        let doubled = FIRST_WAIT.saturating_mul(1 << self.link.failures.min(16));
        let is_done = self.is_convicted() && !self.is_appealing();
        let wait = if is_done { COME_BACK } else { doubled.min(LONGEST_WAIT) };
        // Between half of the wait and all of it, so that agents do not come back as one.
        let half = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX) / 2;
        let wait = half + self.rng.next_u64() % (half + 1);
        self.link.failures = self.link.failures.saturating_add(1);
        self.link.state = State::Closed { dial_at: now + Duration::from_millis(wait) };
        self.asked.clear();
    }

    /// When the connection wants attention; never where it may not be opened.
    pub(super) fn next_attention(&self, now: Timestamp) -> Option<Timestamp> {
        let closed = matches!(self.link.state, State::Closed { .. });
        self.link.timeout(now).filter(|_| !closed || self.may_dial())
    }

    fn may_dial(&self) -> bool {
        let ready = self.config.invite.is_some() || !self.account.vkey.is_empty();
        ready && (self.account.barred.is_empty() || self.is_convicted())
    }

    pub(super) fn dial(&mut self, now: Timestamp) {
        if let State::Closed { dial_at } = self.link.state
            && dial_at <= now
            && self.may_dial()
        {
            self.link.state = State::Dialling;
            self.outputs.push_back(Output::Dial);
        }
    }

    pub(super) fn send_enrolment(&mut self) {
        let asked = self.asked.values().any(|asked| matches!(asked, Asked::Enrol));
        if !self.link.is_open() || !self.account.vkey.is_empty() || asked {
            return;
        }
        if let Some(invite) = self.config.invite.clone() {
            let request = AgentRequest::Enrol {
                invite,
                payee: self.config.payee.clone(),
                lane: self.config.lane,
                software: self.config.software.clone(),
            };
            self.ask(Asked::Enrol, request);
        }
    }

    pub(super) fn enrolled(&mut self, terms: Terms) {
        let Terms { operator, contact, vkey, tariff, developer, draws, .. } = terms;
        let receipt = std::mem::take(&mut self.account.receipt);
        let paused = self.account.paused;
        let taken = self.account.taken;
        let barred = if self.config.developer && !developer {
            "developer: this coordinator takes no agent in developer mode".to_owned()
        } else {
            String::new()
        };
        let draws = Some(draws);
        self.account =
            Account { operator, contact, vkey, tariff, draws, receipt, taken, paused, barred };
        self.changes.push(Change::Account(Box::new(self.account.clone())));
    }

    pub(super) fn refused(&mut self, asked: Asked, refusal: &Refusal, now: Timestamp) {
        if matches!(asked, Asked::Appeal) {
            return self.appeal_refused(refusal);
        }
        self.link.rest(now, refusal.retry_after);
        match (refusal.code, asked) {
            (RefusalCode::Barred, _) | (RefusalCode::Invite | RefusalCode::Developer, _) => {
                self.account.barred = in_words(refusal);
                self.changes.push(Change::Account(Box::new(self.account.clone())));
            }
            (_, Asked::Commit(tokens)) => {
                self.unsent.extend(tokens);
                self.unsent_since = Some(now + refusal.retry_after);
            }
            (_, Asked::UploadStart { token, .. } | Asked::Upload(token)) => {
                self.uploads.refused(token, refusal.retry_after, now);
            }
            (_, Asked::Enrol | Asked::Work) => self.link.rest(now, Duration::from_secs(5)),
            (_, Asked::SupersededWork | Asked::Reveal | Asked::Countersign) => {}
            (_, Asked::Standing | Asked::Appeal) => {}
        }
    }
}

/// Why this agent is barred, as its owner reads it: a code that is known becomes its sentence.
pub(super) fn in_words(refusal: &Refusal) -> String {
    let known = Reason::of_code(&refusal.detail);
    known.map_or_else(|| refusal.to_string(), |why| format!("{}: {}", why.code(), why.sentence()))
}
