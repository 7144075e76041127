//! Fetchers of the operator's own: what they clear, what they confirm, and that nobody waits for them for ever.

use crate::stage::{SALT, Stage, attestation, peer};
use proptest::prelude::*;
use std::time::Duration;
use sward_coordinator_core::evidence::{PastSeeds, case};
use sward_coordinator_core::input::{Input, UploadFacts};
use sward_coordinator_core::record::agent::Standing;
use sward_coordinator_core::settlement::Settlement;
use sward_coordinator_core::task::{AttemptState, Phase};
use sward_coordinator_core::trust::evidence::{Check, Excuse, Volatility, weight};
use sward_proto::batch;
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::draw::{DrawPlan, Round};
use sward_proto::ids::LeaseToken;
use sward_proto::outcome::Outcome;
use sward_proto::quorum::Layer;
use sward_proto::quorum::finding::Finding;
use sward_proto::quorum::ruling::{CONFIRMATIONS, Ruling};
use sward_proto::timestamp::Timestamp;
use sward_proto::verdict::KnownSeeds;

/// The operator's own fetcher.
const OWN: u8 = 99;
/// A round of draws, in seconds.
const ROUND: u64 = 600;

/// What each says of the page at its fetch of a number, from 0 on; `None` where it never answers.
type Says<'a> = &'a dyn Fn(u8, usize) -> Option<&'static str>;

impl Stage {
    /// Agents, with the operator's own fetcher among them.
    fn with_trusted(agents: u8) -> Self {
        let mut stage = Self::new();
        (1..=agents).for_each(|n| stage.join(n));
        stage.join_as(OWN, true);
        stage
    }

    /// A job of one page whose robots.txt is known, and which agent 1 fetches first.
    fn begin(&mut self) {
        self.submit();
        for n in [1, 2] {
            assert!(self.poll(n), "the robots.txt");
            self.seal_all(&[n], &|_, _| None);
        }
        self.open_all(&[1, 2], &|_, _| None);
        assert!(self.poll(1), "the page");
    }

    /// Lets these, in this order, do whatever is asked of them until no task is in hand. Returns the page's end.
    fn crawl(&mut self, agents: &[u8], says: Says<'_>) -> Settlement {
        for _ in 0..600 {
            for n in agents {
                self.poll(*n);
            }
            self.seal_all(agents, says);
            self.open_all(agents, says);
            self.hand_in();
            self.after(Duration::from_secs(3));
            let end = self.archived.iter().rev().find(|kept| !kept.robots);
            let mut jobs = self.coordinator.jobs();
            if let Some(end) = end
                && jobs.all(|(_, job)| job.progress.state.is_final())
            {
                return end.clone();
            }
        }
        panic!("in hand: {:?}", self.coordinator.tasks().collect::<Vec<_>>());
    }

    /// Attempts of a number, each with what its agent says of the URL.
    fn said(
        &self,
        agents: &[u8],
        says: Says<'_>,
        of: fn(&AttemptState) -> bool,
    ) -> Vec<(u8, LeaseToken, Vec<u8>)> {
        let mut all = Vec::new();
        for task in self.coordinator.tasks() {
            for n in agents {
                let own = task.attempts.iter().filter(|attempt| attempt.agent == peer(*n));
                for (count, attempt) in own.enumerate().filter(|(_, a)| of(&a.state)) {
                    let robots = task.robots.then(|| attestation(&task.url, 404, ""));
                    let page = says(*n, count).map(|body| attestation(&task.url, 200, body));
                    all.extend(robots.or(page).map(|seen| (*n, attempt.token, seen)));
                }
            }
        }
        all
    }

    fn seal_all(&mut self, agents: &[u8], says: Says<'_>) {
        for (n, token, seen) in self.said(agents, says, |s| *s == AttemptState::Leased) {
            self.commit(n, vec![token], vec![batch::leaf(SALT, &seen)]);
        }
    }

    fn open_all(&mut self, agents: &[u8], says: Says<'_>) {
        let sealed = |state: &AttemptState| matches!(state, AttemptState::Committed(_));
        for (n, token, seen) in self.said(agents, says, sealed) {
            self.reveal(n, token, seen);
        }
    }

    fn hand_in(&mut self) {
        let asked: Vec<LeaseToken> = self
            .coordinator
            .tasks()
            .filter_map(|task| match &task.phase {
                Phase::Uploading { token, .. } => Some(*token),
                Phase::Collecting
                | Phase::Revealing { .. }
                | Phase::Agreed(_)
                | Phase::Settling => None,
            })
            .collect();
        for token in asked {
            let facts = UploadFacts { links: Vec::new(), robots_body: None };
            self.handle(Input::Uploaded { token, result: Ok(facts) });
        }
    }

