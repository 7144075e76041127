//! What each fault does to the world.

use crate::coordinator_shell::Arrival;
use crate::event::{AgentEvent, Event};
use crate::op::Op;
use crate::world::World;
use std::time::Duration;
use sward_agent_core::input::Input;
use sward_coordinator_core::input::Order;
use sward_coordinator_core::job::JobState;

impl World {
    /// A fault happens.
    pub(crate) fn suffer(&mut self, op: Op) {
        match op {
            Op::CrashCoordinator { after, down } => {
                self.down = down;
                if self.shell.core.is_some() {
                    self.shell.crash_in = Some(after);
                }
            }
            Op::LoseIndex { down } => {
                self.down = down;
                self.shell.lose_index();
                self.visits.forget_leases();
                if self.shell.core.is_some() {
                    self.crash_coordinator();
                }
            }
            Op::CrashAgent { agent, after_store, down, skew_ms } => {
                let Some(machine) = self.machines.get_mut(agent) else { return };
                if !machine.is_up() {
                    return;
                }
                machine.set_skew(skew_ms);
                if after_store {
                    machine.crash_after_store = true;
                } else {
                    self.stop_agent(agent, down);
                }
            }
            Op::Cut { agent, noticed } => self.cut(agent, noticed),
            Op::Partition { every, time } => {
                self.wire.partition = Some(every);
                for agent in (0..self.machines.len()).step_by(every.max(1)) {
                    self.cut(agent, time / 2);
                }
                self.queue.plan(self.now + time, Event::PartitionEnds);
            }
            Op::FullDisk { time } => {
                self.shell.disk_full = true;
                self.queue.plan(self.now + time, Event::DiskHasRoom);
            }
            Op::Pause { agent, time } => {
                self.tell(agent, Input::Pause(true));
                self.queue.plan(self.now + time, Event::Agent(agent, AgentEvent::Resume));
            }
            Op::PauseJob { job, time } => {
                self.order_state(job, true);
                self.queue.plan(self.now + time, Event::ResumeJob(job));
            }
        }
    }

    /// The operator pauses or resumes a job.
    pub(crate) fn order_state(&mut self, job: usize, paused: bool) {
        let Some(core) = &self.shell.core else {
            return self.order_again(job, paused);
        };
        let stands = core.jobs().nth(job).map(|(_, record)| record.progress.state);
        if !paused && stands != Some(JobState::Paused) {
            return;
        }
        self.order_again(job, paused);
        let state = if paused { JobState::Paused } else { JobState::Running };
        if let Some(spec) = crate::expectation::draw_jobs(&self.plan).get(job) {
            self.arrive(Arrival::Order(Order::SetState { job: spec.name.clone(), state }));
        }
    }

    /// The operator looks whether a resumption was obeyed: a crash may have swallowed it.
    fn order_again(&mut self, job: usize, paused: bool) {
        if !paused {
            self.queue.plan(self.now + Duration::from_secs(2), Event::ResumeJob(job));
        }
    }

    /// An agent stops for a while.
    pub(crate) fn stop_agent(&mut self, agent: usize, down: Duration) {
        if let Some(machine) = self.machines.get_mut(agent) {
            machine.stop();
        }
        self.visits.stop(agent);
        if let Some(conn) = self.wire.cut(agent) {
            let at = self.now + self.wire.wait(2000);
            self.queue.plan(at, Event::HungUp { agent, conn });
        }
        self.queue.plan(self.now + down, Event::Agent(agent, AgentEvent::Start));
    }

    /// The coordinator stops for a while, and every connection with it.
    pub(crate) fn crash_coordinator(&mut self) {
        self.shell.crash();
        self.turn_at = None;
        for agent in 0..self.machines.len() {
            if let Some(conn) = self.wire.cut(agent) {
                let at = self.now + self.wire.wait(500);
                self.queue.plan(at, Event::Agent(agent, AgentEvent::Closed(conn)));
            }
        }
        self.queue.plan(self.now + self.down, Event::CoordinatorUp);
    }

    fn cut(&mut self, agent: usize, noticed: Duration) {
        if let Some(conn) = self.wire.cut(agent) {
            let at = self.now + self.wire.wait(3000);
            self.queue.plan(at, Event::Agent(agent, AgentEvent::Closed(conn)));
            self.queue.plan(self.now + noticed, Event::HungUp { agent, conn });
        }
    }
}
