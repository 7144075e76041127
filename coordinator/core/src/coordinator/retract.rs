//! What is taken back when an agent is caught: its credit that is not final yet, and pages for which nobody else speaks.
//!
//! Decides which accepted pages fall with those who agreed on them, and has those fetched again. What a receipt covers is
//! final and stays. The archive keeps everything: a retraction is a line in the journal, and the page is exported no more.

use super::Coordinator;
use crate::job::JobState;
use crate::journal::JournalEntry;
use crate::lookup::{HELD_AT_ONCE, HostLoad, Lookup, load_host};
use crate::output::{Event, Output};
use crate::record;
use crate::record::agent::Standing;
use crate::record::chunk::Entry;
use crate::record::pending::HeldPage;
use crate::settlement::Settlement;
use crate::store::{Store, StoreError};
use crate::trust::blocks::BlockId;
use std::collections::{BTreeMap, BTreeSet};
use sward_proto::canonical_url::{CanonicalUrl, HostName};
use sward_proto::ids::{JobId, PeerId, TaskId};
use sward_proto::outcome::Outcome;
use sward_proto::retraction::{Retraction, RetractionReason};
use sward_proto::timestamp::Timestamp;

/// The retractions of a journal, applied once every settlement that the index lacked is.
#[derive(Debug)]
pub struct Retractions {
    pages: Vec<HeldPage>,
    /// The last task under which each of their URLs was settled.
    settled: BTreeMap<(JobId, CanonicalUrl), TaskId>,
}

impl Retractions {
    /// Those among the journal's entries that the index lacks.
    #[must_use]
    pub fn of<'a>(entries: impl Iterator<Item = &'a JournalEntry>) -> Self {
        let pages: Vec<HeldPage> = entries
            .filter_map(|entry| match entry {
                JournalEntry::Retracted { page, .. } => Some(page.clone()),
                JournalEntry::Invited { .. }
                | JournalEntry::Enrolled { .. }
                | JournalEntry::Submitted { .. }
                | JournalEntry::JobState { .. }
                | JournalEntry::Receipt { .. }
                | JournalEntry::Countersigned { .. }
                | JournalEntry::Forfeited { .. }
                | JournalEntry::Appealed { .. }
                | JournalEntry::AppealDecided { .. }
                | JournalEntry::Convicted { .. } => None,
            })
            .collect();
        let settled = pages.iter().map(|page| ((page.job, page.url.clone()), page.task)).collect();
        Self { pages, settled }
    }

    /// A settlement that the index lacked.
    pub fn note(&mut self, settlement: &Settlement) {
        if let Some(last) = self.settled.get_mut(&(settlement.job, settlement.url.clone())) {
            *last = settlement.task.max(*last);
        }
    }

    /// Applies them.
    ///
    /// # Errors
    /// [`StoreError`] where a host cannot be read.
    pub fn replay(
        self,
        coordinator: &mut Coordinator,
        store: &impl Store,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for page in self.pages {
            let (host, delay) = (page.url.host(), coordinator.longest_delay());
            coordinator.frontier.load(&host, load_host(store, &host)?, delay, now);
            let last = self.settled.get(&(page.job, page.url.clone()));
            let again = last.is_none_or(|last| *last <= page.task);
            coordinator.put_retraction(page, again, now);
        }
        Ok(())
    }
}

/// What is being taken back.
#[derive(Debug, Default)]
pub(super) struct Fallen {
    /// Agents whose pages are being looked up.
    looked_up: BTreeSet<PeerId>,
    /// Pages that were taken back in this life: each of two partners leads to them. Earlier ones are in the index no more.
    pages: BTreeSet<TaskId>,
}

impl Coordinator {
    /// Has the pages looked up that an agent who was caught had a part in.
    pub(super) fn look_up_held(&mut self, agent: PeerId) {
        if self.fallen.looked_up.insert(agent) {
            self.look_up(Lookup::Held { agent });
        }
    }

