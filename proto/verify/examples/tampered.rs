//! Writes copies of a receipt that every verifier must refuse, one file for each way of bending it:
//! `cargo run -p sward-verify --example tampered -- DIR`.
//!
//! Only ways that the C2SP note format itself rules out: a verifier that does not know receipts
//! must refuse them too. Ways that only the receipt's grammar rules out are in the tests.

#[path = "../../../tests/fixtures/receipts/series.rs"]
mod series;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::path::PathBuf;
use std::{env, fs, io};

/// The order of the Ed25519 group, little-endian (RFC 8032 section 5.1).
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

fn main() -> io::Result<()> {
    let usage = || io::Error::new(io::ErrorKind::InvalidInput, "usage: tampered DIR");
    let dir = PathBuf::from(env::args().nth(1).ok_or_else(usage)?);
    fs::create_dir_all(&dir)?;
    let notes = series::notes();
    let (good, other) = (notes[7].encode(), notes[8].encode());
    for (name, bent) in text_edits(&good).into_iter().chain(signature_edits(&good, &other)) {
        assert_ne!(bent, good, "{name} changes the note");
        fs::write(dir.join(format!("{name}.note")), bent)?;
    }
    Ok(())
}

/// Every line changed, and every way to write the same lines differently.
fn text_edits(good: &str) -> Vec<(&'static str, String)> {
    let agent = series::agents()[3].name().to_string();
    assert_eq!(series::bodies().len(), series::COUNT);
    let edits = [
        ("schema", "tern.example/receipt/v1", "tern.example/receipt/v2"),
        ("domain", "tern.example/receipt", "turn.example/receipt"),
        ("log", "log receipts.", "log receipt."),
        (
            "agent",
            "agent 12D3KooWAaYVakMyznsMrUbM1TPKUnduj2tCfQiM6zujqQmepeqr",
            &*format!("agent {agent}"),
        ),
        ("lane", "lane 0", "lane 1"),
        ("seq", "seq 2", "seq 3"),
        ("prev", "prev +PCW", "prev +PCX"),
        ("epoch", "epoch 1", "epoch 2"),
        ("issued", "issued 1790000420", "issued 1790000421"),
        ("tasks", "tasks 209", "tasks 309"),
        ("bytes", "bytes 2071271", "bytes 9071271"),
        ("credit", "credit 5000009", "credit 5000010"),
        ("batch-count", "batch 107", "batch 108"),
        ("batch-root", "gUFwTyul", "gUFwTyum"),
        ("tariff", "tariff AUoD", "tariff AUoE"),
        ("leading-zero", "seq 2", "seq 02"),
        ("trailing-space", "lane 0\n", "lane 0 \n"),
        ("carriage-return", "\n", "\r\n"),
        ("reordered", "lane 0\nseq 2\n", "seq 2\nlane 0\n"),
        ("repeated", "lane 0\n", "lane 0\nlane 0\n"),
        ("dropped", "lane 0\n", ""),
        ("blank-line-more", "\n\n", "\n\n\n"),
        ("no-blank-line", "\n\n", "\n"),
        ("unpadded", "AU8k=\n", "AU8k\n"),
        ("nul", "lane 0", "lane 0\0"),
    ];
    let bent = |(name, from, to): (&'static str, &str, &str)| {
        assert!(good.contains(from), "{name} finds its place");
        (name, good.replace(from, to))
    };
    edits.into_iter().map(bent).collect()
}

/// The text untouched, its signatures bent.
fn signature_edits(good: &str, other: &str) -> Vec<(&'static str, String)> {
    let first = Line::nth(good, 0);
    let second = Line::nth(good, 1);
    let with = |coordinator: String, agent: String| {
        let (text, _) = good.rsplit_once("\n\n").expect("a note");
        format!("{text}\n\n{coordinator}{agent}")
    };
    let coordinator = |bend: fn(&mut Vec<u8>)| with(first.bent(bend), second.bent(|_| {}));
    let agent = |bend: fn(&mut Vec<u8>)| with(first.bent(|_| {}), second.bent(bend));
    let swapped = Line { name: first.name.clone(), bytes: second.bytes.clone() };
    vec![
        ("coordinator-r", coordinator(|bytes| bytes[4] ^= 1)),
        ("coordinator-s", coordinator(|bytes| bytes[36] ^= 1)),
        ("coordinator-key-id", coordinator(|bytes| bytes[0] ^= 1)),
        ("coordinator-s-plus-order", coordinator(|bytes| add_order(bytes))),
        ("coordinator-zeros", coordinator(|bytes| bytes[4..].fill(0))),
        ("coordinator-short", coordinator(|bytes| bytes.truncate(67))),
        ("coordinator-long", coordinator(|bytes| bytes.push(0))),
        (
            "coordinator-of-other-receipt",
            with(Line::nth(other, 0).bent(|_| {}), second.bent(|_| {})),
        ),
        ("coordinator-missing", with(String::new(), second.bent(|_| {}))),
        ("coordinator-bears-agents", with(swapped.bent(|_| {}), second.bent(|_| {}))),
        ("agent-r", agent(|bytes| bytes[4] ^= 1)),
        ("agent-s", agent(|bytes| bytes[36] ^= 1)),
        ("agent-key-id", agent(|bytes| bytes[0] ^= 1)),
        ("agent-s-plus-order", agent(|bytes| add_order(bytes))),
        ("agent-zeros", agent(|bytes| bytes[4..].fill(0))),
        ("unsigned", with(String::new(), String::new())),
        ("cut-short", good[..good.len() - 1].to_owned()),
        ("cut-in-signature", good[..good.len() - 20].to_owned()),
    ]
}

struct Line {
    name: String,
    bytes: Vec<u8>,
}

impl Line {
    fn nth(note: &str, number: usize) -> Self {
        let (_, lines) = note.rsplit_once("\n\n").expect("a note");
        let line = lines.lines().nth(number).expect("a signature line");
        let [_, name, encoded] = line.splitn(3, ' ').collect::<Vec<_>>()[..] else {
            panic!("no signature line: {line}");
        };
        Self { name: name.to_owned(), bytes: STANDARD.decode(encoded).expect("base64") }
    }

    fn bent(&self, bend: fn(&mut Vec<u8>)) -> String {
        let mut bytes = self.bytes.clone();
        bend(&mut bytes);
        format!("\u{2014} {} {}\n", self.name, STANDARD.encode(bytes))
    }
}

/// S becomes S + L: the same number modulo the group's order, so a lax verifier accepts it.
fn add_order(bytes: &mut [u8]) {
    let mut carry = 0;
    for (byte, order) in bytes[36..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = (sum & 0xff) as u8;
        carry = sum >> 8;
    }
    assert_eq!(carry, 0, "S is below the order, so the sum fits");
}
