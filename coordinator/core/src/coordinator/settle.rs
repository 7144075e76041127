//! A task's end: the verdict goes into the archive, then into the index, with credit for those who agreed.
//!
//! [`Coordinator::apply`] is what a settlement changes, at its time and when it is read back from the archive: one
//! meaning, so that a rebuilt index says what the lost one said.

use super::verdict::facts_of;
use super::{Coordinator, Timer};
use crate::frontier::RobotsState;
use crate::group::{Ties, voices};
use crate::input::Archived;
use crate::output::{Event, Output};
use crate::record::agent::{Standing, Totals};
use crate::record::capture::CaptureRecord;
use crate::record::payload::PayloadRecord;
use crate::record::pending::HeldPage;
use crate::record::robots::RobotsRecord;
use crate::record::{self, encode};
use crate::roster::Mail;
use crate::settlement::{AgentResult, PageFacts, Settlement};
use crate::task::{Agreement, Attempt, AttemptState, Phase, RegionVariant, Revealed, Task};
use crate::trust::blocks::{BlockId, Calendar};
use std::collections::BTreeMap;
use std::time::Duration;
use sward_proto::compare::block::BlockList;
use sward_proto::compare::response_of;
use sward_proto::digest::Digest;
use sward_proto::ids::{LeaseToken, PeerId, TaskId};
use sward_proto::outcome::Outcome;
use sward_proto::quorum::finding::{Finding, is_blaming};
use sward_proto::quorum::referee::kept_ruling;
use sward_proto::quorum::ruling::Ruling;
use sward_proto::quorum::voice::Voice;
use sward_proto::quorum::{self, Layer, Rules};
use sward_proto::robots::Robots;
use sward_proto::tariff::CreditClass;
use sward_proto::timestamp::Timestamp;
use sward_proto::verdict::{Origin, PublishedBlocks, Variant, needs_blocks};

/// A verdict on its way.
#[derive(Debug, Default)]
pub(super) struct Settling {
    /// The lease whose capture is kept.
    pub(super) capture: Option<LeaseToken>,
    /// Bodies of this task that are in the archive.
    pub(super) known: BTreeMap<Digest, PayloadRecord>,
    /// Leases whose body is in the archive although nobody else saw it now.
    pub(super) replayed: Vec<LeaseToken>,
    /// Leases whose page of the beacon site was shown to another agent.
    pub(super) copied: Vec<LeaseToken>,
    /// Leases with scripts or frames that only they saw.
    tainted: Vec<LeaseToken>,
    /// Leases that independent others contradict.
    contradicted: Vec<LeaseToken>,
    /// The same, in some blocks of a page that is near.
    disputed: Vec<LeaseToken>,
    /// What other regions see, by leases.
    variants: Vec<RegionVariant>,
    /// Leases that are not blamed, as their region is unheard.
    regional: Vec<LeaseToken>,
    /// Those of them of whom trusted fetches tell whether they are to blame, and those who are spared so.
    rulings: Vec<(LeaseToken, Ruling)>,
    /// By which rules they were found so: those of another time where the coordinator was started anew since.
    rules: Option<Rules>,
    settlement: Option<Settlement>,
}

impl Coordinator {
    /// Keeps what was found of those who do not agree until their task is settled.
    pub(super) fn weighed(&mut self, id: TaskId, agreement: &Agreement) {
        let settling = self.settling.entry(id).or_default();
        settling.tainted.clone_from(&agreement.tainted);
        settling.contradicted.clone_from(&agreement.contradicted);
        settling.disputed.clone_from(&agreement.disputed);
        settling.variants.clone_from(&agreement.variants);
        settling.regional.clone_from(&agreement.regional);
        settling.rulings.clone_from(&agreement.rulings);
        settling.rules = Some(agreement.rules);
    }

