//! Starting: the index as it was, brought up to date with archive and journal, or built anew from them.
//!
//! Decides whether an index can be trusted: it opens, its own checksum holds, and it lacks at most the one turn that a crash
//! interrupted. Otherwise it is moved aside, never deleted, and rebuilt; and that is said.

use crate::archive::{Position as ArchivePosition, records_from};
use crate::config::Layout;
use crate::keeper::{Found, Keeper, Reader, StampedEntry, StampedSettlement};
use crate::store::{IndexLimits, SledStore, move_aside};
use anyhow::{Context as _, Result, bail};
use std::path::PathBuf;
use sward_coordinator_core::config::Config as CoreConfig;
use sward_coordinator_core::coordinator::{Coordinator, Restore, Retractions};
use sward_coordinator_core::input::Archived;
use sward_coordinator_core::journal::JournalEntry;
use sward_coordinator_core::output::Output;
use sward_coordinator_core::record::position::{self, Position};
use sward_coordinator_core::store::{Store as _, StoreError};
use sward_proto::timestamp::Timestamp;

/// Settlements replayed before their changes are committed.
const REPLAY_BATCH: usize = 256;

/// A coordinator that is ready to go on.
pub struct Recovered {
    /// The machine, resumed.
    pub coordinator: Coordinator,
    /// Its index.
    pub store: SledStore,
    /// Where the index stands.
    pub position: Position,
    /// Why the index was rebuilt, and where the old one is, if there was one.
    pub rebuilt: Option<(String, Option<PathBuf>)>,
    /// Settlements and journal lines that the index lacked after a crash.
    pub caught_up: usize,
}

/// Opens the index and brings it up to date, or rebuilds it.
///
/// # Errors
/// Where archive or journal are damaged, or the index is of a newer version: nothing is changed then.
pub fn recover(
    layout: &Layout,
    config: &CoreConfig,
    keeper: &Keeper,
    found: &Found,
    cache_bytes: u64,
    now: Timestamp,
) -> Result<Recovered> {
    let fresh = !layout.index().exists();
    let why = match open(layout, config, keeper, found, cache_bytes, now) {
        Ok(recovered) => return Ok(recovered),
        Err(Unusable::Refused(error)) => return Err(error),
        Err(Unusable::Damaged(why)) => why,
    };
    let aside = if fresh { None } else { Some(move_aside(&layout.index()).context("old index")?) };
    let mut recovered = rebuild(layout, config, keeper, found, cache_bytes, now)?;
    if aside.is_some() || recovered.position.turn > 0 {
        recovered.rebuilt = Some((why, aside));
    }
    Ok(recovered)
}

enum Unusable {
    Damaged(String),
    Refused(anyhow::Error),
}

impl From<StoreError> for Unusable {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Damaged(why) => Self::Damaged(why),
            other @ (StoreError::Newer { .. } | StoreError::Full(_) | StoreError::Io(_)) => {
                Self::Refused(other.into())
            }
        }
    }
}

impl From<anyhow::Error> for Unusable {
    fn from(error: anyhow::Error) -> Self {
        Self::Refused(error)
    }
}

