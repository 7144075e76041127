//! What was settled before the test begins.

use crate::stage::{Stage, peer};
use sward_coordinator_core::input::Archived;
use sward_coordinator_core::record::agent::Totals;
use sward_coordinator_core::record::capture::Location;
use sward_coordinator_core::settlement::{AgentResult, Settlement};
use sward_coordinator_core::trust::evidence::Volatility;
use sward_coordinator_core::trust::replication::PROBATION;
use sward_proto::digest::Digest;
use sward_proto::draw::{AuditDraw, Draw, Round};
use sward_proto::ids::{JobId, LeaseToken, TaskId};
use sward_proto::outcome::Outcome;
use sward_proto::quorum::Layer;
use sward_proto::quorum::finding::Finding;

fn result(n: u8, finding: Finding) -> AgentResult {
    AgentResult {
        agent: peer(n),
        token: LeaseToken([n; 16]),
        draw: Draw { round: Round(1), number: 0, widened: false, passed: Vec::new() },
        origin: None,
        leaf: Digest([n; 32]),
        salt: [0; 16],
        attestation: Vec::new(),
        blocks: Vec::new(),
        finding,
        trusted: false,
        ruling: None,
        class: None,
        credit: Totals::default(),
        held: None,
    }
}

impl Stage {
    /// A page of the first agent ended, which was drawn for an audit by the second; or a robots.txt.
    pub(crate) fn settled(
        &mut self,
        task: u64,
        url: &str,
        layer: Layer,
        outcome: Outcome,
        [(first, found), (second, others)]: [(u8, Finding); 2],
    ) {
        let (leaf, per_million) = (Digest([first; 32]), 50_000);
        let settlement = Settlement {
            task: TaskId(task),
            job: JobId(9),
            url: url.parse().expect("a url"),
            depth: 0,
            robots: url.ends_with("robots.txt"),
            settled_at: self.now,
            outcome,
            rules: None,
            layer: Some(layer),
            page: None,
            results: vec![result(first, found), result(second, others)],
            audit: Some(AuditDraw { round: Round(1), leaf, per_million, drawn: true }),
            blocks: None,
            variants: Vec::new(),
            volatility: Volatility::default(),
            stable: Vec::new(),
            spot: None,
        };
        let location = Location { segment: 1, offset: task, length: 1 };
        let archived = Archived { settlement: location, page: None };
        self.coordinator.replay_settlement(&settlement, &archived, self.now);
    }

    /// The first `agents` have passed their probation, two by two.
    pub(crate) fn prove(&mut self, agents: u8) {
        for task in 0..u64::from(PROBATION) * u64::from(agents / 2) {
            let pair = u8::try_from(task % u64::from(agents / 2)).expect("few") * 2;
            let results = [(pair + 1, Finding::Agreed), (pair + 2, Finding::Agreed)];
            self.settled(task, "https://past.example/", Layer::Identical, Outcome::Ok, results);
        }
        self.coordinator.resume(self.now);
    }
}
