//! What happens to an agent, and what becomes of what it wants.

use crate::event::{AgentEvent, Event};
use crate::machine::Act;
use crate::world::World;
use std::time::Duration;
use sward_agent_core::input::Input;
use sward_agent_core::output::FetchOrder;
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::reply::CoordinatorReply;

impl World {
    pub(crate) fn happen_to_agent(&mut self, agent: usize, event: AgentEvent) {
        let now = self.now;
        match event {
            AgentEvent::Wake(at) => self.wake_agent(agent, at),
            AgentEvent::Start => {
                if let Some(machine) = self.machines.get_mut(agent).filter(|m| !m.is_up()) {
                    machine.start(now);
                    self.plan_wake(agent);
                }
            }
            event @ (AgentEvent::Opened(_)
            | AgentEvent::Closed(_)
            | AgentEvent::Down { .. }
            | AgentEvent::Fetched { .. }
            | AgentEvent::SpoolRead { .. }
            | AgentEvent::Resume) => {
                if let Some(input) = self.input(agent, event) {
                    self.tell(agent, input);
                }
            }
        }
    }

    /// Tells an agent's session of an event, and does what it wants.
    pub(crate) fn tell(&mut self, agent: usize, input: Input) {
        let now = self.now;
        let acts = self.machines.get_mut(agent).map(|machine| machine.tell(input, now));
        self.act(agent, acts.unwrap_or_default());
    }

    /// What an event is to a session; `None` where it concerns a connection or a life that is over.
    fn input(&mut self, agent: usize, event: AgentEvent) -> Option<Input> {
        let living = self.wire.conn(agent);
        match event {
            AgentEvent::Opened(conn) => (living == Some(conn)).then_some(Input::Connected),
            AgentEvent::Closed(conn) => {
                living.is_none_or(|living| living == conn).then_some(Input::Disconnected)
            }
            AgentEvent::Down { conn, .. } if living != Some(conn) => None,
            AgentEvent::Down { frame, .. } => match CoordinatorReply::decode(&frame) {
                Ok((id, reply)) => Some(Input::Reply { id, reply }),
                Err(error) => {
                    self.watch.fail(format!("agent {agent} cannot read: {error}"));
                    None
                }
            },
            AgentEvent::Fetched { life, ticket } => {
                let machine = self.machines.get_mut(agent).filter(|m| m.life == life)?;
                let (url, input) = machine.fetched(ticket)?;
                self.visits.end(agent, ticket, &url.host(), self.now);
                Some(input)
            }
            AgentEvent::SpoolRead { life, token } => {
                let machine = self.machines.get(agent).filter(|machine| machine.life == life)?;
                Some(Input::SpoolRead { token, capture: machine.spooled(token) })
            }
            AgentEvent::Resume => Some(Input::Pause(false)),
            AgentEvent::Wake(_) | AgentEvent::Start => None,
        }
    }

    fn wake_agent(&mut self, agent: usize, at: Timestamp) {
        let now = self.now;
        let Some(machine) = self.machines.get_mut(agent).filter(|m| m.wake == Some(at)) else {
            return;
        };
        machine.wake = None;
        let acts = machine.wake_up(now);
        if machine.due(now).is_some_and(|due| due <= now) {
            self.watch.fail(format!("agent {agent} is woken and wants to be woken at once"));
        }
        self.act(agent, acts);
    }

    pub(crate) fn act(&mut self, agent: usize, acts: Vec<Act>) {
        for act in acts {
            self.act_one(agent, act);
        }
        self.plan_wake(agent);
    }

    fn act_one(&mut self, agent: usize, act: Act) {
        let Some(machine) = self.machines.get(agent) else { return };
        let (slowness, life) = (machine.slowness, machine.life);
        match act {
            Act::Dial => self.dial(agent, slowness),
            Act::Send(frame) => {
                if let Some(conn) = self.wire.conn(agent) {
                    let at = self.wire.arrival(agent, true, slowness, self.now);
                    self.queue.plan(at, Event::Up { agent, conn, frame });
                }
            }
            Act::Fetch(order) => self.fetch(agent, order),
            Act::ReadSpool(token) => {
                let at = self.now + Duration::from_millis(1);
                self.queue.plan(at, Event::Agent(agent, AgentEvent::SpoolRead { life, token }));
            }
            Act::Crash => self.stop_agent(agent, Duration::from_secs(3)),
            Act::Signed(note) => self.watch.signed(agent, &note),
            Act::Object(why) => self.watch.fail(format!("agent {agent} objects: {why}")),
        }
    }

    fn fetch(&mut self, agent: usize, order: FetchOrder) {
        let Some(machine) = self.machines.get_mut(agent) else { return };
        let FetchOrder { ticket, url, .. } = order;
        if let Err(why) = self.visits.begin(agent, ticket, &url, &self.sites, self.now) {
            self.watch.fail(why);
        }
        let fetched = self.sites.answer(&url, machine.region, self.now);
        let end = self.now + Duration::from_millis(fetched.elapsed_ms.into());
        let ended = AgentEvent::Fetched { life: machine.life, ticket };
        machine.fetches.insert(ticket, (url, fetched));
        self.queue.plan(end, Event::Agent(agent, ended));
    }

    fn dial(&mut self, agent: usize, slowness: u64) {
        let conn = self.wire.number();
        if self.shell.core.is_none() || self.wire.is_cut_off(agent) {
            let at = self.now + self.wire.wait(200);
            return self.queue.plan(at, Event::Agent(agent, AgentEvent::Closed(conn)));
        }
        self.wire.open(agent, conn);
        let there = self.wire.arrival(agent, true, slowness, self.now);
        self.queue.plan(there, Event::Dialled { agent, conn });
        let back = self.wire.arrival(agent, false, slowness, there);
        self.queue.plan(back, Event::Agent(agent, AgentEvent::Opened(conn)));
    }

    fn plan_wake(&mut self, agent: usize) {
        let Some(machine) = self.machines.get_mut(agent) else { return };
        let due = machine.due(self.now);
        if due != machine.wake {
            machine.wake = due;
            if let Some(at) = due {
                self.queue.plan(at, Event::Agent(agent, AgentEvent::Wake(at)));
            }
        }
    }
}
