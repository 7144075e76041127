//! What must hold whatever goes wrong, checked as it happens.
//!
//! Politeness is checked by [`crate::visits`], where the fetches are; what has to be reached in the end by
//! [`crate::liveness`].

use crate::coordinator_shell::Shell;
use crate::liar::Role;
use crate::sites::FLEETING;
use crate::turn::Answer;
use std::collections::{BTreeMap, BTreeSet};
use sward_coordinator_core::config::Config;
use sward_coordinator_core::coordinator::{Coordinator, Restore};
use sward_coordinator_core::evidence::{self, PastSeeds};
use sward_coordinator_core::journal::JournalEntry;
use sward_coordinator_core::record;
use sward_coordinator_core::record::agent::{AgentRecord, Standing, Totals};
use sward_coordinator_core::settlement::Settlement;
use sward_coordinator_core::store::Store as _;
use sward_coordinator_core::task::AttemptState;
use sward_proto::canonical_url::{CanonicalUrl, HostName};
use sward_proto::digest::Digest;
use sward_proto::ids::{JobId, LeaseToken, PeerId, TaskId};
use sward_proto::note::SignedNote;
use sward_proto::outcome::Outcome;
use sward_proto::quorum::Layer;
use sward_proto::receipt::{self, ReceiptBody};
use sward_proto::timestamp::Timestamp;
use sward_proto::verdict::{KnownSeeds, needs_blocks};
use sward_proto::wire::reply::CoordinatorReply;

/// Hosts over the bound that may be in memory: those of one refill, and those that have work in hand.
const MORE_HOSTS: usize = 64;
/// Turns between two comparisons of memory and index.
const TURNS_A_COMPARISON: u64 = 256;

/// What was seen so far, and what was wrong with it.
#[derive(Debug, Default)]
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
    /// Leases given since the last look.
    pub leases: Vec<(usize, HostName, Timestamp)>,
    /// Agents convicted since the last look.
    pub barred: Vec<PeerId>,
    /// Who was convicted.
    pub convicted: BTreeSet<PeerId>,
    roles: BTreeMap<PeerId, Role>,
    tokens: BTreeSet<LeaseToken>,
    settled: BTreeSet<(JobId, CanonicalUrl)>,
    earned: BTreeMap<PeerId, Totals>,
    receipts: BTreeMap<PeerId, ReceiptBody>,
    signed: BTreeMap<usize, ReceiptBody>,
    seeds: KnownSeeds,
}

impl Watch {
    /// Knows who the agents are.
    #[must_use]
    pub fn new(roles: BTreeMap<PeerId, Role>) -> Self {
        Self { roles, ..Self::default() }
    }

    /// Something did not hold.
    pub fn fail(&mut self, what: String) {
        self.violations.push(what);
    }

    /// The operator was refused; a job that is done already may not change state any more.
    pub fn refused_order(&mut self, why: &str) {
        if !why.contains("final") {
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
        if let Err(why) = check_blocks(settlement) {
            self.fail(format!("{url}: {why}"));
        }
        for result in &settlement.results {
            if self.convicted.contains(&result.agent) {
                continue;
            }
            let earned = self.earned.entry(result.agent).or_default();
            *earned = earned.plus(result.credit).unwrap_or_default();
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
            JournalEntry::Retracted { page, at: _ } => {
                self.retracted += u64::from(!page.contested);
                self.lies.remove(&page.task);
                if !self.settled.remove(&(page.job, page.url.clone())) {
                    self.fail(format!("{} is taken back and was not accepted", page.url));
                }
            }
            JournalEntry::Invited { .. }
            | JournalEntry::Enrolled { .. }
            | JournalEntry::Submitted { .. }
            | JournalEntry::JobState { .. }
            | JournalEntry::Countersigned { .. } => {}
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
            self.check_ledger(core);
        }
        self.check_bounds(core, shell);
        if self.turns.is_multiple_of(TURNS_A_COMPARISON) {
            self.check_index(core, shell, now);
        }
    }

    fn check_ledger(&mut self, core: &Coordinator) {
        let mut wrong = Vec::new();
        for (peer, agent) in core.roster().iter() {
            let record = &agent.record;
            if record.standing != Standing::Good {
                continue;
            }
            let earned = self.earned.get(peer).copied().unwrap_or_default();
            if record.pending.plus(record.receipted) != Some(earned) {
                let AgentRecord { pending, receipted, .. } = record;
                wrong.push(format!(
                    "{peer} earned {earned:?}: {pending:?} pending, {receipted:?} in receipts"
                ));
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
            let live = AgentRecord { network: stored.record.network, ..live.record.clone() };
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

fn parse(note: &str) -> Option<ReceiptBody> {
    let note = SignedNote::parse(note.as_bytes()).ok()?;
    ReceiptBody::parse(note.text()).ok()
}
