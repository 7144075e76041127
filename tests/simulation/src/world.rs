//! The loop: takes the next event, lets the machine that it concerns act, and plans what follows.

use crate::coordinator_shell::{Arrival, Shell};
use crate::event::{AgentEvent, Event, Queue};
use crate::invariants::Watch;
use crate::liar::Role;
use crate::liveness;
use crate::machine::Machine;
use crate::plan::Plan;
use crate::regions;
use crate::report::Report;
use crate::sites::Sites;
use crate::visits::Visits;
use crate::wire::Wire;
use crate::{expectation, fleet, habits};
use sha2::{Digest as _, Sha256};
use std::time::Duration;
use sward_agent_core::input::Input;
use sward_coordinator_core::input::Order;
use sward_proto::timestamp::Timestamp;

/// When a run begins: some day in 2026, not at an epoch's edge.
const START: Timestamp = Timestamp::from_millis(1_780_000_007_000);
/// Time in which every job must be done once the faults are over: a host with two robots.txt that both fail is tried for
/// hours, eight fetches each, with back-offs that double up to a quarter of an hour or with the `Retry-After` that it asks for.
const PATIENCE: Duration = Duration::from_secs(36 * 3600);
/// Time after that in which all credit must be in receipts.
const LAST_RECEIPTS: Duration = Duration::from_secs(150);

/// A whole network.
pub struct World {
    pub(crate) plan: Plan,
    pub(crate) now: Timestamp,
    pub(crate) queue: Queue,
    pub(crate) shell: Shell,
    pub(crate) machines: Vec<Machine>,
    pub(crate) sites: Sites,
    pub(crate) visits: Visits,
    pub(crate) wire: Wire,
    pub(crate) watch: Watch,
    pub(crate) turn_at: Option<Timestamp>,
    /// How long the coordinator stays down after its next crash.
    pub(crate) down: Duration,
    trace: Sha256,
    events: u64,
}

impl World {
    /// The world of a plan, before its first event. `None` where the simulator's own constants do not parse.
    #[must_use]
    pub fn new(plan: Plan) -> Option<Self> {
        let members = fleet::draw(&plan);
        let agents = members.iter().map(|member| (member.config.peer, member.ip)).collect();
        let roles = members.iter().map(|member| (member.config.peer, member.role)).collect();
        let mut shell = Shell::new(&plan, agents)?;
        shell.whereabouts = members.iter().map(|member| member.whereabouts).collect();
        for member in &members {
            let fingerprint = member.invite.fingerprint();
            let (expires, trusted) = (Timestamp::MAX, member.trusted);
            let order = Order::Invite { fingerprint, expires, trusted };
            shell.inbox.push(Arrival::Order(order));
        }
        for spec in expectation::draw_jobs(&plan) {
            shell.inbox.push(Arrival::Order(Order::Submit(Box::new(spec))));
        }
        let sites = Sites::new(&plan, START);
        let watch = Watch::new(roles, regions::geo_pages(&sites), shell.config());
        let machines = members.into_iter().enumerate().map(|(n, m)| Machine::new(n, m)).collect();
        let mut world = Self {
            now: START,
            queue: Queue::default(),
            shell,
            machines,
            sites,
            visits: Visits::default(),
            wire: Wire::new(plan.seed, plan.agents),
            watch,
            turn_at: None,
            down: Duration::from_secs(1),
            trace: Sha256::new(),
            events: 0,
            plan,
        };
        world.set_out();
        Some(world)
    }

    fn set_out(&mut self) {
        self.shell.start(&mut self.watch, START);
        self.wake_coordinator(START);
        for agent in 0..self.machines.len() {
            let at = START + Duration::from_secs(1) + self.wire.wait(3000);
            self.queue.plan(at, Event::Agent(agent, AgentEvent::Start));
        }
        for timed in &self.plan.ops {
            self.queue.plan(START + timed.at, Event::Op(timed.op));
        }
    }

    /// Runs until everything is reached, something does not hold, or patience ends.
    #[must_use]
    pub fn run(mut self) -> Report {
        let healed = START + self.plan.healed;
        let jobs = expectation::draw_jobs(&self.plan).len();
        let mut done = None;
        while let Some((at, event)) = self.queue.take() {
            self.now = at;
            if done.is_none() && at >= healed && liveness::is_done(&self.shell, jobs) {
                done = Some(at);
            }
            if done.is_some_and(|done| done + LAST_RECEIPTS <= at) {
                liveness::check(&self.shell, &self.sites, &self.roles(), &mut self.watch);
                habits::check(&self.shell, &self.plan, &mut self.watch);
                self.shell.check_rebuilt_profiles(&mut self.watch, at);
                break;
            }
            if at > healed + PATIENCE {
                liveness::check(&self.shell, &self.sites, &self.roles(), &mut self.watch);
                self.watch.fail("not done in time".to_owned());
                break;
            }
            self.record(at, &event);
            self.happen(event);
            if !self.watch.violations.is_empty() {
                break;
            }
        }
        self.report(done)
    }

    fn roles(&self) -> Vec<Role> {
        self.machines.iter().map(|machine| machine.role).collect()
    }

    fn record(&mut self, at: Timestamp, event: &Event) {
        self.events += 1;
        self.trace.update(at.as_millis().to_be_bytes());
        if let Event::Up { agent, conn, frame }
        | Event::Agent(agent, AgentEvent::Down { conn, frame }) = event
        {
            self.trace.update((*agent as u64).to_be_bytes());
            self.trace.update(conn.to_be_bytes());
            self.trace.update(frame);
        } else {
            self.trace.update(format!("{event:?}"));
        }
    }

