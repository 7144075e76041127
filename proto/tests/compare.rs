//! What must hold of comparisons whatever two agents hand in.

use proptest::prelude::*;
use std::net::Ipv4Addr;
use sward_proto::attestation::{Attestation, Observation, REQUEST_PROFILE, Response};
use sward_proto::compare::block::{Block, BlockList};
use sward_proto::compare::limits::{Limits, STABLE_WINDOW};
use sward_proto::compare::print::{LayerVersions, Neutral, PagePrint};
use sward_proto::compare::sketch::Sketch;
use sward_proto::compare::stable::StableBlocks;
use sward_proto::compare::{Comparison, Content, Copy, Incomparable, Verdict, compare};
use sward_proto::digest::Digest;
use sward_proto::timestamp::Timestamp;

/// A copy and what it is made from.
#[derive(Debug, Clone)]
struct Seen {
    attestation: Attestation,
    blocks: BlockList,
}

impl Seen {
    fn copy(&self) -> Copy<'_> {
        let (attestation, blocks) = (&self.attestation, &self.blocks);
        Copy { attestation, blocks, at: attestation.fetched_at }
    }

    fn response(&mut self) -> &mut Response {
        match &mut self.attestation.observation {
            Observation::Response(response) => response,
            Observation::Failure { .. } => panic!("a failure"),
        }
    }
}

fn list(blocks: &[u8]) -> BlockList {
    BlockList::new(blocks.iter().map(|n| Block([*n; 8])).collect()).expect("short")
}

/// A page of these blocks; `load` is what changes with each load and is left out of all but the body.
fn page(blocks: &[u8], load: u8, active: u8) -> Seen {
    let list = list(blocks);
    let mut words = [0; 128];
    for (bin, block) in words.iter_mut().zip(blocks.iter().cycle()) {
        *bin = u16::from(*block) + 1;
    }
    let print = PagePrint {
        blocks: list.digest(),
        block_count: u16::try_from(blocks.len()).expect("short"),
        sketch: Sketch { words, text_chars: 100, ..Sketch::default() },
        active: Digest::of(&[active]),
    };
    let response = Response {
        final_url: "https://a.example/x".parse().expect("a url"),
        hops: Vec::new(),
        status: 200,
        header_names: vec!["content-type".into(), "x-cache".into()],
        media_type: "text/html".into(),
        raw: Digest::of(&[blocks, &[load, active]].concat()),
        raw_bytes: 100,
        canonical: Some(Digest::of(blocks)),
        links: Digest::ZERO,
        link_count: 0,
        wire_bytes: 100,
        peer_ip: Ipv4Addr::LOCALHOST.into(),
        certificate: None,
        redirect_target: None,
        retry_after_s: None,
        versions: LayerVersions::CURRENT,
        page: Some(Box::new(print)),
        neutral: None,
    };
    let attestation = Attestation {
        profile: REQUEST_PROFILE,
        url: "https://a.example/".parse().expect("a url"),
        fetched_at: Timestamp::from_millis(1_000_000),
        elapsed_ms: 1,
        developer: false,
        observation: Observation::Response(Box::new(response)),
    };
    Seen { attestation, blocks: list }
}

fn held(a: &Seen, b: &Seen, stable: &StableBlocks) -> Comparison {
    compare(a.copy(), b.copy(), stable, &Limits::default())
}

fn verdict(a: &Seen, b: &Seen) -> Verdict {
    held(a, b, &StableBlocks::unknown()).verdict
}

fn any_page() -> impl Strategy<Value = Seen> {
    let blocks = prop::collection::vec(0u8..40, 0..30);
    let rest = (0u8..3, 0u8..2, 0u16..12, 0u64..2_000_000, 0u16..4);
    (blocks, rest).prop_map(|(blocks, (load, active, kind, at, status))| {
        let mut seen = page(&blocks, load, active);
        seen.attestation.fetched_at = Timestamp::from_millis(at);
        let response = seen.response();
        response.status = [200, 200, 404, 301][usize::from(status)];
        match kind {
            0 => response.page = None,
            1 => response.neutral = Some(Neutral::Consent),
            2 => response.neutral = Some(Neutral::Blocked),
            3 => response.final_url = "https://a.example/y".parse().expect("a url"),
            4 => response.media_type = "text/plain".into(),
            5 => response.header_names = vec!["x-robots-tag".into()],
            6 => response.versions.sketch = 2,
            7 => seen.attestation.profile = 2,
            _ => {}
        }
        seen
    })
}

