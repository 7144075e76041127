//! More keys at one place are given no more work.

use crate::stage::{SALT, Stage, address, attestation};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;
use sward_coordinator_core::group::Whereabouts;
use sward_coordinator_core::task::AttemptState;
use sward_proto::batch;
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::ids::LeaseToken;

const ALONE: [u8; 3] = [1, 2, 3];
const FARM: [u8; 8] = [11, 12, 13, 14, 15, 16, 17, 18];

/// Where they dial from: all of the farm behind one /24.
fn home(n: u8) -> IpAddr {
    if FARM.contains(&n) { Ipv4Addr::new(198, 51, 100, n).into() } else { address(n) }
}

#[test]
fn eight_keys_behind_one_prefix_get_no_more_than_one_agent() {
    let mut stage = Stage::new();
    let everybody = || FARM.into_iter().chain(ALONE);
    everybody().for_each(|n| stage.join_from(n, home(n), Whereabouts::default()));
    stage.capacity = 1;
    let seeds: Vec<String> = (0..90).map(|n| format!("https://site-{n}.example/")).collect();
    stage.submit_seeds(&seeds.iter().map(String::as_str).collect::<Vec<_>>());
    for _ in 0..120 {
        for n in everybody() {
            stage.poll(n);
        }
        for n in everybody() {
            let leased = stage.held(n, |state| *state == AttemptState::Leased);
            let leaf = |(_, url): &(LeaseToken, CanonicalUrl)| batch::leaf(SALT, &seen(url));
            let leaves = leased.iter().map(leaf).collect();
            stage.commit_at_once(n, leased.into_iter().map(|(token, _)| token).collect(), leaves);
        }
        for n in everybody() {
            let sealed = |state: &AttemptState| matches!(state, AttemptState::Committed { .. });
            for (token, url) in stage.held(n, sealed) {
                stage.reveal(n, token, seen(&url));
            }
        }
        stage.after(Duration::from_secs(10));
    }
    let fetched = |n: u8| stage.record(n).fetched;
    let (mut alone, farm) = (ALONE.map(fetched), FARM.map(fetched).iter().sum::<u64>());
    alone.sort_unstable();
    assert_eq!(alone.iter().sum::<u64>() + farm, 360, "two results of each page and robots.txt");
    assert!(farm <= alone[1] + 2, "the farm was given {farm}, the others {alone:?}");
}

/// No page at all, so that nothing has to be handed in.
fn seen(url: &CanonicalUrl) -> Vec<u8> {
    attestation(url, 404, "not here")
}
