//! The body: asked of one agreeing agent, drawn at random, and checked against what it attested.

use super::settle::published_blocks;
use super::verdict::{facts_of, rests_on_less_than_equal_bytes};
use super::{Coordinator, Timer};
use crate::input::{UploadFacts, UploadFault};
use crate::output::{Expected, Output, UploadPart};
use crate::record::payload::PayloadRecord;
use crate::task::{Agreement, Attempt, AttemptState, Phase};
use std::collections::BTreeMap;
use sward_proto::attestation::Attestation;
use sward_proto::compare::response_of;
use sward_proto::digest::Digest;
use sward_proto::ids::{LeaseToken, PeerId, TaskId};
use sward_proto::outcome::Outcome;
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::refusal::RefusalCode;
use sward_proto::wire::reply::UploadOrder;
use sward_proto::wire::request::UploadStart;

/// Of captures that rest on equal bytes, one in so many is read again too: an agent's digests are no better for a second
/// agent's that runs the same altered program.
const RECOMPUTED_ONE_IN: usize = 20;

impl Coordinator {
    /// The index has said which bodies are in the archive: dissenters that handed in a known one replayed it.
    pub(super) fn payloads_known(
        &mut self,
        id: TaskId,
        known: &BTreeMap<Digest, PayloadRecord>,
        now: Timestamp,
    ) {
        let Some(task) = self.tasks.get(&id) else { return };
        let Phase::Agreed(agreement) = task.phase.clone() else { return };
        if self.weigh_without_caught(id, &agreement, now) {
            return;
        }
        let Some(task) = self.tasks.get(&id) else { return };
        let replayed = |attempt: &&Attempt| match &attempt.state {
            AttemptState::Revealed(revealed) => revealed.parsed().is_some_and(|seen| {
                response_of(&seen).is_some_and(|r| known.contains_key(&r.raw))
                    && [&agreement.contradicted, &agreement.disputed]
                        .iter()
                        .any(|some| some.contains(&attempt.token))
            }),
            AttemptState::Leased
            | AttemptState::Committed(_)
            | AttemptState::Withheld(_)
            | AttemptState::Lost
            | AttemptState::Void => false,
        };
        let replayed = task.attempts.iter().filter(replayed).map(|a| a.token).collect();
        let settling = self.settling.entry(id).or_default();
        settling.replayed = replayed;
        settling.known = known.clone();
        self.weighed(id, &agreement);
        self.ask_upload(id, agreement, now);
    }

    /// Asks one of those agreeing members that have not failed to; with none left the task goes back for another fetch.
    fn ask_upload(&mut self, id: TaskId, agreement: Agreement, now: Timestamp) {
        let able: Vec<LeaseToken> = self
            .tasks
            .get(&id)
            .into_iter()
            .flat_map(|task| task.revealed())
            .map(|(attempt, _)| attempt.token)
            .filter(|token| agreement.keepers.contains(token))
            .collect();
        let drawn = self.draw_below(able.len());
        let Some(token) = able.get(drawn).copied() else {
            return self.collect_again(id, now);
        };
        let Some(seen) = self.seen(id, token) else { return };
        let raw = response_of(&seen).map(|response| response.raw);
        let known =
            self.settling.get(&id).is_some_and(|s| raw.is_some_and(|r| s.known.contains_key(&r)));
        let until = now + self.config.bounds.upload_wait;
        // A body that is known was looked at when it came: only a new one is sampled.
        let sampled = !known && self.draw_below(RECOMPUTED_ONE_IN) == 0;
        let recompute = rests_on_less_than_equal_bytes(agreement.layer) || sampled;
        let Some(task) = self.tasks.get_mut(&id) else { return };
        let head_only = known && !task.robots && !recompute;
        task.phase = Phase::Uploading { agreement, token, head_only, recompute, until };
        let agent = task.attempt(token).map(|attempt| attempt.agent);
        if let Some(agent) = agent {
            self.roster.post(&agent, |mail| mail.ask_upload(UploadOrder { token, head_only }));
        }
        self.timers.insert((until, Timer::Upload(id)));
        self.save_task(id);
    }

    fn collect_again(&mut self, id: TaskId, now: Timestamp) {
        self.settling.remove(&id); // what was found by that weighing
        let Some(task) = self.tasks.get_mut(&id) else { return };
        task.region = None;
        task.drop_withheld();
        task.collect(task.replicas().count() + 1);
        if task.attempts.iter().filter(|attempt| !attempt.trusted).count()
            >= 2 * self.config.rules.most
        {
            return self.retry_or(id, Outcome::AgentLost, &[], now);
        }
        self.settle_needy(id, now);
        self.save_task(id);
    }

    fn seen(&self, id: TaskId, token: LeaseToken) -> Option<Attestation> {
        let attempt = self.tasks.get(&id)?.attempt(token)?;
        match &attempt.state {
            AttemptState::Revealed(revealed) => revealed.parsed(),
            AttemptState::Leased
            | AttemptState::Committed(_)
            | AttemptState::Withheld(_)
            | AttemptState::Lost
            | AttemptState::Void => None,
        }
    }

