//! What a receipt may not be: bent texts, broken chains, wrong signers, two books.

#[path = "../../tests/fixtures/receipts/series.rs"]
mod series;

use sward_proto::digest::Digest;
use sward_proto::ids::{Lane, Seq};
use sward_proto::note::{NoteError, NoteSigner, SignatureError, SignedNote};
use sward_proto::receipt::{
    ChainError, Equivocation, ReceiptBody, ReceiptError, VerifyError, admitted, countersign,
    follows, sign, verify,
};

fn bent(from: &str, to: &str) -> ReceiptError {
    let good = series::notes()[7].text().to_owned();
    assert!(good.contains(from), "the receipt has {from:?}");
    ReceiptBody::parse(&good.replacen(from, to, 1)).expect_err(to)
}

#[test]
fn every_other_spelling_is_refused() {
    assert_eq!(bent("lane 0\n", "lane 0\r\n"), ReceiptError::Byte { line: 4, byte: b'\r' });
    assert_eq!(bent("tern.example", "térn.example"), ReceiptError::Byte { line: 1, byte: 0xc3 });
    for (from, to, field) in [
        ("lane 0", "lane 0 ", "lane"),
        ("seq 2", "seq 02", "seq"),
        ("seq 2", "seq +2", "seq"),
        ("seq 2", "seq 0", "seq"),
        ("epoch 1", "epoch ", "epoch"),
        ("issued 1790000420", "issued 1790000420.0", "issued"),
        ("batch 107 ", "batch 107  ", "batch"),
        ("batch 107 ", "batch 107", "batch"),
        ("log receipts", "log re+ceipts", "log"),
        ("agent 12D3", "agent 12d3", "agent"),
        // The last digit carries two bits that decode to nothing.
        ("cuexAU8k=", "cuexAU8l=", "tariff"),
        ("cuexAU8k=", "cuexAU8k", "tariff"),
        ("prev +PC", "prev -PC", "prev"),
    ] {
        let error = bent(from, to);
        let named = matches!(&error, ReceiptError::Value { field: found, .. } if *found == field);
        assert!(named, "{to}: {error}");
    }
}

#[test]
fn every_line_stands_once_and_in_its_place() {
    for (from, to, missing) in [
        ("lane 0\nseq 2\n", "seq 2\nlane 0\n", "lane"),
        ("lane 0\n", "lane 0\nlane 0\n", "seq"),
        ("tasks 209\n", "", "tasks"),
        ("tasks 209\n", "\n", "tasks"),
        ("tasks 209\n", "Tasks 209\n", "tasks"),
        ("bytes 2071271", "bytes", "bytes"),
    ] {
        let error = bent(from, to);
        let named = matches!(&error, ReceiptError::Field { expected, .. } if *expected == missing);
        assert!(named, "{to}: {error}");
    }
    assert_eq!(bent("AU8k=\n", "AU8k="), ReceiptError::End);
    assert_eq!(bent("AU8k=\n", "AU8k=\n\n"), ReceiptError::End);
    assert_eq!(bent("AU8k=\n", "AU8k=\nnote x\n"), ReceiptError::End);
    assert!(matches!(bent("/receipt/v1", "/receipt/v2"), ReceiptError::Schema(_)));
    assert!(ReceiptBody::parse("").is_err());
}

#[test]
fn numbers_that_overflow_are_refused_and_the_largest_is_not() {
    for field in ["seq", "epoch", "issued", "tasks", "bytes", "credit"] {
        let good = series::notes()[7].text().to_owned();
        let line = good.lines().find(|line| line.starts_with(field)).expect("the field");
        let with = |number: &str| good.replacen(line, &format!("{field} {number}"), 1);
        assert!(ReceiptBody::parse(&with("18446744073709551615")).is_ok(), "{field}");
        let found = "18446744073709551616".to_owned();
        let refused = ReceiptBody::parse(&with(&found));
        assert_eq!(refused, Err(ReceiptError::Overflow { field, found }));
    }
    let found = "4294967296".to_owned();
    assert_eq!(bent("lane 0", "lane 4294967296"), ReceiptError::Overflow { field: "lane", found });
}

#[test]
fn only_the_first_receipt_has_no_predecessor() {
    let zeros = format!("prev {}", Digest::ZERO.to_base64());
    let prev = series::bodies()[7].prev;
    let refused = bent(&format!("prev {}", prev.to_base64()), &zeros);
    assert_eq!(refused, ReceiptError::FirstLink { seq: Seq(2), prev: Digest::ZERO });
    assert_eq!(bent("seq 2", "seq 1"), ReceiptError::FirstLink { seq: Seq(1), prev });
}

