//! Pages that rest on one agent's word, with agents that lie once they are believed.

use std::time::Duration;
use sward_coordinator_core::job::Replication;
use sward_simulation::op::{Op, TimedOp};
use sward_simulation::plan::Plan;
use sward_simulation::report::Report;
use sward_simulation::world::World;

fn calm(seed: u64, replication: Replication) -> Plan {
    Plan { liars: 0, replication, ..Plan::of_seed(seed, 16).calm() }
}

fn holds(plan: Plan) -> Report {
    let report = World::new(plan).expect("constants parse").run();
    assert!(report.holds(), "{}: {:#?}", report.command(), report.violations);
    report
}

fn fetches_a_settlement(replication: Replication) -> f64 {
    let reports: Vec<Report> = (0..6).map(|seed| holds(calm(seed, replication))).collect();
    let sum = |of: fn(&Report) -> u64| reports.iter().map(of).sum::<u64>();
    sum(|report| report.fetches) as f64 / sum(|report| report.settled) as f64
}

#[test]
fn agents_that_have_proved_themselves_are_seldom_fetched_after() {
    let (full, audited) =
        (fetches_a_settlement(Replication::Full), fetches_a_settlement(Replication::Audited));
    assert!(audited < 0.9 * full, "{audited} fetches a settlement, {full} where all are doubled");
}

/// Whoever lies after it has proved itself is caught by audits, and what rested on its word is taken back: a lie that stays
/// although its teller was caught in time fails the world.
#[test]
fn what_a_sleeper_had_accepted_is_taken_back() {
    let sleepers =
        |seed| Plan { sleepers: 4, hold_seconds: 100, ..calm(seed, Replication::Audited) };
    let reports: Vec<Report> = (0..6).map(|seed| holds(sleepers(seed))).collect();
    let sum = |of: fn(&Report) -> u64| reports.iter().map(of).sum::<u64>();
    assert!(sum(|report| report.convicted as u64) > 0, "no sleeper is caught");
    assert!(sum(|report| report.retracted) > 0, "nothing is taken back");
}

#[test]
fn audits_outlive_crashes_and_rebuilds() {
    let crash = |at| (at, Op::CrashCoordinator { after: 3, down: Duration::from_secs(1) });
    let lose = (47, Op::LoseIndex { down: Duration::from_secs(1) });
    for seed in 0..4 {
        let ops = (8..80).step_by(6).map(crash).chain([lose]);
        let mut ops: Vec<TimedOp> =
            ops.map(|(at, op)| TimedOp { at: Duration::from_secs(at), op }).collect();
        ops.sort_by_key(|op| op.at);
        let plan = Plan { sleepers: 2, ops, ..calm(seed, Replication::Audited) };
        holds(Plan { healed: Duration::from_secs(90), hold_seconds: 100, ..plan });
    }
}

/// Owners of barred agents appeal and half of them are upheld, through crashes and rebuilds: what each agent earned is what
/// is pending, under receipts or forfeited, all the while.
#[test]
fn what_agents_earned_adds_up_after_convictions_and_appeals() {
    let crash = |at| (at, Op::CrashCoordinator { after: 5, down: Duration::from_secs(1) });
    let lose = [40, 70].map(|at| (at, Op::LoseIndex { down: Duration::from_secs(1) }));
    let mut reinstated = 0;
    for seed in 0..4 {
        let ops = (10..85).step_by(9).map(crash).chain(lose);
        let mut ops: Vec<TimedOp> =
            ops.map(|(at, op)| TimedOp { at: Duration::from_secs(at), op }).collect();
        ops.sort_by_key(|op| op.at);
        let plan = Plan { liars: 3, appeals: true, ops, ..calm(seed, Replication::Full) };
        reinstated += holds(Plan { healed: Duration::from_secs(90), ..plan }).reinstated;
    }
    assert!(reinstated > 0, "no appeal is upheld");
}
