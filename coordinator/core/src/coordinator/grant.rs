//! Giving out work: a run of URLs of one host to one agent at a time.
//!
//! Serves open long polls whenever something is due; who is served is drawn ([`super::draw`]). Results that other agents have
//! sealed already come first, so that verdicts are not kept waiting by new pages.

use super::draw::{Begun, Fitting};
use super::{Coordinator, Timer};
use crate::frontier::{PRODUCT_TOKEN, Queue, RobotsState};
use crate::group::Ties;
use crate::lookup::Lookup;
use crate::output::Event;
use crate::profile::Known;
use crate::record;
use crate::record::chunk::Entry;
use crate::roster::{Agent, Poll};
use crate::task::{Attempt, AttemptState, Phase, Task, TrustedFetches};
use std::time::Duration;
use sward_proto::attestation::REQUEST_PROFILE;
use sward_proto::canonical_url::{CanonicalUrl, HostName, Origin};
use sward_proto::draw::{Draw, PassedOver, Place};
use sward_proto::ids::{JobId, LeaseToken, PeerId, TaskId};
use sward_proto::outcome::Outcome;
use sward_proto::robots::Robots;
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::bounds::MAX_BATCH;
use sward_proto::wire::lease::Lease;
use sward_proto::wire::reply::{CoordinatorReply, Work};

/// Due hosts looked at in one turn.
const HOSTS_A_TURN: usize = 256;
/// Agents tried for one host.
pub(super) const AGENTS_A_HOST: usize = 32;
/// URLs that robots.txt forbids, passed over in one go on one host.
const FORBIDDEN_A_TURN: usize = 256;
/// The longest long poll.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// To whom a page is leased, and for how long.
pub(super) struct LeaseTerms<'a> {
    pub(super) peer: PeerId,
    pub(super) ties: &'a Ties,
    pub(super) draw: Draw,
    pub(super) delay: Duration,
    pub(super) life: Duration,
}

impl Coordinator {
    pub(super) fn want_work(
        &mut self,
        peer: PeerId,
        id: u64,
        capacity: usize,
        wait: Duration,
        holding: &[LeaseToken],
        now: Timestamp,
    ) {
        let Some(agent) = self.roster.get_mut(&peer) else { return };
        // Only a new connection can have lost leases; later, an answer may still be on its way.
        let first = std::mem::take(&mut agent.fresh);
        let lost = |token: &&LeaseToken| first && !holding.contains(token);
        let lost: Vec<LeaseToken> = agent.leased.iter().filter(lost).copied().collect();
        let until = now + wait.min(MAX_WAIT);
        let poll = Poll { id, capacity: capacity.min(MAX_BATCH), until };
        let superseded = self.roster.open_poll(&peer, poll);
        self.timers.insert((until, Timer::Poll(peer)));
        if let Some(before) = superseded {
            self.timers.remove(&(before.until, Timer::Poll(peer)));
            self.send(peer, before.id, CoordinatorReply::Work(Work::default()));
        }
        for token in lost {
            self.lease_expired(token, now);
        }
    }

    pub(super) fn poll_expired(&mut self, peer: PeerId, now: Timestamp) {
        let due = self.roster.get(&peer).and_then(Agent::poll).filter(|poll| poll.until <= now);
        if let Some(poll) = due {
            self.roster.close_poll(&peer);
            let resting = self.archive_full.map(|until| until.since(now));
            let notice = if resting.is_some() { "coordinator_full" } else { "no_work" };
            let retry_after = resting.unwrap_or_default();
            let work = Work { notice: notice.to_owned(), retry_after, ..Work::default() };
            self.send(peer, poll.id, CoordinatorReply::Work(work));
        }
    }

