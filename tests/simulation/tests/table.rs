//! One seed is one table, whatever the number of threads; and its files have the fields that are promised.

use clap::Parser;
use std::path::{Path, PathBuf};
use sward_simulation::table::command::Command;
use sward_simulation::table::tally::NAMES;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    command: Command,
}

/// Plays a small table; returns what was said, and the JSON, the CSV and the picture.
fn played(threads: &str, folder: &Path) -> [String; 4] {
    let files = ["json", "csv", "svg"].map(|kind| folder.join(format!("{threads}.{kind}")));
    let [json, csv, svg] = files.each_ref().map(|file| file.to_str().expect("a plain path"));
    let small =
        "table --seeds 2 --agents 40 --days 3 --share 10 --attack lone-forger,denial --no-sections";
    let told = ["--threads", threads, "--json", json, "--csv", csv, "--svg", svg];
    let cli = Cli::try_parse_from(small.split(' ').chain(told)).expect("a command");
    let mut said = String::new();
    cli.command.run(&mut |line| said.push_str(&format!("{line}\n")));
    let [json, csv, svg] = files.map(|file| std::fs::read_to_string(file).expect("written"));
    [said, json, csv, svg]
}

#[test]
fn threads_change_nothing_and_the_files_have_their_fields() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let one = played("1", &folder);
    assert_eq!(one, played("3", &folder));
    let [said, json, csv, svg] = one;
    assert!(said.contains("Promises") && svg.contains("</svg>"));
    let rows: serde_json::Value = serde_json::from_str(&json).expect("json");
    let rows = rows.as_array().expect("a list");
    assert_eq!(rows.len(), 2 * 7, "two attacks, seven schemes");
    for row in rows {
        for name in ["share", "attack", "scheme"].iter().chain(&NAMES) {
            assert!(row.get(name).is_some(), "{name}");
        }
        assert!(row["ci95"]["fetches_per_accepted"].as_array().is_some_and(|ends| ends.len() == 2));
    }
    let heading = csv.lines().next().expect("a heading");
    assert_eq!(heading.split(',').count(), 3 + 3 * NAMES.len());
    assert_eq!(csv.lines().count(), 1 + rows.len());
    assert!(csv.lines().all(|line| line.split(',').count() == 3 + 3 * NAMES.len()));
}
