//! Weighing the opened results of a task, and what follows from the verdict.

use super::Coordinator;
use crate::group::{Ties, voices};
use crate::lookup::Lookup;
use crate::output::Output;
use crate::settlement::PageFacts;
use crate::task::{Agreement, Attempt, AttemptState, Phase, Revealed, Task};
use sward_proto::attestation::{Attestation, Response};
use sward_proto::compare::block::BlockList;
use sward_proto::compare::stable::StableBlocks;
use sward_proto::compare::{credible_time, response_of};
use sward_proto::digest::Digest;
use sward_proto::ids::{LeaseToken, TaskId};
use sward_proto::outcome::{FailureCode, Outcome};
use sward_proto::quorum::finding::{agreed_outcome, is_blaming, kept_out_outcome};
use sward_proto::quorum::referee::{Judged, judge};
use sward_proto::quorum::voice::Voice;
use sward_proto::quorum::{Agreed, Decision, Layer, Rules, Vote};
use sward_proto::timestamp::Timestamp;

/// Leases that may be lost before a URL is given up for this try.
const MAX_LOST: usize = 8;

impl Coordinator {
    /// Decides, once every result that still counts is open.
    pub(super) fn weigh_if_opened(&mut self, id: TaskId, now: Timestamp) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        if !matches!(task.phase, Phase::Revealing { .. }) {
            return;
        }
        if task.active().any(|a| !matches!(a.state, AttemptState::Revealed(_))) {
            return;
        }
        task.drop_withheld();
        if self.weigh_beacon(id, now) {
            return;
        }
        let Some(task) = self.tasks.get_mut(&id) else { return };
        let opened: Vec<Opened> = task.revealed().filter_map(Opened::new).collect();
        let told: Vec<&Opened> = opened.iter().filter(|o| !o.trusted || o.is_voice()).collect();
        if let ([alone], 1) = (&told[..], task.wanted)
            && !alone.trusted
        {
            return self.weigh_single(id, alone.token, &alone.seen, now);
        }
        let ties: Vec<&Ties> = opened.iter().map(|opened| &opened.ties).collect();
        let votes: Vec<Vote<'_>> =
            opened.iter().zip(voices(&ties)).map(|(opened, voice)| opened.vote(voice)).collect();
        let trusted: Vec<bool> = opened.iter().map(|opened| opened.trusted).collect();
        let judged = judge(&votes, &trusted, self.config.rules, &StableBlocks::unknown());
        self.follow_judgement(id, judged, &opened, now);
    }

    fn follow_judgement(&mut self, id: TaskId, judged: Judged, opened: &[Opened], now: Timestamp) {
        let rules = self.config.rules;
        let first = |members: &[usize]| {
            let first = members.first().and_then(|member| opened.get(*member));
            first.and_then(|opened| response_of(&opened.seen)).cloned()
        };
        match &judged.decision {
            Decision::More => {
                let replicas = opened.iter().filter(|opened| !opened.trusted).count();
                if let Some(task) = self.tasks.get_mut(&id) {
                    task.collect((replicas + 1).max(rules.margin));
                }
                self.settle_needy(id, now);
                self.watch_starvation(id, now);
                self.give_up_if_lost(id, now);
            }
            Decision::Contested => {
                if !self.breaks_tie(id, now) {
                    self.settle(id, Outcome::Disagree, None, &[], None, now);
                }
            }
            Decision::Failed { members, code } => {
                self.failed(id, *code, &pick(members, opened), now);
            }
            Decision::Neutral { members } => {
                if let Some(response) = first(members) {
                    self.kept_out(id, &pick(members, opened), &response, now);
                }
            }
            Decision::Agreed(agreed) => {
                let Some(response) = first(&agreed.members) else { return };
                let blaming = is_blaming(self.ends_as(id, &response));
                if judged.is_open() && blaming && self.confirm(id, now) {
                    return;
                }
                let agreement = agreement(&judged, agreed, opened, rules);
                self.agreed(id, agreement, &response, now);
            }
        }
    }

    /// Forgets a verdict that is not in the archive yet, and weighs what still counts.
    pub(super) fn weigh_anew(&mut self, id: TaskId, now: Timestamp) {
        self.settling.remove(&id);
        if let Some(task) = self.tasks.get_mut(&id) {
            task.phase = Phase::Revealing { until: now };
        }
        self.weigh_if_opened(id, now);
        self.save_task(id);
    }

    /// The site keeps every visitor of ours out: as good as a refusal, unless it asks for patience.
    fn kept_out(
        &mut self,
        id: TaskId,
        members: &[LeaseToken],
        response: &Response,
        now: Timestamp,
    ) {
        let outcome = kept_out_outcome(response.status);
        if matches!(outcome, Outcome::Http429 | Outcome::Http5xx) {
            return self.retry_or(id, outcome, members, now);
        }
        let (facts, layer) = (facts_of(response, now), Some(Layer::Status));
        self.settle(id, outcome, layer, members, Some(facts), now);
    }

    pub(super) fn agreed(
        &mut self,
        id: TaskId,
        agreement: Agreement,
        response: &Response,
        now: Timestamp,
    ) {
        let members = agreement.members.clone();
        let layer = Some(agreement.layer);
        let outcome = self.ends_as(id, response);
        if outcome == Outcome::Ok {
            return self.look_up_payloads(id, agreement);
        }
        if matches!(outcome, Outcome::Http429 | Outcome::Http5xx) {
            return self.retry_or(id, outcome, &members, now);
        }
        let facts = facts_of(response, now);
        self.weighed(id, &agreement);
        self.settle(id, outcome, layer, &members, Some(facts), now);
    }

    /// How a task ends on whose response independent groups agree: a page may be of a kind that its job does not want.
    fn ends_as(&self, id: TaskId, response: &Response) -> Outcome {
        let task = self.tasks.get(&id).filter(|task| !task.robots);
        let job = task.and_then(|task| self.jobs.get(&task.job));
        let unwanted = job.is_some_and(|job| {
            let wanted = &job.record.spec.media_types;
            !wanted.is_empty() && !wanted.contains(&response.media_type)
        });
        let outcome = agreed_outcome(response.status);
        if outcome == Outcome::Ok && unwanted { Outcome::Policy } else { outcome }
    }

    /// Asks the index which of a task's bodies are in the archive.
    pub(super) fn look_up_payloads(&mut self, id: TaskId, agreement: Agreement) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        let digests = bodies(task, &agreement);
        task.phase = Phase::Agreed(agreement);
        self.look_up(Lookup::Payloads { task: id, digests });
    }

    fn failed(&mut self, id: TaskId, code: FailureCode, members: &[LeaseToken], now: Timestamp) {
        let outcome = Outcome::from(code);
        match code {
            FailureCode::Dns
            | FailureCode::Connect
            | FailureCode::Timeout
            | FailureCode::Http
            | FailureCode::Cap => self.retry_or(id, outcome, members, now),
            FailureCode::Robots
            | FailureCode::OptOut
            | FailureCode::Guard
            | FailureCode::Tls
            | FailureCode::TooLarge
            | FailureCode::Decode
            | FailureCode::Redirect => self.settle(id, outcome, None, members, None, now),
        }
    }

    /// Ends a try for which too many leases came to nothing.
    pub(super) fn give_up_if_lost(&mut self, id: TaskId, now: Timestamp) {
        let Some(task) = self.tasks.get(&id) else { return };
        let replicas = task.attempts.iter().filter(|attempt| !attempt.trusted);
        let lost = replicas.filter(|attempt| !attempt.is_active()).count();
        if task.phase == Phase::Collecting && lost >= MAX_LOST && task.replicas().count() == 0 {
            self.retry_or(id, Outcome::AgentLost, &[], now);
        }
    }

    /// Drops what is stored of a task that has ended, and tells its agents.
    pub(super) fn close_task(&mut self, id: TaskId, now: Timestamp) -> Option<Task> {
        let task = self.tasks.remove(&id)?;
        let host = task.host();
        for attempt in &task.attempts {
            self.leases.remove(&attempt.token);
            self.frontier.lease_back(&host, attempt.token, std::time::Duration::ZERO, now);
            if let Some(agent) = self.roster.get_mut(&attempt.agent) {
                agent.leased.remove(&attempt.token);
            }
            self.roster.post(&attempt.agent, |mail| mail.settled(attempt.token));
            self.outputs.push_back(Output::Discard(attempt.token));
        }
        self.frontier.with_host(&host, now, |host| {
            host.open.remove(&id);
            host.needy.remove(&id);
        });
        if let Some(job) = self.jobs.get_mut(&task.job) {
            job.open.remove(&id);
        }
        self.batch.delete(crate::record::task::key(id));
        Some(task)
    }
}

