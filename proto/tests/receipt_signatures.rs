//! Hostile notes, keys and Ed25519 signatures; and a verifier that others wrote, which must agree.

#[path = "../../tests/fixtures/receipts/series.rs"]
mod series;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, SigningKey, Verifier as _};
use sha2::{Digest as _, Sha512};
use sward_proto::note::{
    KeyError, MAX_NOTE_BYTES, MAX_SIGNATURES, NoteError, NoteSignature, NoteSigner, SignatureError,
    SignedNote, VerifierKey,
};

const TEXT: &str = "text\n";

/// The order of the group, little-endian (RFC 8032 section 5.1).
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// Points of order 1, 2, 4 and 8 (["Taming the many EdDSAs"](https://eprint.iacr.org/2020/1244),
/// table 6a).
const SMALL_ORDER: [&str; 4] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
];

fn signer(name: &str, seed: u8) -> NoteSigner {
    NoteSigner::from_seed(name.parse().expect("a key name"), &[seed; 32])
}

fn note(signatures: usize) -> String {
    let line = |n| format!("{}\n", signer(&format!("key-{n}"), 1).sign(TEXT));
    format!("{TEXT}\n{}", (0..signatures).map(line).collect::<String>())
}

/// Whether a note verifies whose one signature is `bytes`; it can only be forged otherwise.
fn verifies(bytes: Vec<u8>) -> bool {
    let key = signer("a.example", 1).verifier_key();
    let line = NoteSignature { name: key.name().clone(), id: key.id(), signature: bytes };
    let signed = SignedNote::new(TEXT.into(), line).expect("a note").is_signed_by(&key);
    let forged = SignatureError::Forged(key.name().clone());
    assert!(signed == Ok(true) || signed == Err(forged), "{signed:?}");
    signed.is_ok()
}

#[test]
fn sixteen_signatures_are_read_and_seventeen_refused() {
    let sixteen = SignedNote::parse(note(MAX_SIGNATURES).as_bytes()).expect("sixteen");
    let last = signer("key-15", 1).verifier_key();
    assert_eq!(sixteen.is_signed_by(&last), Ok(true));
    let refused = Err(NoteError::TooManySignatures);
    assert_eq!(SignedNote::parse(note(MAX_SIGNATURES + 1).as_bytes()), refused);
    assert_eq!(sixteen.with_signature(signer("b.example", 1).sign(TEXT)), refused);
}

#[test]
fn what_is_no_note_is_refused_with_its_reason() {
    let good = note(1);
    let parse = |text: &str| SignedNote::parse(text.as_bytes()).expect_err(text);
    assert!(SignedNote::parse(good.as_bytes()).is_ok());
    assert_eq!(parse(""), NoteError::NoSignatures);
    assert_eq!(parse(TEXT), NoteError::NoSignatures);
    assert_eq!(parse("text\n\n"), NoteError::NoSignatures);
    assert_eq!(parse(good.trim_end()), NoteError::OtherSpelling);
    assert_eq!(
        parse(&good.replace("text", "a\tb")),
        NoteError::Control { line: 1, character: '\t' }
    );
    assert_eq!(parse(&good.replace('\n', "\r\n")), NoteError::Control { line: 1, character: '\r' });
    assert_eq!(parse(&good.replace("\u{2014} ", "- ")), NoteError::SignatureLine(1));
    assert_eq!(parse(&good.replace("key-0", "key+0")), NoteError::SignatureLine(1));
    assert_eq!(parse(&good.replace("key-0", "key 0")), NoteError::SignatureLine(1));
    assert_eq!(parse("text\n\n\u{2014} a AAAAAA==\n"), NoteError::SignatureLine(1));
    assert_eq!(parse(&format!("{good}\n")), NoteError::NoSignatures);
    let line = good.lines().last().expect("a line");
    let twice = NoteError::SignedTwice("key-0".parse().expect("a key name"));
    assert_eq!(parse(&format!("{good}{line}\n")), twice);
    let long = format!("{}{good}", "x".repeat(MAX_NOTE_BYTES));
    assert_eq!(parse(&long), NoteError::TooLong(long.len()));
    assert_eq!(SignedNote::parse(b"te\xffxt\n\n"), Err(NoteError::NotUtf8(2)));
    let unended = SignedNote::new("text".into(), signer("a.example", 1).sign("text"));
    assert_eq!(unended, Err(NoteError::Unfinished));
}

#[test]
fn base64_that_decodes_alike_is_refused() {
    // 68 bytes leave two bits of the last digit unused; with one of them set it decodes alike to
    // a lax reader.
    let good = note(1);
    let digit = good.len() - "x=\n".len();
    let mut other = good.clone().into_bytes();
    other[digit] += 1;
    let refused = SignedNote::parse(&other);
    assert_eq!(refused, Err(NoteError::SignatureLine(1)));
}

