//! What the owner allows.
//!
//! Decides vetoes and caps. Nothing on the wire can widen them.

use serde::{Deserialize, Serialize};
use sward_proto::canonical_url::HostName;
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::lease::Lease;

/// Milliseconds of a day.
const DAY: u64 = 24 * 3600 * 1000;

/// The owner's settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Bytes over the wire in a day of UTC.
    pub day_bytes: u64,
    /// Fetches at the same time, each on another host.
    pub parallel: usize,
    /// Bytes of bodies that wait to be asked for.
    pub spool_bytes: u64,
    /// Never these hosts, nor any name under them.
    pub never_hosts: Vec<String>,
    /// Never these categories.
    pub never_categories: Vec<String>,
    /// Never a purpose that contains one of these words, in any case.
    pub never_purposes: Vec<String>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            day_bytes: 1 << 30,
            parallel: 4,
            spool_bytes: 256 << 20,
            never_hosts: Vec::new(),
            never_categories: Vec::new(),
            never_purposes: Vec::new(),
        }
    }
}

impl Limits {
    /// Why the owner does not want this lease, if so.
    #[must_use]
    pub fn veto(&self, lease: &Lease) -> Option<String> {
        if let Some(veto) = self.veto_host(&lease.url.host()) {
            return Some(veto);
        }
        if self.never_categories.contains(&lease.category) {
            return Some(format!("category {}", lease.category));
        }
        let purpose = lease.purpose.to_lowercase();
        let word = self.never_purposes.iter().find(|word| purpose.contains(&word.to_lowercase()));
        word.map(|word| format!("purpose {word}"))
    }

    /// Why the owner does not want this host, if so.
    #[must_use]
    pub fn veto_host(&self, host: &HostName) -> Option<String> {
        let refused = |name: &&String| name.parse().is_ok_and(|domain| host.is_within(&domain));
        self.never_hosts.iter().find(refused).map(|name| format!("site {name}"))
    }
}

/// Bytes that went over the wire today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    day: u64,
    bytes: u64,
}

impl Usage {
    /// Adds to today's bytes; a new day begins at zero.
    pub const fn add(&mut self, bytes: u64, now: Timestamp) {
        let today = now.as_millis() / DAY;
        if today != self.day {
            *self = Self { day: today, bytes: 0 };
        }
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Today's bytes.
    #[must_use]
    pub const fn today(&self, now: Timestamp) -> u64 {
        if now.as_millis() / DAY == self.day { self.bytes } else { 0 }
    }

    /// When the next day begins.
    #[must_use]
    pub const fn resets(now: Timestamp) -> Timestamp {
        Timestamp::from_millis((now.as_millis() / DAY + 1) * DAY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use sward_proto::ids::LeaseToken;

    fn lease(url: &str, category: &str, purpose: &str) -> Lease {
        Lease {
            token: LeaseToken([0; 16]),
            url: url.parse().expect("a url"),
            job: "docs".parse().expect("a name"),
            purpose: purpose.into(),
            category: category.into(),
            profile: 1,
            delay: Duration::ZERO,
            expires_in: Duration::ZERO,
            max_bytes: 1,
            media_types: Vec::new(),
        }
    }

    #[test]
    fn a_veto_names_what_it_rests_on() {
        let limits = Limits {
            never_hosts: vec!["bad.example".into()],
            never_categories: vec!["shopping".into()],
            never_purposes: vec!["Training".into()],
            ..Limits::default()
        };
        let veto = |url, category, purpose| limits.veto(&lease(url, category, purpose));
        assert_eq!(veto("http://www.bad.example/", "news", "x"), Some("site bad.example".into()));
        assert_eq!(veto("http://a.example/", "shopping", "x"), Some("category shopping".into()));
        assert_eq!(
            veto("http://a.example/", "news", "AI training"),
            Some("purpose Training".into())
        );
        assert_eq!(veto("http://notbad.example/", "news", "archive"), None);
    }

    #[test]
    fn usage_begins_anew_each_day() {
        let noon = Timestamp::from_millis(DAY + DAY / 2);
        let mut usage = Usage::default();
        usage.add(5, noon);
        usage.add(7, noon);
        assert_eq!(usage.today(noon), 12);
        let next = Usage::resets(noon);
        assert_eq!(next, Timestamp::from_millis(2 * DAY));
        assert_eq!(usage.today(next), 0);
    }
}
