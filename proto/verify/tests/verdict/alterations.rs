//! Each field that matters, altered: by somebody without the coordinator's key, and by the coordinator itself.

use crate::sample::{
    agent, by_known_blocks, coordinator, partial, peer, publish, ruled, seal, whole,
};
use std::time::Duration;
use sward_proto::draw::{AuditDraw, PassedOver, Round};
use sward_proto::ids::LeaseToken;
use sward_proto::outcome::Outcome;
use sward_proto::quorum::Layer;
use sward_proto::quorum::finding::Finding;
use sward_proto::verdict::{Bundle, Case, Checked, Fault, KnownSeeds};

type Alteration = (&'static str, fn(&mut Case), &'static str);

fn read(bundle: &Bundle) -> Bundle {
    let bytes = bundle.encode().expect("json");
    let read = Bundle::parse(&bytes).expect("a bundle");
    assert_eq!(read, *bundle);
    read
}

fn check(bundle: &Bundle) -> Result<Checked, Vec<Fault>> {
    read(bundle).check(Some(&coordinator().verifier_key()), &mut KnownSeeds::default())
}

fn fields(checked: Result<Checked, Vec<Fault>>) -> Vec<String> {
    checked.err().unwrap_or_default().into_iter().map(|fault| fault.field).collect()
}

#[test]
fn whole_and_partial_verdicts_are_recomputed() {
    let checked = check(&publish(whole())).expect("it holds");
    assert_eq!(checked, Checked { results: 4, groups: 3, draws: 4, undrawn: 0 });
    let checked = check(&publish(partial())).expect("it holds");
    assert_eq!((checked.results, checked.groups), (3, 3));
    let checked = check(&publish(by_known_blocks())).expect("it holds");
    assert_eq!((checked.results, checked.groups), (2, 2));
    let checked = check(&publish(ruled())).expect("it holds");
    assert_eq!((checked.results, checked.groups), (16, 4));
}

#[test]
fn a_seed_that_is_secret_yet_is_no_failure() {
    let mut case = whole();
    case.seeds.clear();
    let checked = check(&publish(case)).expect("it holds");
    assert_eq!((checked.draws, checked.undrawn), (0, 4));
}

/// What follows from the rest: refused even where the coordinator signs it.
const PROVED: [Alteration; 37] = [
    ("signature", |c| c.results[1].origin.proof.signature[9] ^= 1, "results[1].proof.signature"),
    ("batch path", |c| c.results[1].origin.proof.path[0].0[0] ^= 1, "results[1].root"),
    ("path length", |c| c.results[1].origin.proof.path.truncate(1), "results[1].proof.path"),
    ("place in the batch", |c| c.results[1].origin.proof.index = 0, "results[1].root"),
    ("size of the batch", |c| c.results[1].origin.proof.size = 4, "results[1].proof.signature"),
    ("no place in the batch", |c| c.results[1].origin.proof.index = 3, "results[1].proof.path"),
    ("root", |c| c.results[1].root.0[0] ^= 1, "results[1].root"),
    ("leaf", |c| c.results[1].leaf.0[0] ^= 1, "results[1].leaf"),
    ("salt", |c| c.results[1].salt[0] ^= 1, "results[1].leaf"),
    ("attestation", |c| c.results[1].attestation[40] ^= 1, "results[1].leaf"),
    ("token", |c| c.results[1].token = LeaseToken([77; 16]), "results[1].root"),
    ("agent", |c| c.results[1].agent = peer(5), "results[1].proof.signature"),
    ("url", |c| c.url = "http://site.example/other".parse().expect("a url"), "attestation"),
    (
        "agents swapped",
        |c| {
            let first = c.results[0].agent;
            c.results[0].agent = c.results[1].agent;
            c.results[1].agent = first;
        },
        "results[0].proof.signature",
    ),
    ("round", |c| c.results[0].draw.round = Round(1), "results[0].draw.round"),
    (
        "lease time",
        |c| c.results[0].origin.leased_at = c.settled_at + Duration::from_secs(60),
        "results[0].draw.round",
    ),
    ("draw number", |c| c.results[1].draw.number += other_number(c), "results[1].draw.passed"),
    ("seed", |c| c.seeds[0].seed.0[0] ^= 1, "seeds[0]"),
    ("seed of no draw", |c| c.seeds[0].round = Round(3), "seeds[0]"),
    ("seed twice", |c| c.seeds.push(c.seeds[0]), "seeds[1]"),
    ("anchor", |c| c.plan.anchor.0.0[0] ^= 1, "seeds[0]"),
    ("round length", |c| c.plan.round_seconds = 10, "draw.round"),
    (
        "passed over who lies behind",
        |c| {
            let winner = c.results[1].agent;
            c.results[1].draw.passed.push((winner, PassedOver::Full));
        },
        "results[1].draw.passed",
    ),
    (
        "groups merged",
        |c| {
            c.results[1].origin.voice.payee = 0;
            c.results[2].origin.voice = c.results[1].origin.voice;
        },
        "outcome",
    ),
    ("labels that tell more", |c| c.results[0].origin.voice.payee = 9, "results[0].voice.payee"),
    ("margin", |c| c.rules.margin = 3, "outcome"),
    ("outcome", |c| c.outcome = Outcome::Disagree, "outcome"),
    ("layer", |c| c.layer = Some(Layer::Canonical), "layer"),
    ("no layer", |c| c.layer = None, "layer"),
    ("blame withdrawn", |c| c.results[3].finding = Finding::Neutral, "results[3].finding"),
    ("blame put", |c| c.results[0].finding = Finding::Forged, "results[0].finding"),
    ("payload", |c| page(c).payload.0[0] ^= 1, "page"),
    ("length", |c| page(c).bytes += 1, "page"),
    ("page", |c| c.page = None, "page"),
    ("a result removed", |c| drop(c.results.remove(2)), "outcome"),
    ("a result twice", |c| c.results.push(c.results[3].clone()), "results[4].agent"),
    ("blocks", |c| c.results[0].blocks[0] ^= 1, "results[0].blocks"),
];