#[test]
fn keys_of_small_order_and_of_other_kinds_are_refused() {
    for point in SMALL_ORDER {
        let key = sward_proto::digest::Digest::from_hex(point).expect("32 bytes").0;
        let name = "a.example".parse().expect("a key name");
        assert!(matches!(VerifierKey::new(name, &key), Err(KeyError::Weak(_))), "{point}");
    }
    let good = signer("a.example", 1).verifier_key().to_string();
    let parse = |text: &str| text.parse::<VerifierKey>().expect_err(text);
    let (head, encoded) = good.rsplit_once('+').expect("three parts");
    let mut bytes = STANDARD.decode(encoded).expect("base64");
    bytes[0] = 0x04;
    let cosigner = format!("{head}+{}", STANDARD.encode(&bytes));
    assert!(matches!(parse(&cosigner), KeyError::Algorithm { found: 0x04, .. }));
    bytes[0] = 0x01;
    let short = format!("{head}+{}", STANDARD.encode(&bytes[..32]));
    assert!(matches!(parse(&short), KeyError::VerifierKey(_)));
    let renamed = good.replacen("a.example", "b.example", 1);
    assert!(matches!(parse(&renamed), KeyError::Id { .. }));
    let upper = good.replacen(head, &format!("a.example{}", head[9..].to_uppercase()), 1);
    assert!(matches!(parse(&upper), KeyError::VerifierKey(_)), "{upper}");
    for text in ["", "a.example", "a.example+00000000", "a b+00000000+AA==", "+00000000+AA=="] {
        assert!(text.parse::<VerifierKey>().is_err(), "{text}");
    }
}

#[test]
fn a_signature_has_one_s_and_no_point_of_small_order() {
    let key = SigningKey::from_bytes(&[1; 32]);
    let good = signer("a.example", 1).sign(TEXT).signature;
    assert!(verifies(good.clone()));
    // S + L is the same number in the group.
    let mut high = good.clone();
    let sum = sum(high[32..].try_into().expect("32 bytes"), ORDER);
    high[32..].copy_from_slice(&sum);
    assert!(!verifies(high));
    // R of order 1, S = k * a: the equation holds, and a lax verifier accepts it.
    let identity = sward_proto::digest::Digest::from_hex(SMALL_ORDER[0]).expect("32 bytes").0;
    let public = key.verifying_key();
    let hashed = Sha512::new().chain_update(identity).chain_update(public.as_bytes());
    let k = times(&hashed.chain_update(TEXT).finalize(), ONE);
    let s = times(&key.to_scalar().to_bytes(), k);
    let small = [identity, s].concat();
    let lax = public.verify(TEXT.as_bytes(), &Signature::from_slice(&small).expect("64 bytes"));
    assert!(lax.is_ok(), "the construction satisfies the equation");
    assert!(!verifies(small));
    for bytes in [good[..63].to_vec(), [&good[..], &[0]].concat(), vec![0; 64]] {
        assert!(!verifies(bytes));
    }
}

#[test]
fn the_signed_note_crate_accepts_every_receipt_and_refuses_a_bent_one() {
    use signed_note::{Note, StandardVerifier, Verifier, VerifierList};
    let keys = || {
        let signers = [series::coordinator()].into_iter().chain(series::agents());
        let boxed = |signer: NoteSigner| -> Box<dyn Verifier> {
            let vkey = signer.verifier_key().to_string();
            Box::new(StandardVerifier::new(&vkey).expect("a verifier key"))
        };
        VerifierList::new(signers.map(boxed).collect())
    };
    let notes = series::notes();
    assert_eq!((notes.len(), series::bodies().len()), (series::COUNT, series::COUNT));
    for note in notes {
        let theirs = Note::from_bytes(note.encode().as_bytes()).expect("a note");
        let (verified, unknown) = theirs.verify(&keys()).expect("both signatures");
        assert_eq!((verified.len(), unknown.len()), (2, 0));
        assert_eq!(theirs.text(), note.text().as_bytes());
        let bent = note.encode().replacen("tasks ", "tasks 1", 1);
        let bent = Note::from_bytes(bent.as_bytes()).expect("still a note");
        assert!(bent.verify(&keys()).is_err());
    }
}

const ONE: [u8; 32] = {
    let mut one = [0; 32];
    one[0] = 1;
    one
};

/// x * y modulo the group's order, both little-endian, y below the order.
fn times(x: &[u8], y: [u8; 32]) -> [u8; 32] {
    let bits = x.iter().rev().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1));
    bits.fold([0; 32], |product, bit| {
        let doubled = reduced(sum(product, product));
        if bit == 1 { reduced(sum(doubled, y)) } else { doubled }
    })
}

fn sum(a: [u8; 32], b: [u8; 32]) -> [u8; 32] {
    let mut carry = 0;
    std::array::from_fn(|i| {
        let sum = u16::from(a[i]) + u16::from(b[i]) + carry;
        carry = sum >> 8;
        (sum & 0xff) as u8
    })
}

/// A number below twice the order, less the order where it is not below it.
fn reduced(number: [u8; 32]) -> [u8; 32] {
    if number.iter().rev().lt(ORDER.iter().rev()) {
        return number;
    }
    let mut borrow = 0;
    std::array::from_fn(|i| {
        let difference = i16::from(number[i]) - i16::from(ORDER[i]) - borrow;
        borrow = i16::from(difference < 0);
        difference.rem_euclid(256) as u8
    })
}
