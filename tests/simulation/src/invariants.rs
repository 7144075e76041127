//! What must hold whatever goes wrong, checked as it happens.
//!
//! Politeness is checked by [`crate::visits`], where the fetches are; what has to be reached in the end by
//! [`crate::liveness`].

use crate::coordinator_shell::Shell;
use crate::liar::Role;
use crate::regions;
use crate::sites::FLEETING;
use crate::turn::Answer;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use sward_coordinator_core::config::Config;
use sward_coordinator_core::coordinator::{Coordinator, Restore};
use sward_coordinator_core::evidence::{self, PastSeeds};
use sward_coordinator_core::journal::JournalEntry;
use sward_coordinator_core::record;
use sward_coordinator_core::record::agent::{AgentRecord, Standing, Totals};
use sward_coordinator_core::record::pending::HeldPage;
use sward_coordinator_core::settlement::{AgentResult, Settlement};
use sward_coordinator_core::store::Store as _;
use sward_coordinator_core::task::AttemptState;
use sward_coordinator_core::trust::blocks::{Calendar, Held};
use sward_coordinator_core::trust::evidence::Volatility;
use sward_proto::attestation::Attestation;
use sward_proto::canonical_url::{CanonicalUrl, HostName};
use sward_proto::compare::response_of;
use sward_proto::digest::Digest;
use sward_proto::draw::LEAST_AUDITED;
use sward_proto::ids::{JobId, LeaseToken, PeerId, TaskId};
use sward_proto::note::{SignedNote, VerifierKey};
use sward_proto::outcome::Outcome;
use sward_proto::quorum::Layer;
use sward_proto::quorum::finding::Finding;
use sward_proto::quorum::ruling::Ruling;
use sward_proto::receipt::{self, ReceiptBody};
use sward_proto::retraction::Retraction;
use sward_proto::timestamp::Timestamp;
use sward_proto::verdict::{KnownSeeds, needs_blocks};
use sward_proto::wire::reply::CoordinatorReply;

/// Hosts over the bound that may be in memory: those of one refill, and those that have work in hand.
const MORE_HOSTS: usize = 64;
/// Turns between two comparisons of memory and index.
const TURNS_A_COMPARISON: u64 = 256;

/// What was seen so far, and what was wrong with it.
#[derive(Debug)]
pub struct Watch {
    /// What did not hold.
    pub violations: Vec<String>,
    /// URLs that have an outcome.
    pub settlements: u64,
    /// Turns that were committed.
    pub turns: u64,
    /// Pages accepted since the last look, with the digests of body and content.
    pub accepted: Vec<(TaskId, CanonicalUrl, Digest, Option<Digest>)>,
    /// Lies that were accepted and not taken back.
    pub lies: BTreeSet<TaskId>,
    /// Pages that were taken back.
    pub retracted: u64,
    /// Variants that were accepted.
    pub variants: u64,
    /// Results of the operator's own fetchers.
    pub trusted: u64,
    /// Results that they confirmed to be forged.
    pub ruled: u64,
    /// Results that a vote spoke against, and that they spared.
    pub spared: u64,
    /// Leases given since the last look.
    pub leases: Vec<(usize, HostName, Timestamp)>,
    /// Agents convicted since the last look.
    pub barred: Vec<PeerId>,
    /// Who was convicted.
    pub convicted: BTreeSet<PeerId>,
    /// Agents whose owners have appealed since the last look.
    pub appeals: Vec<PeerId>,
    /// Appeals that were upheld.
    pub reinstated: u64,
    calendar: Calendar,
    key: VerifierKey,
    roles: BTreeMap<PeerId, Role>,
    geo: BTreeSet<CanonicalUrl>,
    tokens: BTreeSet<LeaseToken>,
    settled: BTreeSet<(JobId, CanonicalUrl)>,
    earned: BTreeMap<PeerId, Totals>,
    /// The date of each agent's newest credit.
    dates: BTreeMap<PeerId, Held>,
    receipts: BTreeMap<PeerId, ReceiptBody>,
    signed: BTreeMap<usize, ReceiptBody>,
    seeds: KnownSeeds,
}

