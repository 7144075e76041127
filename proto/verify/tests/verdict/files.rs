//! Files of bundles, their exit codes, and bytes that are none.

use crate::sample::{agent, coordinator, partial, publish, whole};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use sward_proto::ids::TaskId;
use sward_proto::verdict::{Bundle, MAX_BUNDLE_BYTES};
use sward_verify::report::Outcome;
use sward_verify::verdict;
use tempfile::TempDir;

fn line(bundle: &Bundle) -> Vec<u8> {
    bundle.encode().expect("json")
}

fn two() -> Vec<Vec<u8>> {
    let mut second = partial();
    second.task = TaskId(8);
    vec![line(&publish(whole())), line(&publish(second))]
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).expect("written");
        path
    }
}

fn outcome(name: &str, bytes: &[u8]) -> (Outcome, String) {
    let folder = Folder::new();
    let keys = folder.put("vkeys", format!("{}\n", coordinator().verifier_key()).as_bytes());
    let findings = verdict::check(&[folder.put(name, bytes)], Some(&keys));
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

#[test]
fn a_file_holds_one_or_one_a_line() {
    let [first, second] = two().try_into().expect("two");
    is(outcome("a.json", &first), Outcome::Valid, "1 verdicts recomputed, 4 draws");
    let both = [first.as_slice(), b"\n", &second, b"\n"].concat();
    is(outcome("a.jsonl", &both), Outcome::Valid, "2 verdicts recomputed, 7 draws");
    is(outcome("a.json", &both), Outcome::Malformed, "not a verdict bundle");
    let twice = [first.as_slice(), b"\n", &first].concat();
    is(
        outcome("a.jsonl", &twice),
        Outcome::Invalid,
        "a.jsonl:2: task 7, http://site.example/page: ",
    );
    is(outcome("a.jsonl", b""), Outcome::Malformed, "no verdict in it");
}

#[test]
fn what_is_no_bundle_is_malformed() {
    let text = String::from_utf8(line(&publish(whole()))).expect("utf-8");
    is(outcome("a", &text.as_bytes()[..text.len() - 1]), Outcome::Malformed, "EOF");
    is(outcome("a", &text.as_bytes()[..text.len() / 2]), Outcome::Malformed, "EOF");
    let bent = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        outcome("a", text.replacen(from, to, 1).as_bytes())
    };
    let version = "\"schema_version\":1";
    is(bent(version, "\"schema_version\":2"), Outcome::Malformed, "schema_version 2 is unknown");
    is(bent(version, "\"schema_version\":\"1\""), Outcome::Malformed, "schema_version");
    is(bent("\"robots\":", "\"more\":1,\"robots\":"), Outcome::Malformed, ".case.more");
    is(bent("\"margin\":2", "\"margin\":2,\"extra\":0"), Outcome::Malformed, ".case.rules.extra");
    is(bent("\"margin\":2", "\"margin\":2,\"margin\":2"), Outcome::Malformed, "duplicate");
    is(bent("\"robots\":false,", ""), Outcome::Malformed, "missing field");
    is(bent("http://site.example/p", "http://SITE.example/p"), Outcome::Malformed, "url");
    is(bent("\"task\":7", "\"task\":7.0"), Outcome::Malformed, "not a verdict bundle");
    let long = text.replacen("\"docs\"", &format!("\"{}\"", "d".repeat(MAX_BUNDLE_BYTES)), 1);
    is(outcome("a", long.as_bytes()), Outcome::Malformed, "at most 6291456 are read");
    is(outcome("a.jsonl", long.as_bytes()), Outcome::Malformed, "at most 6291456 are read");
    let many = text.replacen("\"results\":[", &format!("\"results\":[{}", "[".repeat(9000)), 1);
    is(outcome("a", many.as_bytes()), Outcome::Malformed, "recursion limit");
}

/// White space between values is no alteration; whoever prints a bundle for people to read may keep it so.
#[test]
fn a_bundle_may_be_printed_prettily() {
    let value: serde_json::Value = serde_json::from_slice(&line(&publish(whole()))).expect("json");
    let pretty = serde_json::to_vec_pretty(&value).expect("json");
    is(outcome("a", &pretty), Outcome::Valid, "1 verdicts");
}

