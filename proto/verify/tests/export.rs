//! The `export` command over a small corpus, whole and bent.

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use sward_proto::digest::Digest;
use sward_verify::export;
use sward_verify::report::Outcome;
use tempfile::TempDir;

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n";
const BODY: &str = "<p>one\r\n\r\ntwo</p>";

/// One gzip member with one record; `bend` may change the record's text.
fn record(
    kind: &str,
    media: &str,
    block: &str,
    payload: Option<&str>,
    bend: &[(&str, &str)],
) -> Vec<u8> {
    let payload = payload.map_or(String::new(), |payload| {
        format!("WARC-Payload-Digest: sha256:{}\r\n", Digest::of(payload.as_bytes()))
    });
    let mut text = format!(
        "WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:0>\r\n\
         WARC-Date: 2026-11-22T12:00:00Z\r\nContent-Type: {media}\r\n{payload}\
         WARC-Block-Digest: sha256:{}\r\nContent-Length: {}\r\n\r\n{block}\r\n\r\n",
        Digest::of(block.as_bytes()),
        block.len()
    );
    for (from, to) in bend {
        assert!(text.contains(from), "the record has {from:?}");
        text = text.replace(from, to);
    }
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(text.as_bytes()).expect("compressed");
    gzip.finish().expect("compressed")
}

fn response(bend: &[(&str, &str)]) -> Vec<u8> {
    let media = "application/http; msgtype=response";
    record("response", media, &format!("{HEAD}{BODY}"), Some(BODY), bend)
}

struct Corpus {
    dir: TempDir,
    files: Vec<(String, Vec<u8>, Option<u64>)>,
}

impl Corpus {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a temporary folder"), files: Vec::new() }
    }

    /// A warcinfo, a response and a revisit of it, with a line for each of the two captures.
    fn whole() -> Self {
        let mut corpus = Self::new();
        let info = record("warcinfo", "application/warc-fields", "software: sward\r\n", None, &[]);
        let media = "application/http; msgtype=response";
        let revisit = record("revisit", media, HEAD, Some(BODY), &[]);
        let (second, third) = (info.len(), info.len() + response(&[]).len());
        corpus.add("warc/a.warc.gz", [info, response(&[]), revisit].concat(), Some(3));
        let lines = [second, third].map(|offset| line(offset as u64, BODY)).concat();
        corpus.add("pages.jsonl", lines.into_bytes(), Some(2));
        corpus.add("notes.txt", b"anything".to_vec(), None);
        corpus
    }

    fn warc(bytes: Vec<u8>) -> Self {
        let mut corpus = Self::new();
        corpus.add("a.warc.gz", bytes, None);
        corpus
    }

    fn add(&mut self, path: &str, bytes: Vec<u8>, records: Option<u64>) {
        self.files.push((path.to_owned(), bytes, records));
    }

    fn manifest(&self) -> serde_json::Value {
        let file = |(path, bytes, records): &(String, Vec<u8>, Option<u64>)| {
            let sha256 = Digest::of(bytes).to_string();
            json!({ "path": path, "bytes": bytes.len(), "sha256": sha256, "records": records })
        };
        let files: Vec<_> = self.files.iter().map(file).collect();
        json!({ "schema_version": 1, "job": "docs", "files": files })
    }

    fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    fn write(&self, manifest: &serde_json::Value) {
        for (path, bytes, _) in &self.files {
            let path = self.path(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, bytes).expect("written");
        }
        fs::write(self.path("manifest.json"), manifest.to_string()).expect("written");
    }

    /// The worst outcome with its detail, after the corpus was written as it stands.
    fn check(&self) -> (Outcome, String) {
        self.check_with(&self.manifest())
    }

    fn check_with(&self, manifest: &serde_json::Value) -> (Outcome, String) {
        self.write(manifest);
        self.check_again()
    }

    fn check_again(&self) -> (Outcome, String) {
        let findings = export::check(self.dir.path(), None);
        let worst = findings.into_iter().max_by_key(|finding| finding.outcome);
        worst.map(|finding| (finding.outcome, finding.detail)).expect("at least the manifest")
    }
}

fn line(offset: u64, payload: &str) -> String {
    let digest = format!("sha256:{}", Digest::of(payload.as_bytes()));
    let line = json!({ "url": "http://a.example/", "warc_file": "warc/a.warc.gz",
        "warc_offset": offset, "payload_digest": digest });
    format!("{line}\n")
}

#[track_caller]
fn refused(answer: (Outcome, String), outcome: Outcome, reason: &str) {
    assert_eq!(answer.0, outcome, "{}", answer.1);
    assert!(answer.1.contains(reason), "{}", answer.1);
}

#[test]
fn a_whole_corpus_is_valid_and_its_records_are_counted() {
    let corpus = Corpus::whole();
    corpus.write(&corpus.manifest());
    let findings = export::check(corpus.dir.path(), None);
    assert!(findings.iter().all(|f| f.outcome == Outcome::Valid), "{findings:#?}");
    assert_eq!(findings[0].detail, "3 files, no evidence of verdicts among them");
    let counts: Vec<_> = findings.iter().map(|f| (f.path.as_str(), f.records)).collect();
    let others = [("warc/a.warc.gz", Some(3)), ("notes.txt", None), ("pages.jsonl", Some(2))];
    assert_eq!(counts[1..], others);
}