impl Watch {
    /// Knows who the agents are, and which pages differ by region.
    #[must_use]
    pub fn new(
        roles: BTreeMap<PeerId, Role>,
        geo: BTreeSet<CanonicalUrl>,
        config: &Config,
    ) -> Self {
        let epoch = Duration::from_secs(config.tariff.epoch_seconds());
        Self {
            roles,
            geo,
            calendar: Calendar { terms: config.bounds.hold, epoch },
            key: config.signer.verifier_key(),
            violations: Vec::new(),
            settlements: 0,
            turns: 0,
            accepted: Vec::new(),
            lies: BTreeSet::new(),
            retracted: 0,
            variants: 0,
            trusted: 0,
            ruled: 0,
            spared: 0,
            leases: Vec::new(),
            barred: Vec::new(),
            convicted: BTreeSet::new(),
            appeals: Vec::new(),
            reinstated: 0,
            tokens: BTreeSet::new(),
            settled: BTreeSet::new(),
            earned: BTreeMap::new(),
            dates: BTreeMap::new(),
            receipts: BTreeMap::new(),
            signed: BTreeMap::new(),
            seeds: KnownSeeds::default(),
        }
    }

    /// Something did not hold.
    pub fn fail(&mut self, what: String) {
        self.violations.push(what);
    }

    /// The operator was refused; a job that is done already may not change state any more.
    pub fn refused_order(&mut self, why: &str) {
        // What is still being taken back is so for a turn or two.
        if !why.contains("final") && !why.contains("taken back") {
            self.fail(format!("an order was refused: {why}"));
        }
    }

    /// A settlement goes into the archive.
    pub fn settled(&mut self, settlement: &Settlement, kept: bool) {
        let Settlement { job, url, robots, outcome, .. } = settlement;
        if !robots && !self.settled.insert((*job, url.clone())) {
            self.fail(format!("{url} is settled twice in job {job}"));
        }
        match (&settlement.page, outcome) {
            (Some(page), Outcome::Ok) if kept => {
                self.accepted.push((settlement.task, url.clone(), page.payload, page.canonical));
            }
            (_, Outcome::Ok) => self.fail(format!("{url} is accepted without a page")),
            (_, _) => {}
        }
        self.variants += settlement.variants.len() as u64;
        if let Err(why) = regions::check(settlement, &self.geo, &self.roles) {
            self.fail(format!("{url}: {why}"));
        }
        if let Err(why) = check_blocks(settlement) {
            self.fail(format!("{url}: {why}"));
        }
        self.check_blame(settlement);
        if let Err(why) = check_audit(settlement) {
            self.fail(format!("{url}: {why}"));
        }
        for result in &settlement.results {
            if self.convicted.contains(&result.agent) {
                continue;
            }
            let earned = self.earned.entry(result.agent).or_default();
            *earned = earned.plus(result.credit).unwrap_or_default();
        }
        self.promised(settlement);
    }

    /// Every credit has its date: after its rest, at an epoch's end, not later than the terms say, and never sooner than
    /// that of a credit before it.
    fn promised(&mut self, settlement: &Settlement) {
        let at = settlement.settled_at;
        for result in settlement.results.iter().filter(|result| result.credit.tasks > 0) {
            let Some(held) = result.held.filter(|_| !self.convicted.contains(&result.agent)) else {
                if !self.convicted.contains(&result.agent) {
                    self.fail(format!("credit of {} at {at} has no date", result.agent));
                }
                continue;
            };
            let Calendar { terms, epoch } = self.calendar;
            let latest = at + terms.gather + terms.rest + epoch;
            let before = self.dates.insert(result.agent, held);
            let on_time = at + terms.rest <= held.promised && held.promised <= latest;
            if !on_time || before.is_some_and(|before| held < before) {
                let agent = result.agent;
                self.fail(format!("{agent} is promised {held:?} at {at}, after {before:?}"));
            }
        }
    }

    /// Nobody is blamed for what the operator's own fetcher saw too, and that one never is.
    fn check_blame(&mut self, settlement: &Settlement) {
        let body = |result: &AgentResult| {
            let seen = Attestation::decode(&result.attestation).ok()?;
            response_of(&seen).map(|response| response.raw)
        };
        for result in &settlement.results {
            self.trusted += u64::from(result.trusted);
            self.ruled += u64::from(result.ruling == Some(Ruling::Differs));
            let spared = matches!(result.ruling, Some(Ruling::Stands | Ruling::PageAtFault));
            self.spared += u64::from(spared);
            let blamed = matches!(
                result.finding,
                Finding::Forged | Finding::Disputed | Finding::Replayed | Finding::Tainted
            );
            let met = |other: &AgentResult| other.trusted && body(other) == body(result);
            if blamed && settlement.results.iter().any(met) {
                self.fail(format!("{}: {} is blamed for the truth", settlement.url, result.agent));
            }
        }
    }

