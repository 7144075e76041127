//! What a settlement teaches about the agents that had a part in it, and when one of them is caught.
//!
//! Decides how much of an agent's work is done twice from now on, and whether what speaks against it is enough. Applied at
//! its time and when settlements are read back from the archive, by the time at which each was settled. Never decides who
//! agrees (quorum), nor what a conviction changes (epoch).

use super::Coordinator;
use super::single::excuse_of;
use crate::journal::JournalEntry;
use crate::output::{Event, Output};
use crate::record::agent::{AgentRecord, Standing};
use crate::settlement::{AgentResult, Settlement};
use crate::trust::evidence::{self, Check, EVENTS, Excuse, Observation, Volatility};
use crate::trust::outcome::{RESTRICTED_FOR, forfeit, review_pages};
use std::time::Duration;
use sward_proto::attestation::Attestation;
use sward_proto::compare::credible_time;
use sward_proto::ids::PeerId;
use sward_proto::outcome::Outcome;
use sward_proto::quorum::Layer;
use sward_proto::quorum::finding::Finding;
use sward_proto::quorum::ruling::Ruling;
use sward_proto::reason::Reason;
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::standing::MAX_TASKS;

/// Two fetches that lie no further apart are of one time: see [`Check::Concurrent`].
const CONCURRENT: Duration = Duration::from_secs(30);

impl Coordinator {
    /// What one result teaches about its agent.
    pub(super) fn learn(&mut self, settlement: &Settlement, result: &AgentResult) {
        // The operator's own fetchers are nobody's to judge.
        let member = self.roster.get_mut(&result.agent).filter(|_| !result.trusted);
        let Some(member) = member else { return };
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
        let (page, check) = match () {
            () if beacon => (Volatility::Static, Check::Beacon),
            () if is_confirmed(result) => (settlement.volatility, check_of(settlement, result)),
            // Where no trusted fetcher confirms that a page never showed what an agent attests, a difference weighs no more
            // than on a page that changes around its stable blocks, however static it was found to be.
            () => (settlement.volatility.max(Volatility::Noisy), Check::Replica),
        };
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
            // Few may be in a region: what they say of it is paid, and proves nothing for them.
            Finding::Variant => {
                record.agreed += 1;
                record.trust.idle_until(now);
            }
            Finding::Regional => {
                record.trust.idle_until(now);
                record.restrict(Volatility::Geo, Excuse::Nothing, now);
            }
            Finding::Neutral | Finding::Tainted | Finding::Withheld => record.trust.idle_until(now),
            Finding::Forged | Finding::Disputed | Finding::Replayed => {
                let replayed = result.finding == Finding::Replayed;
                *(if replayed { &mut record.replayed } else { &mut record.forged }) += 1;
                record.differed(cause, now);
                record.restrict(settlement.volatility, excuse, now);
                record.evidence.observe(observation(evidence::Finding::Differs), now);
            }
        }
        record.end_review(now);
    }

    /// Looks whether what speaks against an agent is enough.
    pub(super) fn judge(&mut self, agent: &PeerId, now: Timestamp) {
        let Some(record) = self.roster.get(agent).map(|member| &member.record) else { return };
        if record.standing != Standing::Good || record.trusted || !record.evidence.convicts() {
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
    /// what was seen stands for what was not.
    fn differed(&mut self, cause: i64, now: Timestamp) {
        self.trust.retry(review_pages(cause), now);
        self.forfeit = self.forfeit.saturating_add(forfeit(cause));
        if review_pages(cause) > 0 {
            self.review.get_or_insert(now);
        }
    }

    /// Pages of a kind on which a difference says little are not for it for a while, once it differed on two.
    fn restrict(&mut self, page: Volatility, path: Excuse, now: Timestamp) {
        if let Some(reason) = self.limits.differed(page, path, now) {
            self.notices.add(reason, now, now + RESTRICTED_FOR, []);
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

/// Whether trusted fetches confirmed that nobody else is shown what this result claims; or it agrees, which asks for none.
fn is_confirmed(result: &AgentResult) -> bool {
    result.finding == Finding::Agreed || result.ruling == Some(Ruling::Differs)
}

/// How a result was checked: at the same time by a trusted fetch, or later.
fn check_of(settlement: &Settlement, result: &AgentResult) -> Check {
    let fetched = |result: &AgentResult| {
        let origin = result.origin.as_ref()?;
        let attested = Attestation::decode(&result.attestation).ok()?.fetched_at;
        Some(credible_time(attested, origin.leased_at, origin.expires))
    };
    let at_once = |trusted: &AgentResult| {
        fetched(trusted)
            .zip(fetched(result))
            .is_some_and(|(one, other)| one.since(other).max(other.since(one)) <= CONCURRENT)
    };
    let concurrent = settlement.results.iter().filter(|other| other.trusted).any(at_once);
    if concurrent { Check::Concurrent } else { Check::Replica }
}

/// What might explain that this result differs.
fn excuse(settlement: &Settlement, result: &AgentResult) -> Excuse {
    if settlement.outcome == Outcome::Beacon {
        // No path puts another agent's mark into a page.
        Excuse::Nothing
    } else {
        let aged = result.finding == Finding::Replayed;
        excuse_of(&settlement.url).max(if aged { Excuse::OldCopy } else { Excuse::Nothing })
    }
}