    /// Takes back what does not stand without this agent. An honest partner's word is enough for a page to stay; what was
    /// contested may be decided without the one who was caught.
    pub(super) fn held(
        &mut self,
        agent: PeerId,
        held: Vec<(Vec<u8>, Option<HeldPage>)>,
        hosts: BTreeMap<HostName, HostLoad>,
        now: Timestamp,
    ) {
        self.fallen.looked_up.remove(&agent);
        if held.len() >= HELD_AT_ONCE {
            self.look_up_held(agent);
        }
        let delay = self.longest_delay();
        for (name, load) in hosts {
            self.frontier.load(&name, load, delay, now);
        }
        for (key, page) in held {
            self.batch.delete(key);
            let Some(page) = page else { continue };
            let alone = page.with.iter().all(|partner| self.is_convicted(partner));
            if (alone || page.contested) && !self.fallen.pages.contains(&page.task) {
                let note = self.retraction(&page, now);
                let entry = JournalEntry::Retracted { page: page.clone(), at: now, note };
                self.outputs.push_back(Output::Journal(entry));
                self.event(Event::Retracted { task: page.task });
                self.put_retraction(page, true, now);
            }
        }
    }

    /// What is published of a page that was released and is taken back.
    fn retraction(&self, page: &HeldPage, at: Timestamp) -> Option<String> {
        let job = self.jobs.get(&page.job).filter(|_| !page.contested)?;
        let retraction = Retraction {
            job: job.record.spec.name.clone(),
            task: page.task,
            url: page.url.clone(),
            payload: page.payload,
            at,
            reason: RetractionReason::AgentsBarred,
        };
        retraction.sign(&self.config.signer).ok().map(|note| note.encode())
    }

    /// Whether pages that an agent had a part in are being looked up, to be taken back.
    pub(super) fn is_looked_through(&self, agent: &PeerId) -> bool {
        self.fallen.looked_up.contains(agent)
    }

    /// Whether an agent was caught.
    pub(super) fn is_convicted(&self, agent: &PeerId) -> bool {
        self.roster.get(agent).is_none_or(|member| member.record.standing != Standing::Good)
    }

    /// What a retraction changes. The URL waits again, unless it was fetched again already.
    fn put_retraction(&mut self, page: HeldPage, again: bool, now: Timestamp) {
        let HeldPage { task, job: id, url, depth, bytes, revisit, contested, with, .. } = page;
        self.fallen.pages.insert(task);
        // A contested page is fetched again once: who else saw it has no more to do with it.
        for other in with.iter().filter(|_| contested) {
            self.batch.delete(record::pending::key(other, BlockId::NONE, task));
        }
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let counts = &mut job.record.progress.counts;
        if !contested {
            self.batch.delete(record::capture::key(id, task));
            counts.retracted += 1;
            counts.pages = counts.pages.saturating_sub(1);
            counts.bytes = counts.bytes.saturating_sub(bytes);
            counts.single = counts.single.saturating_sub(u64::from(with.is_empty()));
            counts.duplicates = counts.duplicates.saturating_sub(u64::from(revisit));
        }
        let outcome = if contested { Outcome::Disagree } else { Outcome::Ok };
        if let Some(ended) = counts.outcomes.get_mut(&outcome) {
            *ended = ended.saturating_sub(1);
        }
        match job.record.progress.state {
            JobState::Cancelled => {
                *counts.outcomes.entry(Outcome::Policy).or_default() += u64::from(again);
            }
            JobState::Running | JobState::Paused | JobState::Done if again => {
                counts.queued += 1;
                let entry = Entry { url, depth, retries: 0 };
                let (host, done) = (entry.url.host(), job.record.progress.state == JobState::Done);
                if done {
                    // By the retraction itself: no line of its own says so.
                    job.record.progress.state = JobState::Running;
                    self.frontier.halt(id, false, now);
                }
                self.frontier.append(&host, id, vec![entry], now, &mut self.batch);
            }
            // Settled twice since: one URL all the same.
            JobState::Running | JobState::Paused | JobState::Done => {
                counts.discovered = counts.discovered.saturating_sub(1);
            }
        }
        self.save_job(id);
    }
}
