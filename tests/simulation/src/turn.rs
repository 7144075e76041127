//! One turn of the coordinator: events in, archive and journal, then the index, then the answers.

use crate::coordinator_shell::{Arrival, Shell};
use crate::invariants::Watch;
use sward_coordinator_core::batch::Batch;
use sward_coordinator_core::input::Input;
use sward_coordinator_core::lookup::Lookup;
use sward_coordinator_core::output::{Event, Output};
use sward_coordinator_core::record::position::{self, Position};
use sward_coordinator_core::store::Store as _;
use sward_proto::ids::PeerId;
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::reply::CoordinatorReply;
use sward_proto::wire::request::AgentRequest;

/// An answer that leaves after the commit.
#[derive(Debug)]
pub struct Answer {
    /// To whom.
    pub agent: usize,
    /// On which connection.
    pub conn: u64,
    /// The request.
    pub reply_to: u64,
    /// The answer.
    pub reply: CoordinatorReply,
}

/// What a turn leaves to be done.
#[derive(Debug, Default)]
pub struct Told {
    /// Answers, in order.
    pub answers: Vec<Answer>,
    /// The coordinator has crashed in this turn.
    pub crashed: bool,
}

#[derive(Default)]
struct Gathered {
    batch: Batch,
    answers: Vec<Answer>,
    lookups: Vec<Lookup>,
    wrote: bool,
}

/// The coordinator crashed.
struct Crashed;

impl Shell {
    /// Runs one turn.
    pub fn turn(&mut self, watch: &mut Watch, now: Timestamp) -> Told {
        let mut gathered = Gathered::default();
        let before = self.archive.settlements.len() as u64;
        let run = self.take_inputs(&mut gathered, watch, now);
        if run.is_err() || self.crashes_now() {
            return Told { answers: Vec::new(), crashed: true };
        }
        self.commit(&mut gathered, before);
        watch.after_commit(self, gathered.wrote, now);
        self.lookups = gathered.lookups;
        let mut told = Told { answers: gathered.answers, crashed: false };
        for sent in 0..told.answers.len() {
            if self.crashes_now() {
                told.answers.truncate(sent);
                told.crashed = true;
                break;
            }
        }
        for answer in &told.answers {
            watch.sent(answer, self, now);
        }
        told
    }

    fn take_inputs(
        &mut self,
        gathered: &mut Gathered,
        watch: &mut Watch,
        now: Timestamp,
    ) -> Result<(), Crashed> {
        for lookup in std::mem::take(&mut self.lookups) {
            match lookup.answer(&self.store) {
                Ok(answer) => self.give(Input::Answer(answer), gathered, watch, now)?,
                Err(error) => watch.fail(format!("the index does not answer: {error}")),
            }
        }
        for arrival in std::mem::take(&mut self.inbox) {
            if let Some(input) = self.input(arrival, gathered) {
                self.give(input, gathered, watch, now)?;
            }
        }
        let Some(core) = &mut self.core else { return Ok(()) };
        if core.poll_timeout(now).is_some_and(|due| due <= now) {
            core.handle_timeout(now);
            if let Some(due) = core.poll_timeout(now).filter(|due| *due <= now) {
                watch.fail(format!("at {now} the coordinator wants to be woken at {due}"));
            }
        }
        self.drain(gathered, watch, now)
    }

    fn input(&mut self, arrival: Arrival, gathered: &mut Gathered) -> Option<Input> {
        match arrival {
            Arrival::Connected(agent, conn) => {
                let (peer, ip) = *self.agents.get(agent)?;
                let whereabouts = self.whereabouts.get(agent).copied().unwrap_or_default();
                self.conns.insert(agent, conn);
                Some(Input::Connected { agent: peer, ip, whereabouts })
            }
            Arrival::Gone(agent, conn) => {
                if self.conns.get(&agent) != Some(&conn) {
                    return None;
                }
                self.conns.remove(&agent);
                Some(Input::Disconnected { agent: self.agents.get(agent)?.0 })
            }
            Arrival::Frame(agent, conn, frame) => {
                if self.conns.get(&agent) != Some(&conn) {
                    return None;
                }
                let peer = self.agents.get(agent)?.0;
                let (id, request) = AgentRequest::decode(&frame);
                match request {
                    Ok(request) => Some(Input::Request { agent: peer, id, request }),
                    Err(error) => {
                        let reply = CoordinatorReply::Refusal(error.into());
                        gathered.answers.push(Answer { agent, conn, reply_to: id, reply });
                        None
                    }
                }
            }
            Arrival::Order(order) => Some(Input::Operator { ticket: 0, order }),
        }
    }

