//! The `receipt`, `chain` and `evidence` commands over the published receipts and bent copies.

use std::fs;
use std::path::{Path, PathBuf};
use sward_proto::ids::Seq;
use sward_proto::note::{NoteSigner, SignedNote};
use sward_proto::receipt::{ReceiptBody, countersign, sign};
use sward_verify::report::{Finding, Outcome};
use sward_verify::{chain, evidence, receipts};
use tempfile::TempDir;

fn fixture(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/receipts")).join(name)
}

fn fixtures(numbers: &[u8]) -> Vec<PathBuf> {
    numbers.iter().map(|n| fixture(&format!("{n:02}.note"))).collect()
}

fn outcomes(findings: &[Finding]) -> Vec<Outcome> {
    findings.iter().map(|finding| finding.outcome).collect()
}

/// The coordinator and the agent of receipts 2, 7 and 12.
fn signers() -> (NoteSigner, NoteSigner) {
    let coordinator = "receipts.tern.example/main".parse().expect("a key name");
    let agent = body(7).agent.to_string().parse().expect("a key name");
    (NoteSigner::from_seed(coordinator, &[0x01; 32]), NoteSigner::from_seed(agent, &[0x0c; 32]))
}

fn body(number: u8) -> ReceiptBody {
    let bytes = fs::read(fixture(&format!("{number:02}.note"))).expect("a fixture");
    let note = SignedNote::parse(&bytes).expect("a note");
    ReceiptBody::parse(note.text()).expect("a receipt")
}

struct Scratch(TempDir);

impl Scratch {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, content).expect("written");
        path
    }

    fn doubly_signed(&self, name: &str, body: &ReceiptBody) -> PathBuf {
        let (coordinator, agent) = signers();
        let note = sign(body, &coordinator).expect("signed");
        self.write(name, &countersign(note, &agent).expect("countersigned").encode())
    }
}

#[test]
fn the_published_receipts_are_valid_and_countersigned() {
    let all: Vec<u8> = (0..13).collect();
    let findings = receipts::check(&fixtures(&all), &fixture("vkeys"));
    assert_eq!(outcomes(&findings), [Outcome::Valid; 13]);
    let facts = findings[7].receipt.as_ref().expect("facts of a verified receipt");
    assert_eq!((facts.seq, facts.credit, facts.unilateral), (2, 5_000_009, false));
}

#[test]
fn a_receipt_of_the_coordinator_alone_is_valid_and_unilateral() {
    let scratch = Scratch::new();
    let note = sign(&body(7), &signers().0).expect("signed");
    let path = scratch.write("alone.note", &note.encode());
    let findings = receipts::check(&[path], &fixture("vkeys"));
    assert_eq!(outcomes(&findings), [Outcome::Valid]);
    assert!(findings[0].receipt.as_ref().is_some_and(|facts| facts.unilateral));
    assert!(findings[0].detail.starts_with("unilateral"), "{}", findings[0].detail);
}

#[test]
fn a_claim_and_a_bent_receipt_are_invalid_and_garbage_is_malformed() {
    let scratch = Scratch::new();
    let good = fs::read_to_string(fixture("07.note")).expect("a fixture");
    let lines: Vec<&str> = good.split_inclusive('\n').collect();
    let claim: String = [&lines[..14], &lines[15..]].concat().concat();
    let paths = [
        scratch.write("claim.note", &claim),
        scratch.write("bent.note", &good.replace("credit 5000009", "credit 9000009")),
        scratch.write("zero.note", &good.replace("lane 0", "lane 00")),
        scratch.write("crlf.note", &good.replace('\n', "\r\n")),
        scratch.write("long.note", &good.repeat(200)),
        scratch.0.path().join("absent.note"),
    ];
    let [invalid, malformed] = [Outcome::Invalid, Outcome::Malformed];
    let findings = receipts::check(&paths, &fixture("vkeys"));
    let expected = [invalid, invalid, malformed, malformed, malformed, malformed];
    assert_eq!(outcomes(&findings), expected, "{findings:#?}");
}