proptest! {
    #[test]
    fn it_does_not_matter_who_comes_first(
        a in any_page(),
        b in any_page(),
        known in prop::option::of(prop::collection::btree_map((0u8..40).prop_map(|n| Block([n; 8])), 1usize..3, 0..10)),
    ) {
        let stable = known.map_or_else(StableBlocks::unknown, StableBlocks::known);
        prop_assert_eq!(held(&a, &b, &stable), held(&b, &a, &stable));
    }

    #[test]
    fn equal_bodies_are_identical(blocks in prop::collection::vec(any::<u8>(), 0..30)) {
        let (a, b) = (page(&blocks, 1, 1), page(&blocks, 1, 1));
        prop_assert_eq!(verdict(&a, &b), Verdict::Identical);
    }

    #[test]
    fn a_changed_stable_block_is_never_taken_for_equal(
        blocks in prop::collection::vec(0u8..100, 1..60),
        at in any::<prop::sample::Index>(),
        change in 0u8..3,
    ) {
        let at = at.index(blocks.len());
        let mut forged = blocks.clone();
        match change {
            0 => forged[at] = 200,
            1 => drop(forged.remove(at)),
            _ => forged[at] = blocks[(at + 1) % blocks.len()],
        }
        prop_assume!(forged != blocks);
        let (a, b) = (page(&blocks, 1, 1), page(&forged, 2, 1));
        let stable = StableBlocks::known(a.blocks.counts());
        for stable in [stable, StableBlocks::unknown()] {
            let comparison = held(&a, &b, &stable);
            prop_assert!(
                matches!(comparison.verdict, Verdict::Near | Verdict::Divergent(_)),
                "{:?}", comparison
            );
        }
        let witness = page(&blocks, 3, 1);
        let shared = StableBlocks::shared(&[&a.blocks, &witness.blocks], <[usize]>::len);
        prop_assert!(shared.lacking(&b.blocks).is_some_and(|lacking| lacking > 0));
    }

    #[test]
    fn attestations_come_back(seen in any_page(), simhash in any::<u64>(), paths in any::<[u8; 32]>()) {
        let mut seen = seen;
        if let Some(page) = &mut seen.response().page {
            page.sketch.simhash = simhash;
            page.sketch.paths[..32].copy_from_slice(&paths);
        }
        let bytes = seen.attestation.encode();
        prop_assert_eq!(Attestation::decode(&bytes), Ok(seen.attestation));
    }

    #[test]
    fn whatever_bytes_come_are_parsed_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(list) = BlockList::from_bytes(&bytes) {
            prop_assert_eq!(list.to_bytes(), bytes);
        }
    }
}

#[test]
fn each_layer_decides_in_its_turn() {
    let base: Vec<u8> = (0..40).collect();
    let a = page(&base, 1, 1);
    assert_eq!(verdict(&a, &page(&base, 2, 1)), Verdict::Canonical);
    assert_eq!(verdict(&a, &page(&base, 2, 2)), Verdict::Tainted(Content::Canonical));
    let turned: Vec<u8> = base.iter().rev().copied().collect();
    assert_eq!(verdict(&a, &page(&turned, 1, 1)), Verdict::StableEqual);
    let mut ad = base.clone();
    ad[7] = 99;
    let b = page(&ad, 1, 1);
    assert_eq!(verdict(&a, &b), Verdict::Near);
    let mut known = a.blocks.counts();
    known.remove(&Block([7; 8]));
    let comparison = held(&a, &b, &StableBlocks::known(known));
    assert_eq!((comparison.verdict, comparison.stable_differ), (Verdict::StableEqual, Some(false)));
    let all = StableBlocks::known(a.blocks.counts());
    let comparison = held(&a, &b, &all);
    assert_eq!((comparison.verdict, comparison.stable_differ), (Verdict::Near, Some(true)));
    let other: Vec<u8> = (100..140).collect();
    assert!(matches!(verdict(&a, &page(&other, 1, 1)), Verdict::Divergent(_)));
}

#[test]
fn all_conditions_of_near_hold_together() {
    let base: Vec<u8> = (0..40).collect();
    let mut changed = base.clone();
    changed[3] = 77;
    let a = page(&base, 1, 1);
    type Spoil = fn(&mut Sketch);
    let spoils: [Spoil; 4] = [
        |sketch| sketch.simhash = 0b1111,
        |sketch| sketch.text_chars = 69,
        |sketch| sketch.paths[0] = 1,
        |sketch| sketch.words[..40].fill(9999),
    ];
    for spoil in spoils {
        let mut b = page(&changed, 1, 1);
        assert_eq!(verdict(&a, &b), Verdict::Near);
        spoil(&mut b.response().page.as_mut().expect("a page").sketch);
        assert!(matches!(verdict(&a, &b), Verdict::Divergent(_)), "{b:?}");
    }
}

#[test]
fn what_is_fetched_too_far_apart_is_not_compared() {
    let (a, mut b) = (page(&[1], 1, 1), page(&[1], 1, 1));
    b.attestation.fetched_at = a.attestation.fetched_at + STABLE_WINDOW;
    assert_eq!(verdict(&a, &b), Verdict::Identical);
    let volatile = Limits::default().volatile();
    let strict = compare(a.copy(), b.copy(), &StableBlocks::unknown(), &volatile);
    assert_eq!(strict.verdict, Verdict::NotComparable(Incomparable::Time));
    b.attestation.fetched_at = b.attestation.fetched_at + std::time::Duration::from_millis(1);
    assert_eq!(verdict(&a, &b), Verdict::NotComparable(Incomparable::Time));
    assert_eq!(Limits::default().learnt(100).jaccard, 500);
}
