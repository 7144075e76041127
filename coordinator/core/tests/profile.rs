//! What sites teach, settled by the quorum itself, with one who lies in every task.

use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use std::time::Duration;
use sward_coordinator_core::profile::{HostProfile, Known, Lesson, TEMPLATES, stable_after};
use sward_coordinator_core::record::agent::Totals;
use sward_coordinator_core::settlement::{AgentResult, PageFacts, Settlement};
use sward_coordinator_core::trust::evidence::Volatility;
use sward_proto::attestation::{Attestation, Observation, REQUEST_PROFILE, Response};
use sward_proto::batch::BatchProof;
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::compare::block::{Block, BlockList};
use sward_proto::compare::print::{LayerVersions, PagePrint};
use sward_proto::compare::sketch::Sketch;
use sward_proto::compare::stable::StableBlocks;
use sward_proto::digest::Digest;
use sward_proto::draw::{Draw, Round};
use sward_proto::ids::{JobId, LeaseToken, PeerId, TaskId};
use sward_proto::outcome::Outcome;
use sward_proto::quorum::finding::Finding;
use sward_proto::quorum::voice::Voice;
use sward_proto::quorum::{Agreed, Decision, Layer, Rules, Vote, attested_blocks, decide};
use sward_proto::timestamp::Timestamp;
use sward_proto::verdict::{Origin, PublishedBlocks};

const NOW: Timestamp = Timestamp::from_millis(1_000_000);
/// Who lies.
const LIAR: u8 = 0;

fn peer(n: u8) -> PeerId {
    let key = SigningKey::from_bytes(&[n; 32]).verifying_key();
    PeerId::from_public_key(key.to_bytes()).expect("a key")
}

fn url(number: usize) -> CanonicalUrl {
    format!("https://site.example/page/{number}").parse().expect("a url")
}

/// A page of these blocks, in whose text so many of 128 word bins are its own.
#[derive(Clone)]
struct Page {
    blocks: Vec<u8>,
    own_words: usize,
}

fn page(blocks: &[u8], own_words: usize) -> Page {
    Page { blocks: blocks.to_vec(), own_words }
}

fn list(page: &Page) -> BlockList {
    BlockList::new(page.blocks.iter().map(|n| Block([*n; 8])).collect()).expect("short")
}

fn attest(number: usize, n: u8, page: &Page) -> Attestation {
    let mut words = [9; 128];
    words.iter_mut().take(page.own_words).for_each(|word| *word = 100 + u16::from(n));
    let blocks = list(page);
    let print = PagePrint {
        blocks: blocks.digest(),
        block_count: u16::try_from(blocks.blocks().len()).expect("short"),
        sketch: Sketch { words, text_chars: 100, ..Sketch::default() },
        active: Digest::ZERO,
    };
    let says = [page.blocks.clone(), vec![n; page.own_words.min(1)]].concat();
    let response = Response {
        final_url: url(number),
        hops: Vec::new(),
        status: 200,
        header_names: Vec::new(),
        media_type: "text/html".into(),
        raw: Digest::of(&[says.as_slice(), &[n]].concat()),
        raw_bytes: 9,
        canonical: Some(Digest::of(&says)),
        links: Digest::ZERO,
        link_count: 0,
        wire_bytes: 9,
        peer_ip: [192, 0, 2, 1].into(),
        certificate: None,
        redirect_target: None,
        retry_after_s: None,
        versions: LayerVersions::CURRENT,
        page: Some(Box::new(print)),
        neutral: None,
    };
    Attestation {
        profile: REQUEST_PROFILE,
        url: url(number),
        fetched_at: NOW,
        elapsed_ms: 1,
        developer: false,
        observation: Observation::Response(Box::new(response)),
    }
}

