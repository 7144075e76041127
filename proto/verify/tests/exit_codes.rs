//! The binary's contract with scripts: exit codes, results on stdout, one JSON document.

use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/receipts");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sward-verify"));
    command.current_dir(fixtures).args(arguments).output().expect("started")
}

fn code(arguments: &[&str]) -> Option<i32> {
    run(arguments).status.code()
}

#[test]
fn codes_tell_valid_invalid_and_malformed_apart() {
    assert_eq!(code(&["receipt", "--keys", "vkeys", "00.note", "12.note"]), Some(0));
    assert_eq!(code(&["chain", "--keys", "vkeys", "02.note", "12.note"]), Some(1));
    assert_eq!(code(&["receipt", "--keys", "vkeys", "vkeys"]), Some(2));
    assert_eq!(code(&["evidence", "--keys", "vkeys", "02.note", "07.note"]), Some(0));
    assert_eq!(code(&["export", "."]), Some(2));
}

#[test]
fn wrong_usage_is_two_and_says_so_on_stderr() {
    for arguments in [&["receipt", "00.note"][..], &["receipt", "--keys", "vkeys"], &["prove"], &[]]
    {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn each_file_has_one_line_and_json_is_one_document() {
    let arguments = ["receipt", "--keys", "vkeys", "00.note", "07.note"];
    let text = String::from_utf8(run(&arguments).stdout).expect("utf-8");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[1].starts_with("valid: 07.note: countersigned, agent 12D3KooWAaYV"), "{text}");
    let stdout = run(&[&arguments[..], &["--json"]].concat()).stdout;
    let json: serde_json::Value = serde_json::from_slice(&stdout).expect("json");
    assert_eq!((&json["schema_version"], &json["exit_code"]), (&1.into(), &0.into()));
    assert_eq!(json["findings"][1]["receipt"]["credit"], 5_000_009);
}
