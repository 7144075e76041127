//! One host's clock and work.

use super::queue::Queue;
use crate::lookup::HostLoad;
use crate::profile::HostProfile;
use crate::record::host::HostRecord;
use crate::record::robots::RobotsRecord;
use crate::trust::audit::Tally;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use sward_proto::canonical_url::Origin;
use sward_proto::ids::{JobId, LeaseToken, TaskId};
use sward_proto::robots::Robots;
use sward_proto::timestamp::Timestamp;

/// The product token that robots rules are read for.
pub(crate) const PRODUCT_TOKEN: &str = "SwardBot";

/// The first back-off after a failure; doubled with each further one.
const BACK_OFF: Duration = Duration::from_secs(2);
/// The longest back-off: one request in a quarter of an hour burdens nobody, and a site that is down is given up within
/// hours, although each of its URLs and both of its robots.txt are tried several times, by two agents each.
const MAX_BACK_OFF: Duration = Duration::from_secs(900);

/// What is known of an origin's robots.txt.
#[derive(Debug, Clone)]
pub enum RobotsState {
    /// It is being fetched by this task.
    Asked(TaskId),
    /// These rules hold until then.
    Known {
        /// The rules.
        rules: Robots,
        /// Not used after this.
        expires: Timestamp,
    },
}

/// One host.
#[derive(Debug)]
pub struct Host {
    /// Nothing is fetched before this time.
    pub next_allowed: Timestamp,
    /// What outlives a restart.
    pub clock: HostRecord,
    /// Leases that are out on it. While there is one, there is no other agent.
    pub busy: BTreeSet<LeaseToken>,
    /// Tasks on it that want one more lease.
    pub needy: BTreeSet<TaskId>,
    /// Tasks on it that are in hand.
    pub open: BTreeSet<TaskId>,
    /// Its origins' rules.
    pub robots: BTreeMap<Origin, RobotsState>,
    /// What waits, by job.
    pub queues: BTreeMap<JobId, Queue>,
    /// How its pages change.
    pub profile: HostProfile,
    /// Its place among the ready.
    pub(super) scheduled: Option<Timestamp>,
}

impl Host {
    /// A host of which nothing is known.
    pub(super) const fn new(now: Timestamp) -> Self {
        Self {
            next_allowed: now,
            clock: HostRecord { blocked_until: Timestamp::ZERO, failures: 0, audits: Tally::ZERO },
            busy: BTreeSet::new(),
            needy: BTreeSet::new(),
            open: BTreeSet::new(),
            robots: BTreeMap::new(),
            queues: BTreeMap::new(),
            profile: HostProfile::new(),
            scheduled: None,
        }
    }

    /// Takes up what the index holds. A host that was met before counts as just fetched: when that was, is not stored.
    pub(super) fn take_up(&mut self, load: HostLoad, delay: Duration, now: Timestamp) {
        let met = !load.robots.is_empty() || !load.queues.is_empty();
        self.clock = load.clock;
        self.profile = load.profile;
        for RobotsRecord { origin, rules, expires } in load.robots {
            let rules = Robots::from_text(&rules);
            self.robots.insert(origin, RobotsState::Known { rules, expires });
        }
        for (job, (record, head)) in load.queues {
            self.queues.insert(job, Queue::loaded(record, head));
        }
        if met {
            self.rest(delay, now);
        }
    }

    /// Counts as just fetched.
    pub(super) fn rest(&mut self, delay: Duration, now: Timestamp) {
        self.next_allowed = self.next_allowed.max(now + self.gap(delay));
    }

    /// From when it may be asked, if it has anything to lease and no lease is out.
    pub(super) fn due(&self, halted: &BTreeSet<JobId>) -> Option<Timestamp> {
        let waiting = |(job, queue): (&JobId, &Queue)| {
            !halted.contains(job) && queue.peek().is_some_and(|next| !self.awaits_robots(next))
        };
        let has_work = !self.needy.is_empty() || self.queues.iter().any(waiting);
        (has_work && self.busy.is_empty()).then(|| self.next_allowed.max(self.clock.blocked_until))
    }

    /// Whether the robots.txt of this URL's origin is being fetched.
    pub(crate) fn awaits_robots(&self, next: &crate::record::chunk::Entry) -> bool {
        matches!(self.robots.get(&next.url.origin()), Some(RobotsState::Asked(_)))
    }

    /// Whether it can be dropped from memory: all that it holds is in the index.
    pub(super) fn is_idle(&self) -> bool {
        self.busy.is_empty() && self.needy.is_empty() && self.open.is_empty()
    }

    /// The rules for an origin, where they are known and fresh.
    #[must_use]
    pub fn rules(&self, origin: &Origin, now: Timestamp) -> Option<&Robots> {
        match self.robots.get(origin) {
            Some(RobotsState::Known { rules, expires }) if *expires > now => Some(rules),
            Some(_) | None => None,
        }
    }

    /// The least gap between two fetches: the job's, or a longer crawl-delay of any origin here.
    #[must_use]
    pub fn gap(&self, job_delay: Duration) -> Duration {
        let delays = self.robots.values().filter_map(|state| match state {
            RobotsState::Known { rules, .. } => rules.crawl_delay(),
            RobotsState::Asked(_) => None,
        });
        delays.fold(job_delay, Duration::max)
    }

    /// The host failed or asked for less: nothing before the back-off or its own `Retry-After`, whichever is longer. What
    /// another agent says while the host is left alone is the same failure, so it does not double the back-off.
    pub fn back_off(&mut self, retry_after: Option<Duration>, now: Timestamp) {
        let mut wait = retry_after.unwrap_or_default();
        if self.clock.blocked_until <= now {
            let doubled = BACK_OFF.saturating_mul(1 << self.clock.failures.min(16));
            wait = wait.max(doubled.min(MAX_BACK_OFF));
            self.clock.failures = self.clock.failures.saturating_add(1);
        }
        self.clock.blocked_until = self.clock.blocked_until.max(now + wait);
    }

    /// The host answered as it should. Returns whether that changed anything.
    pub const fn recover(&mut self) -> bool {
        let failed = self.clock.failures > 0;
        self.clock.failures = 0;
        failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_off_doubles_up_to_a_bound_and_obeys_the_host() {
        let mut host = Host::new(Timestamp::ZERO);
        let mut waits = Vec::new();
        for _ in 0..20 {
            let now = host.clock.blocked_until;
            host.back_off(None, now);
            waits.push(host.clock.blocked_until.since(now));
        }
        assert_eq!(waits[..3], [2, 4, 8].map(Duration::from_secs));
        assert_eq!(waits[19], MAX_BACK_OFF);
        let now = host.clock.blocked_until;
        host.back_off(Some(Duration::from_secs(7200)), now);
        assert_eq!(host.clock.blocked_until.since(now), Duration::from_secs(7200));
        assert!(host.recover());
        assert!(!host.recover());
    }
}
