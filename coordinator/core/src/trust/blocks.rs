//! The blocks in which one agent's credit waits, and the date that its owner was told with each.
//!
//! Decides which block a credit joins, when that turns final, and what the owner reads of it: pages, credit and a date, never
//! which page was checked. A date that was told is never passed by: a block that fills early may come sooner.

use super::hold::{Block, Terms};
use crate::record::agent::Totals;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::standing::PendingBlock;

/// A block's number, counted from 1 for each agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BlockId(pub u64);

impl BlockId {
    /// No block: where what earns nothing is kept.
    pub const NONE: Self = Self(0);
}

/// Which block a credit joined, and when that is final at the latest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Held {
    /// The block.
    pub block: BlockId,
    /// What the owner was told, and what is kept.
    pub promised: Timestamp,
}

/// When credit turns final: by the terms, at an epoch's end, as receipts are signed then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calendar {
    /// How long it waits, and for what.
    pub terms: Terms,
    /// How long an epoch lasts.
    pub epoch: Duration,
}

impl Calendar {
    /// The first end of an epoch that is not before `at`.
    fn edge(self, at: Timestamp) -> Timestamp {
        let epoch = u64::try_from(self.epoch.as_millis()).unwrap_or(u64::MAX).max(1);
        Timestamp::from_millis(at.as_millis().div_ceil(epoch).saturating_mul(epoch))
    }

    /// When what is settled now is final at the latest, if it opens a block.
    #[must_use]
    pub fn promise(self, now: Timestamp) -> Timestamp {
        self.edge(Block::open(now).due(self.terms))
    }
}

/// What is kept of a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Waiting {
    block: Block,
    credit: Totals,
    promised: Timestamp,
    /// Opened while its agent was on probation. Told for the whole block, so that the owner of a cheat does not read on which
    /// page probation ended.
    probation: bool,
}

impl Waiting {
    fn due(&self, calendar: Calendar) -> Timestamp {
        calendar.edge(self.block.due(calendar.terms)).min(self.promised)
    }
}

/// The blocks of one agent that are not final yet.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Blocks {
    /// The newest number that was given.
    newest: BlockId,
    waiting: BTreeMap<BlockId, Waiting>,
}

impl Blocks {
    /// Which block a credit joins that is settled now: the newest, unless it is closed or could not rest any more.
    #[must_use]
    pub fn place(&self, calendar: Calendar, now: Timestamp) -> Held {
        let rest = calendar.terms.rest;
        let takes = |waiting: &Waiting| {
            !waiting.block.is_closed()
                && !waiting.block.is_full(calendar.terms, now)
                && now + rest <= waiting.promised
        };
        match self.waiting.get(&self.newest).filter(|newest| takes(newest)) {
            Some(newest) => Held { block: self.newest, promised: newest.promised },
            None => Held { block: BlockId(self.newest.0 + 1), promised: calendar.promise(now) },
        }
    }

    /// A credit joins its block; `single` where it rests on the agent alone, `probation` where the agent is on it.
    pub fn deliver(
        &mut self,
        held: Held,
        amount: Totals,
        (single, probation): (bool, bool),
        terms: Terms,
        now: Timestamp,
    ) {
        self.newest = self.newest.max(held.block);
        let waiting = self.waiting.entry(held.block).or_insert_with(|| Waiting {
            block: Block::open(now),
            credit: Totals::default(),
            promised: held.promised,
            probation,
        });
        waiting.credit = waiting.credit.plus(amount).unwrap_or(waiting.credit);
        waiting.block.deliver(1, u32::from(single));
        if waiting.block.is_full(terms, now) {
            waiting.block.close(now);
        }
    }

    /// The newest block that is final now; those before it are too.
    #[must_use]
    pub fn due(&self, calendar: Calendar, now: Timestamp) -> Option<BlockId> {
        let is_due = |(_, waiting): &(&BlockId, &Waiting)| waiting.due(calendar) <= now;
        self.waiting.iter().take_while(is_due).last().map(|(id, _)| *id)
    }

    /// The first date that was promised and not kept yet.
    #[must_use]
    pub fn promised(&self) -> Option<Timestamp> {
        self.waiting.values().map(|waiting| waiting.promised).min()
    }

    /// A receipt covers a credit of this block, or it was forfeited.
    pub fn cover(&mut self, block: BlockId, amount: Totals) {
        if let Some(waiting) = self.waiting.get_mut(&block) {
            waiting.credit = waiting.credit.minus(amount);
            if waiting.credit.tasks == 0 {
                self.waiting.remove(&block);
            }
        }
    }

    /// Nothing of it is issued.
    pub fn clear(&mut self) {
        self.waiting.clear();
    }

