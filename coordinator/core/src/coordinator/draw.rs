//! Whom a page is given to: drawn by a seed that was fixed in advance, passing over those who could know each other.
//!
//! Decides who may be drawn, and keeps for each lease who was passed over and why. Who shares a payee or a network with
//! another that fetches the same page never is. Who joined with another, dials from its autonomous system, meets it too often,
//! is elsewhere than the region that is to be heard once more, or has had its share of the day's work, is not while somebody
//! else may come; after a wait, or where there is nobody else, the circle is widened, and the draw says so.

use super::{Coordinator, Timer};
use crate::group::Ties;
use crate::roster::Circle;
use crate::task::Task;
use sward_proto::canonical_url::HostName;
use sward_proto::draw::{Draw, PassedOver, Place, Round};
use sward_proto::ids::{PeerId, TaskId};
use sward_proto::region::Region;
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
        spent: bool,
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
            // Published draws say no more of what was found of an agent than that there was nothing for it.
            let suits = self.suits(task.job, &task.url, task.known.volatility, peer, now);
            let unsuited = (!suits).then_some(PassedOver::NothingLeft);
            let spent = spent.then_some(PassedOver::HadItsShare).or(unsuited);
            let Some(unwanted) = spent.or_else(|| self.unwanted(task, peer, agents)) else {
                fitting.tasks.push((*id, false));
                continue;
            };
            let since = task.attempts.iter().map(|attempt| attempt.leased_at).max();
            let bounds = self.config.bounds;
            // Whoever has had its share, or is kept from such pages, takes only what would starve.
            let patient = matches!(unwanted, PassedOver::HadItsShare | PassedOver::NothingLeft);
            let wait = if patient { bounds.starvation_wait } else { bounds.widen_wait };
            let until = since.unwrap_or(now) + wait;
            let choosy = !patient && unwanted != PassedOver::MetOften;
            let nobody_else = choosy && !self.stranger_exists(task);
            if until <= now || nobody_else {
                fitting.tasks.push((*id, true));
            } else {
                fitting.why = fitting.why.or(Some(unwanted));
                fitting.waits.push((until, Timer::Widen(*id)));
            }
        }
        fitting
    }

    /// Why this agent, of so many, is rather not given a page that others fetch.
    fn unwanted(&self, task: &Task, peer: &PeerId, agents: usize) -> Option<PassedOver> {
        let circle = self.roster.get(peer)?.circle();
        if task.region.is_some() && task.region != circle.region {
            return Some(PassedOver::OtherRegion);
        }
        task.replicas().find_map(|attempt| {
            if attempt.cohort == circle.cohort {
                Some(PassedOver::SameCohort)
            } else if circle.asn.is_some() && attempt.ties.whereabouts.asn == circle.asn {
                Some(PassedOver::SameAsn)
            } else if self.meetings.too_often(peer, &attempt.agent, agents) {
                Some(PassedOver::MetOften)
            } else {
                None
            }
        })
    }

    /// Whether anybody is connected who is where the page is wanted, and who neither joined with one of those who fetch it
    /// nor dials from the same autonomous system.
    fn stranger_exists(&self, task: &Task) -> bool {
        let known = |circle: &Circle| {
            let from = |asn| circle.asn.is_some() && circle.asn == asn;
            task.replicas().any(|attempt| {
                attempt.cohort == circle.cohort || from(attempt.ties.whereabouts.asn)
            })
        };
        let wanted = |circle: &Circle| task.region.is_none() || task.region == circle.region;
        self.roster.circles().any(|circle| wanted(&circle) && !known(&circle))
    }

    /// Whether an agent of this region is connected that would be a further voice.
    pub(super) fn region_answers(&self, task: &Task, region: Region) -> bool {
        self.roster.iter().filter(|(_, agent)| !agent.record.trusted).any(|(peer, agent)| {
            agent.record.whereabouts.region == Some(region)
                && agent.ties().is_some_and(|ties| task.takes(peer, &ties))
        })
    }
}