#[test]
fn a_keys_file_that_lists_agents_speaks_of_those_only() {
    let scratch = Scratch::new();
    let all = fs::read_to_string(fixture("vkeys")).expect("a fixture");
    let lines: Vec<&str> = all.split_inclusive('\n').collect();
    let seventh = fixtures(&[7]);
    let with = |name: &str, text: String| {
        let findings = receipts::check(&seventh, &scratch.write(name, &text));
        (findings[0].outcome, findings[0].detail.clone())
    };
    assert_eq!(with("coordinator", lines[0].to_owned()).0, Outcome::Valid);
    let (outcome, detail) = with("other agent", lines[..2].concat());
    assert_eq!(outcome, Outcome::Invalid);
    assert!(detail.contains("is not in the keys file"), "{detail}");
    for (name, text, reason) in [
        ("empty", String::new(), "is empty"),
        ("twice", lines[0].repeat(2), "is not the peer id"),
        ("edited", all.replacen("04507f7b", "04507f7c", 1), "line 1"),
        ("broken", format!("{}x\n", lines[0]), "line 2"),
    ] {
        let (outcome, detail) = with(name, text);
        assert_eq!(outcome, Outcome::Malformed, "{name}");
        assert!(detail.contains(reason), "{name}: {detail}");
    }
}

#[test]
fn a_chain_holds_in_any_order_of_its_files() {
    for order in [[2, 7, 12], [12, 2, 7], [7, 12, 2]] {
        let findings = chain::check(&fixtures(&order), Some(&fixture("vkeys")));
        assert_eq!(outcomes(&findings), [Outcome::Valid; 3]);
        let ends = findings.iter().map(|f| f.receipt.as_ref().map(|facts| facts.seq));
        assert_eq!(ends.collect::<Vec<_>>(), [Some(1), Some(2), Some(3)]);
    }
    let unchecked = chain::check(&fixtures(&[7, 12]), None);
    assert_eq!(outcomes(&unchecked), [Outcome::Valid; 2]);
    assert!(unchecked.iter().all(|f| f.receipt.is_none() && f.detail.contains("not checked")));
}

#[test]
fn a_gap_and_another_agent_break_a_chain_and_a_copy_does_not() {
    let keys = fixture("vkeys");
    let check = |numbers: &[u8]| outcomes(&chain::check(&fixtures(numbers), Some(&keys)));
    assert_eq!(check(&[2, 12]), [Outcome::Valid, Outcome::Invalid]);
    assert_eq!(check(&[2, 8]), [Outcome::Valid, Outcome::Invalid]);
    assert_eq!(check(&[2, 7, 7]), [Outcome::Valid; 3]);
}

#[test]
fn a_second_book_is_proven_only_against_the_coordinator_that_signed_it() {
    let scratch = Scratch::new();
    let keys = fixture("vkeys");
    let forked = scratch.doubly_signed("fork.note", &ReceiptBody { credit: 1, ..body(7) });
    let honest = fixture("07.note");
    let convict = evidence::check(&honest, &forked, &keys);
    assert_eq!(outcomes(&convict), [Outcome::Equivocation; 2]);
    let in_chain = chain::check(&[honest.clone(), forked.clone()], Some(&keys));
    assert_eq!(outcomes(&in_chain), [Outcome::Valid, Outcome::Equivocation]);
    let unsigned = chain::check(&[honest.clone(), forked], None);
    assert_eq!(outcomes(&unsigned), [Outcome::Valid, Outcome::Invalid]);
    // Nothing is proven by one text twice, by two places of a chain, or by a forged second book.
    assert_eq!(outcomes(&evidence::check(&honest, &honest, &keys)), [Outcome::Valid; 2]);
    let next = fixture("12.note");
    assert_eq!(outcomes(&evidence::check(&honest, &next, &keys)), [Outcome::Valid; 2]);
    let text = fs::read_to_string(&honest).expect("a fixture").replace("tasks 209", "tasks 208");
    let framed = scratch.write("framed.note", &text);
    let findings = evidence::check(&honest, &framed, &keys);
    assert_eq!(outcomes(&findings), [Outcome::Valid, Outcome::Invalid]);
}

#[test]
fn a_lower_total_breaks_a_chain_although_both_parties_signed() {
    let scratch = Scratch::new();
    let lower = ReceiptBody { seq: Seq(3), prev: body(7).hash(), bytes: 1, ..body(12) };
    let paths = [fixture("07.note"), scratch.doubly_signed("lower.note", &lower)];
    let findings = chain::check(&paths, Some(&fixture("vkeys")));
    assert_eq!(outcomes(&findings), [Outcome::Valid, Outcome::Invalid]);
    assert!(findings[1].detail.contains("lowers bytes"), "{}", findings[1].detail);
}