    /// What is published of a settlement must lead a stranger to the same verdict, whatever its outcome.
    pub fn recomputed(&mut self, settlement: &Settlement, config: &Config) {
        let Ok(job) = "simulated".parse() else { return self.fail("no job name".to_owned()) };
        let mut past = PastSeeds::new(config.draw_plan, &config.draw_chain, Timestamp::MAX);
        let url = &settlement.url;
        match evidence::case(settlement, &job, &mut past) {
            Err(error) => self.fail(format!("{url}: no evidence: {error}")),
            Ok(case) => match case.check(&mut self.seeds) {
                Ok(checked) if checked.undrawn == 0 => {}
                Ok(_) => self.fail(format!("{url}: a draw cannot be checked")),
                Err(faults) => self.fail(format!("{url}: another verdict follows: {faults:?}")),
            },
        }
    }

    /// A line goes into the journal.
    pub fn journalled(&mut self, entry: &JournalEntry) {
        match entry {
            JournalEntry::Convicted { agent, .. } => {
                if self.roles.get(agent).is_none_or(|role| role.is_honest()) {
                    self.fail(format!("{agent} is honest and convicted"));
                }
                self.convicted.insert(*agent);
                self.barred.push(*agent);
            }
            JournalEntry::Receipt { agent, note, .. } => match parse(note) {
                Some(body) => {
                    if let Err(why) = self.check_follows(self.receipts.get(agent), &body) {
                        self.fail(format!("receipt of {agent}: {why}"));
                    }
                    self.receipts.insert(*agent, body);
                }
                None => self.fail(format!("receipt of {agent} does not parse")),
            },
            JournalEntry::Retracted { page, note, .. } => {
                self.retraction(page, note.as_deref());
                self.retracted += u64::from(!page.contested);
                self.lies.remove(&page.task);
                if !self.settled.remove(&(page.job, page.url.clone())) {
                    self.fail(format!("{} is taken back and was not accepted", page.url));
                }
            }
            JournalEntry::AppealDecided { agent, upheld: true, .. } => {
                self.convicted.remove(agent);
                self.reinstated += 1;
            }
            JournalEntry::Invited { .. }
            | JournalEntry::Forfeited { .. }
            | JournalEntry::Appealed { .. }
            | JournalEntry::AppealDecided { .. }
            | JournalEntry::Enrolled { .. }
            | JournalEntry::Submitted { .. }
            | JournalEntry::JobState { .. }
            | JournalEntry::Countersigned { .. } => {}
        }
    }

    /// Whatever was released and is taken back is so by a statement that the coordinator's key has signed.
    fn retraction(&mut self, page: &HeldPage, note: Option<&str>) {
        let parsed = note.and_then(|note| SignedNote::parse(note.as_bytes()).ok());
        let read = parsed.and_then(|note| Retraction::verify(&note, &self.key).ok());
        let said = read.map(|said| (said.task, said.url, said.payload));
        let right = match said {
            Some(said) => said == (page.task, page.url.clone(), page.payload) && !page.contested,
            None => page.contested,
        };
        if !right {
            self.fail(format!("{} is taken back by {note:?}", page.url));
        }
    }

    /// An agent has signed a receipt.
    pub fn signed(&mut self, agent: usize, note: &str) {
        let Some(body) = parse(note) else {
            return self.fail(format!("agent {agent} signed what does not parse"));
        };
        let before = self.signed.insert(agent, body.clone());
        if before.as_ref() == Some(&body) {
            return;
        }
        if let Err(why) = self.check_follows(before.as_ref(), &body) {
            self.fail(format!("agent {agent} signed out of order: {why}"));
        }
    }