    /// What the owner reads, oldest first, in `most` lines: what would be more is in the last of them.
    #[must_use]
    pub fn lines(&self, calendar: Calendar, most: usize) -> Vec<PendingBlock> {
        let mut lines: Vec<PendingBlock> = Vec::new();
        for waiting in self.waiting.values() {
            let Totals { tasks, credit, .. } = waiting.credit;
            let (due, probation) = (waiting.due(calendar), waiting.probation);
            let is_full = lines.len() >= most;
            match lines.last_mut() {
                Some(last) if is_full => {
                    last.tasks = last.tasks.saturating_add(tasks);
                    last.credit = last.credit.saturating_add(credit);
                    last.due = last.due.max(due);
                    last.probation |= probation;
                }
                Some(_) | None => lines.push(PendingBlock { tasks, credit, due, probation }),
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PAGE: Totals = Totals { tasks: 1, bytes: 7, credit: 1000 };

    fn calendar(pages: u32, gather_s: u64, rest_s: u64, epoch_s: u64) -> Calendar {
        let (gather, rest) = (Duration::from_secs(gather_s), Duration::from_secs(rest_s));
        let terms = Terms { pages, gather, rest, checks: 1 };
        Calendar { terms, epoch: Duration::from_secs(epoch_s) }
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn deliver(blocks: &mut Blocks, calendar: Calendar, now: Timestamp) -> Held {
        let held = blocks.place(calendar, now);
        blocks.deliver(held, PAGE, (true, false), calendar.terms, now);
        held
    }

    /// 100 pages a day under the sample's terms: six days and a half at most, and the receipt on the day that was told.
    #[test]
    fn a_casual_agent_is_told_a_day_at_most_seven_days_off() {
        let day = 86_400;
        let calendar = calendar(5000, 4 * day, 2 * day, day);
        let mut blocks = Blocks::default();
        for page in 0..2000 {
            let now = at(page * 864);
            let held = deliver(&mut blocks, calendar, now);
            assert!(held.promised.since(now) <= Duration::from_secs(7 * day));
            assert!(held.promised.since(now) >= calendar.terms.rest);
            assert_eq!(held.promised.as_secs() % day, 0, "an epoch's end");
        }
    }

    #[test]
    fn a_full_block_comes_sooner_than_was_promised() {
        let calendar = calendar(3, 100, 10, 1);
        let mut blocks = Blocks::default();
        let first = deliver(&mut blocks, calendar, at(0));
        assert_eq!(first, Held { block: BlockId(1), promised: at(110) });
        for second in 1..3 {
            deliver(&mut blocks, calendar, at(second));
        }
        assert_eq!(blocks.due(calendar, at(11)), None);
        assert_eq!(blocks.due(calendar, at(12)), Some(BlockId(1)));
        assert_eq!(deliver(&mut blocks, calendar, at(3)).block, BlockId(2));
        let lines = blocks.lines(calendar, 8);
        assert_eq!(
            lines.iter().map(|line| (line.tasks, line.due)).collect::<Vec<_>>(),
            [(3, at(12)), (1, at(113))]
        );
        assert_eq!(blocks.lines(calendar, 1)[0].tasks, 4);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Deliver,
        Wait(u64),
        Issue,
        Convict,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            6 => Just(Step::Deliver),
            3 => (0u64..40).prop_map(Step::Wait),
            2 => Just(Step::Issue),
            1 => Just(Step::Convict),
        ];
        proptest::collection::vec(step, 0..120)
    }

    proptest! {
        /// Against a list of credits with their promises: nothing is issued before its rest, nothing is left once its
        /// promise is past, promises never fall, and a second life that is given the blocks of the first has the same.
        #[test]
        fn no_promise_is_passed(
            steps in steps(), pages in 1u32..6, gather in 0u64..60, rest in 0u64..30, epoch in 1u64..20
        ) {
            let calendar = calendar(pages, gather, rest, epoch);
            let (mut blocks, mut again) = (Blocks::default(), Blocks::default());
            let mut now = at(1000);
            let mut model: Vec<(Timestamp, Held)> = Vec::new();
            for step in steps {
                match step {
                    Step::Deliver => {
                        let held = deliver(&mut blocks, calendar, now);
                        again.deliver(held, PAGE, (true, false), calendar.terms, now);
                        prop_assert!(held.promised >= now + calendar.terms.rest);
                        prop_assert!(model.last().is_none_or(|(_, last)| *last <= held));
                        model.push((now, held));
                    }
                    Step::Wait(seconds) => now = now + Duration::from_secs(seconds),
                    Step::Issue => {
                        let due = blocks.due(calendar, now).unwrap_or(BlockId::NONE);
                        for (settled, held) in model.extract_if(.., |(_, held)| held.block <= due) {
                            prop_assert!(settled + calendar.terms.rest <= now);
                            blocks.cover(held.block, PAGE);
                            again.cover(held.block, PAGE);
                        }
                        prop_assert!(model.iter().all(|(_, held)| held.promised > now));
                    }
                    Step::Convict => {
                        blocks.clear();
                        again.clear();
                        model.clear();
                    }
                }
                let told: u64 = blocks.lines(calendar, 64).iter().map(|line| line.tasks).sum();
                prop_assert_eq!(told, model.len() as u64);
                prop_assert_eq!(&blocks, &again);
            }
        }
    }
}