    fn evidence(&self, n: u8) -> i64 {
        let agent = self.coordinator.roster().get(&peer(n)).expect("enrolled");
        agent.record.evidence.sum()
    }

    /// A stranger finds the same.
    fn recomputes(&self, settlement: &Settlement) {
        let (anchor, began, round_seconds) = (self.chain.anchor(), Timestamp::ZERO, 600);
        let plan = DrawPlan { anchor, began, round_seconds };
        let mut seeds = PastSeeds::new(plan, &self.chain, Timestamp::MAX);
        let case = case(settlement, &"test".parse().expect("a name"), &mut seeds).expect("a case");
        case.check(&mut KnownSeeds::default()).expect("it holds");
    }
}

fn findings(settlement: &Settlement) -> Vec<(Finding, Option<Ruling>)> {
    let agents = settlement.results.iter().filter(|result| !result.trusted);
    agents.map(|result| (result.finding, result.ruling)).collect()
}

fn trusted(settlement: &Settlement) -> usize {
    settlement.results.iter().filter(|result| result.trusted).count()
}

const AGREED: (Finding, Option<Ruling>) = (Finding::Agreed, None);
const GUILTY: (Finding, Option<Ruling>) = (Finding::Forged, Some(Ruling::Differs));

/// Three against one: without a trusted fetch the truth is outvoted, the forgery is accepted and the honest agent is blamed.
#[test]
fn a_framed_agent_is_cleared_and_those_who_framed_it_are_found() {
    let says = |n, _| Some(if matches!(n, 1 | OWN) { "true" } else { "forged" });
    let mut alone = Stage::new();
    (1..=4).for_each(|n| alone.join(n));
    alone.begin();
    let end = alone.crawl(&[1, 2, 3, 4], &says);
    assert_eq!(findings(&end)[0], (Finding::Forged, None));
    assert!(alone.evidence(1) > 0);
    alone.recomputes(&end);

    let mut stage = Stage::with_trusted(4);
    stage.begin();
    let end = stage.crawl(&[1, 2, 3, 4, OWN], &says);
    assert_eq!(end.outcome, Outcome::Ok);
    assert_eq!(findings(&end), [AGREED, GUILTY, GUILTY, GUILTY]);
    assert_eq!(trusted(&end), CONFIRMATIONS as usize);
    assert_eq!((stage.evidence(1), stage.evidence(OWN)), (0, 0));
    let light = weight(Volatility::Noisy, Check::Replica, Excuse::Nothing);
    assert!((2..=4).all(|n| stage.evidence(n) >= light));
    stage.recomputes(&end);
    let counts = &stage.coordinator.jobs().next().expect("a job").1.progress.counts;
    assert_eq!((counts.trusted, counts.fetches), (12, 12 + 4 + 2));
}

/// A page of two variants: as soon as a trusted fetch meets the rarer one, nobody is to blame, and it is not fetched on.
#[test]
fn a_page_that_varies_costs_nobody_anything() {
    let says = |n, count| match (n, count) {
        (1, _) | (OWN, 4) => Some("rare"),
        _ => Some("common"),
    };
    let mut stage = Stage::with_trusted(4);
    stage.begin();
    let end = stage.crawl(&[1, 2, 3, 4, OWN], &says);
    let spared = (Finding::Neutral, Some(Ruling::PageAtFault));
    assert_eq!(findings(&end), [spared, AGREED, AGREED, AGREED]);
    assert_eq!((trusted(&end), stage.evidence(1)), (5, 0));
    stage.recomputes(&end);
}

/// Two agents, two answers, and nobody else: without the trusted fetch that is contested.
#[test]
fn a_tie_is_decided_by_the_trusted_fetch_or_contested() {
    for (third, outcome) in [("a", Outcome::Ok), ("c", Outcome::Disagree)] {
        let says = |n, _| {
            Some(match n {
                1 => "a",
                2 => "b",
                _ => third,
            })
        };
        let mut stage = Stage::with_trusted(2);
        stage.begin();
        let end = stage.crawl(&[1, 2, OWN], &says);
        assert_eq!(end.outcome, outcome);
        let ruled =
            if third == "a" { vec![AGREED, GUILTY] } else { vec![(Finding::Neutral, None); 2] };
        assert_eq!(findings(&end), ruled);
        stage.recomputes(&end);
    }
}