    fn check_follows(
        &self,
        before: Option<&ReceiptBody>,
        next: &ReceiptBody,
    ) -> Result<(), String> {
        match before {
            Some(before) => receipt::follows(before, next).map_err(|error| error.to_string()),
            None if next.seq.0 == 1 => Ok(()),
            None => Err(format!("the chain begins with {}", next.seq)),
        }
    }

    /// A turn is committed.
    pub fn after_commit(&mut self, shell: &Shell, wrote: bool, now: Timestamp) {
        self.turns += 1;
        let Some(core) = &shell.core else { return };
        if wrote {
            self.check_ledger(core, now);
        }
        self.check_bounds(core, shell);
        if self.turns.is_multiple_of(TURNS_A_COMPARISON) {
            self.check_index(core, shell, now);
        }
    }

    fn check_ledger(&mut self, core: &Coordinator, now: Timestamp) {
        let mut wrong = Vec::new();
        for (peer, agent) in core.roster().iter() {
            let record = &agent.record;
            let earned = self.earned.get(peer).copied().unwrap_or_default();
            let AgentRecord { pending, receipted, forfeited, .. } = record;
            let sum = pending.plus(*receipted).and_then(|sum| sum.plus(*forfeited));
            if sum != Some(earned) {
                wrong.push(format!(
                    "{peer} earned {earned:?}: {pending:?} pending, {receipted:?} in receipts, \
                     {forfeited:?} forfeited"
                ));
            }
            let told = record.blocks.lines(self.calendar, 64);
            if told.iter().map(|line| line.credit).sum::<u64>() != pending.credit {
                wrong.push(format!("{peer} is told {told:?}, {pending:?} are pending"));
            }
            if record.standing != Standing::Good {
                continue;
            }
            // What keeps a receipt from being offered: the one before it is not signed, or the coordinator was down.
            let unsigned = !record.countersigned && record.seq.0 > 0;
            let late = record.blocks.promised().filter(|at| *at + self.calendar.epoch * 3 < now);
            if let Some(promised) = late.filter(|_| !unsigned) {
                wrong.push(format!("{peer} was promised credit at {promised}, it is {now}"));
            }
            let contradicted = u64::from(record.forged) + u64::from(record.replayed);
            // By the least that a contradiction weighs, and the most that an agreement takes off, in thousandths of a nat.
            if contradicted * 1386 >= 14_300 + record.agreed * 21 {
                wrong.push(format!(
                    "{peer} was contradicted {contradicted} times and is in good standing"
                ));
            }
        }
        self.violations.extend(wrong);
    }

    fn check_bounds(&mut self, core: &Coordinator, shell: &Shell) {
        let bounds = shell.config().bounds;
        let busy = core.tasks().map(|task| task.host()).collect::<BTreeSet<_>>().len();
        let hot = core.frontier().hot();
        if hot > bounds.hot_hosts.max(busy) + MORE_HOSTS {
            self.fail(format!("{hot} hosts in memory, {} are allowed", bounds.hot_hosts));
        }
        let mut holders: BTreeMap<HostName, PeerId> = BTreeMap::new();
        let mut robots: BTreeSet<&CanonicalUrl> = BTreeSet::new();
        let mut wrong = Vec::new();
        let mut open = 0;
        for task in core.tasks() {
            open += 1;
            if task.robots && !robots.insert(&task.url) {
                wrong.push(format!("{} is asked for twice at the same time", task.url));
            }
            let leased = task.attempts.iter().filter(|a| a.state == AttemptState::Leased);
            for attempt in leased {
                let holder = *holders.entry(task.host()).or_insert(attempt.agent);
                if holder != attempt.agent {
                    wrong.push(format!("{} is leased to two agents", task.host()));
                }
            }
        }
        if open > bounds.open_tasks {
            wrong.push(format!("{open} tasks in hand, {} are allowed", bounds.open_tasks));
        }
        self.violations.extend(wrong);
    }

