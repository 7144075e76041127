//! Coming back: from the index after a restart, from archive and journal after its loss.
//!
//! Decides what each kind of truth means for a machine that has forgotten it. The order is the shell's: [`Restore`] first,
//! then whatever journal and archive hold past the index's position, then [`Coordinator::resume`].

use super::epoch::Conviction;
use super::{Coordinator, Job};
use crate::frontier::RobotsState;
use crate::input::Archived;
use crate::job::JobState;
use crate::journal::JournalEntry;
use crate::lookup::{Answer, Lookup, MaturedCredit, load_host};
use crate::record::agent::Standing;
use crate::record::{self, Kind, decode};
use crate::roster::Agent;
use crate::settlement::Settlement;
use crate::store::{Store, StoreError};
use crate::task::{AttemptState, Phase, Task};
use crate::trust::blocks::BlockId;
use sward_proto::digest::Digest;
use sward_proto::ids::{JobId, PeerId, TaskId};
use sward_proto::note::SignedNote;
use sward_proto::receipt::ReceiptBody;
use sward_proto::timestamp::Timestamp;

/// Records read at a time.
const PAGE: usize = 1024;

/// Brings a new coordinator to where an index says it was.
pub struct Restore;

impl Restore {
    /// Reads jobs, agents, invites and tasks in hand. Hosts and queues come by refill.
    ///
    /// # Errors
    /// [`StoreError`] where the index cannot be read or does not make sense.
    pub fn from_index(
        coordinator: &mut Coordinator,
        store: &impl Store,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        coordinator.recovering = true;
        each(store, Kind::JobSpec, |key, _| {
            let id = JobId(u32::from_be_bytes(record::tail("job", key, 1)?));
            let Some(record) = record::job::JobRecord::read(store, id)? else { return Ok(()) };
            let rules = record.spec.rules();
            let rules = rules.map_err(|error| StoreError::Damaged(format!("job {id}: {error}")))?;
            if record.progress.state != JobState::Running {
                coordinator.frontier.halt(id, true, now);
            }
            let open = std::collections::BTreeSet::new();
            coordinator.jobs.insert(id, Job { record, rules, open, admitting: 0 });
            Ok(())
        })?;
        each(store, Kind::Agent, |key, value| {
            let peer = PeerId::from_public_key(record::tail("agent", key, 1)?);
            let peer = peer.map_err(|error| StoreError::Damaged(format!("agent: {error}")))?;
            coordinator.roster.insert(peer, Agent::new(decode("agent", value)?, now));
            Ok(())
        })?;
        each(store, Kind::Invite, |key, value| {
            let fingerprint = Digest(record::tail("invite", key, 1)?);
            coordinator.invites.insert(fingerprint, decode("invite", value)?);
            Ok(())
        })?;
        let delay = coordinator.longest_delay();
        each(store, Kind::Task, |_, value| {
            let task: Task = decode("task", value)?;
            // A host that comes into memory for its tasks needs its queues too: no refill would bring them later.
            let host = task.host();
            coordinator.frontier.load(&host, load_host(store, &host)?, delay, now);
            coordinator.take_up_task(task, now);
            Ok(())
        })?;
        if let Some(value) = store.get(&record::position::forecast_key())? {
            coordinator.forecast = decode("what audits found", &value)?;
        }
        if let Some(value) = store.get(&record::position::next_task_key())? {
            coordinator.next_task = coordinator.next_task.max(TaskId(decode("next task", &value)?));
        }
        Ok(())
    }
}

