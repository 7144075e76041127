//! Fixed seeds: faults, liars, and everything that must hold. Fresh seeds: `cargo sim -- sweep`.

use std::time::Duration;
use sward_simulation::op::{Op, TimedOp};
use sward_simulation::plan::Plan;
use sward_simulation::report::Report;
use sward_simulation::world::World;

#[test]
fn thirty_worlds_hold() {
    let reports: Vec<Report> = (0..30)
        .map(|seed| World::new(Plan::of_seed(seed, 24)).expect("constants parse").run())
        .collect();
    for report in &reports {
        assert!(report.holds(), "{}: {:#?}", report.command(), report.violations);
    }
    // What is checked did happen.
    let sum = |of: fn(&Report) -> u64| reports.iter().map(of).sum::<u64>();
    assert!(sum(|report| report.starts) > 40, "coordinators crash");
    assert!(sum(|report| report.convicted as u64) > 10, "liars are convicted");
    assert!(sum(|report| report.settled) > 2000, "pages are settled");
}

#[test]
fn a_large_calm_world_holds() {
    let report = World::new(Plan::of_seed(1, 120).calm()).expect("constants parse").run();
    assert!(report.holds(), "{:#?}", report.violations);
    assert_eq!((report.starts, report.strays), (1, 0));
}

#[test]
fn a_full_disk_and_indexes_lost_one_after_the_other_hold() {
    let full = Op::FullDisk { time: Duration::from_secs(45) };
    let lose = Op::LoseIndex { down: Duration::from_secs(1) };
    let losses = (58..86).step_by(4).map(|at| (at, lose));
    let ops = [(14, full)].into_iter().chain(losses);
    let ops: Vec<TimedOp> =
        ops.map(|(at, op)| TimedOp { at: Duration::from_secs(at), op }).collect();
    for seed in 0..4 {
        let plan = Plan {
            ops: ops.clone(),
            healed: Duration::from_secs(90),
            ..Plan::of_seed(seed, 14).calm()
        };
        let report = World::new(plan).expect("constants parse").run();
        assert!(report.holds(), "{:#?}", report.violations);
        assert_eq!(report.starts, 8);
    }
}