    /// A coordinator started from the index now would be the one that runs.
    fn check_index(&mut self, core: &Coordinator, shell: &Shell, now: Timestamp) {
        let mut other = Coordinator::new(shell.config().clone(), now);
        if let Err(error) = Restore::from_index(&mut other, &shell.store, now) {
            return self.fail(format!("the index does not read: {error}"));
        }
        for ((id, live), (_, stored)) in core.jobs().zip(other.jobs()) {
            if live != stored {
                self.fail(format!(
                    "job {id} is {:?}, in the index {:?}",
                    live.progress.counts, stored.progress.counts
                ));
            }
        }
        let live: Vec<_> = core.tasks().collect();
        let stored: Vec<_> = other.tasks().collect();
        let differs = live.iter().zip(&stored).find(|(live, stored)| live != stored);
        if let Some((live, stored)) = differs {
            self.fail(format!("the index has {stored:?} for {live:?}"));
        } else if live.len() != stored.len() {
            self.fail(format!("{} tasks, in the index {}", live.len(), stored.len()));
        }
        for ((peer, live), (_, stored)) in core.roster().iter().zip(other.roster().iter()) {
            let whereabouts = stored.record.whereabouts;
            let network = stored.record.network;
            let live = AgentRecord { network, whereabouts, ..live.record.clone() };
            if live != stored.record {
                self.fail(format!("{peer} is {live:?}, in the index {:?}", stored.record));
            }
        }
    }

    /// An answer leaves.
    pub fn sent(&mut self, answer: &Answer, shell: &Shell, now: Timestamp) {
        let CoordinatorReply::Work(work) = &answer.reply else { return };
        for lease in &work.leases {
            if !self.tokens.insert(lease.token) {
                self.fail(format!("lease {:?} is given twice", lease.token));
            }
            if !is_stored(shell, lease.token) {
                self.fail(format!("the lease of {} leaves before it is stored", lease.url));
            }
            self.leases.push((answer.agent, lease.url.host(), now + lease.expires_in));
        }
    }

    /// What an agent has earned by the archive.
    #[must_use]
    pub fn earned(&self, peer: &PeerId) -> Totals {
        self.earned.get(peer).copied().unwrap_or_default()
    }
}

fn is_stored(shell: &Shell, token: LeaseToken) -> bool {
    let task = shell.core.as_ref().and_then(|core| {
        core.tasks().find(|task| task.attempt(token).is_some()).map(|task| task.id)
    });
    let stored = task.and_then(|id| shell.store.get(&record::task::key(id)).ok().flatten());
    stored.is_some_and(|value| value.windows(16).any(|part| part == token.0))
}

/// A page that rests on less than equal content is published in part: what independent groups attest.
fn check_blocks(settlement: &Settlement) -> Result<(), String> {
    let is_partial = settlement.layer.is_some_and(Layer::is_partial);
    let Some(blocks) = &settlement.blocks else {
        let needed = needs_blocks(settlement.layer, settlement.results.iter().map(|r| r.finding));
        let none = settlement.results.iter().all(|result| result.blocks.is_empty());
        let whole = !is_partial && (needed || none);
        return if whole {
            Ok(())
        } else {
            Err("blocks are missing or kept for nothing".to_owned())
        };
    };
    let shown = blocks.attested.matches('1').count();
    let withheld = blocks.attested.matches('0').count();
    let mut links = settlement.page.iter().flat_map(|page| &page.links);
    if let Some(link) = links.find(|link| link.as_str().contains(FLEETING)) {
        return Err(format!("{link} is followed, which one agent alone saw"));
    }
    // Nothing is withheld where two agree on the whole copy and a third is only near them.
    let right = is_partial && shown > 0 && blocks.kept.len() == 8 * (shown + withheld);
    if right { Ok(()) } else { Err(format!("{shown} blocks are shown, {withheld} withheld")) }
}

/// A page over an open path is audited twice as often as others at the least; one that is personalised never stands on one
/// agent's word.
fn check_audit(settlement: &Settlement) -> Result<(), String> {
    let open_path = settlement.url.as_str().starts_with("http://");
    let least = if open_path { 2 * LEAST_AUDITED } else { LEAST_AUDITED };
    if let Some(audit) = settlement.audit.filter(|audit| audit.per_million < least) {
        return Err(format!("audited with {} in a million, {least} at least", audit.per_million));
    }
    let personalised = settlement.volatility == Volatility::Personalised;
    if personalised && settlement.layer == Some(Layer::Single) {
        return Err("is personalised, and stands on one agent's word".to_owned());
    }
    Ok(())
}

fn parse(note: &str) -> Option<ReceiptBody> {
    let note = SignedNote::parse(note.as_bytes()).ok()?;
    ReceiptBody::parse(note.text()).ok()
}