    /// Ends a task.
    pub(super) fn settle(
        &mut self,
        id: TaskId,
        outcome: Outcome,
        layer: Option<Layer>,
        members: &[LeaseToken],
        page: Option<PageFacts>,
        now: Timestamp,
    ) {
        let Some(task) = self.tasks.get(&id) else { return };
        let ties: Vec<&Ties> = task.weighed().map(|(attempt, _)| &attempt.ties).collect();
        let mut results: Vec<AgentResult> = task
            .weighed()
            .zip(voices(&ties))
            .filter_map(|(weighed, voice)| self.result(id, weighed, voice, members, outcome))
            .collect();
        if !needs_blocks(layer, results.iter().map(|result| result.finding)) {
            results.iter_mut().for_each(AgentResult::keep_the_least);
        }
        let weighed_by = self.settling.get(&id).and_then(|settling| settling.rules);
        let rules = weighed_by.unwrap_or_else(|| self.rules_of(task));
        let kept = self.settling.get(&id).and_then(|settling| settling.capture);
        // Drawn for a result that never came to be opened, it says nothing of those that did.
        let weighed = |leaf| results.iter().any(|result| !result.trusted && result.leaf == leaf);
        let spot = task.spot.filter(|spot| weighed(spot.leaf));
        let settlement = Settlement {
            task: id,
            job: task.job,
            url: task.url.clone(),
            depth: task.depth,
            robots: task.robots,
            settled_at: now,
            outcome,
            volatility: task.known.volatility,
            stable: task.known.stable.clone(),
            rules: Some(rules),
            layer,
            page,
            results,
            audit: task.audit.map(|audit| audit.draw),
            spot,
            blocks: kept.and_then(|token| published_blocks(task, token, members, layer?, rules)),
            variants: self.variants(task, outcome),
        };
        if let Some(task) = self.tasks.get_mut(&id) {
            task.phase = Phase::Settling;
        }
        self.settling.entry(id).or_default().settlement = Some(settlement);
        self.save_task(id);
        if self.archive_full.is_none() {
            self.archive(id);
        }
    }

    fn result(
        &self,
        id: TaskId,
        (attempt, revealed): (&Attempt, &Revealed),
        voice: Voice,
        members: &[LeaseToken],
        outcome: Outcome,
    ) -> Option<AgentResult> {
        let seen = revealed.parsed()?;
        let withheld = matches!(attempt.state, AttemptState::Withheld(_));
        let agreed = members.contains(&attempt.token) && !withheld;
        let finding = match (withheld, agreed) {
            (true, _) => Finding::Withheld,
            (false, true) => Finding::Agreed,
            (false, false) if attempt.trusted => Finding::Neutral,
            (false, false) => self.finding(id, attempt.token, outcome),
        };
        let paid = matches!(finding, Finding::Agreed | Finding::Variant);
        let class = class_of(outcome).filter(|_| paid);
        let price = class.and_then(|class| self.config.tariff.credit(class, 1).ok());
        let bytes = response_of(&seen).map_or(0, |response| response.raw_bytes);
        let credit = price.map(|credit| Totals { tasks: 1, bytes, credit });
        let origin = Origin {
            voice,
            leased_at: attempt.leased_at,
            expires: attempt.expires,
            proof: revealed.sealed.proof.clone(),
        };
        Some(AgentResult {
            agent: attempt.agent,
            token: attempt.token,
            draw: attempt.draw.clone(),
            origin: Some(origin),
            leaf: revealed.sealed.leaf,
            salt: revealed.salt,
            attestation: revealed.attestation.clone(),
            blocks: revealed.blocks.clone(),
            finding,
            trusted: attempt.trusted,
            ruling: self.ruling(id, attempt.token, outcome),
            class,
            credit: credit.unwrap_or_default(),
            held: None,
        })
    }

    /// What trusted fetches tell of a result that is outvoted.
    fn ruling(&self, id: TaskId, token: LeaseToken, outcome: Outcome) -> Option<Ruling> {
        let rulings = &self.settling.get(&id)?.rulings;
        let ruling = rulings.iter().find(|(ruled, _)| *ruled == token).map(|(_, ruling)| *ruling);
        kept_ruling(ruling, outcome)
    }

    /// What the coordinator makes of a result that does not agree.
    fn finding(&self, id: TaskId, token: LeaseToken, outcome: Outcome) -> Finding {
        let Some(settling) = self.settling.get(&id).filter(|_| is_blaming(outcome)) else {
            return Finding::Neutral;
        };
        let (forged, replayed) = (&settling.contradicted, &settling.replayed);
        let of_variant = settling.variants.iter().any(|variant| variant.members.contains(&token));
        match () {
            () if settling.copied.contains(&token) => Finding::Copied,
            () if of_variant && outcome == Outcome::Ok => Finding::Variant,
            () if of_variant || settling.regional.contains(&token) => Finding::Regional,
            () if replayed.contains(&token) => Finding::Replayed,
            () if forged.contains(&token) => Finding::Forged,
            () if settling.disputed.contains(&token) => Finding::Disputed,
            () if settling.tainted.contains(&token) => Finding::Tainted,
            () => Finding::Neutral,
        }
    }

