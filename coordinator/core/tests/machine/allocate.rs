//! Audits go where audits found disagreement.

use crate::stage::Stage;
use std::time::Duration;
use sward_coordinator_core::trust::audit::MOST;
use sward_proto::outcome::Outcome;
use sward_proto::quorum::Layer;
use sward_proto::quorum::finding::Finding;

const QUIET: &str = "https://quiet.example/";
const LOUD: &str = "https://loud.example/";

impl Stage {
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
        let results = [(1, Finding::Agreed), (2, finding)];
        stage.settled(task, url, Layer::Identical, Outcome::Ok, results);
    }
    for (task, url) in [(700, QUIET), (701, LOUD)] {
        let robots = format!("{url}robots.txt");
        let results = [(1, Finding::Agreed), (2, Finding::Agreed)];
        stage.settled(task, &robots, Layer::Status, Outcome::Http4xx, results);
    }
    stage.coordinator.resume(stage.now);
    let quiet = stage.audit_rate(QUIET);
    let loud = stage.audit_rate(LOUD);
    assert_eq!(loud, quiet * MOST / 1000, "{quiet} and {loud} in a million");
}
