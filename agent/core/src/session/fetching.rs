//! Which lease is fetched next: one at a time on a host, robots.txt first, the gap kept, the owner asked.

use super::{Asked, Held, LEASES_A_FETCH, Session};
use crate::input::Fetched;
use crate::log::LogEntry;
use crate::output::{Change, FetchOrder, Output};
use crate::owner::Usage;
use crate::sealed::Capture;
use std::collections::VecDeque;
use std::time::Duration;
use sward_proto::attestation::Observation;
use sward_proto::canonical_url::{CanonicalUrl, HostName, Origin};
use sward_proto::compare::block::BlockList;
use sward_proto::ids::LeaseToken;
use sward_proto::outcome::FailureCode;
use sward_proto::robots::Robots;
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::bounds::MAX_BATCH;
use sward_proto::wire::reply::Work;
use sward_proto::wire::request::AgentRequest;

/// How long the coordinator may keep a request for work.
const POLL_WAIT: Duration = Duration::from_secs(25);
/// The largest robots.txt that is read: twice what RFC 9309 section 2.5 asks for.
const MAX_ROBOTS_BYTES: u64 = 1 << 20;

/// What is being fetched.
#[derive(Debug, Clone)]
pub(super) enum Fetching {
    /// An origin's robots.txt, for ourselves.
    Robots { host: HostName, origin: Origin },
    /// A lease.
    Page { host: HostName, held: Box<Held>, began: Timestamp },
}

impl Fetching {
    fn host(&self) -> &HostName {
        match self {
            Self::Robots { host, .. } | Self::Page { host, .. } => host,
        }
    }
}

impl Session {
    /// Asks for work whenever no such request is open and the coordinator does not want to be left alone.
    pub(super) fn ask_for_work(&mut self, now: Timestamp) {
        let open = self.asked.values().any(|asked| matches!(asked, Asked::Work));
        let enrolled = !self.account.vkey.is_empty() && self.account.barred.is_empty();
        if open || !enrolled || !self.link.is_open() || self.link.rests(now) {
            return;
        }
        let holding = self.held_tokens();
        // No more than one message can name when the connection is lost.
        let most = MAX_BATCH.min(self.config.limits.parallel * LEASES_A_FETCH);
        let room = most.saturating_sub(holding.len());
        let capacity = if self.may_take_work(now) { room } else { 0 };
        let request = AgentRequest::WantWork {
            capacity: u16::try_from(capacity).unwrap_or(u16::MAX),
            wait: POLL_WAIT,
            holding: holding.into_iter().take(MAX_BATCH).collect(),
        };
        self.last_capacity = capacity;
        self.ask(Asked::Work, request);
    }

    /// Asks anew where a request without room is open and there is room again; the coordinator answers the older one.
    pub(super) fn ask_again_with_room(&mut self, now: Timestamp) {
        let room = self.may_take_work(now) && self.held_tokens().is_empty();
        if room && self.last_capacity == 0 {
            // The older request may have been answered already, with orders that are given once.
            let open = self.asked.values_mut().filter(|asked| matches!(asked, Asked::Work));
            open.for_each(|asked| *asked = Asked::SupersededWork);
            self.last_capacity = 1;
        }
    }

    pub(super) fn may_take_work(&self, now: Timestamp) -> bool {
        !self.account.paused
            && self.usage.today(now) < self.config.limits.day_bytes
            && self.spooled < self.config.limits.spool_bytes
    }

    fn held_tokens(&self) -> Vec<LeaseToken> {
        let waiting = self.runs.values().flatten().map(|held| held.lease.token);
        let fetching = self.fetching.values().filter_map(|fetching| match fetching {
            Fetching::Page { held, .. } => Some(held.lease.token),
            Fetching::Robots { .. } => None,
        });
        waiting.chain(fetching).collect()
    }

    pub(super) fn take_work(&mut self, work: Work, now: Timestamp) {
        self.link.rest(now, work.retry_after);
        for lease in work.leases {
            let expires = now + lease.expires_in;
            self.runs.entry(lease.url.host()).or_default().push_back(Held { lease, expires });
        }
        self.reveal(&work.reveal);
        for order in work.upload {
            self.uploads.order(order);
        }
        for token in work.release {
            self.forget(token);
        }
        if let Some(note) = work.receipt {
            self.offered_receipt(note);
        }
        if let Some(standing) = work.standing {
            self.stands(standing);
        }
        self.notice = work.notice;
    }