/// A task to the end: one more agent is asked until it is decided.
fn settle(
    number: usize,
    known: &Known,
    pool: usize,
    mut shown: impl FnMut(u8) -> Page,
) -> Settlement {
    let rules = Rules { limits: known.limits(Rules::default().limits), ..Rules::default() };
    let (mut seen, mut blocks): (Vec<Attestation>, Vec<BlockList>) = (Vec::new(), Vec::new());
    loop {
        let n = u8::try_from(seen.len()).expect("few");
        let page = shown(n);
        seen.push(attest(number, n, &page));
        blocks.push(list(&page));
        let voice = |n: usize| u16::try_from(n).map(|n| Voice::new(n, n)).expect("few");
        let votes: Vec<Vote<'_>> = (0..seen.len())
            .map(|n| Vote { voice: voice(n), attestation: &seen[n], blocks: &blocks[n], at: NOW })
            .collect();
        let (agreed, outcome) = match decide(&votes, rules, &StableBlocks::unknown()) {
            Decision::Agreed(agreed) => (agreed, Outcome::Ok),
            Decision::Contested => {
                let none = Vec::new;
                let (members, keepers, tainted) = (none(), none(), none());
                let (contradicted, disputed, layer) = (none(), none(), Layer::Single);
                let (variants, regional) = (Vec::new(), none());
                let nobody = Agreed {
                    members,
                    layer,
                    keepers,
                    tainted,
                    contradicted,
                    disputed,
                    variants,
                    regional,
                };
                (nobody, Outcome::Disagree)
            }
            Decision::More | Decision::Neutral { .. } | Decision::Failed { .. } => continue,
        };
        let members: Vec<_> = agreed.members.iter().map(|n| (voice(*n), &blocks[*n])).collect();
        let kept =
            agreed.keepers.first().map(|n| &blocks[*n]).filter(|_| agreed.layer.is_partial());
        let published =
            kept.map(|kept| PublishedBlocks::new(kept, &attested_blocks(kept, &members, rules)));
        let results = (0..seen.len())
            .map(|n| {
                result(agent(number, n, pool), voice(n), &seen[n], &blocks[n], finding(n, &agreed))
            })
            .collect();
        return settlement(number, outcome, rules, agreed.layer, published, results);
    }
}

fn finding(n: usize, agreed: &Agreed) -> Finding {
    match () {
        () if agreed.members.contains(&n) => Finding::Agreed,
        () if agreed.contradicted.contains(&n) => Finding::Forged,
        () if agreed.disputed.contains(&n) => Finding::Disputed,
        () => Finding::Neutral,
    }
}

/// Who is asked as the n-th: the liar first, then others in turn.
fn agent(number: usize, n: usize, pool: usize) -> u8 {
    let others = 1 + (2 * number + n) % (pool - 1);
    if n == 0 { LIAR } else { u8::try_from(others).expect("few") }
}

fn result(
    n: u8,
    voice: Voice,
    seen: &Attestation,
    blocks: &BlockList,
    finding: Finding,
) -> AgentResult {
    let proof = BatchProof { signature: [0; 64], index: 0, size: 1, path: Vec::new() };
    AgentResult {
        agent: peer(n),
        token: LeaseToken([n; 16]),
        draw: Draw { round: Round(1), number: 1, widened: false, passed: Vec::new() },
        origin: Some(Origin { voice, leased_at: NOW, expires: NOW, proof }),
        leaf: Digest::ZERO,
        salt: [0; 16],
        attestation: seen.encode(),
        blocks: blocks.to_bytes(),
        finding,
        trusted: false,
        ruling: None,
        class: None,
        credit: Totals::default(),
        held: None,
    }
}

fn settlement(
    number: usize,
    outcome: Outcome,
    rules: Rules,
    layer: Layer,
    blocks: Option<PublishedBlocks>,
    results: Vec<AgentResult>,
) -> Settlement {
    let facts = PageFacts {
        final_url: url(number),
        status: 200,
        media_type: "text/html".into(),
        fetched_at: NOW,
        payload: Digest::ZERO,
        bytes: 9,
        canonical: None,
        redirect_target: None,
        links: Vec::new(),
        robots_rules: None,
    };
    Settlement {
        task: TaskId(1),
        job: JobId(1),
        url: url(number),
        depth: 0,
        robots: false,
        settled_at: NOW + Duration::from_secs(1),
        outcome,
        volatility: Volatility::default(),
        stable: Vec::new(),
        rules: Some(rules),
        layer: (outcome == Outcome::Ok).then_some(layer),
        page: (outcome == Outcome::Ok).then_some(facts),
        results,
        audit: None,
        spot: None,
        blocks,
        variants: Vec::new(),
    }
}

/// What is known of a page after so many tasks.
fn crawl(pages: usize, pool: usize, mut shown: impl FnMut(usize, u8) -> Page) -> Known {
    let mut host = HostProfile::new();
    let group =
        |agent: &PeerId| u32::from(agent.public_key()[0]) << 8 | u32::from(agent.public_key()[1]);
    let known = |host: &HostProfile| host.known(&url(0), NOW, |_| false);
    for number in 0..pages {
        let settled = settle(number, &known(&host), pool, |n| shown(number, n));
        if let Some(lesson) = Lesson::of(&settled, group) {
            host.learn(&url(number), &lesson, NOW);
        }
    }
    known(&host)
}

