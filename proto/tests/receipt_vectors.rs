//! The published vectors: the same bytes that verifiers written by others accept.

#[path = "../../tests/fixtures/receipts/series.rs"]
mod series;

use sward_proto::digest::Digest;
use sward_proto::merkle::{inclusion_proof, leaf_hash, root, verify_inclusion};
use sward_proto::note::SignedNote;
use sward_proto::receipt::{follows, verify};

const RECEIPT_7: &str = "\
tern.example/receipt/v1
log receipts.tern.example/main
agent 12D3KooWAaYVakMyznsMrUbM1TPKUnduj2tCfQiM6zujqQmepeqr
lane 0
seq 2
prev +PCWiuFQm3zpSJ3bQMZ1Z4mtE5gAjh5i1g7tt9dFv4Q=
epoch 1
issued 1790000420
tasks 209
bytes 2071271
credit 5000009
batch 107 gUFwTyul3HiX8WLNlrrXr4TioTxPYn3lPvaLqhWGDsA=
tariff AUoD2SHl5/t2GgEvBZ+TCTuHy+Fyk9dgJQMcuexAU8k=
";

#[test]
fn receipt_seven_is_the_published_text_and_note() {
    let note = &series::notes()[7];
    assert_eq!(note.text(), RECEIPT_7);
    assert_eq!(RECEIPT_7.len(), 349);
    assert_eq!(note.encode().len(), 624);
    let published = "4d6b739cc3d526ec9c1c66823b69dbfcfc3c0f340d754fc4f44b074fe3523f26";
    assert_eq!(Digest::of(note.encode().as_bytes()).to_string(), published);
}

#[test]
fn thirteen_notes_have_the_published_root() {
    let leaves: Vec<Digest> =
        series::notes().iter().map(|note| leaf_hash(note.encode().as_bytes())).collect();
    let root = root(&leaves);
    assert_eq!(root.to_base64(), "M+Ll6q/ONJPS2w4Fnfqa8Sb2SIBQ+65xSSTA1rD7ZGU=");
    for (index, leaf) in leaves.iter().enumerate() {
        let proof = inclusion_proof(&leaves, index).expect("a leaf of the tree");
        assert_eq!(verify_inclusion(root, 13, index as u64, *leaf, &proof), Ok(()));
    }
}

#[test]
fn the_coordinator_is_the_published_key() {
    assert_eq!(
        series::coordinator().verifier_key().to_string(),
        "receipts.tern.example/main+04507f7b+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"
    );
}

#[test]
fn every_note_is_read_back_verified_and_follows_its_predecessor() {
    let coordinator = series::coordinator().verifier_key();
    let (notes, agents) = (series::notes(), series::agents());
    let bodies = series::bodies();
    assert_eq!(bodies.len(), series::COUNT);
    for (i, note) in notes.iter().enumerate() {
        let read = SignedNote::parse(note.encode().as_bytes()).expect("its own encoding");
        assert_eq!(&read, note);
        let receipt = verify(&read, &coordinator).expect("both signatures");
        assert_eq!(receipt.body, bodies[i]);
        assert!(receipt.countersigned);
        assert_eq!(note.signatures()[1].name, *agents[i % agents.len()].name());
        if let Some(before) = i.checked_sub(agents.len()) {
            assert_eq!(follows(&bodies[before], &receipt.body), Ok(()));
        }
    }
}

#[test]
fn the_notes_kept_as_files_are_the_same_bytes() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/receipts");
    for (i, note) in series::notes().iter().enumerate() {
        let path = format!("{folder}/{i:02}.note");
        let kept = std::fs::read_to_string(&path).expect(&path);
        assert_eq!(kept, note.encode(), "{path}");
    }
}