/// A fetcher that is connected and never fetches, never opens, or is gone: the vote stands, and weighs as lightly as it did.
#[test]
fn who_waits_for_a_trusted_fetch_does_not_wait_for_ever() {
    for polls in [false, true] {
        let says = |n, _| match n {
            1 => Some("forged"),
            OWN => None,
            _ => Some("true"),
        };
        let mut stage = Stage::with_trusted(4);
        stage.begin();
        let agents: &[u8] = if polls { &[1, 2, 3, 4, OWN] } else { &[1, 2, 3, 4] };
        let end = stage.crawl(agents, &says);
        assert_eq!(findings(&end), [(Finding::Forged, None), AGREED, AGREED, AGREED]);
        assert_eq!(trusted(&end), 0);
        stage.recomputes(&end);
    }
}

/// The agent that all this is about is caught elsewhere: nothing depends on more fetches.
#[test]
fn no_trusted_fetch_is_made_of_who_is_caught_meanwhile() {
    let says = |n, _| Some(if n == 1 { "forged" } else { "true" });
    let mut stage = Stage::with_trusted(4);
    stage.begin();
    let waits = |stage: &Stage| stage.coordinator.tasks().any(|task| task.wants_trusted());
    let agents = [1, 2, 3, 4];
    for _ in 0..100 {
        if waits(&stage) {
            break;
        }
        for n in agents {
            stage.poll(n);
        }
        stage.seal_all(&agents, &says);
        stage.open_all(&agents, &says);
        stage.hand_in();
        stage.after(Duration::from_secs(3));
    }
    assert!(waits(&stage), "for a trusted fetch");
    stage.catch(1);
    assert!(!waits(&stage));
    let end = stage.crawl(&[2, 3, 4], &says);
    assert_eq!((trusted(&end), findings(&end)), (0, vec![AGREED; 3]));
}

/// A page of which the draw says that a trusted fetcher fetches it too, or does not, when it is sealed as the true one;
/// and that it is not audited otherwise.
fn spotted(stage: &mut Stage, spots: bool) -> CanonicalUrl {
    let left = ROUND - stage.now.as_secs() % ROUND;
    stage.after(Duration::from_secs(left));
    let round = u32::try_from(stage.now.as_secs() / ROUND + 1).expect("a round");
    let seed = stage.chain.seed(Round(round));
    let urls = (0..).map(|n| format!("https://site.example/{n}").parse().expect("a url"));
    let mut urls = urls.filter(|url: &CanonicalUrl| {
        let leaf = batch::leaf(SALT, &attestation(url, 200, "true"));
        seed.spots(&leaf, sward_proto::draw::SPOT_CHECKED) == spots && !seed.audits(&leaf, 200_000)
    });
    urls.next().expect("a url")
}

/// Two agents that have proved themselves.
fn proved() -> Stage {
    let mut stage = Stage::with_trusted(2);
    let first: Vec<String> = (0..20).map(|n| format!("https://site.example/first/{n}")).collect();
    stage.submit_job("proof", &first.iter().map(String::as_str).collect::<Vec<_>>(), "full");
    stage.crawl(&[1, 2], &|_, _| Some("true"));
    stage
}

impl Stage {
    /// A job of one page in which the word of who has proved itself is enough.
    fn fetch_alone(&mut self, url: &str, agents: &[u8], says: Says<'_>) -> Settlement {
        self.archived.clear();
        self.submit_job(&format!("job-{}", self.now.as_secs()), &[url], "audited");
        self.crawl(agents, says)
    }
}

#[test]
fn a_spot_check_is_drawn_by_the_seed_and_made_at_once() {
    for spots in [false, true] {
        let mut stage = proved();
        let (url, began) = (spotted(&mut stage, spots), stage.now);
        let end = stage.fetch_alone(url.as_str(), &[1, OWN], &|_, _| Some("true"));
        assert_eq!(end.url, url);
        let spot = end.spot.expect("a trusted fetcher is connected");
        assert_eq!((spot.drawn, trusted(&end)), (spots, usize::from(spots)));
        assert_eq!(end.layer, Some(if spots { Layer::Identical } else { Layer::Single }));
        assert!(end.settled_at.since(began) < Duration::from_secs(60));
        stage.recomputes(&end);
        let mut hidden = end.clone();
        hidden.spot = Some(sward_proto::draw::AuditDraw { drawn: !spots, ..spot });
        let (anchor, began, round_seconds) = (stage.chain.anchor(), Timestamp::ZERO, 600);
        let plan = DrawPlan { anchor, began, round_seconds };
        let mut seeds = PastSeeds::new(plan, &stage.chain, Timestamp::MAX);
        let case = case(&hidden, &"test".parse().expect("a name"), &mut seeds).expect("a case");
        assert!(case.check(&mut KnownSeeds::default()).is_err(), "another draw than the seed's");
    }
}

