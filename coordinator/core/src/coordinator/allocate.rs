//! Where audits go: more of them to agents and sites that were found to disagree.
//!
//! Decides what a settled audit teaches, at its time and when it is read back from the archive. Never lowers a rate, and never
//! decides whether one page is audited: the draw does.

use super::Coordinator;
use crate::record::agent::AgentRecord;
use crate::record::{encode, host, position};
use crate::settlement::Settlement;
use crate::trust::audit::Tally;
use sward_proto::ids::TaskId;
use sward_proto::outcome::Outcome;
use sward_proto::quorum::finding::Finding;
use sward_proto::timestamp::Timestamp;

impl Coordinator {
    /// By how much a page of this agent is audited more than others, in thousandths.
    pub(super) fn boost(&self, id: TaskId, agent: &AgentRecord) -> u32 {
        let host = self.tasks.get(&id).and_then(|task| self.frontier.host(&task.host()));
        let site = host.map_or(Tally::ZERO, |host| host.clock.audits);
        self.forecast.boost(&[agent.audits, site])
    }

    /// Learns from a task that was drawn for an audit, unless nothing was compared.
    pub(super) fn learn_audit(&mut self, settlement: &Settlement, now: Timestamp) {
        let Some(audit) = settlement.audit.filter(|audit| audit.drawn) else { return };
        let first = settlement.results.iter().find(|result| result.leaf == audit.leaf);
        let Some(first) = first else { return };
        let contested = settlement.outcome == Outcome::Disagree;
        let compared = settlement.layer.is_some() && settlement.results.len() > 1;
        if !(compared || contested) {
            return;
        }
        let differs = |finding| match finding {
            Finding::Forged | Finding::Disputed | Finding::Replayed | Finding::Copied => true,
            Finding::Agreed
            | Finding::Withheld
            | Finding::Neutral
            | Finding::Tainted
            | Finding::Variant
            | Finding::Regional => false,
        };
        let disagreed = contested || settlement.results.iter().any(|r| differs(r.finding));
        let Some(member) = self.roster.get_mut(&first.agent) else { return };
        let (forecast, agent) = (&mut self.forecast, &mut member.record.audits);
        let name = settlement.url.host();
        let clock = self.frontier.with_host(&name, now, |host| {
            forecast.learn(&mut [agent, &mut host.clock.audits], disagreed);
            host.clock
        });
        self.batch.put(host::key(&name), encode(&clock));
        self.batch.put(position::forecast_key(), encode(&self.forecast));
    }
}
