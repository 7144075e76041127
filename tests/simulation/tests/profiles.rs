//! Sites whose pages change in their own ways, and what a coordinator learns of them.

use sward_coordinator_core::job::Replication;
use sward_simulation::plan::Plan;
use sward_simulation::report::Report;
use sward_simulation::world::World;

fn holds(plan: Plan) -> Report {
    let report = World::new(plan).expect("constants parse").run();
    assert!(report.holds(), "{}: {:#?}", report.command(), report.violations);
    report
}

/// Each world checks at its end what was learnt of each site, that no honest agent was convicted, and that a rebuilt index
/// says the same.
#[test]
fn each_site_is_learnt_as_what_it_is() {
    for seed in 0..2 {
        let calm = Plan { hosts: 2, habits: 60, liars: 0, ..Plan::of_seed(seed, 16).calm() };
        let report = holds(Plan { replication: Replication::Full, ..calm });
        assert!(report.by_known_blocks > 0, "no page was settled by blocks that were known");
    }
}

#[test]
fn liars_teach_nothing_false() {
    for (seed, replication) in [(3, Replication::Full), (4, Replication::Audited)] {
        let plan = Plan { hosts: 2, habits: 60, liars: 10, ..Plan::of_seed(seed, 20).calm() };
        holds(Plan { replication, ..plan });
    }
}
