//! Processes killed without warning in the middle of a crawl: nothing is lost, and nothing counts twice.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};
use sward_coordinator_core::job::JobState;
use sward_system_tests::network::{
    Agent, Books, Chance, Coordinator, Site, check_receipts, exported_urls, say,
};

const JOB: &str = "crash";
const SEED: u64 = 20_250_601;
const COORDINATOR_KILLS: usize = 20;
const AGENT_KILLS: usize = 20;
/// What killing and finishing may take; they are some 40 seconds on two cores.
const PATIENCE: Duration = Duration::from_secs(120);

/// A coordinator and three agents that crawl the whole site.
fn crawl(folder: &Path, site: &Site, delay_ms: u64) -> (Coordinator, Vec<Agent>) {
    let mut coordinator = Coordinator::init(folder, true);
    coordinator.serve();
    let join = |number| Agent::join(folder, number, &coordinator, site);
    let mut agents: Vec<Agent> = (0..3).map(join).collect();
    agents.iter_mut().for_each(Agent::start);
    let job = ["job", "run", "--detach", "--name", JOB].map(str::to_owned);
    coordinator.does(&[&job, site.job_flags(delay_ms).as_slice()].concat()).ok();
    (coordinator, agents)
}

/// What a crawl accepts that nobody disturbs.
fn undisturbed(folder: &Path, site: &Site) -> BTreeSet<String> {
    let (coordinator, _agents) = crawl(folder, site, 1);
    coordinator.wait_until_done(PATIENCE);
    let accepted = Books::read(&coordinator.data).accepted;
    assert_eq!(accepted.len(), site.acceptable(), "not what the site says that it has");
    accepted
}

#[test]
fn kills_lose_nothing_and_count_nothing_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let site = Site::generated(folder.path(), 1);
    let calm = tempfile::tempdir().expect("a folder");
    let expected = undisturbed(calm.path(), &site);
    let (mut coordinator, mut agents) = crawl(folder.path(), &site, 120);

    let mut chance = Chance(seed());
    let begun = Instant::now();
    let kills = kill_at_random(&mut chance, &mut coordinator, &mut agents);
    let done = coordinator.wait_until_done(PATIENCE);
    let views = coordinator.wait_for_receipts(PATIENCE);
    say(&format!("{kills} kills, done {:?} after the first", begun.elapsed()));

    let books = Books::read(&coordinator.data);
    assert_eq!(books.accepted, expected);
    assert_eq!(done.counts.pages, expected.len() as u64);
    assert_eq!(exported_urls(&coordinator, JOB, &folder.path().join("export")), expected);
    check_receipts(&coordinator, &views, &agents);
    assert!(!coordinator.messages().contains("index rebuilt"), "a kill is no damage");
}

/// Another seed than the usual one can be given in SWARD_TEST_SEED.
fn seed() -> u64 {
    let given = std::env::var("SWARD_TEST_SEED").ok();
    given.map_or(SEED, |seed| seed.parse().expect("SWARD_TEST_SEED is a number"))
}

/// Kills coordinator and agents while the crawl goes on, and starts each again at once.
fn kill_at_random(
    chance: &mut Chance,
    coordinator: &mut Coordinator,
    agents: &mut [Agent],
) -> usize {
    let (mut coordinator_kills, mut agent_kills) = (0, 0);
    while coordinator_kills < COORDINATOR_KILLS || agent_kills < AGENT_KILLS {
        std::thread::sleep(Duration::from_millis(20 + chance.below(500)));
        let job = coordinator.job().expect("a coordinator that answers");
        let kills = coordinator_kills + agent_kills;
        assert_eq!(job.state, JobState::Running, "the crawl was over after {kills} kills");
        if chance.below(2) == 0 && agent_kills < AGENT_KILLS {
            let agent = &mut agents[usize::try_from(chance.below(3)).expect("small")];
            agent.kill();
            agent.start();
            agent_kills += 1;
            continue;
        }
        coordinator.kill();
        coordinator.begin();
        coordinator_kills += 1;
        // Now and then it is killed again before it is back at work: recovery must bear that too.
        if chance.below(4) == 0 {
            std::thread::sleep(Duration::from_millis(chance.below(200)));
            coordinator.kill();
            coordinator.begin();
            coordinator_kills += 1;
        }
        coordinator.role().ready();
    }
    coordinator_kills + agent_kills
}