/// An opened result, parsed.
struct Opened {
    token: LeaseToken,
    trusted: bool,
    ties: Ties,
    seen: Attestation,
    blocks: BlockList,
    at: Timestamp,
}

impl Opened {
    fn new((attempt, revealed): (&Attempt, &Revealed)) -> Option<Self> {
        let seen = revealed.parsed()?;
        let (token, ties) = (attempt.token, attempt.ties.clone());
        let at = credible_time(seen.fetched_at, attempt.leased_at, attempt.expires);
        let (trusted, blocks) = (attempt.trusted, revealed.block_list());
        Some(Self { token, trusted, ties, seen, blocks, at })
    }

    /// Whether it is a response that is meant for everybody.
    fn is_voice(&self) -> bool {
        response_of(&self.seen).is_some_and(|response| response.neutral.is_none())
    }

    const fn vote(&self, voice: Voice) -> Vote<'_> {
        Vote { voice, attestation: &self.seen, blocks: &self.blocks, at: self.at }
    }
}

fn agreement(judged: &Judged, agreed: &Agreed, opened: &[Opened], rules: Rules) -> Agreement {
    let ruled = opened.iter().enumerate();
    let ruled = ruled.filter_map(|(n, opened)| Some((opened.token, judged.ruling(n)?)));
    Agreement {
        rules,
        members: pick(&agreed.members, opened),
        layer: agreed.layer,
        keepers: pick(&agreed.keepers, opened),
        tainted: pick(&agreed.tainted, opened),
        contradicted: pick(&agreed.contradicted, opened),
        disputed: pick(&agreed.disputed, opened),
        rulings: ruled.collect(),
    }
}

