//! What the sites see: one fetch at a time on a host, the gap kept, robots.txt obeyed.
//!
//! One exception: a fetch that outlives its lease, or whose lease its coordinator has lost with its index. The host is
//! then free for the next agent, and the two may meet; no coordinator can call a fetch back.

use crate::expectation::DELAY;
use crate::sites::Sites;
use std::collections::BTreeMap;
use sward_proto::canonical_url::{CanonicalUrl, HostName};
use sward_proto::timestamp::Timestamp;

/// A fetch that goes on.
#[derive(Debug, Clone)]
struct Visit {
    agent: usize,
    ticket: u64,
    robots: bool,
    /// Until when its lease stands.
    until: Timestamp,
}

/// The fetches that go on, and when each host was last left.
#[derive(Debug, Default)]
pub struct Visits {
    open: BTreeMap<HostName, Vec<Visit>>,
    left: BTreeMap<HostName, Timestamp>,
    leased: BTreeMap<(usize, HostName), Timestamp>,
    /// Fetches that began.
    pub count: u64,
    /// Fetches that began when their lease was over already.
    pub strays: u64,
}

impl Visits {
    /// An agent has been leased a URL on this host until then.
    pub fn lease(&mut self, agent: usize, host: HostName, until: Timestamp) {
        let known = self.leased.entry((agent, host)).or_default();
        *known = until.max(*known);
    }

    /// The coordinator has forgotten every lease.
    pub fn forget_leases(&mut self) {
        self.leased.clear();
        self.open.values_mut().flatten().for_each(|visit| visit.until = Timestamp::ZERO);
    }

    /// The coordinator has taken back what it leased to an agent.
    pub fn forget_leases_of(&mut self, agent: usize) {
        self.leased.retain(|(whose, _), _| *whose != agent);
        let visits = self.open.values_mut().flatten().filter(|visit| visit.agent == agent);
        visits.for_each(|visit| visit.until = Timestamp::ZERO);
    }

    /// A fetch begins.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn begin(
        &mut self,
        agent: usize,
        ticket: u64,
        url: &CanonicalUrl,
        sites: &Sites,
        now: Timestamp,
    ) -> Result<(), String> {
        let host = url.host();
        self.count += 1;
        if !sites.allows(url) {
            return Err(format!("agent {agent} fetches {url}, which robots.txt forbids"));
        }
        let until = self.leased.get(&(agent, host.clone())).copied().unwrap_or_default();
        let robots = url.path_and_query() == "/robots.txt";
        let visits = self.open.entry(host.clone()).or_default();
        let met = visits.iter().find(|visit| visit.until > now).map(|visit| visit.agent);
        visits.push(Visit { agent, ticket, robots, until });
        if until <= now {
            self.strays += 1;
            return Ok(());
        }
        if let Some(other) = met {
            return Err(format!("agents {other} and {agent} fetch from {host} at the same time"));
        }
        let crawl_delay = sites.sites.get(&host).and_then(|site| site.rules.crawl_delay());
        let gap = DELAY.max(crawl_delay.unwrap_or_default());
        match self.left.get(&host) {
            Some(left) if !robots && *left + gap > now => {
                let since = now.since(*left);
                Err(format!(
                    "agent {agent} fetches {url} {since:?} after the fetch before, not {gap:?}"
                ))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// A fetch ends.
    pub fn end(&mut self, agent: usize, ticket: u64, host: &HostName, now: Timestamp) {
        let Some(visits) = self.open.get_mut(host) else { return };
        let Some(at) = visits.iter().position(|v| v.agent == agent && v.ticket == ticket) else {
            return;
        };
        let visit = visits.swap_remove(at);
        if !visit.robots && visit.until > now {
            self.left.insert(host.clone(), now);
        }
    }

    /// An agent has stopped, and its fetches with it.
    pub fn stop(&mut self, agent: usize) {
        self.open.values_mut().for_each(|visits| visits.retain(|visit| visit.agent != agent));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
    use std::time::Duration;

    #[test]
    fn two_at_a_time_too_soon_and_forbidden_fetches_are_seen() {
        let start = Timestamp::from_millis(1_000_000);
        let sites = Sites::new(&Plan::of_seed(1, 20), start);
        let url: CanonicalUrl = "http://h001.site.org/p0".parse().expect("a url");
        let (host, late) = (url.host(), start + Duration::from_secs(60));
        let mut visits = Visits::default();
        visits.lease(1, host.clone(), late);
        visits.lease(2, host.clone(), late);
        assert_eq!(visits.begin(1, 7, &url, &sites, start), Ok(()));
        assert!(visits.begin(2, 8, &url, &sites, start).is_err());
        visits.end(2, 8, &host, start);
        visits.end(1, 7, &host, start);
        assert!(visits.begin(1, 9, &url, &sites, start).is_err());
        visits.end(1, 9, &host, start);
        assert_eq!(visits.begin(1, 10, &url, &sites, start + Duration::from_secs(2)), Ok(()));
        // Without a lease that stands nothing more can be asked of it.
        assert_eq!(visits.begin(2, 11, &url, &sites, late), Ok(()));
        assert_eq!((visits.count, visits.strays), (5, 1));
        let elsewhere: CanonicalUrl = "http://h999.site.org/".parse().expect("a url");
        assert!(visits.begin(1, 12, &elsewhere, &sites, start).is_err());
    }
}
