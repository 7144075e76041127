//! Pages that rest on one agent's word: whose may, and whether its result is checked after all.
//!
//! Decides how many results a page needs at first, and draws the audit once the first of them is sealed, so that neither
//! its agent nor the coordinator could choose what is checked. Never decides what an audit proves (reputation), nor
//! which page stands (quorum).

use super::{Coordinator, Timer};
use crate::job::Replication;
use crate::record::agent::AgentRecord;
use crate::roster::Agent;
use crate::task::{Agreement, AttemptState, Audit, Phase, Task};
use crate::trust::evidence::{Check, Excuse, Volatility};
use crate::trust::hold::{self, Terms};
use crate::trust::rate::Rate;
use crate::trust::replication::Stake;
use std::time::Duration;
use sward_proto::attestation::Attestation;
use sward_proto::canonical_url::{CanonicalUrl, HostName};
use sward_proto::digest::Digest;
use sward_proto::draw::{AuditDraw, Place};
use sward_proto::ids::{JobId, LeaseToken, PeerId, TaskId};
use sward_proto::quorum::{Layer, stands_alone};
use sward_proto::timestamp::Timestamp;

/// Agents that wait for work of whom it is looked whether one has proved itself.
const LOOKED_AT: usize = 32;
const DAY: Duration = Duration::from_hours(24);

impl Coordinator {
    /// How many results a page wants that is about to be leased to this agent.
    pub(super) fn wanted_of(&self, task: &Task, peer: &PeerId, now: Timestamp) -> usize {
        let mut replicas = task.attempts.iter().filter(|attempt| !attempt.trusted);
        let fresh = replicas.all(|attempt| attempt.state == AttemptState::Lost);
        if !fresh {
            return task.wanted;
        }
        let proved = self.roster.get(peer).is_some_and(|agent| {
            !agent.record.trust.is_proving() || self.is_audited_by_trusted(agent)
        });
        let page = task.known.volatility;
        let alone = !task.robots
            && task.known.may_stand_alone()
            && self.suits(task.job, &task.url, page, peer, now);
        if alone && self.is_audited(task.job) && proved { 1 } else { self.config.rules.margin }
    }

    /// Whether an agent may be given such a page: where pages may rest on one agent's word, none of a kind on which it
    /// differed twice and a difference says little. Where every page is fetched twice, what it hands in counts as ever.
    pub(super) fn suits(
        &self,
        job: JobId,
        url: &CanonicalUrl,
        page: Volatility,
        peer: &PeerId,
        now: Timestamp,
    ) -> bool {
        let limits = self.roster.get(peer).map(|agent| &agent.record.limits);
        !self.is_audited(job)
            || limits.is_none_or(|limits| limits.allows(page, excuse_of(url), now))
    }

    /// Whether the page that waits first on a host is rather for another agent that waits for work.
    pub(super) fn next_is_unsuited(&self, host: &HostName, peer: &PeerId, now: Timestamp) -> bool {
        self.next_url(host).is_some_and(|(job, url)| {
            let page = self.known_of(&url, now).volatility;
            let suits = |peer: &PeerId| self.suits(job, &url, page, peer, now);
            let others = || self.roster.polling_from(Place([0; 32]), LOOKED_AT);
            !suits(peer) && others().iter().any(suits)
        })
    }

    fn is_audited(&self, job: JobId) -> bool {
        let job = self.jobs.get(&job).map(|job| job.record.spec.replication);
        job == Some(Replication::Audited)
    }

    fn is_newcomer(&self, peer: &PeerId) -> bool {
        self.roster.get(peer).is_some_and(|agent| agent.record.trust.on_probation())
    }

    /// Whether a newcomer has had what it is given a day of pages that may rest on one agent's word, while somebody waits who
    /// has proved itself.
    pub(super) fn had_its_trickle(
        &mut self,
        peer: &PeerId,
        host: &HostName,
        now: Timestamp,
    ) -> bool {
        self.is_newcomer(peer)
            && self.next_url(host).is_some_and(|(job, _)| self.is_audited(job))
            && self.shares.is_trickle_spent(peer, now)
            && self
                .roster
                .polling_from(Place([0; 32]), LOOKED_AT)
                .iter()
                .any(|other| !self.is_newcomer(other))
    }

    /// A page is leased: to a newcomer, as one of those few?
    pub(super) fn count_trickle(&mut self, id: TaskId, peer: &PeerId, now: Timestamp) {
        let audited = self.tasks.get(&id).filter(|task| !task.robots).map(|task| task.job);
        if audited.is_some_and(|job| self.is_audited(job)) && self.is_newcomer(peer) {
            self.shares.trickled(*peer, now);
        }
    }