    /// Answers every long poll for which there is something.
    pub(super) fn serve(&mut self, now: Timestamp) {
        if !self.roster.is_polled() {
            return;
        }
        let calendar = self.calendar();
        let mut answers = self.roster.deliver(MAX_BATCH, |record| record.told(calendar, now));
        if self.archive_full.is_none() {
            self.turn_round(now);
            for host in self.frontier.due(now, HOSTS_A_TURN) {
                if self.grant_trusted(&host, &mut answers, now) {
                    continue;
                }
                let Begun { place, mut draw } = self.begin_draw();
                for peer in self.roster.polling_from(place, AGENTS_A_HOST) {
                    let mut answer = answers.remove(&peer).unwrap_or_default();
                    let granted = self.grant(peer, &host, &mut answer, &draw, now);
                    if !answer.is_empty() {
                        answers.insert(peer, answer);
                    }
                    match granted {
                        Ok(()) => break,
                        Err(why) => draw.passed.push((peer, why)),
                    }
                }
            }
        } else {
            // Told now and not when the poll runs out, so that owners see why nothing is fetched.
            let (place, all) = (Place([0; 32]), usize::MAX);
            let agents = self.roster.polling_from(place, all);
            for peer in agents.into_iter().chain(self.roster.trusted_polling_from(place, all)) {
                answers.entry(peer).or_default();
            }
        }
        for (peer, mut work) in answers {
            if let Some(poll) = self.roster.close_poll(&peer) {
                self.timers.remove(&(poll.until, Timer::Poll(peer)));
                if let Some(until) = self.archive_full {
                    work.notice = "coordinator_full".to_owned();
                    work.retry_after = until.since(now);
                }
                self.send(peer, poll.id, CoordinatorReply::Work(work));
            }
        }
    }

    /// Leases a run on `host` to the agent that a draw came to, or says why it is passed over.
    fn grant(
        &mut self,
        peer: PeerId,
        host: &HostName,
        work: &mut Work,
        draw: &Draw,
        now: Timestamp,
    ) -> Result<(), PassedOver> {
        let agent = self.roster.get(&peer).ok_or(PassedOver::Full)?;
        let (Some(poll), Some(ties)) = (agent.poll(), agent.ties()) else {
            return Err(PassedOver::Full);
        };
        let room = poll.capacity.saturating_sub(work.leases.len());
        let length = room.min(self.config.bounds.run_length).min(self.fair_share(host));
        if length == 0 {
            return Err(PassedOver::Full);
        }
        let spent = self.shares.is_spent(ties.network, &peer, now);
        let Fitting { tasks: mut run, why, waits } =
            self.fitting_tasks(&peer, &ties, host, length, spent, now);
        self.timers.extend(waits);
        let spent = spent || self.had_its_trickle(&peer, host, now);
        while run.len() < length && !spent && !self.next_is_unsuited(host, &peer, now) {
            match self.next_task(host, now) {
                Some(task) => run.push((task, false)),
                None => break,
            }
        }
        if run.is_empty() {
            let nothing = if spent { PassedOver::HadItsShare } else { PassedOver::NothingLeft };
            return Err(why.unwrap_or(nothing));
        }
        let gap = self.gap(host, run.iter().map(|(task, _)| *task));
        let life = self.lease_life(gap, run.len());
        for (task, widened) in run {
            let draw = Draw { widened, ..draw.clone() };
            let terms = LeaseTerms { peer, ties: &ties, draw, delay: gap, life };
            if let Some(lease) = self.lease(task, terms, now) {
                work.leases.push(lease);
            }
        }
        Ok(())
    }

    /// How long the leases of a run of so many URLs live.
    pub(super) fn lease_life(&self, gap: Duration, run: usize) -> Duration {
        let bounds = self.config.bounds;
        let share = (gap + bounds.fetch_allowance) * u32::try_from(run).unwrap_or(u32::MAX);
        bounds.lease_floor.max(share * 2)
    }

    /// A short queue is shared among those who wait, so that no single agent decides what a small site holds.
    fn fair_share(&self, host: &HostName) -> usize {
        let waiting = self.frontier.host(host).map_or(0, |host| {
            let queued: u64 = host.queues.values().map(Queue::len).sum();
            host.needy.len().saturating_add(usize::try_from(queued).unwrap_or(usize::MAX))
        });
        waiting.div_ceil(self.roster.polls().max(1)).max(1)
    }