/// The same of a verdict that rests on less than equal content.
const PARTIAL: [Alteration; 6] = [
    ("attested blocks", |c| published(c).attested = "111".into(), "published"),
    ("kept blocks", |c| published(c).kept[0] ^= 1, "published"),
    ("nothing withheld", |c| c.published = None, "published"),
    ("thresholds", |c| c.rules.limits.jaccard = 1001, "outcome"),
    ("whole pages only", |c| c.rules.partial = false, "outcome"),
    ("blocks left out", |c| c.results.iter_mut().for_each(|r| r.blocks.clear()), "blocks"),
];

/// The same of a verdict that rests on what was known of the page beforehand.
const KNOWN: [Alteration; 5] = [
    ("nothing known", |c| c.stable.clear(), "outcome"),
    ("a block that differs", |c| c.stable.extend([b'd'; 8]), "outcome"),
    ("blocks of another page", |c| c.stable = vec![b'x'; 24], "outcome"),
    ("another order", |c| c.stable.rotate_left(8), "stable"),
    ("a threshold below the floor", |c| c.rules.limits.jaccard = 499, "limits.jaccard"),
];

/// The same of one in which trusted fetches had a part.
const RULED: [Alteration; 5] = [
    ("a ruling withdrawn", |c| c.results[3].ruling = None, "results[3].ruling"),
    ("spared all the same", |c| c.results[3].finding = Finding::Neutral, "results[3].finding"),
    ("one trusted fetch too few", |c| drop(c.results.pop()), "results[3].ruling"),
    ("a trusted fetch as an agent's", |c| c.results[6].trusted = false, "results[6].finding"),
    (
        "a spot check of nothing",
        |c| c.spot = Some(AuditDraw::spot(&c.seeds[0], &c.plan.anchor.0)),
        "spot",
    ),
];

