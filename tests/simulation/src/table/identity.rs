//! One identity under Sward's rules: what the coordinator knows of it, and what its unconfirmed pages really are.

use super::page::KINDS;
use super::parts::{Part, Parts};
use std::collections::VecDeque;
use sward_coordinator_core::trust::evidence::{
    Check, Evidence, Excuse, Finding, Observation, Volatility, weight,
};
use sward_coordinator_core::trust::hold::{Block, Terms};
use sward_coordinator_core::trust::outcome::{Limits, review_pages};
use sward_coordinator_core::trust::replication::Trust;
use sward_proto::ids::TaskId;
use sward_proto::timestamp::Timestamp;

/// A block, and what the coordinator does not know of it.
#[derive(Debug, Clone, Copy)]
pub struct Held {
    /// As the rules see it.
    pub block: Block,
    /// Audits done for others, which are paid but are no pages.
    pub audits: u32,
    /// Pages' credit that is not issued.
    pub unpaid: u32,
    /// Single-source forgeries, by kind.
    pub forged: [u32; KINDS.len()],
    /// Forgeries that an accomplice backed, or that a comparison did not see.
    pub backed: u32,
    /// Pages that were handed in without a fetch.
    pub unfetched: u32,
    /// When its first page may have come.
    pub opened: Timestamp,
}

impl Held {
    fn open(now: Timestamp) -> Self {
        let forged = [0; KINDS.len()];
        Self {
            block: Block::open(now),
            audits: 0,
            unpaid: 0,
            forged,
            backed: 0,
            unfetched: 0,
            opened: now,
        }
    }

    /// Forgeries in it.
    #[must_use]
    pub fn forgeries(&self) -> u32 {
        self.forged.iter().sum::<u32>() + self.backed
    }
}

/// What a difference led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Consequence {
    /// The identity ends.
    pub convicted: bool,
    /// The agent is kept from this kind of page.
    pub restricted: bool,
}

/// All that hangs on one identity.
#[derive(Debug)]
pub struct Identity {
    parts: Parts,
    /// How far it is trusted.
    pub trust: Trust,
    /// What speaks against it.
    pub evidence: Evidence,
    /// What it is kept from.
    pub limits: Limits,
    /// The block that gathers.
    pub open: Held,
    /// Blocks at rest.
    pub resting: VecDeque<Held>,
    /// Pages handed in since it enrolled.
    pub age: u64,
    /// How old it was when it first cheated.
    pub cheated_at: Option<u64>,
    next_task: u64,
}

impl Identity {
    /// A newcomer under these parts of the rules.
    #[must_use]
    pub fn new(now: Timestamp, parts: Parts) -> Self {
        Self {
            parts,
            trust: Trust::new(now, parts.probation()),
            evidence: Evidence::new(now),
            limits: Limits::default(),
            open: Held::open(now),
            resting: VecDeque::new(),
            age: 0,
            cheated_at: None,
            next_task: 0,
        }
    }

    /// A check agreed.
    pub fn agreed(&mut self, kind: usize, check: Check, now: Timestamp) {
        self.trust.agreed(true, now);
        let Some(kind) = KINDS.get(kind) else { return };
        let seen = self.observation(kind.volatility, check, kind.excuse(), Finding::Agrees);
        self.evidence.observe(seen, now);
    }

    /// A check differed, and nothing but `excuse` explains it.
    pub fn differed(
        &mut self,
        page: Volatility,
        check: Check,
        excuse: Excuse,
        now: Timestamp,
    ) -> Consequence {
        let seen = self.observation(page, check, excuse, Finding::Differs);
        let cause = weight(page, check, excuse);
        let first = cause > 0 && !self.parts.has(Part::Events);
        let convicted = self.evidence.observe(seen, now) || first;
        if self.parts.has(Part::Retrial) {
            self.trust.retry(review_pages(cause), now);
        }
        let limits = self.parts.has(Part::Limits);
        let restricted = limits && self.limits.differed(page, excuse, now).is_some();
        if convicted {
            self.trust.convicted();
        }
        Consequence { convicted, restricted }
    }

    fn observation(
        &mut self,
        page: Volatility,
        check: Check,
        excuse: Excuse,
        finding: Finding,
    ) -> Observation {
        self.next_task += 1;
        Observation { task: TaskId(self.next_task), page, check, excuse, finding }
    }

    /// Which kinds of page it is given.
    #[must_use]
    pub fn allowed(&self, now: Timestamp) -> [bool; KINDS.len()] {
        KINDS.map(|kind| self.limits.allows(kind.volatility, kind.excuse(), now))
    }

    /// It cheats.
    pub fn cheats(&mut self) {
        self.cheated_at.get_or_insert(self.age);
    }

    /// Pages that it handed in from its first cheating on.
    #[must_use]
    pub fn pages_to_detection(&self) -> Option<u64> {
        self.cheated_at.map(|age| self.age - age)
    }

    /// Closes the gathering block if it is full, and opens the next.
    pub fn turn_block(&mut self, terms: Terms, now: Timestamp) {
        if self.open.block.is_full(terms, now) && self.open.block.pages() > 0 {
            self.open.block.close(now);
            self.resting.push_back(self.open);
            self.open = Held::open(now);
        }
    }

    /// All its blocks.
    pub fn held(&mut self) -> impl Iterator<Item = &mut Held> {
        self.resting.iter_mut().chain(std::iter::once(&mut self.open))
    }
}
