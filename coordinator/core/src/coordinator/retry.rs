//! Trying again: a URL whose host or agents failed goes to the back of its queue, a few times, then ends.

use super::{Coordinator, Timer};
use crate::frontier::RobotsState;
use crate::group::Ties;
use crate::output::Event;
use crate::record::agent::Standing;
use crate::record::chunk::Entry;
use crate::task::Task;
use sward_proto::ids::{LeaseToken, TaskId};
use sward_proto::outcome::Outcome;
use sward_proto::timestamp::Timestamp;

impl Coordinator {
    /// Tries a URL again later, or ends it with `outcome`.
    pub(super) fn retry_or(
        &mut self,
        id: TaskId,
        outcome: Outcome,
        members: &[LeaseToken],
        now: Timestamp,
    ) {
        let Some(task) = self.tasks.get(&id) else { return };
        if task.retries >= self.config.bounds.retries {
            return self.end_unsuccessfully(id, outcome, members, now);
        }
        let Some(task) = self.close_task(id, now) else { return };
        self.settling.remove(&id);
        let host = task.host();
        let retries = task.retries + 1;
        let entry = Entry { url: task.url, depth: task.depth, retries };
        if task.robots {
            let origin = entry.url.origin();
            let again = self.open_task(task.job, entry, true, now);
            self.frontier.with_host(&host, now, |host| {
                host.robots.insert(origin, RobotsState::Asked(again));
            });
        } else if self.jobs.get(&task.job).is_some_and(|job| !job.record.progress.state.is_final())
        {
            self.frontier.append(&host, task.job, vec![entry], now, &mut self.batch);
            if let Some(job) = self.jobs.get_mut(&task.job) {
                job.record.progress.counts.queued += 1;
            }
            self.save_job(task.job);
        }
        self.check_done(task.job, now);
    }

    fn end_unsuccessfully(
        &mut self,
        id: TaskId,
        outcome: Outcome,
        members: &[LeaseToken],
        now: Timestamp,
    ) {
        let Some(task) = self.tasks.get(&id) else { return };
        if Self::has_results(task) {
            return self.settle(id, outcome, None, members, None, now);
        }
        // Nobody handed anything in: there is nothing to archive, and nobody to credit.
        let Some(task) = self.close_task(id, now) else { return };
        self.event(Event::Settled { task: Some(id), outcome });
        if task.robots {
            let origin = task.url.origin();
            self.frontier.with_host(&task.host(), now, |host| host.robots.remove(&origin));
        } else if let Some(job) = self.jobs.get_mut(&task.job) {
            *job.record.progress.counts.outcomes.entry(outcome).or_default() += 1;
            self.save_job(task.job);
        }
        self.check_done(task.job, now);
    }

    /// A task that wants one more result waits for whoever may still come, and for newcomers for a while only. Looked at
    /// again and again, as an agent that could answer may leave for good.
    pub(super) fn watch_starvation(&mut self, id: TaskId, now: Timestamp) {
        if self.tasks.get(&id).is_some_and(Task::is_needy) {
            let until = now + self.config.bounds.starvation_wait;
            self.timers.insert((until, Timer::Starved(id)));
        }
    }

    pub(super) fn contest_if_starved(&mut self, id: TaskId, now: Timestamp) {
        let Some(task) = self.tasks.get(&id) else { return };
        let opened = task.revealed().filter(|(attempt, _)| !attempt.trusted).count();
        let answered = opened >= self.config.rules.margin && opened == task.replicas().count();
        if !task.is_needy() || !answered || self.anyone_takes(id, now) {
            self.watch_starvation(id, now);
        } else if task.region.is_some() {
            // The region that was to be heard once more does not answer: decided without it.
            self.weigh_anew(id, now);
        } else if self.breaks_tie(id, now) {
            self.save_task(id);
        } else {
            self.settle(id, Outcome::Disagree, None, &[], None, now);
        }
    }

    /// Whether any agent in good standing, connected or expected back, would be a further voice.
    fn anyone_takes(&self, id: TaskId, now: Timestamp) -> bool {
        let Some(task) = self.tasks.get(&id) else { return false };
        let patience = self.config.bounds.starvation_wait;
        self.roster.iter().any(|(peer, agent)| {
            let (payee, whereabouts) = (agent.record.payee.clone(), agent.record.whereabouts);
            agent.record.standing == Standing::Good
                && !agent.record.trusted
                && agent.is_expected(patience, now)
                && agent
                    .record
                    .network
                    .is_some_and(|network| task.takes(peer, &Ties { payee, network, whereabouts }))
        })
    }
}
