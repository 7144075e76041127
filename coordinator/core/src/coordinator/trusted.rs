//! Fetches by the operator's own fetchers: beside a sealed result by sample, and after a vote that speaks against somebody.
//!
//! Decides when a page is fetched so, who does it, and when a task goes on without. Such a fetcher never is a first fetcher
//! or a replica of anybody, so that its word is one voice in each verdict; to sites and on the wire it is an agent like any
//! other. Never decides what its fetches prove (`sward_proto::quorum::referee`), nor that anybody waits for ever for one.

use super::draw::Begun;
use super::grant::{AGENTS_A_HOST, LeaseTerms};
use super::{Coordinator, Timer};
use crate::roster::Agent;
use crate::task::{Task, TrustedFetches};
use std::collections::BTreeMap;
use std::time::Duration;
use sward_proto::canonical_url::HostName;
use sward_proto::compare::response_of;
use sward_proto::digest::Digest;
use sward_proto::draw::{AuditDraw, PassedOver};
use sward_proto::ids::{PeerId, TaskId};
use sward_proto::quorum::ruling::CONFIRMATIONS;
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::reply::Work;

/// Leases to trusted fetchers for one task: some may be lost, or meet a site that fails.
const MOST_TRIES: usize = CONFIRMATIONS as usize + 4;

impl Coordinator {
    /// The first result of a task is sealed: draws whether a trusted fetcher fetches the page too, at once.
    pub(super) fn draw_spot(&mut self, id: TaskId, leaf: Digest, now: Timestamp) {
        let Some(task) = self.tasks.get(&id).filter(|task| !task.robots) else { return };
        let own = self.config.beacon.as_ref().is_some_and(|beacon| beacon.has(&task.url));
        let first = task.spot.is_none() && task.replicas().count() == 1;
        if own || !first || !self.roster.has_trusted() {
            return;
        }
        self.turn_round(now);
        let draw = AuditDraw::spot(&self.roster.seed(), &leaf);
        if let Some(task) = self.tasks.get_mut(&id) {
            task.spot = Some(draw);
        }
        if draw.drawn {
            self.want_trusted(id, self.config.bounds.spot_wait, now);
        }
    }

    /// One more trusted fetch of a task is wanted, and given up if it is not leased in time.
    pub(super) fn want_trusted(&mut self, id: TaskId, wait: Duration, now: Timestamp) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        let (wanted, until) = (task.trusted_fetches() + 1, now + wait);
        task.trusted = TrustedFetches { wanted, until, given_up: task.trusted.given_up };
        self.timers.insert((until, Timer::Trusted(id)));
        self.settle_needy(id, now);
    }

    /// Has a page that was weighed fetched once more by a trusted fetcher, where one is there or expected back. Returns
    /// whether the task waits for that.
    pub(super) fn confirm(&mut self, id: TaskId, now: Timestamp) -> bool {
        let patience = self.config.bounds.trusted_wait;
        let expected = self.roster.trusted().any(|agent| agent.is_expected(patience, now));
        let Some(task) = self.tasks.get_mut(&id) else { return false };
        let tries = task.attempts.iter().filter(|attempt| attempt.trusted).count();
        if !expected || task.trusted.given_up || tries >= MOST_TRIES {
            return false;
        }
        task.collect(task.replicas().count());
        self.want_trusted(id, patience, now);
        true
    }

    /// The same for a page on which those who answered do not agree, where no trusted fetch has told yet what it shows.
    pub(super) fn breaks_tie(&mut self, id: TaskId, now: Timestamp) -> bool {
        let told = self.tasks.get(&id).is_some_and(|task| {
            task.revealed().filter(|(attempt, _)| attempt.trusted).any(|(_, revealed)| {
                let seen = revealed.parsed();
                let response = seen.as_ref().and_then(response_of);
                response.is_some_and(|response| response.neutral.is_none())
            })
        });
        !told && self.confirm(id, now)
    }

    /// Leases what is wanted of trusted fetchers on a host to the one that is drawn. Returns whether there was anything.
    pub(super) fn grant_trusted(
        &mut self,
        name: &HostName,
        answers: &mut BTreeMap<PeerId, Work>,
        now: Timestamp,
    ) -> bool {
        let wants = |id: &&TaskId| self.tasks.get(id).is_some_and(Task::wants_trusted);
        let Some(host) = self.frontier.host(name) else { return false };
        let wanting: Vec<TaskId> = host.needy.iter().filter(wants).copied().collect();
        let out: usize = self.roster.trusted().map(|agent| agent.leased.len()).sum();
        let room = self.config.bounds.trusted_leases.saturating_sub(out);
        if wanting.is_empty() || room == 0 {
            return false;
        }
        let Begun { place, mut draw } = self.begin_draw();
        for peer in self.roster.trusted_polling_from(place, AGENTS_A_HOST) {
            let given = answers.get(&peer).map_or(0, |work| work.leases.len());
            let agent = self.roster.get(&peer);
            let free = agent.and_then(Agent::poll).map_or(0, |poll| poll.capacity);
            let free = free.saturating_sub(given).min(room).min(self.config.bounds.run_length);
            let ties = agent.and_then(Agent::ties);
            let run: Vec<TaskId> = wanting.iter().copied().take(free).collect();
            let (Some(ties), false) = (ties, run.is_empty()) else {
                draw.passed.push((peer, PassedOver::Full));
                continue;
            };
            let delay = self.gap(name, run.iter().copied());
            let life = self.lease_life(delay, run.len());
            for task in run {
                let terms = LeaseTerms { peer, ties: &ties, draw: draw.clone(), delay, life };
                let lease = self.lease(task, terms, now);
                answers.entry(peer).or_default().leases.extend(lease);
            }
            return true;
        }
        false
    }

    /// A trusted fetch that was wanted until now, and that nobody has a lease for, is waited for no longer.
    pub(super) fn trusted_overdue(&mut self, id: TaskId, now: Timestamp) {
        let margin = self.config.rules.margin;
        let Some(task) = self.tasks.get_mut(&id) else { return };
        if !task.wants_trusted() || task.trusted.until > now {
            return;
        }
        task.trusted.given_up = true;
        task.trusted.wanted = task.trusted_fetches();
        if task.audit.is_some_and(|audit| audit.draw.drawn) {
            // It was to be the audit of the only result: another agent's has to do.
            task.wanted = task.wanted.max(margin);
        }
        self.settle_needy(id, now);
        self.ask_reveals(id, now);
        self.weigh_if_opened(id, now);
        self.watch_starvation(id, now);
        self.save_task(id);
    }
}
