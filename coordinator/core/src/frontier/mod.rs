//! Decides which host may be fetched from now, and what waits there.
//!
//! One clock a host, over all jobs, agents and replicas: nothing is taken from a host while a lease on it is out, nor before
//! its next allowed time. Holds a bounded number of hosts in memory; the others stay in the index and come back by
//! refill. Never decides who fetches, nor whether a URL is in scope.

mod host;
mod queue;

pub(crate) use host::PRODUCT_TOKEN;
pub use host::{Host, RobotsState};
pub use queue::Queue;

use crate::batch::Batch;
use crate::lookup::HostLoad;
use crate::record::chunk::Entry;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use sward_proto::canonical_url::HostName;
use sward_proto::ids::{JobId, LeaseToken, TaskId};
use sward_proto::timestamp::Timestamp;

/// The hosts that have work, and their clocks.
#[derive(Debug)]
pub struct Frontier {
    hosts: BTreeMap<HostName, Host>,
    /// Hosts with something to lease, by the time from which they may be asked.
    ready: BTreeSet<(Timestamp, HostName)>,
    /// Jobs whose queues are left alone.
    halted: BTreeSet<JobId>,
    /// How many hosts are kept in memory.
    capacity: usize,
    /// Where the next refill goes on; `None` when it begins anew.
    cursor: Option<HostName>,
    /// Some hosts with work may be in the index only.
    cold: bool,
    /// No refill before this time: the last one brought more than fits.
    rest_until: Timestamp,
}

/// Between a refill that brought more than fits and the next: long enough that some host becomes due.
const REFILL_REST: Duration = Duration::from_secs(1);

impl Frontier {
    /// A frontier of which nothing is in memory yet.
    #[must_use]
    pub const fn new(capacity: usize) -> Self {
        Self {
            hosts: BTreeMap::new(),
            ready: BTreeSet::new(),
            halted: BTreeSet::new(),
            capacity,
            cursor: None,
            cold: true,
            rest_until: Timestamp::ZERO,
        }
    }

    /// How many hosts are in memory.
    #[must_use]
    pub fn hot(&self) -> usize {
        self.hosts.len()
    }

    /// A host in memory.
    #[must_use]
    pub fn host(&self, name: &HostName) -> Option<&Host> {
        self.hosts.get(name)
    }

    /// The hosts in memory, in order of name.
    pub fn hosts(&self) -> impl Iterator<Item = (&HostName, &Host)> {
        self.hosts.iter()
    }

    /// Changes a host, bringing it into memory where it is not, and finds its new place among the ready.
    pub fn with_host<T>(
        &mut self,
        name: &HostName,
        now: Timestamp,
        change: impl FnOnce(&mut Host) -> T,
    ) -> T {
        let host = self.hosts.entry(name.clone()).or_insert_with(|| Host::new(now));
        let result = change(host);
        let due = host.due(&self.halted);
        if let Some(before) = host.scheduled.take() {
            self.ready.remove(&(before, name.clone()));
        }
        if let Some(due) = due {
            self.ready.insert((due, name.clone()));
            host.scheduled = Some(due);
        }
        result
    }

    /// Takes up what the index holds of a host, unless it is in memory already and therefore newer. `delay` is the longest
    /// gap that any job asks for.
    pub fn load(&mut self, name: &HostName, load: HostLoad, delay: Duration, now: Timestamp) {
        if !self.hosts.contains_key(name) {
            self.with_host(name, now, |host| host.take_up(load, delay, now));
        }
    }

    /// Every host in memory counts as just fetched: when each was, is not stored.
    pub fn rest_all(&mut self, delay: Duration, now: Timestamp) {
        let names: Vec<HostName> = self.hosts.keys().cloned().collect();
        for name in names {
            self.with_host(&name, now, |host| host.rest(delay, now));
        }
    }

    /// Adds URLs to a job's queue on one host.
    pub fn append(
        &mut self,
        name: &HostName,
        job: JobId,
        entries: Vec<Entry>,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        self.with_host(name, now, |host| {
            host.queues.entry(job).or_default().append(name, job, &entries, batch);
        });
    }

    /// Hosts that may be asked now, earliest first.
    #[must_use]
    pub fn due(&self, now: Timestamp, limit: usize) -> Vec<HostName> {
        let due = self.ready.iter().take_while(|(time, _)| *time <= now);
        due.take(limit).map(|(_, name)| name.clone()).collect()
    }

