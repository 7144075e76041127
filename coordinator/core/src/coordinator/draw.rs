//! Whom a page is given to: drawn by a seed that was fixed in advance, passing over those who could know each other.
//!
//! Decides who may be drawn, and keeps for each lease who was passed over and why. Who shares a payee or a network with
//! another that fetches the same page never is. Who joined with another, or meets it too often, is not while somebody else
//! may come; after a wait, or where there is nobody else, the circle is widened, and the draw says so.

use super::{Coordinator, Timer};
use crate::group::Ties;
use crate::task::Task;
use sward_proto::canonical_url::HostName;
use sward_proto::draw::{Draw, PassedOver, Place, Round};
use sward_proto::ids::{PeerId, TaskId};
use sward_proto::timestamp::Timestamp;

/// A draw before anybody was passed over.
pub(super) struct Begun {
    /// Where it begins.
    pub(super) place: Place,
    /// What it is known by.
    pub(super) draw: Draw,
}

/// What an agent could be given of what waits on a host.
#[derive(Default)]
pub(super) struct Fitting {
    /// The tasks, each with whether the circle had to be widened for it.
    pub(super) tasks: Vec<(TaskId, bool)>,
    /// Why it is not given the first of the others.
    pub(super) why: Option<PassedOver>,
    /// When the circle is widened for those that still wait for a stranger.
    pub(super) waits: Vec<(Timestamp, Timer)>,
}

impl Coordinator {
    /// The draws of a new round come from its own seed.
    pub(super) fn turn_round(&mut self, now: Timestamp) {
        let round = self.config.draw_plan.round(now).unwrap_or(Round(1));
        if self.roster.round() != round {
            self.roster.turn_round(self.config.draw_chain.seed(round));
        }
    }

    /// The next draw of this round.
    pub(super) fn begin_draw(&mut self) -> Begun {
        self.draws = self.draws.wrapping_add(1);
        let seed = self.roster.seed();
        let (number, passed) = (self.draws, Vec::new());
        let draw = Draw { round: seed.round, number, widened: false, passed };
        Begun { place: seed.begin(number), draw }
    }

    /// Up to `most` of the tasks on a host for which this agent would be a further, independent voice.
    pub(super) fn fitting_tasks(
        &self,
        peer: &PeerId,
        ties: &Ties,
        host: &HostName,
        most: usize,
        now: Timestamp,
    ) -> Fitting {
        let (mut fitting, agents) = (Fitting::default(), self.roster.drawable());
        let Some(host) = self.frontier.host(host) else { return fitting };
        for id in &host.needy {
            let Some(task) = self.tasks.get(id).filter(|task| task.is_needy()) else { continue };
            if fitting.tasks.len() >= most {
                break;
            }
            if !task.takes(peer, ties) {
                fitting.why = fitting.why.or(Some(PassedOver::Tied));
                continue;
            }
            let Some(acquainted) = self.acquainted(task, peer, agents) else {
                fitting.tasks.push((*id, false));
                continue;
            };
            let since = task.attempts.iter().map(|attempt| attempt.leased_at).max();
            let until = since.unwrap_or(now) + self.config.bounds.widen_wait;
            let nobody_else = acquainted == PassedOver::SameCohort && !self.stranger_exists(task);
            if until <= now || nobody_else {
                fitting.tasks.push((*id, true));
            } else {
                fitting.why = fitting.why.or(Some(acquainted));
                fitting.waits.push((until, Timer::Widen(*id)));
            }
        }
        fitting
    }

    /// Why this agent, of so many, is rather not given a page that others fetch.
    fn acquainted(&self, task: &Task, peer: &PeerId, agents: usize) -> Option<PassedOver> {
        let cohort = self.roster.get(peer)?.cohort();
        task.replicas().find_map(|attempt| {
            if attempt.cohort == cohort {
                Some(PassedOver::SameCohort)
            } else if self.meetings.too_often(peer, &attempt.agent, agents) {
                Some(PassedOver::MetOften)
            } else {
                None
            }
        })
    }

    /// Whether anybody is connected who joined with none of those who fetch this page.
    fn stranger_exists(&self, task: &Task) -> bool {
        let met = |cohort| task.replicas().any(|attempt| attempt.cohort == cohort);
        self.roster.cohorts().any(|cohort| !met(cohort))
    }
}