#[test]
fn a_broken_chain_is_refused_with_what_broke_it() {
    let bodies = series::bodies();
    let (first, second) = (&bodies[2], &bodies[7]);
    let with = |bend: fn(&mut ReceiptBody)| {
        let mut next = second.clone();
        bend(&mut next);
        follows(first, &next).expect_err("bent")
    };
    let field = |error| match error {
        ChainError::OtherChain { field, .. } | ChainError::Decreased { field, .. } => field,
        other @ (ChainError::SeqGap { .. } | ChainError::WrongPrev { .. }) => panic!("{other}"),
    };
    let gap = |next| ChainError::SeqGap { previous: Seq(1), next };
    assert_eq!(follows(first, second), Ok(()));
    assert_eq!(with(|next| next.seq = Seq(3)), gap(Seq(3)));
    assert_eq!(follows(first, first), Err(gap(Seq(1))));
    assert!(matches!(with(|next| next.prev.0[0] ^= 1), ChainError::WrongPrev { .. }));
    assert_eq!(field(with(|next| next.lane = Lane(1))), "lane");
    assert_eq!(field(with(|next| next.log = "another/log".parse().expect("a name"))), "log");
    assert_eq!(field(follows(first, &bodies[8]).expect_err("another agent")), "agent");
    assert_eq!(field(with(|next| next.tasks = 101)), "tasks");
    assert_eq!(field(with(|next| next.bytes = 0)), "bytes");
    assert_eq!(field(with(|next| next.credit = 2_500_001)), "credit");
    let last = ReceiptBody { seq: Seq(u64::MAX), ..first.clone() };
    assert!(matches!(follows(&last, second), Err(ChainError::SeqGap { .. })));
}

#[test]
fn two_books_convict_and_nothing_else_does() {
    let (coordinator, bodies) = (series::coordinator(), series::bodies());
    let key = coordinator.verifier_key();
    let signed = |body: &ReceiptBody| sign(body, &coordinator).expect("signed");
    let honest = signed(&bodies[7]);
    let between = |other: &SignedNote| Equivocation::between(&honest, other, &key);
    let fork = signed(&ReceiptBody { credit: 1, ..bodies[7].clone() });
    let proof = between(&fork).expect("both signed").expect("two books");
    assert_eq!((proof.agent, proof.lane, proof.seq), (bodies[7].agent, Lane(0), Seq(2)));
    for other in [
        bodies[7].clone(),
        ReceiptBody { lane: Lane(1), ..bodies[7].clone() },
        ReceiptBody { seq: Seq(3), ..bodies[7].clone() },
        bodies[8].clone(),
    ] {
        assert_eq!(between(&signed(&other)), Ok(None));
    }
    // The agent's consent makes the same text no second book.
    assert_eq!(between(&series::notes()[7]), Ok(None));
    let text = fork.text().to_owned();
    let framed = SignedNote::new(text, honest.signatures()[0].clone()).expect("a note");
    assert!(matches!(between(&framed), Err(VerifyError::Signature(SignatureError::Forged(_)))));
}

#[test]
fn each_party_signs_only_what_is_its_own() {
    let (coordinator, agents) = (series::coordinator(), series::agents());
    let body = &series::bodies()[7];
    assert!(matches!(sign(body, &agents[2]), Err(VerifyError::OtherLog { .. })));
    let headless = ReceiptBody { seq: Seq(0), ..body.clone() };
    assert!(matches!(sign(&headless, &coordinator), Err(VerifyError::Receipt(_))));
    let alone = sign(body, &coordinator).expect("signed");
    let receipt = verify(&alone, &coordinator.verifier_key()).expect("unilateral");
    assert!(!receipt.countersigned);
    let other = countersign(alone.clone(), &agents[3]);
    assert!(matches!(other, Err(VerifyError::OtherAgent { .. })));
    let named_alike = NoteSigner::from_seed(agents[2].name().clone(), &[9; 32]);
    let impostor = countersign(alone.clone(), &named_alike);
    assert!(matches!(impostor, Err(VerifyError::OtherAgent { .. })));
    let both = countersign(alone, &agents[2]).expect("countersigned");
    let twice = countersign(both, &agents[2]);
    assert!(matches!(twice, Err(VerifyError::Note(NoteError::SignedTwice(_)))));
}

#[test]
fn a_claim_a_stranger_and_a_bad_countersignature_do_not_verify() {
    let (coordinator, agents) = (series::coordinator(), series::agents());
    let key = coordinator.verifier_key();
    let text = series::notes()[7].text().to_owned();
    let note =
        |signer: &NoteSigner| SignedNote::new(text.clone(), signer.sign(&text)).expect("a note");
    let claim = verify(&note(&agents[2]), &key);
    assert!(matches!(claim, Err(VerifyError::NotSigned(_))), "{claim:?}");
    let impostor = NoteSigner::from_seed(coordinator.name().clone(), &[9; 32]);
    let wrong_id = verify(&note(&impostor), &key);
    assert!(matches!(wrong_id, Err(VerifyError::Signature(SignatureError::WrongKeyId { .. }))));
    let other_log = verify(&note(&coordinator), &agents[2].verifier_key());
    assert!(matches!(other_log, Err(VerifyError::OtherLog { .. })));
    let elsewhere = agents[2].sign("another text\n");
    let bad = note(&coordinator).with_signature(elsewhere).expect("a note");
    assert!(matches!(verify(&bad, &key), Err(VerifyError::Signature(SignatureError::Forged(_)))));
    assert!(admitted(&bad, &key).is_ok(), "the coordinator's own signature still holds");
}

proptest::proptest! {
    #[test]
    fn one_changed_byte_is_refused_or_is_another_receipt(at: proptest::sample::Index, byte: u8) {
        let good = series::notes()[7].text().to_owned();
        let mut bytes = good.clone().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(text) = String::from_utf8(bytes)
            && let Ok(body) = ReceiptBody::parse(&text)
        {
            proptest::prop_assert_eq!(body.encode(), text.clone());
            proptest::prop_assert_eq!(body == series::bodies()[7], text == good);
        }
    }
}