    fn report(self, done: Option<Timestamp>) -> Report {
        let trace = sward_proto::digest::Digest(self.trace.clone().finalize().into());
        let at = self.now.since(START);
        let violations = self.watch.violations.iter().take(8).map(|v| format!("after {at:?}: {v}"));
        Report {
            schema_version: 1,
            seed: self.plan.seed,
            agents: self.plan.agents,
            faults: self.plan.ops.len(),
            events: self.events,
            turns: self.watch.turns,
            starts: self.shell.life,
            fetches: self.visits.count,
            strays: self.visits.strays,
            settled: self.watch.settlements,
            liars: self.roles().iter().filter(|role| !role.is_honest()).count(),
            convicted: self.watch.convicted.len(),
            reinstated: self.watch.reinstated,
            retracted: self.watch.retracted,
            trusted: self.watch.trusted,
            ruled: self.watch.ruled,
            spared: self.watch.spared,
            lies: self.watch.lies.len(),
            variants: self.watch.variants,
            by_known_blocks: habits::by_known_blocks(&self.shell),
            done_ms: done.map(|done| done.as_millis() - START.as_millis()).unwrap_or_default(),
            trace: trace.to_string(),
            violations: violations.collect(),
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Dialled { agent, conn } => {
                if self.wire.conn(agent) == Some(conn) {
                    self.arrive(Arrival::Connected(agent, conn));
                }
            }
            Event::HungUp { agent, conn } => self.arrive(Arrival::Gone(agent, conn)),
            Event::Up { agent, conn, frame } => {
                if self.wire.conn(agent) == Some(conn) {
                    self.arrive(Arrival::Frame(agent, conn, frame));
                }
            }
            Event::Turn => self.turn(),
            Event::CoordinatorUp => {
                if self.shell.core.is_none() {
                    self.shell.start(&mut self.watch, self.now);
                    self.wake_coordinator(self.now);
                }
            }
            Event::Op(op) => self.suffer(op),
            Event::PartitionEnds => self.wire.partition = None,
            Event::DiskHasRoom => self.shell.disk_full = false,
            Event::ResumeJob(job) => self.order_state(job, false),
            Event::Agent(agent, event) => self.happen_to_agent(agent, event),
        }
    }

    /// The owner of a barred agent appeals.
    fn appeal(&mut self, agent: usize) {
        let now = self.now;
        let Some(machine) = self.machines.get_mut(agent) else { return };
        let acts = machine.tell(Input::Appeal("it was not me".to_owned()), now);
        self.act(agent, acts);
    }

    pub(crate) fn arrive(&mut self, arrival: Arrival) {
        if self.shell.core.is_some() {
            self.shell.inbox.push(arrival);
            let soon = self.now + self.wire.wait(3);
            self.wake_coordinator(soon);
        }
    }

    pub(crate) fn wake_coordinator(&mut self, at: Timestamp) {
        if self.turn_at.is_none_or(|planned| at < planned) {
            self.turn_at = Some(at);
            self.queue.plan(at, Event::Turn);
        }
    }

    fn turn(&mut self) {
        if self.turn_at != Some(self.now) {
            return;
        }
        self.turn_at = None;
        if self.shell.core.is_none() {
            return;
        }
        let told = self.shell.turn(&mut self.watch, self.now);
        for (agent, host, until) in std::mem::take(&mut self.watch.leases) {
            self.visits.lease(agent, host, until);
        }
        for peer in std::mem::take(&mut self.watch.barred) {
            if let Some(agent) = self.shell.number(&peer) {
                self.visits.forget_leases_of(agent);
                if self.plan.appeals {
                    self.appeal(agent);
                }
            }
        }
        for agent in std::mem::take(&mut self.watch.appeals) {
            let upheld = self.shell.number(&agent).is_some_and(|number| number.is_multiple_of(2));
            let why = "as it is".to_owned();
            self.arrive(Arrival::Order(Order::DecideAppeal { agent, upheld, why }));
        }
        for (task, url, body, canonical) in std::mem::take(&mut self.watch.accepted) {
            if self.sites.has_served(&url, body, canonical) {
                continue;
            }
            if self.plan.lies_are_believed() {
                self.watch.lies.insert(task);
            } else {
                self.watch.fail(format!("{url} is accepted with a body that was never served"));
            }
        }
        for answer in told.answers {
            if self.wire.conn(answer.agent) == Some(answer.conn) {
                let slowness = self.machines.get(answer.agent).map_or(1, |m| m.slowness);
                let at = self.wire.arrival(answer.agent, false, slowness, self.now);
                let frame = answer.reply.encode(answer.reply_to);
                let down = AgentEvent::Down { conn: answer.conn, frame };
                let event = Event::Agent(answer.agent, down);
                self.queue.plan(at, event);
            }
        }
        if told.crashed {
            return self.crash_coordinator();
        }
        if !self.shell.lookups.is_empty() {
            self.wake_coordinator(self.now + Duration::from_millis(1));
        }
        let due = self.shell.core.as_ref().and_then(|core| core.poll_timeout(self.now));
        if let Some(due) = due {
            self.wake_coordinator(due.max(self.now));
        }
    }
}
