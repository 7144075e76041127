//! The coordinator's start: from its index and what archive and journal hold past it, or from these alone.

use crate::coordinator_shell::Shell;
use crate::invariants::Watch;
use sward_coordinator_core::coordinator::{Coordinator, Restore, Retractions};
use sward_coordinator_core::input::Input;
use sward_coordinator_core::journal::JournalEntry;
use sward_coordinator_core::output::Output;
use sward_coordinator_core::record::Kind;
use sward_coordinator_core::record::position::{self, Position};
use sward_coordinator_core::store::{MemoryStore, Store as _, StoreError};
use sward_proto::timestamp::Timestamp;

/// Answers of the index while links are admitted: more than that is a machine that goes round in circles.
const MOST_ANSWERS: usize = 10_000;

impl Shell {
    /// Starts the coordinator from what is on its disk.
    pub fn start(&mut self, watch: &mut Watch, now: Timestamp) {
        match self.recover(now) {
            Ok(core) => self.core = Some(core),
            Err(error) => watch.fail(format!("the coordinator cannot start: {error}")),
        }
    }

    /// Loses the index.
    pub fn lose_index(&mut self) {
        self.store = MemoryStore::default();
    }

    /// An index that is built anew from archive and journal says the same of every site's pages.
    pub fn check_rebuilt_profiles(&mut self, watch: &mut Watch, now: Timestamp) {
        let profiles = |store: &MemoryStore| {
            let of = |kind: Kind| store.scan(&[kind as u8], &[], usize::MAX).unwrap_or_default();
            [of(Kind::Profile), of(Kind::Blocks)]
        };
        let before = profiles(&self.store);
        let life = self.life;
        self.lose_index();
        self.start(watch, now);
        self.life = life; // that start is no part of the run
        if profiles(&self.store) != before {
            watch.fail("a rebuilt index has other profiles than the one that was lost".to_owned());
        }
    }

    fn recover(&mut self, now: Timestamp) -> Result<Coordinator, StoreError> {
        let mut core = Coordinator::new(self.next_config(), now);
        let mut at = match self.store.get(&position::key())? {
            Some(value) => position::decode(&value)?,
            None => Position::default(),
        };
        Restore::from_index(&mut core, &self.store, now)?;
        let lines: Vec<JournalEntry> =
            self.archive.journal.iter().skip(index(at.journal)).map(|(_, e)| e.clone()).collect();
        for line in &lines {
            if !is_receipt(line) {
                core.replay_journal(line.clone(), now);
            }
        }
        let mut retractions = Retractions::of(lines.iter());
        for kept in self.archive.settlements.iter().skip(index(at.offset)) {
            core.replay_settlement(&kept.settlement, &kept.archived, now);
            retractions.note(&kept.settlement);
        }
        self.store.commit(core.take_batch())?;
        retractions.replay(&mut core, &self.store, now)?;
        self.store.commit(core.take_batch())?;
        for line in lines {
            match line {
                JournalEntry::Receipt { .. } | JournalEntry::Forfeited { .. } => {
                    core.replay_receipt(&self.store, &line)?;
                }
                JournalEntry::Countersigned { .. } => core.replay_journal(line, now),
                JournalEntry::Invited { .. }
                | JournalEntry::Enrolled { .. }
                | JournalEntry::Submitted { .. }
                | JournalEntry::JobState { .. }
                | JournalEntry::Retracted { .. }
                | JournalEntry::Appealed { .. }
                | JournalEntry::AppealDecided { .. }
                | JournalEntry::Convicted { .. } => {}
            }
            self.store.commit(core.take_batch())?;
        }
        let turns = self.archive.settlements.iter().map(|kept| kept.turn);
        let turns = turns.chain(self.archive.journal.iter().map(|(turn, _)| *turn));
        at.turn = turns.max().unwrap_or_default();
        at.offset = self.archive.settlements.len() as u64;
        at.journal = self.archive.journal.len() as u64;
        let mut batch = sward_coordinator_core::batch::Batch::default();
        batch.put(position::key(), position::encode(&at));
        self.store.commit(batch)?;
        self.position = at;
        for kept in self.archive.settlements.iter().skip(index(at.previous.1)) {
            core.admit_links(&kept.settlement, now);
            answer_lookups(&mut core, &mut self.store, now)?;
        }
        core.resume(now);
        Ok(core)
    }
}

/// While recovering nobody else answers what the machine asks.
fn answer_lookups(
    core: &mut Coordinator,
    store: &mut MemoryStore,
    now: Timestamp,
) -> Result<(), StoreError> {
    store.commit(core.take_batch())?;
    for _ in 0..MOST_ANSWERS {
        match core.next_output() {
            Some(Output::Commit(batch)) => store.commit(batch)?,
            Some(Output::Lookup(lookup)) => {
                let answer = lookup.answer(store)?;
                core.handle(Input::Answer(answer), now);
            }
            Some(Output::Discard(_)) => {}
            Some(other) => {
                return Err(StoreError::Damaged(format!("recovery asked for {other:?}")));
            }
            None => return Ok(()),
        }
    }
    Err(StoreError::Damaged("recovery does not end".to_owned()))
}

const fn is_receipt(line: &JournalEntry) -> bool {
    matches!(
        line,
        JournalEntry::Receipt { .. }
            | JournalEntry::Forfeited { .. }
            | JournalEntry::Countersigned { .. }
    )
}

fn index(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}