    /// When the next host becomes due, after `now`.
    #[must_use]
    pub fn next_due(&self, now: Timestamp) -> Option<Timestamp> {
        self.ready.iter().map(|(time, _)| *time).find(|time| *time > now)
    }

    /// Leaves a job's queues alone, or takes them up again.
    pub fn halt(&mut self, job: JobId, halted: bool, now: Timestamp) {
        if halted {
            self.halted.insert(job);
        } else {
            self.halted.remove(&job);
        }
        let concerned: Vec<HostName> = self
            .hosts
            .iter()
            .filter(|(_, host)| host.queues.contains_key(&job))
            .map(|(name, _)| name.clone())
            .collect();
        for name in concerned {
            self.with_host(&name, now, |_| ());
        }
    }

    /// Forgets what a job still has queued on hosts in memory.
    pub fn drop_job(&mut self, job: JobId, now: Timestamp, batch: &mut Batch) {
        let names: Vec<HostName> = self.hosts.keys().cloned().collect();
        for name in names {
            self.with_host(&name, now, |host| {
                if let Some(queue) = host.queues.remove(&job) {
                    queue.discard(&name, job, batch);
                }
            });
        }
    }

    /// Where to go on looking for hosts in the index, where memory has room and the index may have more.
    pub fn wants_refill(&mut self, now: Timestamp) -> Option<Option<HostName>> {
        let low = self.ready.iter().take_while(|(time, _)| *time <= now).take(16).count() < 16;
        let room = self.hosts.len() < self.capacity && self.rest_until <= now;
        (self.cold && low && room).then(|| self.cursor.clone())
    }

    /// When a refill that rests may go on, after `now`.
    #[must_use]
    pub fn next_refill(&self, now: Timestamp) -> Option<Timestamp> {
        Some(self.rest_until).filter(|until| self.cold && *until > now)
    }

    /// Takes up what a refill brought.
    pub fn refilled(
        &mut self,
        hosts: BTreeMap<HostName, HostLoad>,
        last: Option<HostName>,
        delay: Duration,
        now: Timestamp,
    ) {
        for (name, load) in hosts {
            self.load(&name, load, delay, now);
        }
        self.cold = last.is_some();
        self.cursor = last;
    }

    /// Drops hosts that can wait from memory until it has its size again. Call only while no lookup is under way: an answer
    /// may describe the host as it was before.
    pub fn evict(&mut self, now: Timestamp) {
        let (held, most) = (self.hosts.len(), self.capacity);
        if held < most || (held == most && !self.cold) {
            return;
        }
        let idle = self.hosts.iter().filter(|(_, host)| host.is_idle());
        // First those for which nothing waits, then those that are due last: what is due next stays.
        let mut idle: Vec<(Option<Reverse<Timestamp>>, HostName)> =
            idle.map(|(name, host)| (host.scheduled.map(Reverse), name.clone())).collect();
        idle.sort();
        idle.truncate(held - most * 3 / 4);
        for (_, name) in idle {
            if let Some(host) = self.hosts.remove(&name) {
                if !host.queues.is_empty() {
                    self.cold = true;
                    self.rest_until = now + REFILL_REST;
                }
                if let Some(due) = host.scheduled {
                    self.ready.remove(&(due, name));
                }
            }
        }
    }

    /// A lease on this host is out.
    pub fn lease_out(&mut self, name: &HostName, token: LeaseToken, now: Timestamp) {
        self.with_host(name, now, |host| host.busy.insert(token));
    }

    /// A lease on this host has come back, or is lost. With the last one the host's gap begins.
    pub fn lease_back(
        &mut self,
        name: &HostName,
        token: LeaseToken,
        gap: Duration,
        now: Timestamp,
    ) {
        self.with_host(name, now, |host| {
            if host.busy.remove(&token) && host.busy.is_empty() {
                host.next_allowed = host.next_allowed.max(now + gap);
            }
        });
    }

    /// A task on this host wants one more lease, or no more.
    pub fn mark_needy(&mut self, name: &HostName, task: TaskId, needy: bool, now: Timestamp) {
        self.with_host(name, now, |host| {
            if needy { host.needy.insert(task) } else { host.needy.remove(&task) }
        });
    }
}