    /// What other regions see of an accepted page, each as the first attests it who saw it. No body of it is asked for.
    fn variants(&self, task: &Task, outcome: Outcome) -> Vec<Variant> {
        let settling = self.settling.get(&task.id).filter(|_| outcome == Outcome::Ok);
        let found = settling.map(|settling| settling.variants.as_slice()).unwrap_or_default();
        let attested = |variant: &RegionVariant| {
            let first = |(attempt, _): &(&Attempt, &Revealed)| {
                variant.members.first() == Some(&attempt.token)
            };
            let seen = task.weighed().find(first)?.1.parsed()?;
            let page = facts_of(response_of(&seen)?, seen.fetched_at).attested();
            Some(Variant { region: variant.region, layer: variant.layer, page })
        };
        found.iter().filter_map(attested).collect()
    }

    fn archive(&mut self, id: TaskId) {
        let calendar = self.calendar();
        let Some(settling) = self.settling.get_mut(&id) else { return };
        let Some(settlement) = &mut settling.settlement else { return };
        for result in &mut settlement.results {
            let record = self.roster.get(&result.agent).map(|member| &member.record);
            let record = record.filter(|record| record.standing == Standing::Good);
            let record = record.filter(|_| result.credit.tasks > 0);
            result.held = record.map(|held| held.blocks.place(calendar, settlement.settled_at));
        }
        let settlement = settlement.clone();
        let payload = settlement.page.as_ref().map(|page| page.payload);
        let known = payload.and_then(|payload| settling.known.get(&payload)).cloned();
        self.outputs.push_back(Output::Archive {
            settlement: Box::new(settlement),
            capture: settling.capture,
            known: known.map(Box::new),
        });
    }

    pub(super) fn archived(&mut self, id: TaskId, archived: &Archived, now: Timestamp) {
        let settlement = self.settling.remove(&id).and_then(|settling| settling.settlement);
        if let Some(settlement) = settlement {
            self.archive_full = None; // what still waits is offered again when the timer fires
            self.apply(&settlement, archived, now);
            self.event(Event::Settled { task: Some(id), outcome: settlement.outcome });
            self.follow(&settlement, now);
        }
    }

    /// The disk is full: no work is given out until the archive takes a verdict that waits.
    pub(super) fn archive_is_full(&mut self, now: Timestamp) {
        let until = now + self.config.bounds.archive_rest;
        self.archive_full = Some(until);
        self.timers.retain(|(_, timer)| *timer != Timer::Archive);
        self.timers.insert((until, Timer::Archive));
    }

    /// Offers the archive what waits once more. It counts as full until it takes something, so that no work is given out
    /// meanwhile.
    pub(super) fn archive_again(&mut self, now: Timestamp) {
        // Settled now: credit must not mature before a receipt that was signed in between.
        let waiting = self.settling.iter_mut().filter_map(|(id, settling)| {
            settling.settlement.as_mut().map(|settlement| {
                settlement.settled_at = now;
                *id
            })
        });
        let waiting: Vec<TaskId> = waiting.collect();
        if waiting.is_empty() {
            self.archive_full = None;
        } else {
            self.archive_is_full(now);
        }
        for id in waiting {
            self.archive(id);
        }
    }

    /// What a settlement changes in the index.
    pub(super) fn apply(&mut self, settlement: &Settlement, archived: &Archived, now: Timestamp) {
        let id = settlement.task;
        self.close_task(id, now);
        if self.next_task <= id {
            self.number_tasks_from(TaskId(id.0 + 1));
        }
        self.keep_capture(settlement, archived);
        self.learn_audit(settlement, now);
        self.learn_page(settlement, now);
        for result in &settlement.results {
            self.credit(settlement, result, archived);
        }
        if settlement.robots {
            self.learn_robots(settlement, now);
        } else if let Some(job) = self.jobs.get_mut(&settlement.job) {
            let counts = &mut job.record.progress.counts;
            counts.trusted += settlement.results.iter().filter(|r| r.trusted).count() as u64;
            *counts.outcomes.entry(settlement.outcome).or_default() += 1;
            if let (Outcome::Ok, Some(page)) = (settlement.outcome, &settlement.page) {
                counts.pages += 1;
                counts.bytes += page.bytes;
                counts.single += u64::from(settlement.layer == Some(Layer::Single));
                counts.duplicates += u64::from(archived.page.as_ref().is_some_and(|p| p.revisit));
            }
        }
        self.save_job(settlement.job);
    }