#[test]
fn changed_cut_and_missing_files_are_found() {
    let corpus = Corpus::whole();
    corpus.write(&corpus.manifest());
    fs::write(corpus.path("notes.txt"), b"anythinG").expect("written");
    refused(corpus.check_again(), Outcome::Invalid, "sha256 is");
    fs::write(corpus.path("notes.txt"), b"any").expect("written");
    refused(corpus.check_again(), Outcome::Invalid, "3 bytes instead of 8");
    fs::remove_file(corpus.path("notes.txt")).expect("removed");
    refused(corpus.check_again(), Outcome::Invalid, "cannot be read");
}

#[test]
fn wrong_counts_are_found() {
    for (file, reason) in [(0, "3 records instead of 4"), (1, "2 records instead of 3")] {
        let mut corpus = Corpus::whole();
        corpus.files[file].2 = corpus.files[file].2.map(|count| count + 1);
        refused(corpus.check(), Outcome::Invalid, reason);
    }
}

#[test]
fn a_manifest_cannot_lead_elsewhere_or_be_of_another_form() {
    let corpus = Corpus::whole();
    for path in ["../a", "/etc/passwd", "a/../b", "./a", "a//b", "a/", ""] {
        let mut manifest = corpus.manifest();
        manifest["files"][0]["path"] = path.into();
        refused(corpus.check_with(&manifest), Outcome::Malformed, "is not a plain path");
    }
    let mut manifest = corpus.manifest();
    manifest["files"][0]["path"] = manifest["files"][1]["path"].clone();
    refused(corpus.check_with(&manifest), Outcome::Malformed, "stands twice");
    manifest["schema_version"] = 2.into();
    refused(corpus.check_with(&manifest), Outcome::Malformed, "schema_version 2");
    refused(corpus.check_with(&json!([])), Outcome::Malformed, "not a manifest");
    fs::remove_file(corpus.path("manifest.json")).expect("removed");
    refused(corpus.check_again(), Outcome::Malformed, "cannot be read");
}

#[test]
fn contents_that_do_not_match_a_digest_are_invalid() {
    let bent = Corpus::warc(response(&[("<p>one", "<p>0ne")]));
    refused(bent.check(), Outcome::Invalid, "WARC-Block-Digest is sha256:");
    let other = Digest::of(b"another body").to_string();
    let stated = Digest::of(BODY.as_bytes()).to_string();
    let bent = Corpus::warc(response(&[(stated.as_str(), other.as_str())]));
    refused(bent.check(), Outcome::Invalid, "WARC-Payload-Digest is sha256:");
}

#[test]
fn what_is_no_record_is_malformed() {
    let length = format!("Content-Length: {}", HEAD.len() + BODY.len());
    let bends: [(&str, &str, &str); 9] = [
        ("WARC/1.1", "WARC/0.9", "not WARC/1.1"),
        ("WARC-Date", "Date", "warc-date is missing"),
        ("WARC-Record-ID", "Record-ID", "warc-record-id is missing"),
        ("WARC-Block-Digest", "Block-Digest", "warc-block-digest is missing"),
        ("WARC-Payload-Digest", "Payload-Digest", "without warc-payload-digest"),
        ("sha256:", "sha1:", "no sha256:hex"),
        (
            "\r\nContent-Type: application",
            "\r\nContent-Length: 1\r\nContent-Type: application",
            "twice",
        ),
        (&length, "Content-Length: 1", "does not end"),
        (&length, "Content-Length: 999", "not as long"),
    ];
    for (from, to, reason) in bends {
        refused(Corpus::warc(response(&[(from, to)])).check(), Outcome::Malformed, reason);
    }
    refused(Corpus::warc(b"WARC/1.1\r\n".to_vec()).check(), Outcome::Malformed, "cannot be read");
    let whole = response(&[]);
    let cut = whole[..whole.len() - 4].to_vec();
    refused(Corpus::warc(cut).check(), Outcome::Malformed, "cannot be read");
    let mut flipped = response(&[]);
    let checksum = flipped.len() - 8;
    flipped[checksum] ^= 1;
    let second = Corpus::warc([whole, flipped].concat());
    refused(second.check(), Outcome::Malformed, "cannot be read");
}

#[test]
fn a_line_must_point_at_a_record_with_its_digest() {
    let offset = record("warcinfo", "application/warc-fields", "software: sward\r\n", None, &[])
        .len() as u64;
    for (text, outcome, reason) in [
        (line(offset + 1, BODY), Outcome::Invalid, "no record begins"),
        (line(offset, "another"), Outcome::Invalid, "another payload digest"),
        (line(0, BODY), Outcome::Invalid, "another payload digest"),
        (line(offset, BODY).replace("a.warc.gz", "b.warc.gz"), Outcome::Invalid, "b.warc.gz"),
        (line(offset, BODY).replace("sha256:", "md5:"), Outcome::Malformed, "no sha256:hex"),
        (line(offset, BODY).replace("warc_offset", "offset"), Outcome::Malformed, "warc_offset"),
        (format!("{}\n", line(offset, BODY)), Outcome::Malformed, "line 2"),
        ("{".into(), Outcome::Malformed, "line 1"),
    ] {
        let mut corpus = Corpus::whole();
        corpus.files[1].1 = text.into_bytes();
        corpus.files[1].2 = None;
        refused(corpus.check(), outcome, reason);
    }
}
