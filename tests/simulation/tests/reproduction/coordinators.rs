//! Of the coordinator's core.

use std::time::Duration;
use sward_proto::attestation::{Attestation, Observation, REQUEST_PROFILE};
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::compare::block::BlockList;
use sward_proto::compare::stable::StableBlocks;
use sward_proto::outcome::FailureCode;
use sward_proto::quorum::voice::Voice;
use sward_proto::quorum::{Decision, Rules, Vote, decide};
use sward_proto::timestamp::Timestamp;
use sward_simulation::expectation;
use sward_simulation::op::{Op, TimedOp};
use sward_simulation::plan::Plan;
use sward_simulation::report::Report;
use sward_simulation::sites::{self, RobotsFile};
use sward_simulation::world::World;

fn calm(seed: u64) -> Plan {
    Plan { liars: 0, hot_hosts: 2000, ..Plan::of_seed(seed, 14).calm() }
}

fn holds(plan: Plan) -> Report {
    let report = World::new(plan).expect("constants parse").run();
    assert!(report.holds(), "{:#?}", report.violations);
    report
}

fn suffering(seed: u64, ops: impl IntoIterator<Item = (u64, Op)>) -> Plan {
    let ops = ops.into_iter().map(|(at, op)| TimedOp { at: Duration::from_secs(at), op });
    Plan { ops: ops.collect(), healed: Duration::from_secs(90), ..calm(seed) }
}

fn crash(after: u32) -> Op {
    Op::CrashCoordinator { after, down: Duration::from_secs(1) }
}

/// A host's first lease took sixteen tasks for one robots.txt, since each further one was still unknown.
#[test]
fn a_robots_file_is_asked_for_once() {
    holds(calm(1));
}

/// A host that came into memory for a task in hand was never given its queue, so a restart lost what waited there. It
/// was also fetched from at once, whenever the fetch before was.
#[test]
fn a_restart_keeps_queues_and_gaps() {
    for seed in 0..6 {
        let report = holds(suffering(seed, [(6, crash(9)), (14, crash(4)), (25, crash(17))]));
        assert!(report.starts >= 3, "{} starts", report.starts);
    }
}

/// A capture that was asked for without its body was archived so after a restart, which had forgotten that the body was
/// known.
#[test]
fn a_restart_amid_uploads_archives_bodies() {
    for seed in 0..6 {
        holds(suffering(seed, (10..40).step_by(3).map(|at| (at, crash(3 + 7 * at as u32 % 40)))));
    }
}

/// Seeds that were not settled yet were lost with the index: any settled page made the job look started.
#[test]
fn a_rebuild_admits_seeds_anew() {
    let lose = Op::LoseIndex { down: Duration::from_secs(2) };
    for seed in 0..4 {
        holds(suffering(seed, [(5, lose), (20, lose)]));
    }
}

/// With as many hosts in memory as fit, all without work, no other host ever came in.
#[test]
fn more_hosts_than_memory_holds_are_all_served() {
    for seed in 0..4 {
        holds(Plan { hosts: 16, hot_hosts: 3, ..calm(seed) });
    }
}

/// After the loss of an index every host could be fetched from at once, whenever the fetch before was.
#[test]
fn a_rebuild_keeps_gaps() {
    let lose = Op::LoseIndex { down: Duration::from_millis(60) };
    for seed in 0..4 {
        holds(suffering(seed, (6..50).step_by(2).map(|at| (at, lose))));
    }
}

/// A job whose last page ended during a pause stayed running for ever after it.
#[test]
fn a_job_that_ends_in_a_pause_is_done() {
    let pause = |at| [0, 1].map(|job| (at, Op::PauseJob { job, time: Duration::from_secs(3) }));
    for seed in 0..4 {
        holds(suffering(seed, (10..88).step_by(4).flat_map(pause)));
    }
}

/// Each replica's failure doubled a host's back-off, so that a failing robots.txt held its host for hours.
#[test]
fn replicas_of_one_failure_are_one_failure() {
    let plans = (0..40).map(calm).filter(|plan| !asks_for_patience(plan)).take(8);
    let done = plans.map(|plan| holds(plan).done_ms).max();
    assert!(done < Some(1_200_000), "{done:?}");
}

/// Six time-outs beside one answer were called independent agents that saw different pages.
#[test]
fn failures_do_not_contest_an_answer() {
    let url: CanonicalUrl = "http://a.example/".parse().expect("a url");
    let page = sites::response(&url, 200, "text/html", b"x".to_vec(), None, 1).observation;
    let timeout = Observation::Failure { code: FailureCode::Timeout, detail: String::new() };
    let attest = |observation: &Observation| Attestation {
        profile: REQUEST_PROFILE,
        url: url.clone(),
        fetched_at: Timestamp::ZERO,
        elapsed_ms: 0,
        developer: false,
        observation: observation.clone(),
    };
    let seen: Vec<Attestation> =
        (0..7).map(|n| attest(if n == 3 { &page } else { &timeout })).collect();
    let blocks = BlockList::default();
    let voice = |n| Voice::new(n, n);
    let vote = |(n, attestation)| Vote {
        voice: voice(n),
        attestation,
        blocks: &blocks,
        at: Timestamp::ZERO,
    };
    let votes: Vec<Vote<'_>> = (0..).zip(&seen).map(vote).collect();
    let decision = decide(&votes, Rules::default(), &StableBlocks::unknown());
    assert!(
        matches!(decision, Decision::Failed { code: FailureCode::Timeout, .. }),
        "{decision:?}"
    );
}

/// Those who agree on every lie are believed when they are drawn together; once all of them
/// are caught, what stands on their word alone is taken back and fetched again.
#[test]
fn what_conspirators_had_accepted_is_taken_back() {
    let mut retracted = 0;
    for seed in 0..9 {
        let plan = Plan { conspirators: 3, hold_seconds: 90, ..calm(seed) };
        retracted += holds(plan).retracted;
    }
    assert!(retracted > 1, "{retracted} pages taken back");
}

/// The same through crashes and the loss of the index.
#[test]
fn retractions_outlive_crashes_and_rebuilds() {
    let mut retracted = 0;
    for seed in 0..9 {
        let lose = Op::LoseIndex { down: Duration::from_secs(1) };
        let crashes = (6..60).step_by(5).map(|at| (at, crash(3 + 7 * at as u32 % 40)));
        let ops = crashes.chain([(33, lose), (52, lose)]);
        let plan = Plan { conspirators: 3, hold_seconds: 90, ..suffering(seed, ops) };
        retracted += holds(plan).retracted;
    }
    assert!(retracted > 1, "{retracted} pages taken back");
}

/// Whether a site of this plan asks for more patience than the rules last that its failing robots.txt implies.
fn asks_for_patience(plan: &Plan) -> bool {
    let sites = expectation::draw_sites(plan, Timestamp::ZERO);
    sites.values().any(|site| matches!(site.robots, RobotsFile::Failing(Some(_))))
}

/// Rules that a failing robots.txt implies ended before its host might be asked again: only the robots.txt was, for ever,
/// and what waited behind it never ended.
#[test]
fn urls_end_on_a_host_whose_robots_file_asks_for_patience() {
    let plans: Vec<Plan> = (0..1000).map(calm).filter(asks_for_patience).take(3).collect();
    assert_eq!(plans.len(), 3);
    plans.into_iter().for_each(|plan| drop(holds(plan)));
}