#[test]
fn a_file_is_of_one_coordinator_and_one_plan() {
    let folder = Folder::new();
    let foreign = |key: &sward_proto::note::NoteSigner| {
        let mut case = partial();
        case.task = TaskId(9);
        line(&Bundle::sign(case, key).expect("a bundle"))
    };
    let both = |second: &[u8]| {
        let path =
            folder.put("a.jsonl", &[line(&publish(whole())).as_slice(), b"\n", second].concat());
        let findings = verdict::check(&[path], None);
        findings.into_iter().map(|finding| finding.detail).collect::<Vec<_>>().join("\n")
    };
    assert!(both(&foreign(&agent(8))).contains("signer: is not"));
    assert!(both(&foreign(&coordinator())).contains("2 verdicts recomputed"));
    let mut case = partial();
    case.task = TaskId(9);
    case.seeds.clear();
    case.plan.anchor.0.0[0] ^= 1;
    assert!(both(&line(&publish(case))).contains("case.plan: is not the plan"));
}

fn run(folder: &Folder, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sward-verify"));
    command.current_dir(folder.0.path()).args(arguments).output().expect("started")
}

#[test]
fn codes_and_lines_are_for_scripts() {
    let folder = Folder::new();
    let good = line(&publish(whole()));
    folder.put("good.json", &good);
    let mut case = whole();
    case.results[2].leaf.0[0] ^= 1;
    folder.put("bent.json", &line(&publish(case)));
    folder.put("cut.json", &good[..900]);
    folder.put("vkeys", format!("{}\n", coordinator().verifier_key()).as_bytes());
    folder.put("others", format!("{}\n", agent(8).verifier_key()).as_bytes());
    let code = |arguments: &[&str]| run(&folder, arguments).status.code();
    assert_eq!(code(&["verdict", "good.json"]), Some(0));
    assert_eq!(code(&["verdict", "--keys", "vkeys", "good.json"]), Some(0));
    assert_eq!(code(&["verdict", "--keys", "others", "good.json"]), Some(1));
    assert_eq!(code(&["verdict", "good.json", "bent.json"]), Some(1));
    assert_eq!(code(&["verdict", "cut.json", "bent.json"]), Some(2));
    assert_eq!(code(&["verdict", "absent.json"]), Some(2));
    assert_eq!(code(&["verdict"]), Some(2));
    let text = String::from_utf8(run(&folder, &["verdict", "bent.json"]).stdout).expect("utf-8");
    let lines: Vec<&str> = text.lines().collect();
    let about = "invalid: bent.json: task 7, http://site.example/page: case.results[2].";
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[0].starts_with(&format!("{about}leaf: ")), "{text}");
    assert!(lines[1].starts_with(&format!("{about}root: ")), "{text}");
    assert_eq!(lines[2], "invalid: bent.json: 0 of 1 verdicts hold");
    let json = run(&folder, &["--json", "verdict", "good.json"]).stdout;
    let json: serde_json::Value = serde_json::from_slice(&json).expect("json");
    assert_eq!((&json["command"], &json["exit_code"]), (&"verdict".into(), &0.into()));
    assert_eq!(json["findings"][0]["records"], 1);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 1000, ..Default::default() })]
    /// Any byte of a bundle changed into any other: refused, by one code or the other.
    #[test]
    fn no_byte_can_be_changed(place: proptest::sample::Index, to: u8, which: bool) {
        static BUNDLES: std::sync::OnceLock<Vec<Vec<u8>>> = std::sync::OnceLock::new();
        let bundles = BUNDLES.get_or_init(two);
        let mut bytes = bundles[usize::from(which)].clone();
        let place = place.index(bytes.len());
        proptest::prop_assume!(bytes[place] != to);
        bytes[place] = to;
        let held = Bundle::parse(&bytes).ok().and_then(|bundle| {
            let trusted = coordinator().verifier_key();
            bundle.check(Some(&trusted), &mut Default::default()).ok()
        });
        proptest::prop_assert_eq!(held, None, "byte {} to {}", place, to);
    }
}