    fn keep_capture(&mut self, settlement: &Settlement, archived: &Archived) {
        let (Some(page), Some(kept)) = (&settlement.page, &archived.page) else { return };
        let capture = CaptureRecord {
            group: kept.group,
            page: kept.page,
            settlement: archived.settlement,
            payload: page.payload,
            bytes: page.bytes,
            robots: settlement.robots,
            revisit: kept.revisit,
            in_part: settlement.blocks.is_some(),
        };
        let key = record::capture::key(settlement.job, settlement.task);
        self.batch.put(key, encode(&capture));
        if !kept.revisit {
            let (record_id, url) = (kept.record_id.clone(), page.final_url.clone());
            let payload = PayloadRecord { record_id, url, date: page.fetched_at };
            self.batch.put(record::payload::key(&page.payload), encode(&payload));
        }
    }

    /// By which terms and epochs credit turns final.
    pub(super) const fn calendar(&self) -> Calendar {
        let epoch = Duration::from_secs(self.config.tariff.epoch_seconds());
        Calendar { terms: self.config.bounds.hold, epoch }
    }

    fn credit(&mut self, settlement: &Settlement, result: &AgentResult, archived: &Archived) {
        let revisit = archived.page.as_ref().is_some_and(|page| page.revisit);
        let (calendar, settled) = (self.calendar(), settlement.settled_at);
        self.learn(settlement, result);
        let Some(member) = self.roster.get_mut(&result.agent) else { return };
        let record = &mut member.record;
        let earns = result.credit.tasks > 0;
        let contested = settlement.outcome == Outcome::Disagree && !settlement.robots;
        if !record.credits(settled, result.held.is_some()) || !(earns || contested) {
            return self.save_agent(&result.agent);
        }
        let held = result.held.unwrap_or_else(|| record.blocks.place(calendar, settled));
        let (block, matures) = if earns {
            record.pending = record.pending.plus(result.credit).unwrap_or(record.pending);
            let single = settlement.layer == Some(Layer::Single);
            let kind = (single, record.trust.on_probation());
            record.blocks.deliver(held, result.credit, kind, calendar.terms, settled);
            (held.block, held.promised)
        } else {
            (BlockId::NONE, calendar.promise(settled))
        };
        let key = record::pending::key(&result.agent, block, settlement.task);
        let page = held_page(settlement, &result.agent, revisit, matures);
        let (amount, leaf) = (result.credit, result.leaf);
        let pending = record::pending::PendingRecord { amount, leaf, page };
        self.batch.put(key, encode(&pending));
        self.roster.post(&result.agent, Mail::standing_changed);
        self.save_agent(&result.agent);
    }

    fn learn_robots(&mut self, settlement: &Settlement, now: Timestamp) {
        let (origin, host) = (settlement.url.origin(), settlement.url.host());
        let text = settlement.page.as_ref().and_then(|page| page.robots_rules.as_deref());
        let bounds = self.config.bounds;
        let settled = settlement.settled_at;
        // A host that does not answer rests meanwhile. Rules that end with its rest would never be used: what waits there
        // would wait for ever, and only its robots.txt be asked for again and again.
        let rested = self.frontier.host(&host).map_or(settled, |host| host.clock.blocked_until);
        let (rules, expires) = match (settlement.outcome, text) {
            (Outcome::Ok, Some(text)) => (Robots::from_text(text), settled + bounds.robots_life),
            (Outcome::Http4xx | Outcome::Redirect, _) => {
                (Robots::allow_all(), settled + bounds.robots_life)
            }
            _ => (Robots::disallow_all(), settled.max(rested) + bounds.robots_retry),
        };
        let record = RobotsRecord { origin: origin.clone(), rules: rules.to_text(), expires };
        self.batch.put(record::robots::key(&host, &origin), encode(&record));
        self.frontier.with_host(&host, now, |host| {
            host.robots.insert(origin, RobotsState::Known { rules, expires });
        });
    }