    /// Opens a task for the next URL of a host that may be fetched, or for the robots.txt that it waits for.
    fn next_task(&mut self, name: &HostName, now: Timestamp) -> Option<TaskId> {
        for _ in 0..FORBIDDEN_A_TURN {
            if self.tasks.len() >= self.config.bounds.open_tasks {
                return None;
            }
            let (job, url) = self.next_url(name)?;
            let origin = url.origin();
            let host = self.frontier.host(name)?;
            // Our own site allows everything; its robots.txt would name it in every export.
            let own = self.config.beacon.as_ref().is_some_and(|beacon| beacon.has(&url));
            let decide = |rules: &Robots| rules.decide(url.path_and_query()).allowed;
            let known = if own { Some(true) } else { host.rules(&origin, now).map(decide) };
            let Some(allowed) = known else {
                return self.open_robots_task(job, &origin, name, now);
            };
            let entry = self.take_entry(name, job, now)?;
            if allowed {
                return Some(self.open_task(job, entry, false, now));
            }
            self.event(Event::Settled { task: None, outcome: Outcome::Robots });
            if let Some(job) = self.jobs.get_mut(&job) {
                *job.record.progress.counts.outcomes.entry(Outcome::Robots).or_default() += 1;
            }
            self.save_job(job);
            self.check_done(job, now);
        }
        None
    }

    /// The next URL on a host: of the job with the highest priority that has room and does not wait for a robots.txt.
    pub(super) fn next_url(&self, name: &HostName) -> Option<(JobId, CanonicalUrl)> {
        let host = self.frontier.host(name)?;
        let open = host.queues.iter().filter(|(job, _)| self.has_room(**job));
        let priority = |job: &JobId| self.jobs.get(job).map(|job| job.record.spec.priority);
        let (job, queue) = open
            .filter(|(_, queue)| queue.peek().is_some_and(|next| !host.awaits_robots(next)))
            .max_by_key(|(job, _)| (priority(job), std::cmp::Reverse(**job)))?;
        Some((*job, queue.peek()?.url.clone()))
    }

    fn take_entry(&mut self, name: &HostName, id: JobId, now: Timestamp) -> Option<Entry> {
        let batch = &mut self.batch;
        let (entry, missing) = self.frontier.with_host(name, now, |host| {
            let queue = host.queues.get_mut(&id)?;
            let entry = queue.take(name, id, batch);
            let missing = queue.missing_chunk();
            if queue.is_empty() {
                host.queues.remove(&id);
            }
            Some((entry, missing))
        })?;
        if let Some(seq) = missing {
            self.look_up(Lookup::Chunk { host: name.clone(), job: id, seq });
        }
        if let Some(job) = self.jobs.get_mut(&id) {
            job.record.progress.counts.queued = job.record.progress.counts.queued.saturating_sub(1);
            self.save_job(id);
        }
        entry
    }

    fn open_robots_task(
        &mut self,
        job: JobId,
        origin: &Origin,
        name: &HostName,
        now: Timestamp,
    ) -> Option<TaskId> {
        let entry = Entry { url: origin.robots_url().ok()?, depth: 0, retries: 0 };
        let task = self.open_task(job, entry, true, now);
        self.frontier.with_host(name, now, |host| {
            host.robots.insert(origin.clone(), RobotsState::Asked(task))
        });
        Some(task)
    }

    pub(super) fn open_task(
        &mut self,
        job: JobId,
        entry: Entry,
        robots: bool,
        now: Timestamp,
    ) -> TaskId {
        let id = self.next_task;
        self.number_tasks_from(TaskId(id.0 + 1));
        let Entry { url, depth, retries } = entry;
        let wanted = self.config.rules.margin;
        let known = if robots { Known::NOTHING } else { self.known_of(&url, now) };
        let page = url.clone();
        let (attempts, phase) = (Vec::new(), Phase::Collecting);
        let (region, audit, spot, trusted) = (None, None, None, TrustedFetches::default());
        let task = Task {
            id,
            job,
            url,
            robots,
            depth,
            retries,
            known,
            wanted,
            attempts,
            region,
            audit,
            spot,
            trusted,
            phase,
        };
        self.place_task(task, now);
        if !robots {
            self.look_up_blocks(id, &page);
        }
        id
    }

    /// Remembers that every number below `next` is taken: captures and credit are stored under a task's number.
    pub(super) fn number_tasks_from(&mut self, next: TaskId) {
        self.next_task = next;
        self.batch.put(record::position::next_task_key(), record::encode(&next.0));
    }

