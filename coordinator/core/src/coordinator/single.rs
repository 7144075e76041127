//! Pages that rest on one agent's word: whose may, and whether its result is checked after all.
//!
//! Decides how many results a page needs at first, and draws the audit once the first of them is sealed, so that neither
//! its agent nor the coordinator could choose what is checked. Never decides what an audit proves (reputation), nor
//! which page stands (quorum).

use super::{Coordinator, Timer};
use crate::job::Replication;
use crate::record::agent::AgentRecord;
use crate::task::{Agreement, AttemptState, Audit, Phase, Task};
use crate::trust::hold::{self, Terms};
use crate::trust::rate::Rate;
use crate::trust::replication::Stake;
use std::time::Duration;
use sward_proto::attestation::Attestation;
use sward_proto::digest::Digest;
use sward_proto::draw::AuditDraw;
use sward_proto::ids::{LeaseToken, PeerId, TaskId};
use sward_proto::quorum::{Layer, stands_alone};
use sward_proto::timestamp::Timestamp;

const DAY: Duration = Duration::from_hours(24);

impl Coordinator {
    /// How many results a page wants that is about to be leased to this agent.
    pub(super) fn wanted_of(&self, task: &Task, peer: &PeerId) -> usize {
        let fresh = task.attempts.iter().all(|attempt| attempt.state == AttemptState::Lost);
        if !fresh {
            return task.wanted;
        }
        let job = self.jobs.get(&task.job).map(|job| job.record.spec.replication);
        let proved = self.roster.get(peer).is_some_and(|agent| !agent.record.trust.is_proving());
        let alone = !task.robots && task.known.may_stand_alone();
        if alone && job == Some(Replication::Audited) && proved {
            1
        } else {
            self.config.rules.margin
        }
    }

    /// A single result is sealed: whether it is checked is drawn now, and if not, when it is opened.
    pub(super) fn draw_audit(&mut self, id: TaskId, agent: &PeerId, leaf: Digest, now: Timestamp) {
        let task = self.tasks.get(&id).filter(|task| task.audit.is_none() && task.wanted == 1);
        let Some((task, member)) = task.zip(self.roster.get(agent)) else { return };
        let stake = task.known.stake(&task.url);
        let rate = audit_rate(&member.record, stake, self.config.bounds.hold, now);
        self.turn_round(now);
        let draw = AuditDraw::new(&self.roster.seed(), &leaf, rate.ppm());
        let delay = self.config.bounds.open_delay.as_millis();
        let delay = self.draw_below(usize::try_from(delay).unwrap_or(usize::MAX)) as u64;
        let opens = now + Duration::from_millis(delay);
        let margin = self.config.rules.margin;
        let Some(task) = self.tasks.get_mut(&id) else { return };
        task.audit = Some(Audit { draw, opens });
        if draw.drawn {
            task.wanted = margin;
            self.settle_needy(id, now);
            self.watch_starvation(id, now);
        } else {
            self.timers.insert((opens, Timer::Open(id)));
        }
    }

    /// A single result has rested.
    pub(super) fn open_rested(&mut self, id: TaskId, now: Timestamp) {
        self.ask_reveals(id, now);
        self.save_task(id);
    }

    /// What stands on the word of one agent, or how it comes that more are asked.
    pub(super) fn weigh_single(
        &mut self,
        id: TaskId,
        token: LeaseToken,
        seen: &Attestation,
        now: Timestamp,
    ) {
        let response = sward_proto::compare::response_of(seen).filter(|_| stands_alone(seen));
        if let Some(response) = response {
            let Some(rules) = self.tasks.get(&id).map(|task| self.rules_of(task)) else { return };
            let agreement = Agreement {
                members: vec![token],
                layer: Layer::Single,
                rules,
                keepers: vec![token],
                tainted: Vec::new(),
                contradicted: Vec::new(),
                disputed: Vec::new(),
            };
            return self.agreed(id, agreement, response, now);
        }
        let margin = self.config.rules.margin;
        if let Some(task) = self.tasks.get_mut(&id) {
            (task.wanted, task.phase) = (margin, Phase::Collecting);
        }
        self.settle_needy(id, now);
        self.watch_starvation(id, now);
    }
}

/// With which chance a page of this agent is fetched once more.
fn audit_rate(record: &AgentRecord, stake: Stake, terms: Terms, now: Timestamp) -> Rate {
    let days = now.since(record.enrolled_at).as_secs().div_ceil(DAY.as_secs()).max(1);
    let pages_a_day = u32::try_from(record.fetched / days).unwrap_or(u32::MAX);
    record.trust.rate(stake, hold::need(terms, pages_a_day))
}