fn open(
    layout: &Layout,
    config: &CoreConfig,
    keeper: &Keeper,
    found: &Found,
    cache_bytes: u64,
    now: Timestamp,
) -> Result<Recovered, Unusable> {
    if !layout.index().exists() {
        return Err(Unusable::Damaged("there is none".to_owned()));
    }
    let mut store = SledStore::open(&layout.index(), IndexLimits::with_cache(cache_bytes))?;
    let Some(value) = store.get(&position::key())? else {
        return Err(Unusable::Damaged("it holds no position".to_owned()));
    };
    let mut at = position::decode(&value)?;
    let end = keeper.archive_end();
    if (at.segment, at.offset) > (end.segment, end.offset) || at.journal > keeper.journal_end() {
        return Err(Unusable::Damaged("it is ahead of the archive".to_owned()));
    }
    let missing = settlements(layout, ArchivePosition { segment: at.segment, offset: at.offset })?;
    let lines: Vec<&StampedEntry> =
        found.entries.iter().filter(|line| line.turn > at.turn).collect();
    let next = at.turn + 1;
    let turns = missing.iter().map(|(s, _)| s.turn).chain(lines.iter().map(|line| line.turn));
    if turns.max().is_some_and(|turn| turn > next) {
        return Err(Unusable::Damaged("it is behind the archive by more than a crash".to_owned()));
    }
    let mut coordinator = Coordinator::new(config.clone(), now);
    Restore::from_index(&mut coordinator, &store, now)?;
    let previous = ArchivePosition { segment: at.previous.0, offset: at.previous.1 };
    replay_lines(&mut coordinator, lines.iter().map(|line| &line.entry), now);
    let mut retractions = Retractions::of(lines.iter().map(|line| &line.entry));
    for (stamped, archived) in &missing {
        coordinator.replay_settlement(&stamped.settlement, archived, now);
        retractions.note(&stamped.settlement);
    }
    commit(&mut coordinator, &mut store)?;
    retractions.replay(&mut coordinator, &store, now)?;
    commit(&mut coordinator, &mut store)?;
    replay_receipts(&mut coordinator, &mut store, lines.iter().map(|line| &line.entry))?;
    let caught_up = missing.len() + lines.len();
    if caught_up > 0 {
        at = Position { turn: next, ..at };
    }
    set_position(&mut store, &mut at, keeper)?;
    admit_links_from(layout, previous, &mut coordinator, &mut store, now)?;
    coordinator.resume(now);
    Ok(Recovered { coordinator, store, position: at, rebuilt: None, caught_up })
}

/// Builds an index from archive and journal alone.
fn rebuild(
    layout: &Layout,
    config: &CoreConfig,
    keeper: &Keeper,
    found: &Found,
    cache_bytes: u64,
    now: Timestamp,
) -> Result<Recovered> {
    let mut store = SledStore::open(&layout.index(), IndexLimits::with_cache(cache_bytes))
        .context("new index")?;
    let mut coordinator = Coordinator::new(config.clone(), now);
    replay_lines(&mut coordinator, found.entries.iter().map(|line| &line.entry), now);
    let mut turn = found.entries.iter().map(|line| line.turn).max().unwrap_or_default();
    let mut count = 0;
    let mut retractions = Retractions::of(found.entries.iter().map(|line| &line.entry));
    for_each_settlement(layout, ArchivePosition::START, |stamped, archived| {
        turn = turn.max(stamped.turn);
        coordinator.replay_settlement(&stamped.settlement, &archived, now);
        retractions.note(&stamped.settlement);
        count += 1;
        if count % REPLAY_BATCH == 0 {
            commit(&mut coordinator, &mut store)?;
        }
        Ok(())
    })?;
    commit(&mut coordinator, &mut store)?;
    retractions.replay(&mut coordinator, &store, now)?;
    commit(&mut coordinator, &mut store)?;
    replay_receipts(&mut coordinator, &mut store, found.entries.iter().map(|line| &line.entry))?;
    let start = ArchivePosition::START;
    let mut at = Position { turn, previous: (start.segment, start.offset), ..Position::default() };
    set_position(&mut store, &mut at, keeper)?;
    admit_links_from(layout, start, &mut coordinator, &mut store, now)?;
    coordinator.resume(now);
    Ok(Recovered { coordinator, store, position: at, rebuilt: None, caught_up: 0 })
}

fn replay_lines<'a>(
    coordinator: &mut Coordinator,
    entries: impl Iterator<Item = &'a JournalEntry>,
    now: Timestamp,
) {
    for entry in entries {
        match entry {
            JournalEntry::Receipt { .. }
            | JournalEntry::Forfeited { .. }
            | JournalEntry::Countersigned { .. }
            | JournalEntry::Retracted { .. } => {}
            JournalEntry::Appealed { .. }
            | JournalEntry::AppealDecided { .. }
            | JournalEntry::Invited { .. }
            | JournalEntry::Enrolled { .. }
            | JournalEntry::Submitted { .. }
            | JournalEntry::JobState { .. }
            | JournalEntry::Convicted { .. } => coordinator.replay_journal(entry.clone(), now),
        }
    }
}