    /// A single result is sealed: whether it is checked is drawn now, and if not, when it is opened.
    pub(super) fn draw_audit(&mut self, id: TaskId, agent: &PeerId, leaf: Digest, now: Timestamp) {
        let task = self.tasks.get(&id).filter(|task| task.audit.is_none() && task.wanted == 1);
        let Some((task, member)) = task.zip(self.roster.get(agent)) else { return };
        let stake = task.known.stake(&task.url);
        let rate = audit_rate(&member.record, stake, self.config.bounds.hold, now);
        let rate = rate.times(self.boost(id, &member.record));
        self.turn_round(now);
        let draw = AuditDraw::new(&self.roster.seed(), &leaf, rate.ppm());
        let opens = self.draw_rest(now);
        let margin = self.config.rules.margin;
        let by_trusted = self.roster.get(agent).is_some_and(|m| self.is_audited_by_trusted(m));
        let Some(task) = self.tasks.get_mut(&id) else { return };
        task.audit = Some(Audit { draw, opens });
        if draw.drawn && by_trusted {
            self.want_trusted(id, self.config.bounds.spot_wait, now);
        } else if draw.drawn {
            task.wanted = margin;
            self.settle_needy(id, now);
            self.watch_starvation(id, now);
        } else {
            self.timers.insert((opens, Timer::Open(id)));
        }
    }

    /// The last result of an audited page is sealed: it rests as a single one does.
    pub(super) fn rest_if_audited(&mut self, id: TaskId, now: Timestamp) {
        let sealed = |task: &&Task| task.phase == Phase::Collecting && task.is_sealed();
        let audit = self.tasks.get(&id).filter(sealed).and_then(|task| task.audit);
        let Some(audit) = audit.filter(|audit| audit.draw.drawn) else { return };
        let opens = self.draw_rest(now);
        if let Some(task) = self.tasks.get_mut(&id) {
            task.audit = Some(Audit { opens, ..audit });
            self.timers.insert((opens, Timer::Open(id)));
        }
    }

    /// Until when a sealed result rests.
    fn draw_rest(&mut self, now: Timestamp) -> Timestamp {
        let delay = self.config.bounds.open_delay.as_millis();
        let delay = self.draw_below(usize::try_from(delay).unwrap_or(usize::MAX)) as u64;
        now + Duration::from_millis(delay)
    }

    /// What is sealed has rested.
    pub(super) fn open_rested(&mut self, id: TaskId, now: Timestamp) {
        self.ask_reveals(id, now);
        self.save_task(id);
    }

    /// Whether the audits of an agent are trusted fetches: on retrial, where one of the operator's fetchers is connected.
    fn is_audited_by_trusted(&self, agent: &Agent) -> bool {
        agent.record.trust.audited_by() == Check::Concurrent && self.roster.has_trusted()
    }

    /// What stands on the word of one agent, or how it comes that more are asked.
    pub(super) fn weigh_single(
        &mut self,
        id: TaskId,
        token: LeaseToken,
        seen: &Attestation,
        now: Timestamp,
    ) {
        let audit = self.tasks.get(&id).and_then(|task| task.audit);
        // An audit that was drawn and came to nothing is made up for.
        let may = stands_alone(seen) && audit.is_some_and(|audit| !audit.draw.drawn);
        let response = sward_proto::compare::response_of(seen).filter(|_| may);
        if let Some(response) = response {
            let Some(rules) = self.tasks.get(&id).map(|task| self.rules_of(task)) else { return };
            let agreement = Agreement {
                members: vec![token],
                layer: Layer::Single,
                rules,
                keepers: vec![token],
                tainted: Vec::new(),
                contradicted: Vec::new(),
                disputed: Vec::new(),
                variants: Vec::new(),
                regional: Vec::new(),
                rulings: Vec::new(),
            };
            return self.agreed(id, agreement, response, now);
        }
        let margin = self.config.rules.margin;
        if let Some(task) = self.tasks.get_mut(&id) {
            task.collect(margin);
        }
        self.settle_needy(id, now);
        self.watch_starvation(id, now);
    }
}

/// What may explain a difference on a page, by its URL alone.
pub(super) fn excuse_of(url: &CanonicalUrl) -> Excuse {
    if url.as_str().starts_with("http://") { Excuse::OpenPath } else { Excuse::Nothing }
}

/// With which chance a page of this agent is fetched once more.
fn audit_rate(record: &AgentRecord, stake: Stake, terms: Terms, now: Timestamp) -> Rate {
    let days = now.since(record.enrolled_at).as_secs().div_ceil(DAY.as_secs()).max(1);
    let pages_a_day = u32::try_from(record.fetched / days).unwrap_or(u32::MAX);
    record.trust.rate(stake, hold::need(terms, pages_a_day))
}
