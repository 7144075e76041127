//! Appeals: an owner objects to what was decided, and the operator decides once more.
//!
//! Decides when an appeal is taken (one at a time, one a day, also of an agent that is barred) and what upholding it changes.
//! Never decides whether it is right: that is the operator's to say. What was not paid stays so, and what was fetched again
//! stays so too. A page that an operator shows to an owner should be given to no agent again; a page of the beacon site is
//! not in any case, as each is asked for once.

use super::Coordinator;
use crate::journal::JournalEntry;
use crate::output::{Event, Output};
use crate::record::agent::Standing;
use crate::record::appeal::{AppealRecord, Decision, Reinstated};
use crate::roster::Mail;
use crate::trust::evidence::Evidence;
use crate::trust::replication::Trust;
use std::time::Duration;
use sward_proto::ids::PeerId;
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::refusal::{Refusal, RefusalCode};
use sward_proto::wire::reply::CoordinatorReply;
use sward_proto::wire::standing::check_words;

/// Least time between two appeals of one agent.
const APPEAL_EVERY: Duration = Duration::from_hours(24);

impl Coordinator {
    /// How an agent stands, for its owner.
    pub(super) fn tell_standing(&mut self, agent: PeerId, id: u64, now: Timestamp) {
        let calendar = self.calendar();
        let Some(member) = self.roster.get(&agent) else { return };
        let standing = member.record.told(calendar, now);
        self.send(agent, id, CoordinatorReply::Standing(standing));
    }

    /// An owner appeals.
    pub(super) fn appeal(&mut self, agent: PeerId, id: u64, text: String, now: Timestamp) {
        let Some(member) = self.roster.get(&agent) else { return };
        let (record, last) = (&member.record, member.record.appeal.as_ref());
        let decided =
            record.standing != Standing::Good || record.notices.told(now).next().is_some();
        match last {
            // Its answer was lost.
            Some(last) if last.decision.is_none() && last.text == text => {}
            Some(AppealRecord { decision: None, .. }) => {
                let hint = "an appeal is open: wait for its answer";
                let refusal = Refusal::busy(hint, APPEAL_EVERY);
                return self.send(agent, id, CoordinatorReply::Refusal(refusal));
            }
            Some(last) if now < last.at + APPEAL_EVERY => {
                let wait = (last.at + APPEAL_EVERY).since(now);
                let refusal = Refusal::busy("one appeal a day is taken: come back later", wait);
                return self.send(agent, id, CoordinatorReply::Refusal(refusal));
            }
            Some(_) | None if !decided => {
                let hint = "nothing was decided about this agent that could be appealed against";
                return self.refuse(agent, id, RefusalCode::Conflict, hint);
            }
            Some(_) | None => {
                let entry = JournalEntry::Appealed { agent, text, at: now };
                self.outputs.push_back(Output::Journal(entry.clone()));
                self.replay_journal(entry, now);
                self.event(Event::Appealed(agent));
            }
        }
        self.tell_standing(agent, id, now);
    }

    /// What an appeal changes; at its time and when it is read back from the journal.
    pub(super) fn put_appeal(&mut self, agent: PeerId, text: String, at: Timestamp) {
        if let Some(member) = self.roster.get_mut(&agent) {
            member.record.appeal = Some(AppealRecord { text, at, decision: None });
            self.save_agent(&agent);
        }
    }

    /// The operator decides on an appeal.
    pub(super) fn decide_appeal(
        &mut self,
        agent: PeerId,
        upheld: bool,
        why: String,
        now: Timestamp,
    ) -> Result<String, String> {
        check_words(&why).map_err(|error| format!("the answer: {error}"))?;
        let open = self.roster.get(&agent).and_then(|member| member.record.appeal.as_ref());
        if open.is_none_or(|appeal| appeal.decision.is_some()) {
            return Err(format!("{agent} has no open appeal: see appeals list"));
        }
        if self.is_looked_through(&agent) {
            return Err(format!("pages of {agent} are still being taken back: try again"));
        }
        let entry = JournalEntry::AppealDecided { agent, upheld, why, at: now };
        self.outputs.push_back(Output::Journal(entry.clone()));
        self.replay_journal(entry, now);
        Ok(format!("{agent} {}", if upheld { "upheld" } else { "rejected" }))
    }

    /// What a decision changes; at its time and when it is read back from the journal. An upheld appeal begins anew: in good
    /// standing, on probation, with nothing held against the agent. What it had not been paid it is not paid now either.
    pub(super) fn put_appeal_decision(
        &mut self,
        agent: PeerId,
        upheld: bool,
        why: String,
        at: Timestamp,
    ) {
        let probation = self.config.bounds.probation;
        let Some(member) = self.roster.get_mut(&agent) else { return };
        let record = &mut member.record;
        if let Some(appeal) = &mut record.appeal {
            appeal.decision = Some(Decision { at, upheld, why });
        }
        if upheld {
            if let Standing::Convicted { at: barred, .. } = record.standing {
                record.reinstated = Some(Reinstated { barred, at });
                record.standing = Standing::Good;
            }
            (record.trust, record.evidence) = (Trust::new(at, probation), Evidence::new(at));
            (record.forged, record.replayed, record.copied) = (0, 0, 0);
            (record.forfeit, record.review) = (0, None);
            self.roster.reinstate(&agent);
        }
        self.roster.post(&agent, Mail::standing_changed);
        self.save_agent(&agent);
    }
}
