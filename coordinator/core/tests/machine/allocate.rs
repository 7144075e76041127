//! Audits go where audits found disagreement.

use crate::stage::{Stage, peer};
use std::time::Duration;
use sward_coordinator_core::input::Archived;
use sward_coordinator_core::record::agent::Totals;
use sward_coordinator_core::record::capture::Location;
use sward_coordinator_core::settlement::{AgentResult, Settlement};
use sward_coordinator_core::trust::audit::MOST;
use sward_proto::digest::Digest;
use sward_proto::draw::{AuditDraw, Draw, Round};
use sward_proto::ids::{JobId, LeaseToken, TaskId};
use sward_proto::outcome::Outcome;
use sward_proto::quorum::Layer;
use sward_proto::quorum::finding::Finding;

const QUIET: &str = "https://quiet.example/";
const LOUD: &str = "https://loud.example/";

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
        class: None,
        credit: Totals::default(),
    }
}

impl Stage {
    /// A page of agent 1 ends that was drawn for an audit by agent 2; or a robots.txt that is not there.
    fn settled(&mut self, task: u64, url: &str, layer: Layer, outcome: Outcome, others: Finding) {
        let leaf = Digest([1; 32]);
        let audit = AuditDraw { round: Round(1), leaf, per_million: 50_000, drawn: true };
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
            results: vec![result(1, Finding::Agreed), result(2, others)],
            audit: Some(audit),
            blocks: None,
        };
        let location = Location { segment: 1, offset: task, length: 1 };
        let archived = Archived { settlement: location, page: None };
        self.coordinator.replay_settlement(&settlement, &archived, self.now);
    }

    /// With which chance a page of agent 1 on this site is audited.
    fn audit_rate(&mut self, url: &str) -> u32 {
        self.submit_audited(url);
        self.after(Duration::from_secs(10));
        assert!(self.poll(1), "a page of {url}");
        self.seal(1);
        let page = url.parse().expect("a url");
        let task = self.coordinator.tasks().find(|task| task.url == page).expect("in hand");
        task.audit.expect("a single result").draw.per_million
    }
}

#[test]
fn a_site_where_audits_disagreed_is_audited_more() {
    let mut stage = Stage::new();
    (1..=2).for_each(|n| stage.join(n));
    for task in 0..600 {
        let (url, finding) =
            if task % 20 == 0 { (LOUD, Finding::Disputed) } else { (QUIET, Finding::Agreed) };
        stage.settled(task, url, Layer::Identical, Outcome::Ok, finding);
    }
    for (task, url) in [(700, QUIET), (701, LOUD)] {
        let robots = format!("{url}robots.txt");
        stage.settled(task, &robots, Layer::Status, Outcome::Http4xx, Finding::Agreed);
    }
    stage.coordinator.resume(stage.now);
    let quiet = stage.audit_rate(QUIET);
    let loud = stage.audit_rate(LOUD);
    assert_eq!(loud, quiet * MOST / 1000, "{quiet} and {loud} in a million");
}