    /// Answers at once what will not be fetched: vetoed, paused, over the cap.
    pub(super) fn give_back_unwanted(&mut self, now: Timestamp) {
        let mut unwanted = Vec::new();
        let allowed = self.may_take_work(now);
        for run in self.runs.values_mut() {
            let (keep, drop): (Vec<Held>, Vec<Held>) = std::mem::take(run)
                .into_iter()
                .partition(|held| allowed && self.config.limits.veto(&held.lease).is_none());
            run.extend(keep);
            unwanted.extend(drop);
        }
        self.runs.retain(|_, run| !run.is_empty());
        for held in unwanted {
            let veto = self.config.limits.veto(&held.lease);
            let (code, detail) = match veto {
                Some(veto) => (FailureCode::OptOut, veto),
                None => (FailureCode::Cap, "paused, or today's volume is used up".to_owned()),
            };
            self.seal_failure(&held, code, detail, now);
        }
    }

    /// Starts what may be started.
    pub(super) fn start_fetches(&mut self, now: Timestamp) {
        let hosts: Vec<HostName> = self.runs.keys().cloned().collect();
        for host in hosts {
            if self.fetching.len() >= self.config.limits.parallel {
                return;
            }
            let busy = self.fetching.values().any(|fetching| *fetching.host() == host);
            if !busy && self.politeness.next_allowed(&host) <= now {
                self.start_on(host, now);
            }
        }
    }

    fn start_on(&mut self, host: HostName, now: Timestamp) {
        while let Some(held) = self.runs.get_mut(&host).and_then(|run| run.pop_front()) {
            if held.expires <= now {
                continue;
            }
            let url = &held.lease.url;
            let origin = url.origin();
            if self.politeness.rules(&origin, now).is_none() && !is_robots(url) {
                if let Ok(robots) = origin.robots_url() {
                    self.runs.entry(host.clone()).or_default().push_front(held);
                    return self.start(
                        robots,
                        MAX_ROBOTS_BYTES,
                        Vec::new(),
                        Fetching::Robots { host, origin },
                        now,
                    );
                }
                continue;
            }
            if let Err(rule) = self.politeness.check(url, now) {
                self.seal_failure(&held, FailureCode::Robots, rule, now);
                continue;
            }
            let (url, lease) = (url.clone(), held.lease.clone());
            let fetching = Fetching::Page { host, held: Box::new(held), began: now };
            return self.start(url, lease.max_bytes, lease.media_types, fetching, now);
        }
        self.runs.remove(&host);
    }

    fn start(
        &mut self,
        url: CanonicalUrl,
        max_bytes: u64,
        media_types: Vec<String>,
        fetching: Fetching,
        now: Timestamp,
    ) {
        let ticket = self.next_id;
        self.next_id += 1;
        self.fetching.insert(ticket, fetching);
        let known = self.politeness.rules(&url.origin(), now).cloned();
        let rules = known.unwrap_or_else(Robots::allow_all);
        let order = FetchOrder { ticket, url, max_bytes, media_types, rules };
        self.outputs.push_back(Output::Fetch(order));
    }

