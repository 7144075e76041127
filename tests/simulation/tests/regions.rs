//! Worlds whose agents are in several regions, with pages that one of them is shown otherwise.

use sward_simulation::plan::Plan;
use sward_simulation::report::Report;
use sward_simulation::world::World;

fn holds(plan: Plan) -> Report {
    let report = World::new(plan).expect("constants parse").run();
    assert!(report.holds(), "{}: {:#?}", report.command(), report.violations);
    report
}

fn variants(plan: impl Fn(u64) -> Plan) -> u64 {
    (0..8).map(|seed| holds(Plan { regions: 3, ..plan(seed) }).variants).sum()
}

#[test]
fn what_a_region_is_shown_is_kept_and_blames_nobody() {
    let calm = variants(|seed| Plan { liars: 0, ..Plan::of_seed(seed, 24).calm() });
    assert!(calm > 50, "{calm} variants");
}

#[test]
fn regions_hold_among_liars_and_crashes() {
    let suffered = variants(|seed| Plan::of_seed(seed, 24));
    assert!(suffered > 20, "{suffered} variants");
}

#[test]
fn without_regions_there_is_no_variant() {
    let report = holds(Plan { regions: 0, ..Plan::of_seed(3, 24) });
    assert_eq!(report.variants, 0);
}

/// Agents that tell the same lies from networks, systems and regions of their own, or from one region: what they have
/// accepted falls once they are caught, and nobody honest does.
#[test]
fn regions_hold_where_liars_agree() {
    let conspired = variants(|seed| Plan {
        conspirators: if seed % 2 == 0 { 3 } else { 5 },
        hold_seconds: 90,
        ..Plan::of_seed(seed, 24).calm()
    });
    assert!(conspired > 20, "{conspired} variants");
}