    /// Puts a task where it is found: among the tasks, on its host, with its job.
    pub(super) fn place_task(&mut self, task: Task, now: Timestamp) {
        let (id, host) = (task.id, task.host());
        if !task.robots
            && let Some(job) = self.jobs.get_mut(&task.job)
        {
            job.open.insert(id);
        }
        self.frontier.with_host(&host, now, |host| host.open.insert(id));
        self.frontier.mark_needy(&host, id, task.is_needy() || task.wants_trusted(), now);
        self.tasks.insert(id, task);
        self.save_task(id);
    }

    pub(super) fn lease(
        &mut self,
        id: TaskId,
        terms: LeaseTerms<'_>,
        now: Timestamp,
    ) -> Option<Lease> {
        let (high, low) = (self.draw(), self.draw());
        let token = LeaseToken((u128::from(high) << 64 | u128::from(low)).to_be_bytes());
        let LeaseTerms { peer, ties, draw, delay, life } = terms;
        let agent = self.roster.get(&peer)?;
        let (cohort, trusted) = (agent.cohort(), agent.record.trusted);
        let wanted = self.wanted_of(self.tasks.get(&id)?, &peer, now);
        if self.tasks.get(&id)?.active().next().is_none() {
            self.count_trickle(id, &peer, now);
        }
        let task = self.tasks.get_mut(&id)?;
        if !trusted {
            task.wanted = wanted;
            if task.replicas().next().is_none() {
                // Drawn for a result that never came to be opened.
                (task.audit, task.spot) = (None, None);
            }
            for other in task.replicas() {
                self.meetings.record(peer, other.agent);
            }
        }
        let expires = now + life;
        self.shares.leased(ties.network, peer, now);
        task.attempts.push(Attempt {
            token,
            agent: peer,
            ties: ties.clone(),
            cohort,
            trusted,
            draw,
            leased_at: now,
            expires,
            state: AttemptState::Leased,
        });
        let (host, needy) = (task.host(), task.is_needy() || task.wants_trusted());
        let (url, job, robots) = (task.url.clone(), task.job, task.robots);
        self.leases.insert(token, id);
        self.timers.insert((expires, Timer::Lease(token)));
        self.frontier.lease_out(&host, token, now);
        self.frontier.mark_needy(&host, id, needy, now);
        self.roster.get_mut(&peer)?.leased.insert(token);
        self.save_task(id);
        self.mix_in_beacon(job);
        let spec = &self.jobs.get(&job)?.record.spec;
        Some(Lease {
            token,
            url,
            job: spec.name.clone(),
            purpose: spec.purpose.clone(),
            category: spec.category.clone(),
            profile: REQUEST_PROFILE,
            delay,
            expires_in: life,
            max_bytes: if robots { MAX_ROBOTS_BODY } else { spec.limits.page_bytes },
            media_types: if robots { Vec::new() } else { spec.media_types.clone() },
        })
    }

    /// The least gap between fetches of this run: the longest delay of its jobs, or the host's crawl-delay.
    pub(super) fn gap(&self, name: &HostName, run: impl Iterator<Item = TaskId>) -> Duration {
        let jobs = run.filter_map(|task| self.tasks.get(&task)).map(|task| task.job);
        let delays =
            jobs.filter_map(|job| self.jobs.get(&job)).map(|j| j.record.spec.limits.delay());
        let longest = delays.max().unwrap_or_default();
        self.frontier.host(name).map_or(longest, |host| host.gap(longest))
    }

    /// The gap after the last lease on a host has come back.
    pub(super) fn gap_after(&self, task: TaskId) -> Duration {
        let host = self.tasks.get(&task).map(Task::host);
        host.map(|host| self.gap(&host, [task].into_iter())).unwrap_or_default()
    }

    /// The rules in a robots.txt that was fetched, for our product token.
    pub(super) fn read_robots(status: u16, body: &[u8]) -> Robots {
        Robots::from_status(status, body, PRODUCT_TOKEN)
    }
}

/// The largest robots.txt that is read: twice what RFC 9309 section 2.5 asks for.
const MAX_ROBOTS_BODY: u64 = 1 << 20;
