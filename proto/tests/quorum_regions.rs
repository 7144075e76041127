//! What is made of answers that differ by region: a variant needs two independent groups of the region, with nobody of it
//! against them; and without labels of regions everything is decided as ever.

use proptest::prelude::*;
use std::net::Ipv4Addr;
use sward_proto::attestation::{Attestation, Observation, REQUEST_PROFILE, Response};
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::compare::block::BlockList;
use sward_proto::compare::print::LayerVersions;
use sward_proto::compare::stable::StableBlocks;
use sward_proto::digest::Digest;
use sward_proto::quorum::voice::Voice;
use sward_proto::quorum::{Agreed, Decision, Layer, Rules, Variant, Vote, decide, wanted_region};
use sward_proto::timestamp::Timestamp;

/// By whom a page was seen, where, and which.
#[derive(Debug, Clone, Copy)]
struct Seen {
    group: u16,
    asn: Option<u16>,
    region: Option<u16>,
    page: char,
}

const DE: u16 = 0;
const US: u16 = 1;
const JP: u16 = 2;

/// `group` from a system of its own.
const fn seen(group: u16, region: u16, page: char) -> Seen {
    Seen { group, asn: Some(group), region: Some(region), page }
}

/// What was seen: `!` is a 404, any other letter a page.
fn attest(page: char) -> Attestation {
    let url: CanonicalUrl = "http://a.example/".parse().expect("a url");
    let response = Response {
        final_url: url.clone(),
        hops: Vec::new(),
        status: if page == '!' { 404 } else { 200 },
        header_names: Vec::new(),
        media_type: "text/plain".into(),
        raw: Digest::of(page.to_string().as_bytes()),
        raw_bytes: 1,
        canonical: None,
        links: Digest::ZERO,
        link_count: 0,
        wire_bytes: 1,
        peer_ip: Ipv4Addr::LOCALHOST.into(),
        certificate: None,
        redirect_target: None,
        retry_after_s: None,
        versions: LayerVersions::CURRENT,
        page: None,
        neutral: None,
    };
    Attestation {
        profile: REQUEST_PROFILE,
        url,
        fetched_at: Timestamp::ZERO,
        elapsed_ms: 1,
        developer: false,
        observation: Observation::Response(Box::new(response)),
    }
}

fn weigh(all: &[Seen]) -> (Decision, Option<usize>) {
    let (blocks, stable) = (BlockList::default(), StableBlocks::unknown());
    let attested: Vec<Attestation> = all.iter().map(|seen| attest(seen.page)).collect();
    let vote = |(seen, attestation): (&Seen, _)| {
        let voice =
            Voice { asn: seen.asn, region: seen.region, ..Voice::new(seen.group, seen.group) };
        Vote { voice, attestation, blocks: &blocks, at: Timestamp::ZERO }
    };
    let votes: Vec<Vote<'_>> = all.iter().zip(&attested).map(vote).collect();
    let rules = Rules::default();
    (decide(&votes, rules, &stable), wanted_region(&votes, rules, &stable))
}

fn agreed(all: &[Seen]) -> Agreed {
    let (decision, _) = weigh(all);
    let Decision::Agreed(agreed) = decision else { panic!("{decision:?}") };
    agreed
}

const MAIN: [Seen; 4] = [seen(0, DE, 'a'), seen(1, DE, 'a'), seen(2, JP, 'a'), seen(3, JP, 'a')];

fn beside_main(more: &[Seen]) -> Vec<Seen> {
    [&MAIN, more].concat()
}

#[test]
fn two_groups_of_a_region_have_a_variant_and_no_blame() {
    let all = beside_main(&[seen(4, US, 'b'), seen(5, US, 'b')]);
    let found = agreed(&all);
    let variant = Variant { region: US, members: vec![4, 5], layer: Layer::Identical };
    assert_eq!((found.members, found.variants), (vec![0, 1, 2, 3], vec![variant]));
    assert_eq!((found.contradicted, found.regional), (vec![], vec![]));
}

#[test]
fn one_alone_in_its_region_is_not_blamed_and_another_of_it_is_asked() {
    let lone = beside_main(&[seen(4, US, 'b')]);
    let found = agreed(&lone);
    assert_eq!((found.contradicted, found.regional), (vec![], vec![4]));
    assert_eq!(weigh(&lone).1, Some(4));
    // The second of it saw what all others saw: the first made it up.
    let found = agreed(&beside_main(&[seen(4, US, 'b'), seen(5, US, 'a')]));
    assert_eq!((found.contradicted, found.regional), (vec![4], vec![]));
}

#[test]
fn one_hand_is_no_variant() {
    let one = seen(4, US, 'b');
    for second in [Seen { asn: Some(5), ..one }, Seen { group: 5, ..one }] {
        let found = agreed(&beside_main(&[one, second]));
        assert_eq!((found.variants, found.regional), (vec![], vec![4, 5]), "{second:?}");
    }
    let unknown = |group| Seen { asn: None, ..seen(group, US, 'b') };
    assert_eq!(agreed(&beside_main(&[unknown(4), unknown(5)])).variants.len(), 1);
}

#[test]
fn a_region_that_does_not_agree_has_no_variant_and_no_blame() {
    let split = [seen(4, US, 'b'), seen(5, US, 'c')];
    let found = agreed(&beside_main(&split));
    assert_eq!((found.variants, found.regional), (vec![], vec![4, 5]));
    assert_eq!(weigh(&beside_main(&split)).1, None);
}

