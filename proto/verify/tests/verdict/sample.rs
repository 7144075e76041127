//! Verdicts that hold: built from keys, sealed and signed as agents and a coordinator do it.

use std::time::Duration;
use sward_proto::attestation::{Attestation, Observation, REQUEST_PROFILE, Response};
use sward_proto::batch::{self, BatchProof, Salt};
use sward_proto::compare::block::{Block, BlockList};
use sward_proto::compare::print::{LayerVersions, PagePrint};
use sward_proto::compare::sketch::Sketch;
use sward_proto::digest::Digest;
use sward_proto::draw::{Draw, DrawPlan, PassedOver, Round, SeedChain};
use sward_proto::ids::{LeaseToken, PeerId, TaskId};
use sward_proto::note::NoteSigner;
use sward_proto::outcome::Outcome;
use sward_proto::quorum::finding::Finding;
use sward_proto::quorum::ruling::Ruling;
use sward_proto::quorum::voice::Voice;
use sward_proto::quorum::{Layer, Rules};
use sward_proto::timestamp::Timestamp;
use sward_proto::verdict::{Bundle, Case, OpenedResult, Origin, Page, PublishedBlocks, Variant};

/// The body of the accepted page.
pub(crate) const BODY: &str = "<p>a</p><p>b</p><p>c</p>";
/// Seconds of a round of draws.
const ROUND: u32 = 60;
/// In the second round.
const LEASED: Timestamp = Timestamp::from_millis(1_000_000 + 70_000);

/// The coordinator's key.
pub(crate) fn coordinator() -> NoteSigner {
    NoteSigner::from_seed("receipts.example/log".parse().expect("a name"), &[9; 32])
}

/// An agent's key.
pub(crate) fn agent(n: u8) -> NoteSigner {
    NoteSigner::from_seed("agent".parse().expect("a name"), &[n; 32])
}

pub(crate) fn peer(n: u8) -> PeerId {
    PeerId::from_public_key(*agent(n).verifier_key().public_key()).expect("a key")
}

fn chain() -> &'static SeedChain {
    static CHAIN: std::sync::OnceLock<SeedChain> = std::sync::OnceLock::new();
    CHAIN.get_or_init(|| SeedChain::grow(&[1; 32]))
}

fn plan() -> DrawPlan {
    let (anchor, began) = (chain().anchor(), Timestamp::from_millis(1_000_000));
    DrawPlan { anchor, began, round_seconds: ROUND }
}

/// A draw that came to `winner` after `passed`, if there is one: the number is searched for.
fn draw(winner: u8, passed: Option<u8>) -> Draw {
    let seed = chain().seed(Round(2));
    let passed: Vec<_> = passed.iter().map(|n| (peer(*n), PassedOver::Full)).collect();
    let draws = (0..).map(|number| Draw {
        round: Round(2),
        number,
        widened: false,
        passed: passed.clone(),
    });
    let mut right = draws.filter(|draw| draw.check(&seed, &peer(winner)).is_ok());
    right.next().expect("a number")
}

fn blocks(text: &str) -> BlockList {
    BlockList::new(text.bytes().map(|c| Block([c; 8])).collect()).expect("short")
}

/// What an agent says of a page whose blocks are the letters of `text`; `body` is what came.
fn attest(n: u8, text: &str, body: &str) -> Attestation {
    let url = "http://site.example/page".parse().expect("a url");
    let list = blocks(text);
    let words = [u16::from(*text.as_bytes().first().expect("a letter")); 128];
    let page = PagePrint {
        blocks: list.digest(),
        block_count: u16::try_from(list.blocks().len()).expect("short"),
        sketch: Sketch { words, text_chars: 100, ..Sketch::default() },
        active: Digest::ZERO,
    };
    let response = Response {
        final_url: "http://site.example/page".parse().expect("a url"),
        hops: Vec::new(),
        status: 200,
        header_names: vec!["content-type".into()],
        media_type: "text/html".into(),
        raw: Digest::of(body.as_bytes()),
        raw_bytes: body.len() as u64,
        canonical: Some(Digest::of(text.as_bytes())),
        links: Digest::ZERO,
        link_count: 0,
        wire_bytes: 100,
        peer_ip: std::net::Ipv4Addr::new(203, 0, 113, 7).into(),
        certificate: None,
        redirect_target: None,
        retry_after_s: None,
        versions: LayerVersions::CURRENT,
        page: Some(Box::new(page)),
        neutral: None,
    };
    Attestation {
        profile: REQUEST_PROFILE,
        url,
        fetched_at: LEASED + Duration::from_millis(100 * u64::from(n)),
        elapsed_ms: 5,
        developer: false,
        observation: Observation::Response(Box::new(response)),
    }
}

/// Seals what lies in a result, in a batch of three, and signs it by its agent.
pub(crate) fn seal(n: u8, result: &mut OpenedResult) {
    let leaf = batch::leaf(Salt(result.salt), &result.attestation);
    let tokens = [LeaseToken([n + 100; 16]), result.token, LeaseToken([n + 200; 16])];
    let leaves = [Digest::of(&[n]), leaf, Digest::of(&[n, n])];
    let signature = agent(n).sign_bytes(batch::statement(&tokens, &leaves).as_bytes());
    let proof = batch::proofs(&signature, &tokens, &leaves).swap_remove(1);
    (result.leaf, result.agent) = (leaf, peer(n));
    result.root = proof.root(result.token, leaf).expect("a root");
    result.origin.proof = proof;
}