    /// The order that an upload answers, if there is one.
    fn expected(&self, agent: &PeerId, token: LeaseToken) -> Option<Expected> {
        let id = self.leases.get(&token)?;
        let task = self.tasks.get(id)?;
        let Phase::Uploading { agreement, token: asked, head_only, recompute, .. } = &task.phase
        else {
            return None;
        };
        if *asked != token || task.attempt(token)?.agent != *agent {
            return None;
        }
        let seen = self.seen(*id, token)?;
        let response = response_of(&seen)?;
        Some(Expected {
            raw: response.raw,
            bytes: response.raw_bytes,
            reading: recompute.then(|| response.reading()),
            links: response.links,
            published: published_blocks(
                task,
                token,
                &agreement.members,
                agreement.layer,
                agreement.rules,
            ),
            head_only: *head_only,
            robots: task.robots,
        })
    }

    pub(super) fn upload_start(&mut self, agent: PeerId, id: u64, start: UploadStart) {
        let token = start.token;
        self.receive(agent, id, token, UploadPart::Start(Box::new(start)));
    }

    pub(super) fn upload_chunk(
        &mut self,
        agent: PeerId,
        id: u64,
        token: LeaseToken,
        offset: u64,
        data: Vec<u8>,
    ) {
        self.receive(agent, id, token, UploadPart::Chunk { offset, data });
    }

    fn receive(&mut self, agent: PeerId, reply_to: u64, token: LeaseToken, part: UploadPart) {
        match self.expected(&agent, token) {
            Some(expected) => {
                self.outputs.push_back(Output::Receive { agent, reply_to, token, part, expected });
            }
            None => {
                let hint = "no capture is asked of this agent under this lease";
                self.refuse(agent, reply_to, RefusalCode::Conflict, hint);
            }
        }
    }

    pub(super) fn uploaded(
        &mut self,
        token: LeaseToken,
        result: Result<UploadFacts, UploadFault>,
        now: Timestamp,
    ) {
        let Some(id) = self.leases.get(&token).copied() else { return };
        let Some(task) = self.tasks.get_mut(&id) else { return };
        let Phase::Uploading { agreement, token: asked, .. } = task.phase.clone() else { return };
        if asked != token {
            return;
        }
        match result {
            Ok(_) if self.weigh_without_caught(id, &agreement, now) => {}
            Ok(facts) => self.upload_is_right(id, agreement, token, facts, now),
            Err(UploadFault::Broken) => {}
            Err(UploadFault::Mismatch) => self.upload_failed(id, agreement, token, now),
        }
    }

    fn upload_is_right(
        &mut self,
        id: TaskId,
        agreement: Agreement,
        token: LeaseToken,
        found: UploadFacts,
        now: Timestamp,
    ) {
        let Some(seen) = self.seen(id, token) else { return };
        let Some(response) = response_of(&seen) else { return };
        let mut facts = facts_of(response, seen.fetched_at);
        facts.links = found.links;
        facts.robots_rules =
            found.robots_body.map(|body| Self::read_robots(response.status, &body).to_text());
        self.settling.entry(id).or_default().capture = Some(token);
        let Agreement { members, layer, .. } = agreement;
        self.settle(id, Outcome::Ok, Some(layer), &members, Some(facts), now);
    }

    fn upload_failed(
        &mut self,
        id: TaskId,
        agreement: Agreement,
        token: LeaseToken,
        now: Timestamp,
    ) {
        self.outputs.push_back(Output::Discard(token));
        let Some(attempt) = self.tasks.get_mut(&id).and_then(|task| task.attempt_mut(token)) else {
            return;
        };
        let state = std::mem::replace(&mut attempt.state, AttemptState::Void);
        if let AttemptState::Revealed(revealed) = state {
            attempt.state = AttemptState::Withheld(revealed); // weighed, and so part of the evidence
        }
        let agent = attempt.agent;
        self.roster.post(&agent, |mail| mail.settled(token));
        if agreement.layer.is_partial() {
            // What is published of a page rests on every voice that agreed: one is gone.
            self.collect_again(id, now);
            return self.watch_starvation(id, now);
        }
        self.ask_upload(id, agreement, now);
    }

    pub(super) fn upload_expired(&mut self, id: TaskId, now: Timestamp) {
        let Some(task) = self.tasks.get(&id) else { return };
        if let Phase::Uploading { agreement, token, until, .. } = task.phase.clone()
            && until <= now
        {
            self.upload_failed(id, agreement, token, now);
        }
    }

    /// Weighs anew, without this agent, what it was asked for the capture of.
    pub(super) fn weigh_if_asked(&mut self, id: TaskId, agent: &PeerId, now: Timestamp) {
        let Some(task) = self.tasks.get(&id) else { return };
        if let Phase::Uploading { token, .. } = task.phase
            && task.attempt(token).is_some_and(|attempt| attempt.agent == *agent)
        {
            self.outputs.push_back(Output::Discard(token));
            self.weigh_anew(id, now);
        }
    }

    /// Weighs anew where one who agreed was caught meanwhile. Returns whether that was so.
    fn weigh_without_caught(&mut self, id: TaskId, agreement: &Agreement, now: Timestamp) -> bool {
        let Some(task) = self.tasks.get(&id) else { return false };
        let mut members = agreement.members.iter().filter_map(|token| task.attempt(*token));
        let caught = members.any(|attempt| self.is_convicted(&attempt.agent));
        if caught {
            self.weigh_anew(id, now);
        }
        caught
    }
}
