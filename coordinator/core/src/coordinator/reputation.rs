//! What a settlement teaches about the agents that had a part in it, and when one of them is caught.
//!
//! Decides how much of an agent's work is done twice from now on, and whether what speaks against it is enough. Applied at
//! its time and when settlements are read back from the archive, by the time at which each was settled. Never decides who
//! agrees (quorum), nor what a conviction changes (epoch).

use super::Coordinator;
use crate::journal::JournalEntry;
use crate::output::{Event, Output};
use crate::record::agent::{AgentRecord, Standing};
use crate::settlement::{AgentResult, Settlement};
use crate::trust::evidence::{self, Check, EVENTS, Excuse, Observation, Volatility};
use crate::trust::outcome::{forfeit, review_pages};
use sward_proto::ids::PeerId;
use sward_proto::outcome::Outcome;
use sward_proto::quorum::Layer;
use sward_proto::quorum::finding::Finding;
use sward_proto::reason::Reason;
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::standing::MAX_TASKS;

/// No page's volatility is known yet, and nobody whom the operator trusts confirms that a page never showed what an agent
/// attests: every difference weighs as little as one on a page that changes around its stable blocks.
const REPLICA: (Volatility, Check) = (Volatility::Noisy, Check::Replica);

impl Coordinator {
    /// What one result teaches about its agent.
    pub(super) fn learn(&mut self, settlement: &Settlement, result: &AgentResult) {
        let Some(member) = self.roster.get_mut(&result.agent) else { return };
        let (record, now) = (&mut member.record, settlement.settled_at);
        let beacon = settlement.outcome == Outcome::Beacon;
        let checked = beacon || settlement.layer.is_some_and(|layer| layer != Layer::Single);
        if !checked || settlement.robots {
            return record.trust.idle_until(now);
        }
        if record.reinstated.is_some_and(|reinstated| now <= reinstated.at) {
            // Read back from the archive: it was held against the agent once, and is not any more.
            record.agreed += u64::from(result.finding == Finding::Agreed);
            return;
        }
        let (task, excuse) = (settlement.task, excuse(settlement, result));
        let (page, check) = if beacon { (Volatility::Static, Check::Beacon) } else { REPLICA };
        let observation = |finding| Observation { task, page, check, excuse, finding };
        let cause = evidence::weight(page, check, excuse);
        match result.finding {
            // A page that was shown to nobody else: no other agent has confirmed anything.
            Finding::Agreed if beacon => {
                record.agreed += 1;
                record.evidence.observe(observation(evidence::Finding::Agrees), now);
            }
            Finding::Copied => {
                record.copied += 1;
                record.differed(cause, now);
                record.evidence.observe(observation(evidence::Finding::Differs), now);
            }
            Finding::Agreed => {
                record.agreed += 1;
                record.trust.agreed(true, now);
                record.evidence.observe(observation(evidence::Finding::Agrees), now);
            }
            Finding::Neutral | Finding::Tainted | Finding::Withheld => record.trust.idle_until(now),
            Finding::Forged | Finding::Disputed | Finding::Replayed => {
                let replayed = result.finding == Finding::Replayed;
                *(if replayed { &mut record.replayed } else { &mut record.forged }) += 1;
                record.differed(cause, now);
                record.evidence.observe(observation(evidence::Finding::Differs), now);
            }
        }
        record.end_review(now);
    }

    /// Looks whether what speaks against an agent is enough.
    pub(super) fn judge(&mut self, agent: &PeerId, now: Timestamp) {
        let Some(record) = self.roster.get(agent).map(|member| &member.record) else { return };
        if record.standing != Standing::Good || !record.evidence.convicts() {
            return;
        }
        let reason = match () {
            // No page that varies explains it.
            () if usize::try_from(record.copied).is_ok_and(|copied| copied >= EVENTS) => {
                Reason::Copied
            }
            () if record.replayed >= record.forged => Reason::Replayed,
            () => Reason::Forged,
        };
        let reason = reason.code().to_owned();
        let tasks = record.evidence.events().iter().copied().take(MAX_TASKS).collect();
        let forfeited = record.forfeited.plus(record.pending).unwrap_or(record.forfeited);
        let (agent, at) = (*agent, now);
        let entry = JournalEntry::Convicted { agent, at, reason: reason.clone(), tasks, forfeited };
        self.outputs.push_back(Output::Journal(entry.clone()));
        self.replay_journal(entry, now);
        self.event(Event::Convicted { agent, reason });
    }
}

impl AgentRecord {
    /// Independent others contradict it, which weighs `cause`: its work is reviewed, and some of its pay is forfeited, as
    /// what was seen stands for what was not. Whatever it differs by: kinds of page that an agent is kept from
    /// (`outcome::Limits`) are for where volatility is known.
    fn differed(&mut self, cause: i64, now: Timestamp) {
        self.trust.retry(review_pages(cause), now);
        self.forfeit = self.forfeit.saturating_add(forfeit(cause));
        if review_pages(cause) > 0 {
            self.review.get_or_insert(now);
        }
    }

    /// Its owner may know of a review once it is over.
    fn end_review(&mut self, now: Timestamp) {
        if let Some(began) = self.review.filter(|_| !self.trust.is_proving()) {
            self.review = None;
            self.notices.add(Reason::UnderReview, began, now, []);
        }
    }
}

/// What might explain that this result differs.
fn excuse(settlement: &Settlement, result: &AgentResult) -> Excuse {
    if settlement.outcome == Outcome::Beacon {
        // No path puts another agent's mark into a page.
        Excuse::Nothing
    } else if settlement.url.as_str().starts_with("http://") {
        Excuse::OpenPath
    } else if result.finding == Finding::Replayed {
        Excuse::OldCopy
    } else {
        Excuse::Nothing
    }
}
