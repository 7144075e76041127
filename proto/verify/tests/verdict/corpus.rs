//! An export whose pages resolve to their verdicts.

use crate::sample::{BODY, agent, coordinator, partial, publish, whole};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use std::fs;
use std::io::Write as _;
use sward_proto::digest::Digest;
use sward_proto::ids::TaskId;
use sward_proto::note::NoteSigner;
use sward_proto::verdict::Case;
use sward_verify::export;
use sward_verify::report::Outcome;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).expect("compressed");
    gzip.finish().expect("compressed")
}

fn warc(body: &str) -> Vec<u8> {
    let block = format!("HTTP/1.1 200 OK\r\n\r\n{body}");
    let text = format!(
        "WARC/1.1\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:0>\r\n\
         WARC-Date: 2026-11-22T12:00:00Z\r\nContent-Type: application/http; msgtype=response\r\n\
         WARC-Payload-Digest: sha256:{}\r\nWARC-Block-Digest: sha256:{}\r\n\
         Content-Length: {}\r\n\r\n{block}\r\n\r\n",
        Digest::of(body.as_bytes()),
        Digest::of(block.as_bytes()),
        block.len()
    );
    gzip(text.as_bytes())
}

/// The text of a part of a page.
fn conversion(text: &str) -> Vec<u8> {
    let record = format!(
        "WARC/1.1\r\nWARC-Type: conversion\r\nWARC-Record-ID: <urn:uuid:1>\r\n\
         WARC-Date: 2026-11-22T12:00:00Z\r\nWARC-Refers-To: <urn:uuid:0>\r\n\
         Content-Type: text/plain; charset=utf-8\r\nWARC-Block-Digest: sha256:{}\r\n\
         Content-Length: {}\r\n\r\n{text}\r\n\r\n",
        Digest::of(text.as_bytes()),
        text.len()
    );
    gzip(record.as_bytes())
}

fn line(url: &str, verdict: &serde_json::Value, body: &str) -> String {
    let digest = format!("sha256:{}", Digest::of(body.as_bytes()));
    let line = json!({ "url": url, "warc_file": "docs.warc.gz", "warc_offset": 0,
        "payload_digest": digest, "verdict": verdict });
    format!("{line}\n")
}

/// The worst that is found of an export of one page, and all that is said.
fn check(case: Case, body: &str, page: String, records: u64, by: &NoteSigner) -> (Outcome, String) {
    check_record(case, warc(body), page, records, by)
}

fn check_record(
    case: Case,
    record: Vec<u8>,
    page: String,
    records: u64,
    by: &NoteSigner,
) -> (Outcome, String) {
    let dir = tempfile::tempdir().expect("a folder");
    let bundle = [publish(case).encode().expect("json").as_slice(), b"\n"].concat();
    let files = [
        ("docs.jsonl", page.into_bytes(), 1),
        ("docs.evidence.jsonl.gz", gzip(&bundle), records),
        ("docs.warc.gz", record, 1),
    ];
    let entries: Vec<_> = files
        .iter()
        .map(|(path, bytes, records)| {
            fs::write(dir.path().join(path), bytes).expect("written");
            let sha256 = Digest::of(bytes).to_string();
            json!({ "path": path, "bytes": bytes.len(), "sha256": sha256, "records": records })
        })
        .collect();
    let manifest = json!({ "schema_version": 1, "files": entries });
    fs::write(dir.path().join("manifest.json"), manifest.to_string()).expect("written");
    let keys = dir.path().join("vkeys");
    fs::write(&keys, format!("{}\n", by.verifier_key())).expect("written");
    let findings = export::check(dir.path(), Some(&keys));
    let worst = findings.iter().map(|finding| finding.outcome).max().expect("a finding");
    let texts: Vec<String> =
        findings.into_iter().map(|f| format!("{}: {}", f.path, f.detail)).collect();
    (worst, texts.join("\n"))
}

#[track_caller]
fn is(answer: (Outcome, String), outcome: Outcome, words: &str) {
    assert_eq!(answer.0, outcome, "{}", answer.1);
    assert!(answer.1.contains(words), "{}", answer.1);
}

const URL: &str = "http://site.example/page";

#[test]
fn every_page_resolves_to_a_verdict_that_accepts_it() {
    let ours = coordinator();
    let seven = json!({ "task": 7 });
    let page = line(URL, &seven, BODY);
    is(check(whole(), BODY, page.clone(), 1, &ours), Outcome::Valid, "1 verdicts recomputed");
    is(check(whole(), BODY, page.clone(), 2, &ours), Outcome::Invalid, "1 records instead of 2");
    is(check(whole(), BODY, page.clone(), 1, &agent(8)), Outcome::Invalid, "is not the trusted");
    let eight = line(URL, &json!({ "task": 8 }), BODY);
    is(check(whole(), BODY, eight, 1, &ours), Outcome::Invalid, "no evidence for task 8");
    let none = line(URL, &json!({}), BODY);
    is(check(whole(), BODY, none, 1, &ours), Outcome::Malformed, "verdict.task");
    let elsewhere = line("http://site.example/other", &seven, BODY);
    is(check(whole(), BODY, elsewhere, 1, &ours), Outcome::Invalid, "accepts another page");
    let other = line(URL, &seven, "another");
    let answer = check(whole(), "another", other, 1, &ours);
    assert!(answer.1.contains("no record has the payload that task 7 accepts"), "{}", answer.1);
    is(answer, Outcome::Invalid, "docs.jsonl: line 1: the verdict of task 7 accepts another page");
    let renumbered = Case { task: TaskId(9), ..whole() };
    is(check(renumbered, BODY, page.clone(), 1, &ours), Outcome::Invalid, "no evidence for task 7");
    // A verdict that does not hold accepts nothing.
    let mut bent = whole();
    bent.rules.margin = 3;
    is(check(bent, BODY, page, 1, &ours), Outcome::Invalid, "no evidence for task 7");
}

#[test]
fn a_page_in_part_is_a_conversion_and_says_so() {
    let payload = partial().page.expect("a page").payload;
    let line = |attested: &str| {
        let line = json!({ "url": URL, "warc_file": "docs.warc.gz", "warc_offset": 0,
            "payload_digest": format!("sha256:{payload}"), "attested": attested,
            "verdict": { "task": 7 } });
        format!("{line}\n")
    };
    let of = |case, record, attested| check_record(case, record, line(attested), 1, &coordinator());
    let text = || conversion("some of it");
    is(of(partial(), text(), "part"), Outcome::Valid, "1 verdicts recomputed");
    is(of(partial(), text(), "whole"), Outcome::Invalid, "more or less of the page");
    is(of(partial(), warc(BODY), "part"), Outcome::Invalid, "another payload digest");
    is(of(whole(), warc(BODY), "part"), Outcome::Invalid, "of task 7 a");
    is(of(whole(), text(), "whole"), Outcome::Invalid, "no record has the payload");
}
