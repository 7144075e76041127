//! What an agent owes to a host: its robots.txt, one fetch at a time, the gap between two.
//!
//! The coordinator keeps the same rules; the agent keeps them whatever it is told.

use std::collections::BTreeMap;
use std::time::Duration;
use sward_proto::canonical_url::{CanonicalUrl, HostName, Origin};
use sward_proto::robots::Robots;
use sward_proto::timestamp::Timestamp;

/// The product token of Sward's agents in robots.txt.
pub const PRODUCT_TOKEN: &str = "SwardBot";
/// Rules are used this long; RFC 9309 section 2.4 allows 24 hours.
const ROBOTS_LIFE: Duration = Duration::from_secs(12 * 3600);
/// Rules of an origin whose robots.txt could not be reached: it is asked again soon.
const UNREACHABLE_LIFE: Duration = Duration::from_secs(60);
/// Origins whose rules are kept.
const MAX_ORIGINS: usize = 1024;

/// Rules and clocks of the hosts that were met lately.
#[derive(Debug, Default)]
pub struct Politeness {
    rules: BTreeMap<Origin, (Timestamp, Robots)>,
    next_allowed: BTreeMap<HostName, Timestamp>,
}

impl Politeness {
    /// The rules of an origin, where they are known and fresh.
    #[must_use]
    pub fn rules(&self, origin: &Origin, now: Timestamp) -> Option<&Robots> {
        self.rules.get(origin).filter(|(expires, _)| *expires > now).map(|(_, rules)| rules)
    }

    /// Learns an origin's rules from the answer to its robots.txt; status 0 stands for no answer.
    pub fn learn(&mut self, origin: Origin, status: u16, body: &[u8], now: Timestamp) {
        if self.rules.len() >= MAX_ORIGINS {
            self.rules.retain(|_, (expires, _)| *expires > now);
        }
        if self.rules.len() >= MAX_ORIGINS {
            self.rules.pop_first();
        }
        let life = if (200..500).contains(&status) { ROBOTS_LIFE } else { UNREACHABLE_LIFE };
        let rules = Robots::from_status(status, body, PRODUCT_TOKEN);
        self.rules.insert(origin, (now + life, rules));
    }

    /// Whether robots.txt allows a URL, by rules that are known; the rule that forbids it otherwise.
    ///
    /// # Errors
    /// The rule, in words.
    pub fn check(&self, url: &CanonicalUrl, now: Timestamp) -> Result<(), String> {
        let Some(rules) = self.rules(&url.origin(), now) else { return Ok(()) };
        let decision = rules.decide(url.path_and_query());
        if decision.allowed {
            return Ok(());
        }
        Err(decision.rule.unwrap_or_else(|| "robots.txt could not be reached".to_owned()))
    }

    /// From when a host may be asked again.
    #[must_use]
    pub fn next_allowed(&self, host: &HostName) -> Timestamp {
        self.next_allowed.get(host).copied().unwrap_or(Timestamp::ZERO)
    }

    /// A fetch has ended: the gap begins, the coordinator's or a longer crawl-delay.
    pub fn fetched(&mut self, url: &CanonicalUrl, gap: Duration, now: Timestamp) {
        let own = self.rules(&url.origin(), now).and_then(Robots::crawl_delay);
        let gap = gap.max(own.unwrap_or_default());
        self.next_allowed.retain(|_, time| *time > now);
        self.next_allowed.insert(url.host(), now + gap);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_crawl_delay_wins_and_rules_grow_old() {
        let url: CanonicalUrl = "http://a.example/x".parse().expect("a url");
        let mut politeness = Politeness::default();
        let now = Timestamp::from_millis(1000);
        let robots = b"User-agent: *\nDisallow: /x\nCrawl-delay: 3\n";
        politeness.learn(url.origin(), 200, robots, now);
        assert!(politeness.check(&url, now).is_err());
        politeness.fetched(&url, Duration::from_secs(1), now);
        assert_eq!(politeness.next_allowed(&url.host()), now + Duration::from_secs(3));
        let later = now + ROBOTS_LIFE;
        assert!(politeness.rules(&url.origin(), later).is_none());
    }

    #[test]
    fn an_unreachable_robots_file_forbids_everything() {
        let url: CanonicalUrl = "http://a.example/x".parse().expect("a url");
        let mut politeness = Politeness::default();
        politeness.learn(url.origin(), 503, b"", Timestamp::ZERO);
        assert!(politeness.check(&url, Timestamp::ZERO).is_err());
        politeness.learn(url.origin(), 404, b"", Timestamp::ZERO);
        assert!(politeness.check(&url, Timestamp::ZERO).is_ok());
    }
}