    pub(super) fn fetched(&mut self, ticket: u64, fetched: Fetched, now: Timestamp) {
        let Some(fetching) = self.fetching.remove(&ticket) else { return };
        self.runs.retain(|_, run| !run.is_empty());
        self.usage.add(fetched.wire_bytes, now);
        self.changes.push(Change::Usage(self.usage));
        match fetching {
            Fetching::Robots { host, origin } => {
                let (status, body) = robots_answer(&fetched);
                match &fetched.observation {
                    // Whatever keeps the agent from the host itself is the reason that its pages are given back with.
                    Observation::Failure { code, detail }
                        if matches!(code, FailureCode::Guard | FailureCode::Dns) =>
                    {
                        self.give_back_origin(&host, &origin, *code, detail, now);
                    }
                    Observation::Failure { .. } | Observation::Response(_) => {
                        self.politeness.learn(origin.clone(), status, body, now);
                    }
                }
                if let Ok(url) = origin.robots_url() {
                    self.politeness.fetched(&url, Duration::ZERO, now);
                    let entry = line(url.to_string(), None, &fetched, now);
                    self.changes.push(Change::Log(Box::new(entry)));
                }
            }
            Fetching::Page { held, began, .. } => {
                let url = &held.lease.url;
                if is_robots(url) {
                    let (status, body) = robots_answer(&fetched);
                    self.politeness.learn(url.origin(), status, body, now);
                }
                self.politeness.fetched(url, held.lease.delay, now);
                let entry = line(url.to_string(), Some(&held), &fetched, now);
                self.changes.push(Change::Log(Box::new(entry)));
                let host = url.host();
                self.seal(&held, fetched, began);
                self.run_ended |= !self.runs.contains_key(&host);
            }
        }
        self.ask_again_with_room(now);
    }

    /// Gives back what waits on an origin that cannot be reached.
    fn give_back_origin(
        &mut self,
        host: &HostName,
        origin: &Origin,
        code: FailureCode,
        detail: &str,
        now: Timestamp,
    ) {
        let run = self.runs.remove(host).unwrap_or_default();
        let (gone, kept): (VecDeque<Held>, VecDeque<Held>) =
            run.into_iter().partition(|held| held.lease.url.origin() == *origin);
        if !kept.is_empty() {
            self.runs.insert(host.clone(), kept);
        }
        for held in gone {
            self.seal_failure(&held, code, detail.to_owned(), now);
        }
    }

    fn seal_failure(&mut self, held: &Held, code: FailureCode, detail: String, now: Timestamp) {
        let capture = Capture { exchanges: Vec::new(), links: Vec::new(), body: Vec::new() };
        let observation = Observation::Failure { code, detail };
        let blocks = BlockList::default();
        let fetched = Fetched { observation, elapsed_ms: 0, wire_bytes: 0, blocks, capture };
        let entry = line(held.lease.url.to_string(), Some(held), &fetched, now);
        self.changes.push(Change::Log(Box::new(entry)));
        self.seal(held, fetched, now);
        self.run_ended = true;
    }

    /// When a waiting lease may be fetched.
    pub(super) fn next_fetch(&self, now: Timestamp) -> Option<Timestamp> {
        if self.fetching.len() >= self.config.limits.parallel || self.runs.is_empty() {
            return None;
        }
        let busy: Vec<&HostName> = self.fetching.values().map(Fetching::host).collect();
        let idle = self.runs.keys().filter(|host| !busy.contains(host));
        idle.map(|host| self.politeness.next_allowed(host).max(now)).min()
    }

    /// When the day's volume begins anew, where it is used up.
    #[must_use]
    pub fn cap_resets(&self, now: Timestamp) -> Option<Timestamp> {
        (self.usage.today(now) >= self.config.limits.day_bytes).then(|| Usage::resets(now))
    }
}

fn is_robots(url: &CanonicalUrl) -> bool {
    url.path_and_query() == "/robots.txt"
}

/// Status and body of an answer to robots.txt; status 0 where there was none.
fn robots_answer(fetched: &Fetched) -> (u16, &[u8]) {
    match &fetched.observation {
        Observation::Response(response) => (response.status, &fetched.capture.body),
        Observation::Failure { .. } => (0, &[]),
    }
}

fn line(url: String, held: Option<&Held>, fetched: &Fetched, at: Timestamp) -> LogEntry {
    let lease = held.map(|held| &held.lease);
    let (outcome, detail) = match &fetched.observation {
        Observation::Response(response) => ("fetched".to_owned(), response.status.to_string()),
        Observation::Failure { code, detail } => (code.code().to_owned(), detail.clone()),
    };
    LogEntry {
        at,
        url,
        job: lease.map(|lease| lease.job.to_string()).unwrap_or_default(),
        purpose: lease.map(|lease| lease.purpose.clone()).unwrap_or_default(),
        category: lease.map(|lease| lease.category.clone()).unwrap_or_default(),
        bytes: fetched.wire_bytes,
        outcome,
        detail,
    }
}
