//! Pages that differ by region, and agents of one autonomous system: who is asked, and what comes of it.

use crate::stage::{SALT, Stage, address, attestation, peer};
use std::time::Duration;
use sward_coordinator_core::group::{Asn, Whereabouts};
use sward_coordinator_core::input::{Input, UploadFacts};
use sward_coordinator_core::settlement::Settlement;
use sward_coordinator_core::task::{Attempt, Phase};
use sward_proto::batch;
use sward_proto::draw::PassedOver;
use sward_proto::ids::LeaseToken;
use sward_proto::outcome::Outcome;
use sward_proto::quorum::finding::Finding;
use sward_proto::quorum::voice::Voice;

const HOUR: Duration = Duration::from_secs(3600);

fn place(asn: u32, region: &str) -> Whereabouts {
    Whereabouts { asn: Some(Asn(asn)), region: Some(region.parse().expect("a region")) }
}

fn attested(body: &str) -> Vec<u8> {
    attestation(&"https://site.example/robots.txt".parse().expect("a url"), 200, body)
}

impl Stage {
    /// Agents that each joined in an hour of their own, from these places.
    fn of_places(places: &[(u32, &str)]) -> Self {
        let mut stage = Self::new();
        for (n, (asn, region)) in (1..).zip(places) {
            stage.join_from(n, address(n), place(*asn, region));
            stage.after(HOUR);
        }
        stage.submit();
        stage
    }

    /// Agents are given the page in this order, seal it, and open it once they are asked to.
    fn see(&mut self, seen: &[(u8, &str)]) {
        for (n, body) in seen {
            assert!(self.poll(*n), "agent {n} is given the page");
            self.seal_as(*n, batch::leaf(SALT, &attested(body)));
        }
        for (n, body) in seen {
            let token = *self.tokens(*n).last().expect("a lease");
            self.reveal(*n, token, attested(body));
        }
    }

    fn asked_for_capture(&self) -> Option<LeaseToken> {
        self.coordinator.tasks().find_map(|task| match &task.phase {
            Phase::Uploading { token, .. } => Some(*token),
            Phase::Collecting | Phase::Revealing { .. } | Phase::Agreed(_) | Phase::Settling => {
                None
            }
        })
    }

    fn capture(&mut self, body: &str) -> Settlement {
        let token = self.asked_for_capture().expect("a verdict");
        let robots_body = Some(body.as_bytes().to_vec());
        let facts = UploadFacts { links: Vec::new(), robots_body };
        self.handle(Input::Uploaded { token, result: Ok(facts) });
        self.archived.last().expect("a settlement").clone()
    }

    fn findings(&self, settlement: &Settlement) -> Vec<(u8, Finding)> {
        let number = |agent| (1..100).find(|n| peer(*n) == agent).expect("an agent");
        settlement.results.iter().map(|result| (number(result.agent), result.finding)).collect()
    }
}

#[test]
fn another_autonomous_system_is_preferred() {
    let mut stage = Stage::of_places(&[(1, "SE"), (1, "SE"), (2, "SE")]);
    assert!(stage.poll(1));
    stage.seal(1);
    assert!(!stage.poll(2), "one of another system may come");
    assert!(stage.poll(3));
    let attempts = stage.attempts();
    let [_, second] = &attempts[..] else { panic!("{attempts:#?}") };
    assert!(!second.draw.widened && second.agent == peer(3));
    for (who, why) in &second.draw.passed {
        let reason = if *who == peer(2) { PassedOver::SameAsn } else { PassedOver::Tied };
        assert_eq!(*why, reason);
    }
    let seed = stage.chain.seed(second.draw.round);
    assert_eq!(second.draw.check(&seed, &peer(3)), Ok(()));
}

#[test]
fn one_autonomous_system_is_enough_after_a_while_and_where_there_is_no_other() {
    let mut stage = Stage::of_places(&[(1, "SE"), (1, "SE"), (2, "SE")]);
    assert!(stage.poll(1));
    stage.seal(1);
    assert!(!stage.poll(2));
    stage.after(Duration::from_secs(50));
    assert!(stage.attempts().iter().any(|a| a.agent == peer(2) && a.draw.widened));
    let mut stage = Stage::of_places(&[(1, "SE"), (1, "SE")]);
    assert!(stage.poll(1));
    stage.seal(1);
    assert!(stage.poll(2), "nobody else is there");
    assert!(stage.attempts().iter().any(|attempt| attempt.draw.widened));
}

