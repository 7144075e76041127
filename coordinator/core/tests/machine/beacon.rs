//! Pages of the coordinator's own: who hands in what another was shown is caught, and nobody else.

use crate::stage::{SALT, Stage, address, attestation, peer};
use std::net::IpAddr;
use std::num::NonZeroU32;
use sward_coordinator_core::beacon::Beacon;
use sward_coordinator_core::group::Whereabouts;
use sward_coordinator_core::input::Input;
use sward_coordinator_core::record::agent::Standing;
use sward_coordinator_core::task::AttemptState;
use sward_proto::batch;
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::ids::LeaseToken;
use sward_proto::outcome::Outcome;
use sward_proto::quorum::finding::Finding;
use sward_proto::wire::lease::Lease;

/// A site of which a page follows one lease in `every`.
fn site(every: u32) -> Beacon {
    let url: CanonicalUrl = "http://pages.example.net/".parse().expect("a url");
    let every = NonZeroU32::new(every).expect("not zero");
    Beacon { key: [9; 32], origins: vec![url.origin()], every }
}

/// Agents, and a job whose seeds are pages of the site.
fn stage(agents: u8, pages: u64) -> Stage {
    let beacon = site(u32::MAX);
    let urls: Vec<CanonicalUrl> = (0..pages).filter_map(|n| beacon.url(n)).collect();
    let mut stage = Stage::with_beacon(Some(beacon));
    (1..=agents).for_each(|n| stage.join(n));
    stage.submit_seeds(&urls.iter().map(CanonicalUrl::as_str).collect::<Vec<_>>());
    stage
}

/// Who fetches from where.
type Visits<'a> = &'a [(u8, IpAddr)];

impl Stage {
    /// These agents do all there is to do; each hands in what is shown to its address.
    fn work(&mut self, visits: Visits<'_>) {
        for _ in 0..20 {
            for (n, from) in visits {
                self.poll(*n);
                let leased = self.held(*n, |state| *state == AttemptState::Leased);
                let leaf =
                    |(_, url): &(LeaseToken, CanonicalUrl)| batch::leaf(SALT, &seen(url, *from));
                let leaves = leased.iter().map(leaf).collect();
                self.commit(*n, leased.into_iter().map(|(token, _)| token).collect(), leaves);
            }
            for (n, from) in visits {
                let sealed = |state: &AttemptState| matches!(state, AttemptState::Committed { .. });
                for (token, url) in self.held(*n, sealed) {
                    self.reveal(*n, token, seen(&url, *from));
                }
            }
        }
    }
}

/// No robots.txt; else the page as it is shown there.
fn seen(url: &CanonicalUrl, from: IpAddr) -> Vec<u8> {
    match url.path_and_query() {
        "/robots.txt" => attestation(url, 404, "not here"),
        _ => attestation(url, 200, &site(1).page(url, from)),
    }
}

#[test]
fn who_hands_in_what_another_was_shown_is_caught_at_the_second_page() {
    for (pages, is_caught) in [(1, false), (2, true)] {
        let mut stage = stage(3, pages);
        stage.work(&[(2, address(2)), (3, address(1))]);
        let reason = match &stage.record(3).standing {
            Standing::Convicted { reason, .. } => Some(reason.as_str()),
            Standing::Good => None,
        };
        assert_eq!(reason, is_caught.then_some("copied"));
        assert_eq!(u64::from(stage.record(3).copied), pages);
        for n in [1, 2] {
            assert_eq!(stage.record(n).standing, Standing::Good);
        }
        // No page of a corpus; and paid as one.
        let beacons: Vec<_> =
            stage.archived.iter().filter(|kept| kept.outcome == Outcome::Beacon).collect();
        assert_eq!(beacons.len() as u64, pages);
        assert_eq!(beacons.len(), stage.archived.len(), "no robots.txt names the site");
        for kept in beacons {
            assert_eq!(kept.page, None);
            for result in &kept.results {
                let copied = result.agent == peer(3);
                assert_eq!(result.finding, if copied { Finding::Copied } else { Finding::Agreed });
                assert_eq!(result.credit.credit, if copied { 0 } else { 1000 });
            }
        }
    }
}

/// An address of its own, one in its own network, one that nobody has, and one that it had before.
#[test]
fn whoever_fetches_from_another_address_is_not_blamed() {
    let elsewhere: IpAddr = [198, 51, 100, 1].into();
    let neighbour: IpAddr = [192, 0, 3, 77].into();
    for from in [address(3), neighbour, elsewhere] {
        let mut stage = stage(3, 3);
        stage.work(&[(2, address(2)), (3, from)]);
        assert_eq!((stage.record(3).copied, stage.record(3).agreed), (0, 3), "from {from}");
    }
    let mut stage = stage(3, 3);
    // Agent 3 moves to the network of agent 1 and back, as a telephone does.
    for ip in [[192, 0, 1, 9].into(), address(3)] {
        stage.handle(Input::Disconnected { agent: peer(3) });
        stage.handle(Input::Connected { agent: peer(3), ip, whereabouts: Whereabouts::default() });
    }
    stage.work(&[(2, address(2)), (3, address(1))]);
    assert_eq!((stage.record(3).copied, stage.record(3).agreed), (0, 3));
}

/// But for its URL and its token; a run of several lives longer, so that each gets one at a time.
#[test]
fn a_lease_does_not_say_that_its_page_is_the_coordinators_own() {
    let mut stage = Stage::with_beacon(Some(site(1)));
    stage.capacity = 1;
    (1..=2).for_each(|n| stage.join(n));
    stage.submit_seeds(&["http://site.example/page"]);
    stage.work(&[(1, address(1)), (2, address(2))]);
    let pages = stage.leases.iter().filter(|lease| lease.url.path_and_query() != "/robots.txt");
    let (own, others): (Vec<&Lease>, Vec<&Lease>) =
        pages.partition(|lease| site(1).has(&lease.url));
    let other = *others.first().expect("a page");
    assert!(own.len() > 1);
    for lease in own {
        let (token, url) = (other.token, other.url.clone());
        assert_eq!(&Lease { token, url, ..lease.clone() }, other);
    }
}