    fn give(
        &mut self,
        input: Input,
        gathered: &mut Gathered,
        watch: &mut Watch,
        now: Timestamp,
    ) -> Result<(), Crashed> {
        if let Some(core) = &mut self.core {
            core.handle(input, now);
        }
        self.drain(gathered, watch, now)
    }

    fn drain(
        &mut self,
        gathered: &mut Gathered,
        watch: &mut Watch,
        now: Timestamp,
    ) -> Result<(), Crashed> {
        while let Some(output) = self.core.as_mut().and_then(|core| core.next_output()) {
            if self.crashes_now() {
                return Err(Crashed);
            }
            self.obey(output, gathered, watch, now);
        }
        Ok(())
    }

    fn obey(&mut self, output: Output, gathered: &mut Gathered, watch: &mut Watch, now: Timestamp) {
        match output {
            Output::Commit(batch) => gathered.batch.extend(batch),
            Output::Send { agent, reply_to, reply } => {
                self.answer(agent, reply_to, *reply, gathered);
            }
            Output::Lookup(lookup) => gathered.lookups.push(lookup),
            Output::Receive { agent, reply_to, token, part, expected } => {
                let (reply, result) = self.assembler.receive(token, part, expected);
                self.answer(agent, reply_to, reply, gathered);
                if let (Some(result), Some(core)) = (result, &mut self.core) {
                    core.handle(Input::Uploaded { token, result }, now);
                }
            }
            Output::Discard(token) => self.assembler.discard(token),
            Output::Archive { settlement, capture, known } => {
                let task = settlement.task;
                // A body finds no room; what is as small as a verdict still does.
                if self.disk_full && capture.is_some() && known.is_none() {
                    if let Some(core) = &mut self.core {
                        core.handle(Input::ArchiveFull { task }, now);
                    }
                    return;
                }
                gathered.wrote = true;
                let body = capture.and_then(|token| self.assembler.complete(token));
                if capture.is_some() && body.is_none() {
                    watch.fail(format!("{} is archived without a capture", settlement.url));
                }
                let turn = self.position.turn + 1;
                watch.settled(&settlement, body.is_some());
                watch.recomputed(&settlement, self.config());
                match self.archive.keep(turn, &settlement, body, known.as_deref()) {
                    Ok(archived) => {
                        if let Some(core) = &mut self.core {
                            core.handle(Input::Archived { task, archived }, now);
                        }
                    }
                    Err(why) => watch.fail(why),
                }
            }
            Output::Journal(entry) => {
                gathered.wrote = true;
                watch.journalled(&entry);
                self.archive.journal.push((self.position.turn + 1, entry));
            }
            Output::Operator { result, .. } => {
                if let Err(why) = result {
                    watch.refused_order(&why);
                }
            }
            Output::Event(event) => note(&event, watch),
        }
    }

    fn answer(
        &mut self,
        peer: PeerId,
        reply_to: u64,
        reply: CoordinatorReply,
        gathered: &mut Gathered,
    ) {
        let Some(agent) = self.number(&peer) else { return };
        if let Some(conn) = self.conns.get(&agent).copied() {
            gathered.answers.push(Answer { agent, conn, reply_to, reply });
        }
    }

    fn commit(&mut self, gathered: &mut Gathered, before: u64) {
        let mut batch = std::mem::take(&mut gathered.batch);
        if gathered.wrote {
            self.position = Position {
                turn: self.position.turn + 1,
                segment: 0,
                offset: self.archive.settlements.len() as u64,
                journal: self.archive.journal.len() as u64,
                previous: (0, before),
            };
            batch.put(position::key(), position::encode(&self.position));
        }
        // A store in memory takes every commit.
        let _ = self.store.commit(batch);
    }
}

fn note(event: &Event, watch: &mut Watch) {
    match event {
        Event::Settled { .. } => watch.settlements += 1,
        Event::Appealed(agent) => watch.appeals.push(*agent),
        Event::Enrolled(_)
        | Event::Convicted { .. }
        | Event::Retracted { .. }
        | Event::Receipt(_)
        | Event::Copied { .. }
        | Event::Job { .. } => {}
    }
}
