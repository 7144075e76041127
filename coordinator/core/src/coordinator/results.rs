//! Results coming in: sealed first, opened later.
//!
//! Nothing is credited here, and nothing twice: only [`AnswerCode::Taken`] moves a task on.

use super::{Coordinator, Timer};
use crate::task::{AttemptState, Phase, Revealed, Sealed, Task};
use std::time::Duration;
use sward_proto::attestation::{Attestation, Observation};
use sward_proto::batch;
use sward_proto::digest::Digest;
use sward_proto::ids::{LeaseToken, PeerId, TaskId};
use sward_proto::outcome::FailureCode;
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::answer::{Answer, AnswerCode};
use sward_proto::wire::refusal::RefusalCode;
use sward_proto::wire::reply::CoordinatorReply;
use sward_proto::wire::request::RevealedLeaf;

impl Coordinator {
    pub(super) fn commit(
        &mut self,
        agent: PeerId,
        id: u64,
        tokens: &[LeaseToken],
        leaves: &[Digest],
        signature: &[u8; 64],
        now: Timestamp,
    ) {
        if !batch::is_signed(&agent, &batch::statement(tokens, leaves), signature) {
            let hint = "the batch is not signed by the key of this connection";
            return self.refuse(agent, id, RefusalCode::Malformed, hint);
        }
        let mut answers = Vec::with_capacity(tokens.len());
        let proofs = batch::proofs(signature, tokens, leaves);
        for ((token, leaf), proof) in tokens.iter().zip(leaves).zip(proofs) {
            let code = self.commit_one(agent, *token, Sealed { leaf: *leaf, proof }, now);
            answers.push(Answer { token: *token, code });
        }
        self.send(agent, id, CoordinatorReply::Answers(answers));
    }

    fn commit_one(
        &mut self,
        agent: PeerId,
        token: LeaseToken,
        sealed: Sealed,
        now: Timestamp,
    ) -> AnswerCode {
        let Some(task) = self.leases.get(&token).copied() else { return AnswerCode::Late };
        let gap = self.gap_after(task);
        let Some(entry) = self.tasks.get_mut(&task) else { return AnswerCode::Late };
        let host = entry.host();
        let Some(attempt) = entry.attempt_mut(token) else { return AnswerCode::Late };
        if attempt.agent != agent {
            return AnswerCode::Foreign;
        }
        match &attempt.state {
            AttemptState::Leased => {}
            AttemptState::Committed(before)
            | AttemptState::Revealed(Revealed { sealed: before, .. }) => {
                let again = before.leaf == sealed.leaf;
                return if again { AnswerCode::Duplicate } else { AnswerCode::Mismatch };
            }
            AttemptState::Withheld(_) | AttemptState::Lost | AttemptState::Void => {
                return AnswerCode::Late;
            }
        }
        let (leaf, trusted) = (sealed.leaf, attempt.trusted);
        attempt.state = AttemptState::Committed(sealed);
        self.timers.remove(&(attempt.expires, Timer::Lease(token)));
        if let Some(member) = self.roster.get_mut(&agent) {
            member.leased.remove(&token);
        }
        self.frontier.lease_back(&host, token, gap, now);
        if !trusted {
            self.draw_audit(task, &agent, leaf, now);
            self.draw_spot(task, leaf, now);
        }
        self.rest_if_audited(task, now);
        self.ask_reveals(task, now);
        self.save_task(task);
        AnswerCode::Taken
    }