fn pick(members: &[usize], opened: &[Opened]) -> Vec<LeaseToken> {
    members.iter().filter_map(|member| opened.get(*member)).map(|opened| opened.token).collect()
}

/// The agreeing bodies first, then those of dissenters, each once.
fn bodies(task: &Task, agreement: &Agreement) -> Vec<Digest> {
    let mut digests = Vec::new();
    let (agreeing, others): (Vec<_>, Vec<_>) =
        task.revealed().partition(|(attempt, _)| agreement.members.contains(&attempt.token));
    for (_, revealed) in agreeing.into_iter().chain(others) {
        if let Some(seen) = revealed.parsed()
            && let Some(response) = response_of(&seen)
            && !digests.contains(&response.raw)
        {
            digests.push(response.raw);
        }
    }
    digests
}

/// What is kept of an agreed response.
pub(super) fn facts_of(response: &Response, fetched_at: Timestamp) -> PageFacts {
    PageFacts {
        final_url: response.final_url.clone(),
        status: response.status,
        media_type: response.media_type.clone(),
        fetched_at,
        payload: response.raw,
        bytes: response.raw_bytes,
        canonical: response.canonical,
        redirect_target: response.redirect_target.clone(),
        links: Vec::new(),
        robots_rules: None,
    }
}

/// Whether a verdict on this layer makes the coordinator compute everything anew from the body.
pub(super) const fn rests_on_less_than_equal_bytes(layer: Layer) -> bool {
    match layer {
        Layer::Identical | Layer::Status => false,
        Layer::Canonical | Layer::Stable | Layer::Near | Layer::Single => true,
    }
}
