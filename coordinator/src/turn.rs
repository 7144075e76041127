//! One turn of the loop: events in, what they ask of the index answered, archive and journal first, then the index, then
//! the answers.
//!
//! Decides the order, which is what makes a crash harmless: truth is synced before the index that names it, and nothing is
//! sent before what it promises is durable.

use crate::archive::Position as ArchivePosition;
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

/// An answer of the index may lead to a further question. This many in a row are answered within one turn, which is
/// more than any page leads to; what is then still asked waits for the next turn, so that agents are told meanwhile.
const LOOKUP_ROUNDS: usize = 4;

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
    /// Where the archive ended when the last turn that wrote to it had.
    begin: ArchivePosition,
    open: Open,
    /// What was asked of the index and is not answered yet.
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

/// A turn that has not ended.
#[derive(Default)]
struct Open {
    told: Told,
    /// Archive or journal were appended to.
    wrote: bool,
}

impl Turns {
    /// The loop's state after recovery.
    #[must_use]
    pub fn new(
        coordinator: Coordinator,
        store: SledStore,
        keeper: Keeper,
        intake: Intake,
        metrics: Metrics,
        position: Position,
    ) -> Self {
        let (begin, open, lookups) = (keeper.archive_end(), Open::default(), Vec::new());
        Self { coordinator, store, keeper, intake, metrics, position, begin, open, lookups }
    }

    /// Whether the index owes an answer, so that the next turn must not wait for an event.
    #[must_use]
    pub fn is_owed(&self) -> bool {
        !self.lookups.is_empty()
    }

    /// Whether something waits for the turn's end: a change to be made durable, or an answer that relies on one.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open.wrote || self.store.has_staged()
    }

    /// Takes events into the turn.
    ///
    /// # Errors
    /// Where the disk failed: nothing of the turn may be told, and the process must start anew.
    pub fn take(&mut self, inputs: Vec<Input>, now: Timestamp) -> Result<()> {
        for input in inputs {
            self.coordinator.handle(input, now);
            self.drain(now)?;
        }
        // Always: a host that has become due is served here, also in a turn without an event.
        self.coordinator.handle_timeout(now);
        self.drain(now)?;
        for _ in 0..LOOKUP_ROUNDS {
            for lookup in std::mem::take(&mut self.lookups) {
                let answer = lookup.answer(&self.store).map_err(damaged)?;
                self.coordinator.handle(Input::Answer(answer), now);
                self.drain(now)?;
            }
        }
        Ok(())
    }

    /// Ends the turn: makes it durable, and gives what may then be told.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub fn end(&mut self) -> Result<Told> {
        let Open { told, wrote } = std::mem::take(&mut self.open);
        if wrote {
            self.keeper.sync().context("archive and journal")?;
            let end = self.keeper.archive_end();
            let begin = std::mem::replace(&mut self.begin, end);
            self.position = Position {
                turn: self.position.turn + 1,
                segment: end.segment,
                offset: end.offset,
                journal: self.keeper.journal_end(),
                previous: (begin.segment, begin.offset),
            };
            let mut batch = Batch::default();
            batch.put(position::key(), position::encode(&self.position));
            self.store.stage(batch);
        }
        self.store.commit(Batch::default()).map_err(damaged)?;
        Ok(told)
    }

    fn drain(&mut self, now: Timestamp) -> Result<()> {
        let turn = self.position.turn + 1;
        while let Some(output) = self.coordinator.next_output() {
            match output {
                Output::Commit(batch) => self.store.stage(batch),
                Output::Send { agent, reply_to, reply } => {
                    self.open.told.answers.push((agent, reply_to, *reply));
                }
                Output::Lookup(lookup) => self.lookups.push(lookup),
                Output::Receive { agent, reply_to, token, part, expected } => {
                    let (reply, result) = self.intake.receive(token, part, expected);
                    self.open.told.answers.push((agent, reply_to, reply));
                    if let Some(result) = result {
                        self.coordinator.handle(Input::Uploaded { token, result }, now);
                    }
                }
                Output::Discard(token) => self.intake.discard(token),
                Output::Archive { settlement, capture, known } => {
                    self.open.wrote = true;
                    self.archive(turn, &settlement, capture, known.as_deref(), now)?;
                }
                Output::Journal(entry) => {
                    self.open.wrote = true;
                    self.keeper.note(turn, entry).context("journal")?;
                }
                Output::Operator { ticket, result } => {
                    self.open.told.operator.push((ticket, result));
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
            Event::Copied { task, agent, from } => {
                tracing::warn!(task = task.0, %agent, %from, "agent handed in what another was shown");
            }
            Event::Appealed(agent) => tracing::warn!(%agent, "an owner appeals: see appeals"),
            Event::Retracted { task } => tracing::warn!(task = task.0, "page taken back"),
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
