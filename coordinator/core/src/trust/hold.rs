//! When an agent's credit turns final.
//!
//! Decides the hold window: pages gather in a **block**, and a block is issued as one. What is bounded is the value at risk,
//! not a count of pages: the fewer pages an agent delivers in a window, the more of them are audited ([`need`]), so that a
//! block comes to hold its checks in time. So the date that an owner is shown at once is a promise, at most seven days off, and
//! neither it nor anything else about the block says which pages were audited. Final credit is never revoked; a convict's
//! block is just never issued.

use super::rate::Rate;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use sward_proto::timestamp::Timestamp;

/// How long credit waits, and for what. An operator may wait longer; less lets more forgeries through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Pages that close a block.
    pub pages: u32,
    /// How long a block gathers at most.
    pub gather: Duration,
    /// Rest of a closed block before it is issued.
    pub rest: Duration,
    /// Checks that an issued block holds, unless all its pages were seen twice.
    pub checks: u32,
}

impl Default for Terms {
    /// D = 5,000 pages and 48 hours of research on validation, section B9; with five days of gathering that is at most seven
    /// days for anybody. D at the floors of section B5 buys 300 checks of an agent's own pages; 200 are asked for here, as its
    /// audits of others count too, and are as likely to show a forgery.
    fn default() -> Self {
        let (gather, rest) = (Duration::from_hours(5 * 24), Duration::from_hours(48));
        Self { pages: 5000, gather, rest, checks: 200 }
    }
}

/// Pages of one agent that turn final together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    opened: Timestamp,
    closed: Option<Timestamp>,
    pages: u32,
    /// Of these, seen by nobody else yet.
    single: u32,
}

impl Block {
    /// Opens with its first page.
    #[must_use]
    pub const fn open(now: Timestamp) -> Self {
        Self { opened: now, closed: None, pages: 0, single: 0 }
    }

    /// Pages in it.
    #[must_use]
    pub const fn pages(&self) -> u32 {
        self.pages
    }

    /// Pages in it that nobody else saw.
    #[must_use]
    pub const fn single(&self) -> u32 {
        self.single
    }

    /// Whether it was closed: no page joins it, whatever the terms are by now.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.closed.is_some()
    }

    /// Adds `pages`, of which `single` rest on the agent alone.
    pub const fn deliver(&mut self, pages: u32, single: u32) {
        self.pages = self.pages.saturating_add(pages);
        self.single = self.single.saturating_add(if single < pages { single } else { pages });
    }

    /// Whether no page may join it any more.
    #[must_use]
    pub fn is_full(&self, terms: Terms, now: Timestamp) -> bool {
        self.pages >= terms.pages || now.since(self.opened) >= terms.gather
    }

    /// Closes it: its rest begins.
    pub const fn close(&mut self, now: Timestamp) {
        if self.closed.is_none() {
            self.closed = Some(now);
        }
    }

    /// When it turns final: what the owner is told with the first page, and never later than that.
    #[must_use]
    pub fn due(&self, terms: Terms) -> Timestamp {
        self.closed.unwrap_or(self.opened + terms.gather) + terms.rest
    }
}

/// The audit rate with which a block of an agent that delivers `pages_a_day` comes to hold its checks in time.
#[must_use]
pub fn need(terms: Terms, pages_a_day: u32) -> Rate {
    if terms.checks == 0 {
        return Rate::ZERO;
    }
    let gathered = u64::from(pages_a_day) * terms.gather.as_secs() / 86_400;
    Rate::of(u64::from(terms.checks), gathered.min(u64::from(terms.pages)))
}

/// What becomes of a page whose agent was convicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aftermath {
    /// It stands: others saw the same.
    Stands,
    /// It is fetched again by others, and the convict's copy is never released.
    FetchedAgain,
    /// It was released: a signed retraction names it, and nothing is taken back.
    Retracted,
}

/// Which of a convict's pages are fetched again: those that rest on it alone and are not final. No credit for them is issued.
#[must_use]
pub const fn aftermath(seen_by_others: bool, released: bool) -> Aftermath {
    match (seen_by_others, released) {
        (true, _) => Aftermath::Stands,
        (false, false) => Aftermath::FetchedAgain,
        (false, true) => Aftermath::Retracted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: Duration = Duration::from_hours(24);

    fn terms() -> Terms {
        Terms::default()
    }

    #[test]
    fn a_busy_agent_waits_two_days_and_a_casual_one_at_most_seven() {
        let mut busy = Block::open(Timestamp::ZERO);
        assert_eq!(busy.due(terms()), Timestamp::ZERO + DAY * 7);
        busy.deliver(5000, 5000);
        assert!(busy.is_full(terms(), Timestamp::ZERO));
        busy.close(Timestamp::ZERO);
        assert_eq!(busy.due(terms()), Timestamp::ZERO + terms().rest);
        let casual = Block::open(Timestamp::ZERO);
        assert!(!casual.is_full(terms(), Timestamp::ZERO + DAY * 4));
        assert!(casual.is_full(terms(), Timestamp::ZERO + DAY * 5));
    }

    #[test]
    fn a_casual_agent_is_audited_more_and_a_tiny_one_always() {
        assert_eq!(need(terms(), 1000).ppm(), 40_000);
        assert_eq!(need(terms(), 100).ppm(), 400_000);
        assert_eq!(need(terms(), 30), Rate::ONE);
        assert_eq!(need(terms(), 0), Rate::ONE);
        assert_eq!(need(Terms { checks: 0, ..terms() }, 0), Rate::ZERO);
    }

    #[test]
    fn only_what_rests_on_a_convict_alone_is_fetched_again() {
        assert_eq!(aftermath(true, true), Aftermath::Stands);
        assert_eq!(aftermath(false, false), Aftermath::FetchedAgain);
        assert_eq!(aftermath(false, true), Aftermath::Retracted);
    }

    proptest! {
        /// A block is due when its owner was told, or sooner.
        #[test]
        fn a_block_keeps_its_date(
            pages in proptest::collection::vec((0u32..400, 0u32..400), 0..40),
            closed_h in 0u64..120,
        ) {
            let mut block = Block::open(Timestamp::ZERO);
            let promised = block.due(terms());
            let mut delivered = 0;
            for (pages, single) in pages {
                block.deliver(pages, single);
                delivered += pages;
            }
            prop_assert_eq!(block.pages(), delivered);
            prop_assert!(block.single() <= block.pages());
            block.close(Timestamp::ZERO + Duration::from_hours(closed_h));
            prop_assert!(block.due(terms()) <= promised);
        }
    }
}
