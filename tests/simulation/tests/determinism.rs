//! One seed is one run. Without this no seed means anything.

use sward_simulation::plan::Plan;
use sward_simulation::report::Report;
use sward_simulation::world::World;

fn run(seed: u64) -> Report {
    World::new(Plan::of_seed(seed, 24)).expect("constants parse").run()
}

#[test]
fn a_seed_run_twice_gives_the_same_events() {
    let (once, twice) = (run(11), run(11));
    assert_eq!(once, twice);
    assert!(once.events > 1000, "{once:?}");
    assert_ne!(once.trace, run(12).trace);
}