    /// Once every wanted result of a task is sealed, asks for all to be opened.
    pub(super) fn ask_reveals(&mut self, id: TaskId, now: Timestamp) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        if task.phase != Phase::Collecting || !task.is_sealed() || task.rests(now) {
            return;
        }
        let until = now + self.config.bounds.reveal_wait;
        task.phase = Phase::Revealing { until };
        for attempt in task.active() {
            if matches!(attempt.state, AttemptState::Committed(_)) {
                self.roster.post(&attempt.agent, |mail| mail.ask_reveal(attempt.token));
            }
        }
        self.timers.insert((until, Timer::Reveal(id)));
        self.settle_needy(id, now);
    }

    pub(super) fn reveal(
        &mut self,
        agent: PeerId,
        id: u64,
        leaves: Vec<RevealedLeaf>,
        now: Timestamp,
    ) {
        let mut answers = Vec::with_capacity(leaves.len());
        for leaf in leaves {
            let token = leaf.token;
            let code = self.reveal_one(agent, leaf, now);
            answers.push(Answer { token, code });
        }
        self.send(agent, id, CoordinatorReply::Answers(answers));
    }

    fn reveal_one(&mut self, agent: PeerId, opened: RevealedLeaf, now: Timestamp) -> AnswerCode {
        let RevealedLeaf { token, salt, attestation, blocks } = opened;
        let Some(id) = self.leases.get(&token).copied() else { return AnswerCode::Late };
        let developer = self.config.developer;
        let Some(task) = self.tasks.get_mut(&id) else { return AnswerCode::Late };
        let url = task.url.clone();
        let opening = matches!(task.phase, Phase::Revealing { .. });
        let Some(attempt) = task.attempt_mut(token) else { return AnswerCode::Late };
        if attempt.agent != agent {
            return AnswerCode::Foreign;
        }
        let sealed = match &attempt.state {
            AttemptState::Committed(sealed) if opening => sealed.clone(),
            AttemptState::Revealed(_) => return AnswerCode::Duplicate,
            // Nothing is opened before every sibling is sealed, or a copier could read it first.
            AttemptState::Committed(_) | AttemptState::Leased => return AnswerCode::Mismatch,
            AttemptState::Withheld(_) | AttemptState::Lost | AttemptState::Void => {
                return AnswerCode::Late;
            }
        };
        let parsed = Attestation::decode(&attestation).ok();
        let sound = parsed.filter(|parsed| {
            batch::leaf(salt, &attestation) == sealed.leaf
                && parsed.url == url
                && parsed.has_blocks(&blocks)
                && (developer || !parsed.developer)
        });
        let code = if let Some(parsed) = sound {
            let (salt, blocks) = (salt.0, blocks.to_bytes());
            attempt.state = AttemptState::Revealed(Revealed { sealed, salt, attestation, blocks });
            self.count_fetch(id, &agent);
            self.pace(id, &parsed, now);
            AnswerCode::Taken
        } else {
            attempt.state = AttemptState::Void;
            AnswerCode::Mismatch
        };
        self.roster.post(&agent, |mail| mail.revealed(token));
        self.weigh_if_opened(id, now);
        self.save_task(id);
        code
    }

    fn count_fetch(&mut self, id: TaskId, agent: &PeerId) {
        let job = self.tasks.get(&id).map(|task| task.job);
        if let Some(job) = job.and_then(|job| self.jobs.get_mut(&job)) {
            job.record.progress.counts.fetches += 1;
        }
        if let Some(job) = job {
            self.save_job(job);
        }
        if let Some(agent) = self.roster.get_mut(agent) {
            agent.record.fetched += 1;
        }
        self.save_agent(agent);
    }

    /// A host that failed or asked for less is left alone for a while; one that answered is trusted again.
    fn pace(&mut self, id: TaskId, seen: &Attestation, now: Timestamp) {
        let Some(name) = self.tasks.get(&id).map(Task::host) else { return };
        let changed = match &seen.observation {
            Observation::Response(response) => {
                let asked = response.retry_after_s.map(|s| Duration::from_secs(s.into()));
                let overloaded = matches!(response.status, 429 | 500..=599);
                self.frontier.with_host(&name, now, |host| {
                    if overloaded {
                        host.back_off(asked, now);
                    }
                    overloaded || host.recover()
                })
            }
            Observation::Failure { code, .. } => {
                let unreachable =
                    matches!(code, FailureCode::Connect | FailureCode::Timeout | FailureCode::Dns);
                if unreachable {
                    self.frontier.with_host(&name, now, |host| host.back_off(None, now));
                }
                unreachable
            }
        };
        if changed {
            self.save_clock(&name);
        }
    }

    pub(super) fn reveal_expired(&mut self, id: TaskId, now: Timestamp) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        if !matches!(task.phase, Phase::Revealing { until } if until <= now) {
            return;
        }
        let mut silent = Vec::new();
        for attempt in &mut task.attempts {
            if matches!(attempt.state, AttemptState::Committed(_)) {
                attempt.state = AttemptState::Lost;
                silent.push((attempt.agent, attempt.token));
            }
        }
        for (agent, token) in silent {
            self.roster.post(&agent, |mail| mail.settled(token));
        }
        self.weigh_if_opened(id, now);
        self.save_task(id);
    }

    pub(super) fn lease_expired(&mut self, token: LeaseToken, now: Timestamp) {
        let Some(id) = self.leases.get(&token).copied() else { return };
        let gap = self.gap_after(id);
        let Some(task) = self.tasks.get_mut(&id) else { return };
        let host = task.host();
        let Some(attempt) = task.attempt_mut(token) else { return };
        if attempt.state != AttemptState::Leased {
            return;
        }
        attempt.state = AttemptState::Lost;
        self.timers.remove(&(attempt.expires, Timer::Lease(token)));
        if let Some(agent) = self.roster.get_mut(&attempt.agent) {
            agent.leased.remove(&token);
        }
        self.frontier.lease_back(&host, token, gap, now);
        self.give_up_if_lost(id, now);
        self.trusted_overdue(id, now);
        self.settle_needy(id, now);
        self.save_task(id);
    }

    /// Counts an agent that was caught no more: what it was still to hand in is given up, and what it opened is no voice.
    /// While a past is being replayed nothing is weighed: [`Self::resume`] does that.
    pub(super) fn count_no_more(&mut self, agent: &PeerId, now: Timestamp) {
        let owed = |task: &&Task| task.active().any(|attempt| attempt.agent == *agent);
        let tasks: Vec<TaskId> = self.tasks.values().filter(owed).map(|task| task.id).collect();
        for id in tasks {
            self.count_no_more_on(id, agent, now);
        }
        // It may have been the last that could have said more of a page.
        let waiting = self.tasks.values().filter(|task| task.is_needy());
        let waiting: Vec<TaskId> = waiting.map(|task| task.id).collect();
        waiting.into_iter().for_each(|id| self.watch_starvation(id, now));
    }

    fn count_no_more_on(&mut self, id: TaskId, agent: &PeerId, now: Timestamp) {
        let recovering = self.recovering;
        let Some(task) = self.tasks.get_mut(&id) else { return };
        // A verdict on its way into the archive stands as it is.
        let is_settled = task.phase == Phase::Settling && !recovering;
        let (mut leased, mut silenced) = (None, false);
        for attempt in task.attempts.iter_mut().filter(|attempt| attempt.agent == *agent) {
            match attempt.state {
                AttemptState::Leased => leased = Some(attempt.token),
                AttemptState::Committed(_) => attempt.state = AttemptState::Lost,
                AttemptState::Revealed(_) if is_settled => {}
                AttemptState::Revealed(_) => {
                    attempt.state = AttemptState::Void;
                    silenced = true;
                }
                AttemptState::Withheld(_) | AttemptState::Lost | AttemptState::Void => {}
            }
        }
        if silenced && task.phase == Phase::Collecting {
            // What others say may be enough without its dissent.
            task.collect(task.replicas().count().max(self.config.rules.margin));
            self.ask_reveals(id, now);
        }
        if let Some(token) = leased {
            self.lease_expired(token, now);
        }
        self.settle_needy(id, now);
        if !recovering {
            self.weigh_if_opened(id, now);
            self.weigh_if_asked(id, agent, now);
        }
        self.save_task(id);
    }

    /// Keeps the host's list of tasks that want a lease true.
    pub(super) fn settle_needy(&mut self, id: TaskId, now: Timestamp) {
        if let Some(task) = self.tasks.get(&id) {
            let (host, needy) = (task.host(), task.is_needy() || task.wants_trusted());
            self.frontier.mark_needy(&host, id, needy, now);
        }
    }
}