#[test]
fn sites_of_each_kind_are_learnt_as_what_they_are() {
    let same = |_, _| page(&[1, 2, 3, 4], 0);
    assert_eq!(crawl(60, 20, same).volatility, Volatility::Static);
    let around = |number: usize, n: u8| {
        let varies = u8::try_from(number % 7).expect("small") * 20 + 20 + n;
        page(&[1, 2, 3, varies], 4)
    };
    for pool in [8, 20] {
        let known = crawl(60, pool, around);
        assert_eq!((known.volatility, known.is_new), (Volatility::Noisy, false));
    }
    let known = crawl(60, 20, around);
    // Pairs of copies have 4 of 128 word bins apart: 968 in thousandths.
    assert_eq!(known.jaccard, Some(925));
    let feed = |_, n: u8| page(&[1, 50 + n, 70 + n, 90 + n], 10);
    assert_eq!(crawl(60, 20, feed).volatility, Volatility::Rolling);
    let own = |_, n: u8| page(&[50 + n, 70 + n, 90 + n], 128);
    let known = crawl(60, 20, own);
    assert_eq!(known.volatility, Volatility::Personalised);
    assert!(!known.may_stand_alone());
}

/// Memory and disk do not grow with a site's shapes of URL.
#[test]
fn a_host_has_a_bounded_number_of_templates() {
    let mut host = HostProfile::new();
    let settled = settle(0, &Known::NOTHING, 20, |_| page(&[1, 2, 3], 0));
    let lesson = Lesson::of(&settled, |_| 0).expect("a lesson");
    let url = |n: usize| -> CanonicalUrl {
        let folder = char::from(b'a' + u8::try_from(n % 26).expect("a letter"));
        let deeper = char::from(b'a' + u8::try_from(n / 26).expect("a letter"));
        format!("https://site.example/{folder}/{deeper}/").parse().expect("a url")
    };
    (0..500).for_each(|n| host.learn(&url(n), &lesson, NOW));
    assert_eq!(host.templates().count(), TEMPLATES + 1);
    let pages = |(_, profile): (_, &sward_coordinator_core::profile::Profile)| profile.pages();
    assert!(host.templates().map(pages).max().is_some_and(|most| most > 100));
    assert!(!host.known(&url(499), NOW, |_| false).is_new, "it counts with all others");
    // Long after, what is new takes the place of what is forgotten.
    let late = NOW + Duration::from_secs(61 * 86_400);
    host.learn(&url(499), &lesson, late);
    assert_eq!(host.templates().count(), 1);
}

/// What a liar makes of a page of four blocks.
fn lie(kind: u8, true_page: &Page) -> Page {
    let mut forged = true_page.clone();
    match kind {
        0 => forged.blocks = vec![200, 201, 202],
        1 => forged.blocks[1] = 200,
        2 => forged.blocks.insert(2, 201),
        3 => forged.own_words = 34,
        4 => forged.own_words = 60,
        5 => forged = Page { blocks: vec![203; 4], own_words: 128 },
        6 => forged.blocks.truncate(1),
        _ => {}
    }
    forged
}

/// A page that is fetched again: what stayed is known, and where it was made anew, only that counts.
#[test]
fn the_blocks_that_stayed_are_known_at_the_next_visit() {
    let visit = |stable: Vec<u8>, of: &[u8]| {
        let shown = |n| page(&[of, &[100 + n]].concat(), 4);
        let settled = settle(0, &Known::NOTHING, 20, shown);
        assert_eq!(settled.layer, Some(Layer::Near));
        stable_after(&Settlement { stable, ..settled }).expect("a page in part").to_bytes()
    };
    // The last of the blocks stands beside one that varies.
    let first = visit(Vec::new(), &[1, 2, 3, 4, 5]);
    assert_eq!(first, list(&page(&[1, 2, 3, 4], 0)).to_bytes());
    let second = visit(first, &[1, 2, 9, 4, 5]);
    assert_eq!(second, list(&page(&[1, 2, 4], 0)).to_bytes());
    let anew = visit(second, &[11, 12, 13, 14]);
    assert_eq!(anew, list(&page(&[11, 12, 13], 0)).to_bytes());
    let equal = settle(0, &Known::NOTHING, 20, |_| page(&[1, 2, 3], 0));
    assert_eq!(stable_after(&equal), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// One who lies in every task of a template, however, leaves it static; and lowers no threshold below its start.
    #[test]
    fn a_liar_makes_no_template_look_volatile(
        lies in proptest::collection::vec(0u8..8, 120),
    ) {
        let truth = page(&[1, 2, 3, 4], 0);
        let known = crawl(120, 20, |number, n| {
            if n == LIAR { lie(lies[number], &truth) } else { truth.clone() }
        });
        prop_assert_eq!(known.volatility, Volatility::Static);
        prop_assert!(known.jaccard.is_none_or(|jaccard| jaccard >= 720));
        // On a site with noise of its own.
        let known = crawl(120, 20, |number, n| {
            let truth = page(&[1, 2, 3, 50 + n], 8);
            if n == LIAR { lie(lies[number], &truth) } else { truth }
        });
        prop_assert_eq!(known.volatility, Volatility::Noisy);
        prop_assert!(known.jaccard.is_none_or(|jaccard| jaccard >= 720), "{:?}", known.jaccard);
    }
}
