//! Jobs: taken, paused, resumed, cancelled, done.

use super::{Coordinator, Job};
use crate::job::{JobSpec, JobState};
use crate::journal::JournalEntry;
use crate::output::{Event, Output};
use crate::record;
use crate::record::job::{JobCounts, JobRecord, Progress};
use std::collections::BTreeSet;
use std::time::Duration;
use sward_proto::address;
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::ids::{JobId, JobName};
use sward_proto::outcome::Outcome;
use sward_proto::timestamp::Timestamp;

impl Coordinator {
    pub(super) fn submit(&mut self, spec: JobSpec, now: Timestamp) -> Result<String, String> {
        if self.jobs.values().any(|job| job.record.spec.name == spec.name) {
            return Err(format!("a job named {} exists already: choose another name", spec.name));
        }
        spec.rules().map_err(|error| error.to_string())?;
        for seed in &spec.seeds {
            self.check_address(seed)
                .map_err(|why| format!("seed {seed} cannot be fetched: {why}"))?;
        }
        let id = JobId(self.jobs.keys().next_back().map_or(1, |last| last.0 + 1));
        let name = spec.name.clone();
        let entry = JournalEntry::Submitted { job: id, spec: Box::new(spec), at: now };
        self.outputs.push_back(Output::Journal(entry.clone()));
        self.replay_journal(entry, now);
        self.admit_seeds(id, now);
        self.event(Event::Job { job: name.clone(), state: JobState::Running.code() });
        Ok(name.to_string())
    }

    /// Whether an agent's guard would let a URL pass, as far as can be said without asking DNS: seeds are refused while the
    /// submitter is still there to read why, links are left out.
    pub(super) fn check_address(&self, url: &CanonicalUrl) -> Result<(), String> {
        if self.config.developer {
            let literal = address::literal_address(url);
            let local_name = literal.is_none() && url.host().as_str().ends_with("localhost");
            if local_name || literal.is_some_and(|ip| ip.is_loopback()) {
                return Ok(());
            }
        } else if !address::PORTS.contains(&url.port()) {
            return Err(format!("port {} is not 80 or 443", url.port()));
        }
        address::refuse_host(url).map_or(Ok(()), |why| Err(why.to_string()))
    }

    /// What a submission changes; at its time and when it is read back from the journal.
    pub(super) fn take_job(&mut self, id: JobId, spec: JobSpec, at: Timestamp) {
        let Ok(rules) = spec.rules() else { return };
        let progress = Progress { state: JobState::Running, counts: JobCounts::default() };
        let record = JobRecord { spec, submitted_at: at, progress };
        self.batch.put(record::job::spec_key(id), record.encode_given());
        self.jobs.insert(id, Job { record, rules, open: BTreeSet::new(), admitting: 0 });
        self.save_job(id);
    }

    pub(super) fn set_state(
        &mut self,
        name: &JobName,
        state: JobState,
        now: Timestamp,
    ) -> Result<String, String> {
        let found = self.jobs.iter().find(|(_, job)| job.record.spec.name == *name);
        let Some((id, job)) = found else {
            return Err(format!("no job is named {name}: see job list"));
        };
        let (id, before) = (*id, job.record.progress.state);
        if before.is_final() {
            return Err(format!("job {name} is {}, which is final", before.code()));
        }
        if before != state {
            self.enter_state(id, state, now);
        }
        self.check_done(id, now); // what was in hand may have ended during a pause
        Ok(format!("{name} {}", state.code()))
    }

    fn enter_state(&mut self, id: JobId, state: JobState, now: Timestamp) {
        let entry = JournalEntry::JobState { job: id, state };
        self.outputs.push_back(Output::Journal(entry.clone()));
        self.replay_journal(entry, now);
        if let Some(job) = self.jobs.get(&id) {
            let job = job.record.spec.name.clone();
            self.event(Event::Job { job, state: state.code() });
        }
    }

    /// What a change of state changes; at its time and when it is read back from the journal.
    pub(super) fn put_state(&mut self, id: JobId, state: JobState, now: Timestamp) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        job.record.progress.state = state;
        if state.is_final() {
            let left = std::mem::take(&mut job.record.progress.counts.queued);
            if left > 0 {
                *job.record.progress.counts.outcomes.entry(Outcome::Policy).or_default() += left;
            }
            self.frontier.drop_job(id, now, &mut self.batch);
        }
        self.frontier.halt(id, state != JobState::Running, now);
        self.save_job(id);
    }

    /// Deletes what ended jobs still have queued on hosts that have just come into memory.
    pub(super) fn drop_queues_of_ended_jobs(&mut self, now: Timestamp) {
        let ended = self.jobs.iter().filter(|(_, job)| job.record.progress.state.is_final());
        let ended: Vec<JobId> = ended.map(|(id, _)| *id).collect();
        for id in ended {
            self.frontier.drop_job(id, now, &mut self.batch);
        }
    }

    /// The longest gap between two fetches on one host that a job asks for.
    pub(super) fn longest_delay(&self) -> Duration {
        let unfinished = self.jobs.values().filter(|job| !job.record.progress.state.is_final());
        unfinished.map(|job| job.record.spec.limits.delay()).max().unwrap_or_default()
    }

    /// Whether a job may open another task.
    pub(super) fn has_room(&self, id: JobId) -> bool {
        self.jobs.get(&id).is_some_and(|job| {
            let limits = &job.record.spec.limits;
            job.record.progress.state == JobState::Running
                && job.record.progress.counts.pages + (job.open.len() as u64) < limits.pages
                && job.record.progress.counts.bytes < limits.bytes
        })
    }

    /// Ends a job that has nothing left to do, or no room for more.
    pub(super) fn check_done(&mut self, id: JobId, now: Timestamp) {
        let Some(job) = self.jobs.get(&id) else { return };
        let JobRecord { spec, progress: Progress { state, counts }, .. } = &job.record;
        let full = counts.pages >= spec.limits.pages || counts.bytes >= spec.limits.bytes;
        let drained = job.open.is_empty() && job.admitting == 0;
        let over = drained && (counts.queued == 0 || full);
        if *state == JobState::Running && over && !self.recovering {
            self.enter_state(id, JobState::Done, now);
        }
    }
}