fn each(
    store: &impl Store,
    kind: Kind,
    mut visit: impl FnMut(&[u8], &[u8]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let prefix = record::key(kind, &[]);
    let mut from = prefix.clone();
    loop {
        let page = store.scan(&prefix, &from, PAGE)?;
        for (key, value) in &page {
            visit(key, value)?;
        }
        match page.last() {
            Some((last, _)) if page.len() == PAGE => from = [last.as_slice(), &[0]].concat(),
            Some(_) | None => return Ok(()),
        }
    }
}

impl Coordinator {
    fn take_up_task(&mut self, task: Task, now: Timestamp) {
        let (id, host) = (task.id, task.host());
        self.next_task = self.next_task.max(TaskId(id.0 + 1));
        if task.robots {
            let origin = task.url.origin();
            self.frontier.with_host(&host, now, |host| {
                host.robots.insert(origin, RobotsState::Asked(id));
            });
        }
        for attempt in task.active() {
            self.leases.insert(attempt.token, id);
            if attempt.state == AttemptState::Leased {
                self.timers.insert((attempt.expires, super::Timer::Lease(attempt.token)));
                self.frontier.lease_out(&host, attempt.token, now);
                if let Some(agent) = self.roster.get_mut(&attempt.agent) {
                    agent.leased.insert(attempt.token);
                }
            }
        }
        self.place_task(task, now);
    }

    /// Goes on where the index stopped: asks again for what was asked, and for what was being looked up.
    pub fn resume(&mut self, now: Timestamp) {
        self.recovering = false;
        self.frontier.rest_all(self.longest_delay(), now);
        let jobs: Vec<JobId> = self.jobs.keys().copied().collect();
        for id in jobs {
            // Those that were met already stay out; how many of the others were lost, no count tells.
            self.admit_seeds(id, now);
        }
        let tasks: Vec<TaskId> = self.tasks.keys().copied().collect();
        for id in tasks {
            self.resume_task(id, now);
        }
        let agents: Vec<PeerId> = self.roster.iter().map(|(peer, _)| *peer).collect();
        for agent in agents {
            self.judge(&agent, now);
            // What an agent caught before still had a part in may not have been looked through to its end.
            let caught = self.roster.get(&agent).map(|member| &member.record.standing);
            if caught.is_some_and(|standing| *standing != Standing::Good) {
                self.look_up_held(agent);
            }
        }
        let jobs: Vec<JobId> = self.jobs.keys().copied().collect();
        for id in jobs {
            self.check_done(id, now);
        }
        // An epoch may have ended meanwhile, and dates were promised for its end.
        self.timers.insert((now, super::Timer::Epoch));
        self.finish_turn(now);
    }

    fn resume_task(&mut self, id: TaskId, now: Timestamp) {
        let reveal_wait = self.config.bounds.reveal_wait;
        let Some(task) = self.tasks.get_mut(&id) else { return };
        match &mut task.phase {
            Phase::Collecting => {
                if let Some(audit) = task.audit.filter(|_| task.rests(now)) {
                    self.timers.insert((audit.opens, super::Timer::Open(id)));
                }
                if task.wants_trusted() {
                    self.timers.insert((task.trusted.until, super::Timer::Trusted(id)));
                }
                self.open_rested(id, now);
                return self.watch_starvation(id, now);
            }
            // Which bodies are known is in no record: it is looked up once more, and a capture asked for anew.
            Phase::Uploading { agreement, .. } => {
                let agreement = agreement.clone();
                self.look_up_payloads(id, agreement);
            }
            // What was being opened, looked up or archived is weighed once more: the same results give the same verdict.
            Phase::Revealing { .. } | Phase::Agreed(_) | Phase::Settling => {
                let until = now + reveal_wait;
                task.phase = Phase::Revealing { until };
                for attempt in &task.attempts {
                    if matches!(attempt.state, AttemptState::Committed(_)) {
                        self.roster.post(&attempt.agent, |mail| mail.ask_reveal(attempt.token));
                    }
                }
                self.timers.insert((until, super::Timer::Reveal(id)));
                self.weigh_if_opened(id, now);
            }
        }
        self.save_task(id);
    }

    /// Applies a journal entry, but for receipts and retractions: see [`Self::replay_receipt`] and
    /// [`Retractions`](super::Retractions).
    pub fn replay_journal(&mut self, entry: JournalEntry, now: Timestamp) {
        match entry {
            JournalEntry::Invited { fingerprint, expires, trusted } => {
                let used_by = self.invites.get(&fingerprint).and_then(|invite| invite.used_by);
                self.put_invite(
                    fingerprint,
                    record::invite::InviteRecord { expires, used_by, trusted },
                );
            }
            JournalEntry::Enrolled { fingerprint, agent, payee, lane, at, trusted } => {
                if self.roster.get(&agent).is_none() {
                    self.take_in(fingerprint, agent, payee, lane, at, trusted);
                }
            }
            JournalEntry::Submitted { job, spec, at } => {
                if !self.jobs.contains_key(&job) {
                    self.take_job(job, *spec, at);
                }
            }
            JournalEntry::JobState { job, state } => self.put_state(job, state, now),
            JournalEntry::Convicted { agent, at, reason, tasks, forfeited } => {
                self.put_conviction(agent, Conviction { at, reason, tasks, forfeited }, now);
            }
            JournalEntry::Appealed { agent, text, at } => self.put_appeal(agent, text, at),
            JournalEntry::AppealDecided { agent, upheld, why, at } => {
                self.put_appeal_decision(agent, upheld, why, at);
            }
            JournalEntry::Receipt { .. }
            | JournalEntry::Forfeited { .. }
            | JournalEntry::Retracted { .. } => {}
            JournalEntry::Countersigned { agent, note } => self.put_countersigned(agent, note),
        }
    }

    /// Applies a receipt that is in the journal, or that there is none as all was forfeited: the credit that it covers is
    /// pending no more. Nothing of other entries.
    ///
    /// # Errors
    /// [`StoreError`] where the pending credit cannot be read, or the note is none.
    pub fn replay_receipt(
        &mut self,
        store: &impl Store,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        match entry {
            JournalEntry::Receipt { agent, note, covers, forfeited } => {
                self.replay_note(store, *agent, note, (*covers, *forfeited))
            }
            JournalEntry::Forfeited { agent, covers } => {
                let covered = covered(store, *agent, *covers)?;
                self.put_covered(*agent, &covered);
                self.save_agent(agent);
                Ok(())
            }
            JournalEntry::Invited { .. }
            | JournalEntry::Enrolled { .. }
            | JournalEntry::Submitted { .. }
            | JournalEntry::JobState { .. }
            | JournalEntry::Countersigned { .. }
            | JournalEntry::Retracted { .. }
            | JournalEntry::Convicted { .. }
            | JournalEntry::Appealed { .. }
            | JournalEntry::AppealDecided { .. } => Ok(()),
        }
    }

    fn replay_note(
        &mut self,
        store: &impl Store,
        agent: PeerId,
        note: &str,
        (covers, forfeited): (Option<(BlockId, TaskId)>, u32),
    ) -> Result<(), StoreError> {
        let body = SignedNote::parse(note.as_bytes())
            .ok()
            .and_then(|signed| ReceiptBody::parse(signed.text()).ok())
            .ok_or_else(|| StoreError::Damaged(format!("journal: receipt of {agent}")))?;
        let Some(member) = self.roster.get_mut(&agent) else { return Ok(()) };
        let record = &mut member.record;
        if record.seq >= body.seq {
            return Ok(());
        }
        let mut covered = covered(store, agent, covers.unwrap_or((BlockId(u64::MAX), TaskId(0))))?;
        if covers.is_none() {
            // It covers what comes first, as much as it counts.
            let count = body.tasks.saturating_sub(record.receipted.tasks);
            covered.retain(|credit| credit.amount.tasks > 0);
            covered.truncate(usize::try_from(count).unwrap_or(usize::MAX));
        }
        // As much was passed over then, whatever is known to be forfeited by now.
        let known = std::mem::replace(&mut record.forfeit, forfeited);
        self.put_receipt(agent, &body, note.to_owned(), &covered);
        if let Some(member) = self.roster.get_mut(&agent) {
            member.record.forfeit = known.saturating_sub(forfeited);
            self.save_agent(&agent);
        }
        Ok(())
    }

    /// Applies a settlement that is in the archive and not in the index. Its links are admitted apart, by
    /// [`Self::admit_links`], once every settlement is applied.
    pub fn replay_settlement(
        &mut self,
        settlement: &Settlement,
        archived: &Archived,
        now: Timestamp,
    ) {
        self.recovering = true;
        if !settlement.robots {
            let fingerprint = self.config.seen_key.fingerprint(&settlement.url);
            let seen = record::seen::key(settlement.job, fingerprint);
            self.batch.put(seen, Vec::new());
            let in_hand = self.tasks.contains_key(&settlement.task);
            if let Some(job) = self.jobs.get_mut(&settlement.job).filter(|_| !in_hand) {
                job.record.progress.counts.discovered += 1;
                job.record.progress.counts.fetches += settlement.results.len() as u64;
            }
        }
        if !self.tasks.contains_key(&settlement.task) {
            for result in &settlement.results {
                if let Some(agent) = self.roster.get_mut(&result.agent) {
                    agent.record.fetched += 1;
                }
            }
        }
        self.apply(settlement, archived, now);
    }

    /// The changes that replaying has gathered, to be committed.
    pub fn take_batch(&mut self) -> crate::batch::Batch {
        std::mem::take(&mut self.batch)
    }
}

/// An agent's credit up to a place.
fn covered(
    store: &impl Store,
    agent: PeerId,
    through: (BlockId, TaskId),
) -> Result<Vec<MaturedCredit>, StoreError> {
    let lookup = Lookup::Matured { agent, through: through.0, now: Timestamp::ZERO };
    let Answer::Matured { mut credits, .. } = lookup.answer(store)? else {
        return Ok(Vec::new());
    };
    credits.retain(|credit| credit.place <= through && credit.amount.tasks > 0);
    Ok(credits)
}