#[test]
fn a_refusal_for_one_region_is_no_variant() {
    let found = agreed(&beside_main(&[seen(4, US, '!'), seen(5, US, '!')]));
    assert_eq!((found.variants, found.regional, found.contradicted), (vec![], vec![], vec![]));
}

#[test]
fn each_region_is_heard_twice_before_others_are() {
    let two = [seen(0, DE, 'a'), seen(1, US, 'b')];
    assert_eq!(weigh(&two), (Decision::More, Some(0)));
    let three = [two[0], two[1], seen(2, DE, 'a')];
    assert_eq!(weigh(&three), (Decision::More, Some(1)));
    let four = [three[0], three[1], three[2], seen(3, US, 'b')];
    assert_eq!(weigh(&four), (Decision::More, None));
    assert_eq!(weigh(&[two[0], seen(1, DE, 'b')]), (Decision::More, None));
}

#[test]
fn where_no_answer_leads_the_regions_are_put_aside() {
    let (a, b) = (|n| seen(n, DE, 'a'), |n| seen(n, US, 'b'));
    let six = [a(0), b(1), a(2), b(3), a(4), b(5)];
    assert_eq!(weigh(&six).0, Decision::More);
    let seven = [&six[..], &[a(6)]].concat();
    let found = agreed(&seven);
    assert_eq!((found.members, found.contradicted), (vec![0, 2, 4, 6], vec![]));
    assert_eq!(found.variants.iter().map(|v| v.members.clone()).collect::<Vec<_>>(), [[1, 3, 5]]);
    // Equal numbers, or a region that contradicts itself: nobody can tell.
    let failing = [&six[..], &[seen(6, JP, 'c')]].concat();
    assert_eq!(weigh(&failing).0, Decision::Contested);
    let split = [&six[..], &[seen(6, US, 'a')]].concat();
    assert_eq!(weigh(&split).0, Decision::Contested);
    let unplaced: Vec<Seen> = seven.iter().map(|seen| Seen { region: None, ..*seen }).collect();
    assert_eq!(weigh(&unplaced).0, Decision::Contested);
}

fn votes() -> impl Strategy<Value = Vec<Seen>> {
    let asn = proptest::option::of(0u16..5);
    let region = proptest::option::weighted(0.8, 0u16..3);
    let page = proptest::sample::select(vec!['a', 'a', 'a', 'b', 'b', 'c', '!']);
    let one = (0u16..9, asn, region, page);
    let one = one.prop_map(|(group, asn, region, page)| Seen { group, asn, region, page });
    proptest::collection::vec(one, 0..9)
}

/// How many groups these make, plainly: who shares a group or a system is one.
fn hands(all: &[Seen]) -> usize {
    let mut hands: Vec<Vec<Seen>> = Vec::new();
    for seen in all {
        let ties = |other: &Seen| {
            other.group == seen.group || (other.asn.is_some() && other.asn == seen.asn)
        };
        let (tied, mut rest): (Vec<_>, Vec<_>) =
            hands.into_iter().partition(|hand| hand.iter().any(ties));
        rest.push(tied.into_iter().flatten().chain([*seen]).collect());
        hands = rest;
    }
    hands.len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_variant_has_two_hands_and_nobody_of_its_region_against_it(all in votes()) {
        if let (Decision::Agreed(Agreed { members, variants, .. }), _) = weigh(&all) {
            for Variant { region, members: own, .. } in variants {
                let own: Vec<Seen> = own.iter().map(|n| all[*n]).collect();
                prop_assert!(hands(&own) >= 2);
                prop_assert!(own.iter().all(|seen| seen.page == own[0].page && seen.page != '!'));
                let of_region = all.iter().filter(|seen| seen.region == Some(region));
                prop_assert_eq!(of_region.count(), own.len());
                prop_assert!(members.iter().all(|n| all[*n].page != own[0].page));
            }
        }
    }

    /// Labels add variants and take blame away; where an answer leads without them, it is the same answer with them.
    #[test]
    fn labels_never_change_which_answer_leads(all in votes()) {
        let plain: Vec<Seen> =
            all.iter().map(|seen| Seen { asn: None, region: None, ..*seen }).collect();
        let (with, (without, wanted)) = (weigh(&all).0, weigh(&plain));
        prop_assert_eq!(wanted, None);
        match (with, without) {
            (Decision::Agreed(with), Decision::Agreed(without)) => {
                prop_assert!(without.variants.is_empty() && without.regional.is_empty());
                prop_assert!(with.contradicted.iter().all(|n| without.contradicted.contains(n)));
                let spared = without.contradicted.iter().filter(|n| !with.contradicted.contains(n));
                for spared in spared {
                    let region = all[*spared].region;
                    prop_assert!(region.is_some());
                    prop_assert!(with.members.iter().all(|n| all[*n].region != region));
                }
                prop_assert_eq!((with.members, with.layer), (without.members, without.layer));
            }
            (Decision::Agreed(with), without) => {
                prop_assert_eq!(without, Decision::Contested);
                prop_assert!(!with.variants.is_empty() && all.len() >= Rules::default().most);
            }
            (with, without) => prop_assert_eq!(with, without),
        }
    }
}