/// What nothing else in the bundle contradicts: for this the coordinator vouches, and its signature alone tells.
const VOUCHED: [Alteration; 10] = [
    ("margin", |c| c.rules.margin = 1, ""),
    ("most", |c| c.rules.most = 4, ""),
    ("task", |c| c.task.0 += 1, ""),
    ("job", |c| c.job = "other".parse().expect("a name"), ""),
    ("robots", |c| c.robots = true, ""),
    ("settled", |c| c.settled_at = c.settled_at + Duration::from_millis(1), ""),
    ("number of a draw in which nobody was passed over", |c| c.results[0].draw.number += 1, ""),
    ("widened", |c| c.results[0].draw.widened = true, ""),
    ("reason", |c| c.results[1].draw.passed[0].1 = PassedOver::MetOften, ""),
    ("replayed, not forged", |c| c.results[3].finding = Finding::Replayed, ""),
];

fn page(case: &mut Case) -> &mut sward_proto::verdict::Page {
    case.page.as_mut().expect("a page")
}

fn published(case: &mut Case) -> &mut sward_proto::verdict::PublishedBlocks {
    case.published.as_mut().expect("blocks")
}

/// What to add to the second draw's number to come to one that cannot have passed the fourth agent over.
fn other_number(case: &Case) -> u64 {
    let result = &case.results[1];
    let mut draw = result.draw.clone();
    let wrong = (1..).find(|more| {
        draw.number = result.draw.number + more;
        draw.check(&case.seeds[0], &result.agent).is_err()
    });
    wrong.expect("a number")
}

#[test]
fn what_follows_from_the_rest_cannot_be_altered_by_anybody() {
    let all = PROVED.iter().map(|alteration| (whole(), alteration));
    let all = all.chain(PARTIAL.iter().map(|alteration| (partial(), alteration)));
    let all = all.chain(KNOWN.iter().map(|alteration| (by_known_blocks(), alteration)));
    let all = all.chain(RULED.iter().map(|alteration| (ruled(), alteration)));
    for (case, (name, alter, field)) in all {
        let mut altered = case.clone();
        alter(&mut altered);
        assert_ne!(altered, case, "{name} alters nothing");
        let signed = fields(check(&publish(altered.clone())));
        let named = signed.iter().any(|found| found.contains(field));
        assert!(named, "{name}: {field} is not among {signed:?}");
        assert!(!signed.contains(&"note".to_owned()), "{name}: the coordinator signed it");
        let unsigned = fields(check(&Bundle { case: altered, ..publish(case) }));
        assert_eq!(unsigned.first().map(String::as_str), Some("note"), "{name}");
    }
}

#[test]
fn what_the_coordinator_vouches_for_is_protected_by_its_signature() {
    for (name, alter, _) in VOUCHED {
        let mut altered = whole();
        alter(&mut altered);
        assert_ne!(altered, whole(), "{name} alters nothing");
        let unsigned = fields(check(&Bundle { case: altered.clone(), ..publish(whole()) }));
        assert_eq!(unsigned, ["note"], "{name}");
        // Were it proved otherwise, it would belong to the others.
        assert_eq!(fields(check(&publish(altered))), Vec::<String>::new(), "{name}");
    }
    // Two of one payee, told apart: the same.
    let mut tied = whole();
    tied.results[1].origin.voice.payee = 0;
    tied.results[2].origin.voice.payee = 1;
    tied.results[3].origin.voice.payee = 2;
    assert_eq!(fields(check(&publish(tied.clone()))), ["case.outcome"]);
    assert_eq!(fields(check(&Bundle { case: whole(), ..publish(tied) })), ["note"]);
}

#[test]
fn another_key_is_not_the_coordinators() {
    let bundle = Bundle::sign(whole(), &agent(8)).expect("a bundle");
    assert_eq!(fields(check(&bundle)), ["signer"]);
    assert!(bundle.check(None, &mut KnownSeeds::default()).is_ok());
    let renamed = Bundle { signer: coordinator().verifier_key().to_string(), ..bundle };
    assert_eq!(fields(check(&renamed)), ["note"]);
}

/// An agent that signs another page than it sealed at first has two signatures for one lease; the verdict holds only
/// for what it agrees with.
#[test]
fn a_result_that_its_agent_sealed_anew_votes_for_what_it_says() {
    let mut case = whole();
    let forged = case.results[3].clone();
    case.results[2].attestation = forged.attestation;
    case.results[2].blocks = forged.blocks;
    seal(3, &mut case.results[2]);
    assert_eq!(fields(check(&publish(case))), ["case.outcome"]);
}