#[test]
fn a_spot_check_that_nobody_makes_is_no_hindrance() {
    let mut stage = proved();
    let url = spotted(&mut stage, true);
    let end = stage.fetch_alone(url.as_str(), &[1], &|_, _| Some("true"));
    assert_eq!((end.layer, trusted(&end)), (Some(Layer::Single), 0));
    assert!(end.spot.expect("it was drawn").drawn);
    stage.recomputes(&end);
}

/// Two strikes at the same time as a trusted fetch weigh more than two found by replicas.
#[test]
fn a_forger_is_found_by_a_spot_check() {
    let mut stage = proved();
    let url = spotted(&mut stage, true);
    stage.join(3);
    // Agent 1 seals first, so that the draw is of its leaf: it claims what the others do not see.
    let says = |n, _| Some(if n == 1 { "true" } else { "another" });
    let end = stage.fetch_alone(url.as_str(), &[1, OWN, 2, 3], &says);
    assert_eq!(end.results[0].agent, peer(1));
    assert_eq!(findings(&end)[0], GUILTY);
    let full = weight(Volatility::Noisy, Check::Concurrent, Excuse::Nothing);
    assert_eq!(stage.evidence(1), full);
    stage.recomputes(&end);
}

/// On retrial an agent's pages are fetched again by trusted fetchers: no accomplice can back it.
#[test]
fn the_audits_of_an_agent_on_retrial_are_trusted_fetches() {
    let mut stage = proved();
    stage.after(Duration::from_secs(70));
    let says = |n, _| Some(if n == 1 { "forged" } else { "true" });
    (3..=4).for_each(|n| stage.join(n));
    let url = "https://site.example/strike";
    stage.submit_job("strike", &[url], "full");
    let strike = stage.crawl(&[1, 2, 3, 4, OWN], &says);
    assert!(strike.results.iter().any(|r| r.agent == peer(1) && r.finding == Finding::Forged));
    let url = "https://site.example/retrial";
    let end = stage.fetch_alone(url, &[1, OWN], &|_, _| Some("true"));
    assert_eq!((end.results.len(), trusted(&end)), (2, 1));
    assert!(end.audit.expect("an audit").drawn);
    stage.recomputes(&end);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Whatever agents say, and however the trusted fetcher behaves, each task ends, a stranger finds the same, and
    /// the operator's own fetcher is never judged.
    #[test]
    fn every_task_ends(
        said in proptest::collection::vec(0usize..3, 6),
        own in proptest::collection::vec(proptest::option::weighted(0.8, 0usize..3), 20),
        present: bool,
    ) {
        let bodies = ["a", "b", "c"];
        let says = |n: u8, count: usize| match n {
            OWN => own.get(count).copied().flatten().map(|body| bodies[body]),
            n => said.get(usize::from(n) - 1).map(|body| bodies[*body]),
        };
        let mut stage = Stage::with_trusted(6);
        stage.begin();
        let agents: Vec<u8> = (1..=6).chain(present.then_some(OWN)).collect();
        let end = stage.crawl(&agents, &says);
        stage.recomputes(&end);
        let record = &stage.coordinator.roster().get(&peer(OWN)).expect("enrolled").record;
        prop_assert_eq!((record.standing.clone(), record.evidence.sum()), (Standing::Good, 0));
        for result in &end.results {
            let backed = end.results.iter().any(|other| {
                other.trusted && other.finding == Finding::Agreed
            });
            // Only where trusted fetches that met the page ran out may a vote stand alone.
            let enough = trusted(&end) >= CONFIRMATIONS as usize;
            let blamed = matches!(result.finding, Finding::Forged | Finding::Disputed);
            let ruled = result.ruling == Some(Ruling::Differs);
            prop_assert!(!(backed && enough && blamed) || ruled, "{:?}", findings(&end));
        }
        prop_assert!(trusted(&end) <= CONFIRMATIONS as usize + 4);
    }
}