fn replay_receipts<'a>(
    coordinator: &mut Coordinator,
    store: &mut SledStore,
    entries: impl Iterator<Item = &'a JournalEntry>,
) -> Result<(), StoreError> {
    for entry in entries {
        match entry {
            JournalEntry::Receipt { .. } | JournalEntry::Forfeited { .. } => {
                coordinator.replay_receipt(store, entry)?;
                store.commit(coordinator.take_batch())?;
            }
            JournalEntry::Countersigned { agent, note } => {
                let entry = JournalEntry::Countersigned { agent: *agent, note: note.clone() };
                coordinator.replay_journal(entry, Timestamp::ZERO);
            }
            JournalEntry::Invited { .. }
            | JournalEntry::Enrolled { .. }
            | JournalEntry::Submitted { .. }
            | JournalEntry::JobState { .. }
            | JournalEntry::Retracted { .. }
            | JournalEntry::Appealed { .. }
            | JournalEntry::AppealDecided { .. }
            | JournalEntry::Convicted { .. } => {}
        }
    }
    store.commit(coordinator.take_batch())
}

fn commit(coordinator: &mut Coordinator, store: &mut SledStore) -> Result<(), StoreError> {
    store.commit(coordinator.take_batch())
}

fn set_position(
    store: &mut SledStore,
    at: &mut Position,
    keeper: &Keeper,
) -> Result<(), StoreError> {
    let end = keeper.archive_end();
    (at.segment, at.offset, at.journal) = (end.segment, end.offset, keeper.journal_end());
    let mut batch = sward_coordinator_core::batch::Batch::default();
    batch.put(position::key(), position::encode(at));
    store.commit(batch)
}

/// Admits the links of settlements from a place on: their admission may have been lost with the turn after them.
fn admit_links_from(
    layout: &Layout,
    from: ArchivePosition,
    coordinator: &mut Coordinator,
    store: &mut SledStore,
    now: Timestamp,
) -> Result<()> {
    for_each_settlement(layout, from, |stamped, _| {
        coordinator.admit_links(&stamped.settlement, now);
        answer_lookups(coordinator, store, now)
    })
}

/// While recovering nobody else answers what the machine asks.
fn answer_lookups(
    coordinator: &mut Coordinator,
    store: &mut SledStore,
    now: Timestamp,
) -> Result<()> {
    commit(coordinator, store)?;
    while let Some(output) = coordinator.next_output() {
        match output {
            Output::Commit(batch) => store.commit(batch)?,
            Output::Lookup(lookup) => {
                let answer = lookup.answer(store)?;
                coordinator.handle(sward_coordinator_core::input::Input::Answer(answer), now);
            }
            // Nothing is received while recovering, so there is nothing to discard.
            Output::Discard(_) => {}
            Output::Send { .. }
            | Output::Receive { .. }
            | Output::Archive { .. }
            | Output::Journal(_)
            | Output::Operator { .. }
            | Output::Event(_) => bail!("a rebuild asked for more than the index"),
        }
    }
    Ok(())
}

fn settlements(
    layout: &Layout,
    from: ArchivePosition,
) -> Result<Vec<(StampedSettlement, Archived)>> {
    let mut all = Vec::new();
    for_each_settlement(layout, from, |stamped, archived| {
        all.push((stamped, archived));
        Ok(())
    })?;
    Ok(all)
}

/// Visits every settlement from a place on, in order.
///
/// # Errors
/// Where the archive cannot be read, or the visitor's own.
pub fn for_each_settlement(
    layout: &Layout,
    from: ArchivePosition,
    mut visit: impl FnMut(StampedSettlement, Archived) -> Result<()>,
) -> Result<()> {
    let mut reader = Reader::default();
    for record in records_from(&layout.archive(), from).context("archive")? {
        let (at, record) = record.context("archive")?;
        if let Some((stamped, archived)) = reader.take(at, &record)? {
            visit(stamped, archived)?;
        }
    }
    Ok(())
}
