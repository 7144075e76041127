//! What is around an agent's core: its disk, its clock, its fetches.

use crate::chance::seed_for;
use crate::fleet::Member;
use crate::liar::{self, Role};
use std::collections::BTreeMap;
use sward_agent_core::input::{Fetched, Input};
use sward_agent_core::output::{Change, FetchOrder, Output};
use sward_agent_core::sealed::Capture;
use sward_agent_core::session::{Config, Memory, Session};
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::ids::LeaseToken;
use sward_proto::region::Region;
use sward_proto::timestamp::Timestamp;

/// What an agent wants of the world.
#[derive(Debug)]
pub enum Act {
    /// A connection.
    Dial,
    /// A frame sent.
    Send(Vec<u8>),
    /// A page.
    Fetch(FetchOrder),
    /// A spooled capture.
    ReadSpool(LeaseToken),
    /// It has crashed.
    Crash,
    /// It objects to a receipt.
    Object(String),
    /// It has signed a receipt.
    Signed(String),
}

/// An agent with its disk.
pub struct Machine {
    /// What it is.
    pub role: Role,
    /// Where it is.
    pub region: Option<Region>,
    /// How often it was started.
    pub life: u64,
    /// When it wants to be woken, by the world's clock.
    pub wake: Option<Timestamp>,
    /// Its fetches.
    pub fetches: BTreeMap<u64, (CanonicalUrl, Fetched)>,
    /// It stops once it has stored something, ahead of what it would send.
    pub crash_after_store: bool,
    /// How many times slower than others its connection is.
    pub slowness: u64,
    number: usize,
    session: Option<Session>,
    skew_ms: i64,
    next_skew_ms: i64,
    config: Config,
    memory: Memory,
    spool: BTreeMap<LeaseToken, Capture>,
    before: Option<Fetched>,
    /// How many it made.
    fetched: u64,
}

impl Machine {
    /// An agent that was never started.
    #[must_use]
    pub fn new(number: usize, member: Member) -> Self {
        Self {
            role: member.role,
            region: member.whereabouts.region,
            life: 0,
            wake: None,
            fetches: BTreeMap::new(),
            crash_after_store: false,
            slowness: member.slowness,
            number,
            session: None,
            skew_ms: member.skew_ms,
            next_skew_ms: member.skew_ms,
            config: member.config,
            memory: Memory::default(),
            spool: BTreeMap::new(),
            before: None,
            fetched: 0,
        }
    }

    /// Whether it runs.
    #[must_use]
    pub const fn is_up(&self) -> bool {
        self.session.is_some()
    }

    /// Starts it from its disk.
    pub fn start(&mut self, now: Timestamp) {
        self.life += 1;
        self.skew_ms = self.next_skew_ms;
        let seed = Config {
            seed: seed_for(self.life, &format!("{:?}", self.config.seed)),
            ..self.config.clone()
        };
        self.session = Some(Session::new(seed, self.memory.clone(), self.local(now)));
    }

    /// Stops it: only its disk stays.
    pub fn stop(&mut self) {
        self.session = None;
        self.wake = None;
        self.fetches.clear();
        self.crash_after_store = false;
        self.life += 1;
    }

    /// Sets its clock wrong, from its next start on.
    pub const fn set_skew(&mut self, skew_ms: i64) {
        self.next_skew_ms = skew_ms;
    }

    /// A spooled capture.
    #[must_use]
    pub fn spooled(&self, token: LeaseToken) -> Option<Box<Capture>> {
        self.spool.get(&token).cloned().map(Box::new)
    }

    /// Tells its session of an event.
    pub fn tell(&mut self, input: Input, now: Timestamp) -> Vec<Act> {
        let local = self.local(now);
        let Some(session) = &mut self.session else { return Vec::new() };
        session.handle(input, local);
        self.gather()
    }

    /// Wakes its session.
    pub fn wake_up(&mut self, now: Timestamp) -> Vec<Act> {
        let local = self.local(now);
        let Some(session) = &mut self.session else { return Vec::new() };
        session.handle_timeout(local);
        self.gather()
    }

    /// When its session wants to be woken, by the world's clock.
    #[must_use]
    pub fn due(&self, now: Timestamp) -> Option<Timestamp> {
        let local = self.local(now);
        let due = self.session.as_ref()?.poll_timeout(local)?;
        Some(now + due.since(local))
    }

    /// The end of a fetch, as its session is told.
    pub fn fetched(&mut self, ticket: u64) -> Option<(CanonicalUrl, Input)> {
        let (url, truth) = self.fetches.remove(&ticket)?;
        let before = self.before.replace(truth.clone());
        self.fetched += 1;
        let (role, count) = (self.role, self.fetched);
        let told = liar::twist_fetch(role, self.number, &url, truth, before.as_ref(), count);
        Some((url, Input::Fetched { ticket, fetched: Box::new(told) }))
    }

    fn gather(&mut self) -> Vec<Act> {
        let mut acts = Vec::new();
        while let Some(output) = self.session.as_mut().and_then(Session::next_output) {
            match output {
                Output::Store(changes) => {
                    for change in changes {
                        self.keep(change, &mut acts);
                    }
                    if self.crash_after_store {
                        acts.push(Act::Crash);
                        return acts;
                    }
                }
                Output::Dial => acts.push(Act::Dial),
                Output::Send { id, request } => {
                    acts.push(Act::Send(liar::twist_request(self.role, request).encode(id)));
                }
                Output::Fetch(order) => acts.push(Act::Fetch(order)),
                Output::ReadSpool(token) => acts.push(Act::ReadSpool(token)),
            }
        }
        acts
    }

    fn keep(&mut self, change: Change, acts: &mut Vec<Act>) {
        match change {
            Change::Seal { token, sealed, capture } => {
                self.memory.sealed.insert(token, *sealed);
                if let Some(capture) = capture {
                    self.spool.insert(token, *capture);
                }
            }
            Change::Forget(token) => {
                self.memory.sealed.remove(&token);
                self.spool.remove(&token);
            }
            Change::Account(account) => self.memory.account = *account,
            Change::Tidings(tidings) => self.memory.tidings = *tidings,
            Change::Usage(usage) => self.memory.usage = usage,
            Change::Receipt { note, objection } if objection.is_empty() => {
                acts.push(Act::Signed(note));
            }
            Change::Receipt { objection, .. } => acts.push(Act::Object(objection)),
            Change::Log(_) => {}
        }
    }

    fn local(&self, now: Timestamp) -> Timestamp {
        Timestamp::from_millis(now.as_millis().saturating_add_signed(self.skew_ms))
    }
}