    /// What a settlement leads to: its links, and a closer look at who was contradicted.
    fn follow(&mut self, settlement: &Settlement, now: Timestamp) {
        self.admit_links(settlement, now);
        for result in &settlement.results {
            self.judge(&result.agent, now);
        }
        self.check_done(settlement.job, now);
    }

    /// Admits the URLs that an accepted page or an agreed redirect names.
    pub fn admit_links(&mut self, settlement: &Settlement, now: Timestamp) {
        let Some(page) = settlement.page.as_ref().filter(|_| !settlement.robots) else { return };
        let (job, depth) = (settlement.job, settlement.depth);
        self.admit(job, &page.links, depth.saturating_add(1), now);
        if let Some(target) = &page.redirect_target {
            self.admit(job, std::slice::from_ref(target), depth, now);
        }
    }

    /// The host of a task that ended without a page may be slow: nothing more is known.
    pub(super) fn save_clock(&mut self, name: &sward_proto::canonical_url::HostName) {
        if let Some(host) = self.frontier.host(name) {
            self.batch.put(record::host::key(name), encode(&host.clock));
        }
    }

    /// A task that no result was handed in for.
    pub(super) fn has_results(task: &Task) -> bool {
        task.revealed().next().is_some()
    }
}

/// Which blocks of the copy under `token` independent groups attest; `None` where the whole of it is.
pub(super) fn published_blocks(
    task: &Task,
    token: LeaseToken,
    members: &[LeaseToken],
    layer: Layer,
    rules: Rules,
) -> Option<PublishedBlocks> {
    if !layer.is_partial() {
        return None;
    }
    let lists: Vec<(&Attempt, BlockList)> = task
        .revealed()
        .filter(|(attempt, _)| members.contains(&attempt.token))
        .map(|(attempt, revealed)| (attempt, revealed.block_list()))
        .collect();
    let (_, kept) = lists.iter().find(|(attempt, _)| attempt.token == token)?;
    let ties: Vec<&Ties> = lists.iter().map(|(attempt, _)| &attempt.ties).collect();
    let copies: Vec<(Voice, &BlockList)> =
        voices(&ties).into_iter().zip(lists.iter().map(|(_, list)| list)).collect();
    let attested = quorum::attested_blocks(kept, &copies, rules);
    Some(PublishedBlocks::new(kept, &attested))
}

/// The page that a result helped to accept or to contest, and who else did.
fn held_page(
    settlement: &Settlement,
    agent: &PeerId,
    revisit: bool,
    matures: Timestamp,
) -> Option<HeldPage> {
    let contested = settlement.outcome == Outcome::Disagree;
    let bytes = settlement.page.as_ref().map_or(0, |page| page.bytes);
    // What a region saw in its place helped to accept nothing.
    let of_variant = settlement
        .results
        .iter()
        .any(|result| result.agent == *agent && result.finding == Finding::Variant);
    let accepted = settlement.outcome == Outcome::Ok && !of_variant;
    let held = (accepted || contested) && !settlement.robots;
    let others = settlement.results.iter();
    let others = others.filter(|other| contested || other.finding == Finding::Agreed);
    held.then(|| HeldPage {
        task: settlement.task,
        job: settlement.job,
        url: settlement.url.clone(),
        depth: settlement.depth,
        bytes,
        payload: settlement.page.as_ref().map(|page| page.payload),
        revisit,
        matures,
        contested,
        with: others.map(|other| other.agent).filter(|other| other != agent).collect(),
    })
}

/// What an agreed outcome is paid as.
const fn class_of(outcome: Outcome) -> Option<CreditClass> {
    match outcome {
        Outcome::Ok | Outcome::Beacon => Some(CreditClass::Accepted),
        Outcome::Http4xx | Outcome::Policy => Some(CreditClass::ConfirmedAbsent),
        Outcome::Robots => Some(CreditClass::Robots),
        Outcome::Redirect => Some(CreditClass::Redirect),
        Outcome::OptOut
        | Outcome::Dns
        | Outcome::Connect
        | Outcome::Tls
        | Outcome::Timeout
        | Outcome::TooLarge
        | Outcome::Http429
        | Outcome::Http5xx
        | Outcome::Decode
        | Outcome::AgentLost
        | Outcome::Disagree => None,
    }
}
