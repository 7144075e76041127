//! Worlds with fetchers of the operator's own: what they clear and confirm, while they crash, are cut off or stay away.

use std::time::Duration;
use sward_coordinator_core::job::Replication;
use sward_simulation::op::{Op, TimedOp};
use sward_simulation::plan::Plan;
use sward_simulation::report::Report;
use sward_simulation::world::World;

fn holds(plan: Plan) -> Report {
    let report = World::new(plan).expect("constants parse").run();
    assert!(report.holds(), "{}: {:#?}", report.command(), report.violations);
    report
}

fn sum(reports: &[Report], of: fn(&Report) -> u64) -> u64 {
    reports.iter().map(of).sum()
}

/// Four that tell the same lies among sixteen, in jobs of either kind: no honest agent is convicted (that fails a world),
/// and liars are confirmed to lie by more than a vote.
#[test]
fn conspirators_are_told_from_those_they_frame() {
    let plan = |seed, replication, trusted| Plan {
        conspirators: 4,
        liars: 0,
        trusted,
        replication,
        hold_seconds: 90,
        ..Plan::of_seed(seed, 16).calm()
    };
    for replication in [Replication::Full, Replication::Audited] {
        let with = |trusted| -> Vec<Report> {
            (0..4).map(|seed| holds(plan(seed, replication, trusted))).collect()
        };
        let (without, with) = (with(0), with(2));
        assert_eq!(sum(&without, |report| report.ruled + report.trusted), 0);
        assert!(sum(&with, |report| report.ruled) > 0, "{replication:?}: nobody is found out");
        let caught = |reports: &[Report]| sum(reports, |report| report.convicted as u64);
        assert!(caught(&with) > 0, "{replication:?}: {} without", caught(&without));
    }
}

/// The operator's own fetchers are the last two agents: they crash, lose their connections and rest, and so does the
/// coordinator, whose index is lost in between.
#[test]
fn worlds_hold_whose_trusted_fetchers_come_and_go() {
    let ops = |agents: usize| {
        let agent = agents - 2;
        let crash = |at| {
            let down = Duration::from_secs(4);
            (at, Op::CrashAgent { agent, after_store: at % 2 == 0, down, skew_ms: 0 })
        };
        let cut = |at| (at, Op::Cut { agent: agent + 1, noticed: Duration::from_secs(3) });
        let pause = (20, Op::Pause { agent: agent + 1, time: Duration::from_secs(30) });
        let down = Duration::from_secs(1);
        let coordinator = [
            (25, Op::CrashCoordinator { after: 5, down }),
            (40, Op::LoseIndex { down }),
            (55, Op::CrashCoordinator { after: 50, down }),
        ];
        let all = (6..70).step_by(9).map(crash).chain((9..70).step_by(7).map(cut));
        let mut ops: Vec<TimedOp> = all
            .chain([pause])
            .chain(coordinator)
            .map(|(at, op)| TimedOp { at: Duration::from_secs(at), op })
            .collect();
        ops.sort_by_key(|op| op.at);
        ops
    };
    let reports: Vec<Report> = (0..4)
        .map(|seed| {
            let healed = Duration::from_secs(100);
            let plan = Plan { trusted: 2, liars: 4, ops: ops(16), ..Plan::of_seed(seed, 16) };
            holds(Plan { healed, hold_seconds: 100, ..plan })
        })
        .collect();
    assert!(sum(&reports, |report| report.trusted) > 0, "none of them fetches anything");
}