/// Two regions see two pages: each is heard twice, the one that more saw is the page, the other its variant.
#[test]
fn what_a_region_agrees_on_is_its_variant() {
    let places = [(1, "SE"), (2, "JP"), (3, "SE"), (4, "JP"), (5, "BR"), (6, "BR")];
    let mut stage = Stage::of_places(&places);
    stage.see(&[(1, "main"), (2, "other")]);
    assert!(!stage.poll(5), "Sweden is to be heard once more");
    stage.see(&[(3, "main")]);
    stage.see(&[(4, "other")]);
    // The fifth waits for work since, or is to ask again.
    for n in [5, 6] {
        if stage.tokens(n).is_empty() {
            assert!(stage.poll(n), "anybody will do");
        }
        stage.seal_as(n, batch::leaf(SALT, &attested("main")));
        let token = *stage.tokens(n).last().expect("a lease");
        stage.reveal(n, token, attested("main"));
    }
    let settlement = stage.capture("main");
    assert_eq!(settlement.outcome, Outcome::Ok);
    let (agreed, variant) = (Finding::Agreed, Finding::Variant);
    assert_eq!(
        stage.findings(&settlement),
        [(1, agreed), (2, variant), (3, agreed), (4, variant), (5, agreed), (6, agreed)]
    );
    assert!(settlement.results.iter().all(|result| result.credit.tasks == 1));
    let [variant] = &settlement.variants[..] else { panic!("{:?}", settlement.variants) };
    assert_eq!(variant.region.to_string(), "JP");
    assert_eq!(variant.page.payload, sward_proto::digest::Digest::of(b"other"));
}

/// Where nobody differs, a verdict says nothing of where anybody is.
#[test]
fn places_are_left_out_of_what_all_agree_on() {
    let mut stage = Stage::of_places(&[(1, "SE"), (2, "JP")]);
    stage.see(&[(1, "main"), (2, "main")]);
    let settlement = stage.capture("main");
    let voices: Vec<Voice> =
        settlement.results.iter().flat_map(|result| &result.origin).map(|o| o.voice).collect();
    assert_eq!(voices, [Voice::new(0, 0), Voice::new(1, 1)]);
    let mut stage = Stage::of_places(&[(1, "SE"), (2, "JP"), (3, "SE"), (4, "BR")]);
    stage.see(&[(1, "main"), (2, "other")]);
    stage.see(&[(3, "main")]);
    stage.see(&[(4, "main")]);
    let settlement = stage.capture("main");
    let regions = settlement.results.iter().flat_map(|result| &result.origin);
    let regions: Vec<_> = regions.map(|origin| origin.voice.region).collect();
    assert_eq!(regions, [Some(0), Some(1), Some(0), Some(2)]);
}

/// The one agent of the region that is to be heard once more does not ask for work.
#[test]
fn the_circle_is_widened_where_a_region_does_not_come() {
    let mut stage = Stage::of_places(&[(1, "SE"), (2, "JP"), (3, "SE"), (4, "BR")]);
    stage.see(&[(1, "main"), (2, "other")]);
    assert!(!stage.poll(4), "another of Sweden may come");
    stage.after(Duration::from_secs(59));
    if stage.tokens(4).is_empty() {
        assert!(stage.poll(4));
    }
    let of_fourth = |attempt: &&Attempt| attempt.agent == peer(4);
    let attempts = stage.attempts();
    assert!(attempts.iter().find(of_fourth).is_some_and(|attempt| attempt.draw.widened));
}

/// Of a region with one agent nothing can be learnt: nobody is waited for, and nobody blamed.
#[test]
fn who_is_alone_in_its_region_is_not_blamed() {
    let places = [(1, "SE"), (2, "JP"), (3, "SE"), (4, "BR"), (5, "BR")];
    let mut stage = Stage::of_places(&places);
    stage.see(&[(1, "main"), (2, "other")]);
    stage.see(&[(3, "main")]);
    stage.see(&[(4, "main")]);
    let settlement = stage.capture("main");
    let found = stage.findings(&settlement);
    assert!(found.contains(&(2, Finding::Regional)), "{found:?}");
    assert_eq!((settlement.variants.len(), settlement.results[1].credit.tasks), (0, 0));
}

/// The same, but a second agent of the region is there, and saw what all the others did.
#[test]
fn a_lie_is_found_out_by_who_is_in_the_same_region() {
    let places = [(1, "SE"), (2, "JP"), (3, "SE"), (4, "JP")];
    let mut stage = Stage::of_places(&places);
    stage.see(&[(1, "main"), (2, "made up")]);
    stage.see(&[(3, "main")]);
    stage.see(&[(4, "main")]);
    let settlement = stage.capture("main");
    let found = stage.findings(&settlement);
    assert!(found.contains(&(2, Finding::Forged)), "{found:?}");
}

/// A page was agreed on but for one region, which was to be heard once more and left: it is decided without it.
#[test]
fn a_region_that_leaves_keeps_no_page_waiting() {
    let places = [(1, "SE"), (2, "BR"), (3, "JP"), (4, "SE"), (5, "JP")];
    let mut stage = Stage::of_places(&places);
    stage.handle(Input::Disconnected { agent: peer(5) });
    stage.see(&[(1, "main"), (3, "other")]);
    stage.see(&[(4, "main")]);
    stage.handle(Input::Connected { agent: peer(5), ip: address(5), whereabouts: place(5, "JP") });
    stage.see(&[(2, "main")]);
    assert_eq!(stage.asked_for_capture(), None, "Japan is heard once more");
    stage.handle(Input::Disconnected { agent: peer(5) });
    for _ in 0..3 {
        stage.after(Duration::from_secs(601));
    }
    let settlement = stage.capture("main");
    assert_eq!(settlement.outcome, Outcome::Ok);
    assert!(stage.findings(&settlement).contains(&(3, Finding::Regional)));
}