fn opened(n: u8, draw: Draw, seen: &Attestation, text: &str, finding: Finding) -> OpenedResult {
    let proof = BatchProof { signature: [0; 64], index: 0, size: 1, path: Vec::new() };
    let origin = Origin {
        voice: Voice::new(u16::from(n) - 1, u16::from(n) - 1),
        leased_at: LEASED,
        expires: LEASED + Duration::from_secs(60),
        proof,
    };
    let mut result = OpenedResult {
        agent: peer(n),
        token: LeaseToken([n; 16]),
        draw,
        origin,
        root: Digest::ZERO,
        leaf: Digest::ZERO,
        salt: [n; 16],
        attestation: seen.encode(),
        blocks: blocks(text).to_bytes(),
        finding,
        trusted: false,
        ruling: None,
    };
    seal(n, &mut result);
    result
}

fn case(layer: Layer, kept: &Attestation, results: Vec<OpenedResult>) -> Case {
    let url: sward_proto::canonical_url::CanonicalUrl =
        "http://site.example/page".parse().expect("a url");
    let page = Page {
        final_url: url.clone(),
        status: 200,
        media_type: "text/html".into(),
        fetched_at: kept.fetched_at,
        payload: Digest::of(BODY.as_bytes()),
        bytes: BODY.len() as u64,
        canonical: Some(Digest::of(b"abc")),
        redirect_target: None,
    };
    Case {
        audit: None,
        variants: Vec::new(),
        spot: None,
        task: TaskId(7),
        job: "docs".parse().expect("a name"),
        url,
        robots: false,
        rules: Rules::default(),
        stable: Vec::new(),
        plan: plan(),
        seeds: vec![chain().seed(Round(2))],
        settled_at: LEASED + Duration::from_secs(5),
        outcome: Outcome::Ok,
        layer: Some(layer),
        page: Some(page),
        published: None,
        results,
    }
}

/// Three saw one page, a fourth another; the second draw passed the fourth over.
pub(crate) fn whole() -> Case {
    let truth = |n| attest(n, "abc", BODY);
    let agreed = Finding::Agreed;
    let results = vec![
        opened(1, draw(1, None), &truth(1), "abc", agreed),
        opened(2, draw(2, Some(4)), &truth(2), "abc", agreed),
        opened(3, draw(3, None), &truth(3), "abc", agreed),
        opened(4, draw(4, None), &attest(4, "xyz", "forged"), "xyz", Finding::Forged),
    ];
    case(Layer::Identical, &truth(1), results)
}

/// Four saw one page, two of another region another one: that region's variant.
pub(crate) fn regional() -> Case {
    let (truth, own) = (|n| attest(n, "abc", BODY), |n| attest(n, "xyz", "own"));
    let mut results: Vec<OpenedResult> = (1..=4)
        .map(|n| opened(n, draw(n, None), &truth(n), "abc", Finding::Agreed))
        .chain((5..=6).map(|n| opened(n, draw(n, None), &own(n), "xyz", Finding::Variant)))
        .collect();
    for (n, result) in (0..).zip(&mut results) {
        result.origin.voice.asn = Some(n);
        result.origin.voice.region = Some(u16::from(n > 3));
    }
    let mut case = case(Layer::Identical, &truth(1), results);
    let page = Page {
        fetched_at: own(5).fetched_at,
        payload: Digest::of(b"own"),
        bytes: 3,
        canonical: Some(Digest::of(b"xyz")),
        ..case.page.clone().expect("a page")
    };
    let region = "JP".parse().expect("a region");
    case.variants = vec![Variant { region, layer: Layer::Identical, page }];
    case
}

/// The same, where twelve trusted fetches confirm that nobody else is shown what the fourth claims.
pub(crate) fn ruled() -> Case {
    let mut case = whole();
    let fetched = (5..17).map(|n| {
        let finding = if n == 5 { Finding::Agreed } else { Finding::Neutral };
        let result = opened(n, draw(n, None), &attest(n, "abc", BODY), "abc", finding);
        OpenedResult { trusted: true, ..result }
    });
    case.results.extend(fetched);
    case.results[3].ruling = Some(Ruling::Differs);
    case
}

/// The same two blocks, and a third that differs at each visit: only the two are published.
pub(crate) fn partial() -> Case {
    let (first, agreed) = (attest(1, "abc", BODY), Finding::Agreed);
    let results = vec![
        opened(1, draw(1, None), &first, "abc", agreed),
        opened(2, draw(2, Some(4)), &attest(2, "abd", "d"), "abd", agreed),
        opened(3, draw(3, None), &attest(3, "abe", "e"), "abe", agreed),
    ];
    let kept = blocks("abc");
    let published = PublishedBlocks::new(&kept, &[true, true, false]);
    Case { published: Some(published), ..case(Layer::Near, &first, results) }
}

/// Two copies with equal blocks where they were known to be stable, and one that is not.
pub(crate) fn by_known_blocks() -> Case {
    let (first, agreed) = (attest(1, "abcd", BODY), Finding::Agreed);
    let results = vec![
        opened(1, draw(1, None), &first, "abcd", agreed),
        opened(2, draw(2, Some(4)), &attest(2, "abce", "e"), "abce", agreed),
    ];
    let kept = blocks("abcd");
    let published = PublishedBlocks::new(&kept, &[true, true, true, false]);
    let case = case(Layer::Stable, &first, results);
    let page = case.page.map(|page| Page { canonical: Some(Digest::of(b"abcd")), ..page });
    Case { stable: blocks("abc").to_bytes(), published: Some(published), page, ..case }
}

/// As the coordinator publishes it.
pub(crate) fn publish(case: Case) -> Bundle {
    Bundle::sign(case, &coordinator()).expect("a bundle")
}
