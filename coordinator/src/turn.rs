//! One turn of the loop: events in, archive and journal first, then the index, then the answers.
//!
//! Decides the order, which is what makes a crash harmless: truth is synced before the index that names it, and nothing is
//! sent before what it promises is durable.

use crate::intake::Intake;
use crate::keeper::{KeepError, Keeper};
use crate::metrics::Metrics;
use crate::store::SledStore;
use anyhow::{Context as _, Result, anyhow};
use std::collections::BTreeMap;
use sward_coordinator_core::batch::Batch;
use sward_coordinator_core::coordinator::Coordinator;
use sward_coordinator_core::input::Input;
use sward_coordinator_core::lookup::Lookup;
use sward_coordinator_core::output::{Event, Output};
use sward_coordinator_core::record::payload::PayloadRecord;
use sward_coordinator_core::record::position::{self, Position};
use sward_coordinator_core::settlement::Settlement;
use sward_coordinator_core::store::{Store as _, StoreError};
use sward_proto::ids::{LeaseToken, PeerId};
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::reply::CoordinatorReply;

/// Everything that one turn needs.
pub struct Turns {
    /// The machine.
    pub coordinator: Coordinator,
    /// The index.
    pub store: SledStore,
    /// Archive and journal.
    pub keeper: Keeper,
    /// Captures coming in.
    pub intake: Intake,
    /// Figures.
    pub metrics: Metrics,
    position: Position,
    /// What the last turn asked the index, to be answered first in the next.
    lookups: Vec<Lookup>,
}

/// What is to be told once a turn is durable.
#[derive(Debug, Default)]
pub struct Told {
    /// To agents.
    pub answers: Vec<(PeerId, u64, CoordinatorReply)>,
    /// To the operator.
    pub operator: Vec<(u64, Result<String, String>)>,
}

#[derive(Default)]
struct Gathered {
    batch: Batch,
    told: Told,
    lookups: Vec<Lookup>,
    wrote: bool,
}

impl Turns {
    /// The loop's state after recovery.
    #[must_use]
    pub const fn new(
        coordinator: Coordinator,
        store: SledStore,
        keeper: Keeper,
        intake: Intake,
        metrics: Metrics,
        position: Position,
    ) -> Self {
        Self { coordinator, store, keeper, intake, metrics, position, lookups: Vec::new() }
    }

    /// Whether the index owes an answer, so that the next turn must not wait for an event.
    #[must_use]
    pub fn is_owed(&self) -> bool {
        !self.lookups.is_empty()
    }

    /// Runs one turn.
    ///
    /// # Errors
    /// Where the disk failed: nothing of the turn may be told, and the process must start anew.
    pub fn run(&mut self, inputs: Vec<Input>, now: Timestamp) -> Result<Told> {
        let mut gathered = Gathered::default();
        let before = self.keeper.archive_end();
        for lookup in std::mem::take(&mut self.lookups) {
            let answer = lookup.answer(&self.store).map_err(damaged)?;
            self.coordinator.handle(Input::Answer(answer), now);
            self.drain(&mut gathered, now)?;
        }
        for input in inputs {
            self.coordinator.handle(input, now);
            self.drain(&mut gathered, now)?;
        }
        // Always: a host that has become due is served here, also in a turn without an event.
        self.coordinator.handle_timeout(now);
        self.drain(&mut gathered, now)?;
        let Gathered { mut batch, told, lookups, wrote } = gathered;
        if wrote {
            self.keeper.sync().context("archive and journal")?;
            let end = self.keeper.archive_end();
            self.position = Position {
                turn: self.position.turn + 1,
                segment: end.segment,
                offset: end.offset,
                journal: self.keeper.journal_end(),
                previous: (before.segment, before.offset),
            };
            batch.put(position::key(), position::encode(&self.position));
        }
        if !batch.is_empty() {
            self.store.commit(batch).map_err(damaged)?;
        }
        self.lookups = lookups;
        Ok(told)
    }

    fn drain(&mut self, gathered: &mut Gathered, now: Timestamp) -> Result<()> {
        let turn = self.position.turn + 1;
        while let Some(output) = self.coordinator.next_output() {
            match output {
                Output::Commit(batch) => gathered.batch.extend(batch),
                Output::Send { agent, reply_to, reply } => {
                    gathered.told.answers.push((agent, reply_to, *reply));
                }
                Output::Lookup(lookup) => gathered.lookups.push(lookup),
                Output::Receive { agent, reply_to, token, part, expected } => {
                    let (reply, result) = self.intake.receive(token, part, expected);
                    gathered.told.answers.push((agent, reply_to, reply));
                    if let Some(result) = result {
                        self.coordinator.handle(Input::Uploaded { token, result }, now);
                    }
                }
                Output::Discard(token) => self.intake.discard(token),
                Output::Archive { settlement, capture, known } => {
                    gathered.wrote = true;
                    self.archive(turn, &settlement, capture, known.as_deref(), now)?;
                }
                Output::Journal(entry) => {
                    gathered.wrote = true;
                    self.keeper.note(turn, entry).context("journal")?;
                }
                Output::Operator { ticket, result } => {
                    gathered.told.operator.push((ticket, result));
                }
                Output::Event(event) => self.note(&event),
            }
        }
        Ok(())
    }

    fn archive(
        &mut self,
        turn: u64,
        settlement: &Settlement,
        token: Option<LeaseToken>,
        known: Option<&PayloadRecord>,
        now: Timestamp,
    ) -> Result<()> {
        let capture = token.and_then(|token| self.intake.complete(token));
        let task = settlement.task;
        match self.keeper.keep(turn, settlement, capture, known) {
            Ok(archived) => {
                if let Some(token) = token {
                    self.intake.discard(token);
                }
                self.coordinator.handle(Input::Archived { task, archived }, now);
            }
            Err(KeepError::Full) => {
                tracing::warn!(
                    "no space left for the archive: no work is given out until there is"
                );
                self.coordinator.handle(Input::ArchiveFull { task }, now);
            }
            Err(KeepError::Failed(error)) => return Err(error).context("archive"),
        }
        Ok(())
    }

    fn note(&mut self, event: &Event) {
        self.metrics.note(event);
        match event {
            Event::Settled { task, outcome } => {
                tracing::debug!(task = task.map(|task| task.0), %outcome, "settled");
            }
            Event::Enrolled(agent) => tracing::info!(%agent, "agent enrolled"),
            Event::Convicted { agent, reason } => {
                tracing::warn!(%agent, reason, "agent caught");
            }
            Event::Receipt(agent) => tracing::info!(%agent, "receipt signed"),
            Event::Job { job, state } => tracing::info!(%job, state, "job"),
        }
    }

    /// How many agents are connected, for the figures.
    #[must_use]
    pub fn connected(&self) -> usize {
        self.coordinator.roster().values().filter(|agent| agent.connected.is_some()).count()
    }
}

/// Names of agents that have an open stream, by stream.
pub type Streams = BTreeMap<PeerId, (u64, tokio::sync::mpsc::Sender<Vec<u8>>)>;

fn damaged(error: StoreError) -> anyhow::Error {
    anyhow!(error).context("the index failed; start again, it is rebuilt if it is damaged")
}
