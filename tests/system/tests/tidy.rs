//! The house rules that a machine can see. A rule that nobody checks decays.

use clap::CommandFactory as _;
use std::path::{Path, PathBuf};

/// The longest file, in lines.
const MAX_FILE: usize = 600;
/// The median file may have this many lines at most.
const MAX_MEDIAN: usize = 150;
/// The longest function, in lines.
const MAX_FUNCTION: usize = 70;
/// One function in this many may be longer.
const LONG_FUNCTIONS: usize = 50;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace")
}

fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') && name != "demo-out" {
            files(&path, ending, found);
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
}

fn rust_files() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    files(&root(), ".rs", &mut found);
    found.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("readable");
        (path, text)
    };
    found.into_iter().map(read).collect()
}

/// The lines before the test module at a file's end.
fn product_lines(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    lines.iter().position(|line| *line == "#[cfg(test)]").unwrap_or(lines.len())
}

#[test]
fn files_are_short() {
    let mut lengths = Vec::new();
    for (path, text) in rust_files() {
        let length = text.lines().count();
        assert!(length <= MAX_FILE, "{} has {length} lines", path.display());
        lengths.push(product_lines(&text));
    }
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median <= MAX_MEDIAN, "the median file has {median} lines");
}

/// Name and length of each function, found by indentation: rustfmt closes a function where it opened it.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        let is_fn = ["fn ", "pub fn ", "async fn ", "pub async fn ", "pub const fn ", "const fn "]
            .iter()
            .any(|begin| trimmed.starts_with(begin))
            || trimmed.starts_with("pub(") && trimmed.contains(" fn ");
        if !is_fn {
            continue;
        }
        let closing = format!("{}}}", &line[..line.len() - trimmed.len()]);
        let end = lines[start..].iter().position(|line| *line == closing);
        let one_line = trimmed.ends_with('}') || trimmed.ends_with(';');
        let length = if one_line { 1 } else { end.map_or(1, |end| end + 1) };
        found.push((trimmed.to_owned(), length));
    }
    found
}

#[test]
fn functions_are_short() {
    let (mut count, mut long) = (0, Vec::new());
    for (path, text) in rust_files() {
        for (name, length) in functions(&text) {
            count += 1;
            if length > MAX_FUNCTION {
                long.push(format!("{}: {name} has {length} lines", path.display()));
            }
        }
    }
    assert!(count > 500, "only {count} functions were found: is the search broken");
    assert!(long.len() * LONG_FUNCTIONS <= count, "{long:#?}");
}

#[test]
fn a_long_function_would_be_found() {
    let text = format!("fn short() {{}}\nfn long() {{\n{}}}\n", "    step();\n".repeat(80));
    assert_eq!(functions(&text).iter().map(|(_, length)| *length).collect::<Vec<_>>(), [1, 82]);
}

#[test]
fn every_module_is_reached() {
    for (path, _) in rust_files() {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let folder = path.parent().expect("a folder");
        let in_src = path.components().any(|part| part.as_os_str() == "src");
        let entry = ["lib", "main", "build"].contains(&name.as_str());
        let binary = folder.ends_with("src/bin");
        if !in_src || entry || binary {
            continue;
        }
        let (module, parents) = if name == "mod" {
            let module = folder.file_name().expect("a name").to_string_lossy().into_owned();
            (module, above(folder.parent().expect("a folder")))
        } else {
            (name, above(folder))
        };
        let declared = format!("mod {module};");
        let reached = parents.iter().any(|parent| {
            std::fs::read_to_string(parent).is_ok_and(|text| text.contains(&declared))
        });
        assert!(reached, "{} is in no module", path.display());
    }
}

/// The files that can declare the modules of a folder.
fn above(folder: &Path) -> Vec<PathBuf> {
    let beside = folder.with_extension("rs");
    ["lib.rs", "main.rs", "mod.rs"].iter().map(|name| folder.join(name)).chain([beside]).collect()
}

#[test]
fn every_module_says_what_it_is() {
    for (path, text) in rust_files() {
        assert!(text.starts_with("//!"), "{} does not say what it decides", path.display());
    }
}

#[test]
fn every_sample_configuration_is_sound() {
    let deploy = root().join("deploy");
    let text = |name: &str| std::fs::read_to_string(deploy.join(name)).expect(name);
    let coordinator = text("coordinator.toml");
    sward_coordinator::config::Config::parse(&coordinator).expect("coordinator.toml");
    let on = |line: &str| match line.strip_prefix('#') {
        Some(setting) if !setting.starts_with(' ') => format!("{setting}\n"),
        Some(_) | None => format!("{line}\n"),
    };
    let with_all: String = coordinator.lines().map(on).collect();
    let config = sward_coordinator::config::Config::parse(&with_all).expect("coordinator.toml");
    assert!(config.beacon.is_some());
    assert!(config.network.asn.is_some() && config.network.country.is_some());
    sward_agent::config::Config::parse(&text("agent.toml")).expect("agent.toml");
    sward_coordinator::cli::parse_file(&deploy.join("job.toml")).expect("job.toml");
    sward_proto::tariff::Tariff::parse(&text("tariff.toml")).expect("tariff.toml");
    let mut samples = Vec::new();
    files(&deploy, ".toml", &mut samples);
    samples.retain(|path| path.parent() == Some(deploy.as_path()));
    assert_eq!(samples.len(), 4, "a sample that no test parses: {samples:?}");
}

#[test]
fn every_command_shows_an_example() {
    let commands = [
        sward_coordinator::cli::Cli::command(),
        sward_agent::cli::Cli::command(),
        sward_verify::command::Cli::command(),
    ];
    for command in commands {
        check_examples(&command, command.get_name());
    }
}

fn check_examples(command: &clap::Command, path: &str) {
    let children: Vec<&clap::Command> = command.get_subcommands().collect();
    if children.is_empty() {
        let help = command.get_after_help().or(command.get_after_long_help());
        let help = help.map(ToString::to_string).unwrap_or_default();
        assert!(help.contains("Example"), "{path} shows no example");
    }
    for child in children {
        check_examples(child, &format!("{path} {}", child.get_name()));
    }
}

#[test]
fn cores_know_no_socket_and_the_two_sides_do_not_meet() {
    let manifest = |path: &str| {
        let text = std::fs::read_to_string(root().join(path).join("Cargo.toml")).expect(path);
        let table: toml::Table = text.parse().expect(path);
        let dependencies = table.get("dependencies").and_then(toml::Value::as_table).cloned();
        dependencies.unwrap_or_default().keys().cloned().collect::<Vec<_>>()
    };
    let shells = ["tokio", "libp2p", "reqwest", "sled", "axum", "getrandom", "rustix"];
    for core in ["proto", "proto/page", "coordinator/core", "agent/core"] {
        for dependency in manifest(core) {
            assert!(!shells.contains(&dependency.as_str()), "{core} depends on {dependency}");
        }
    }
    for (side, other) in [("agent", "sward-coordinator"), ("coordinator", "sward-agent")] {
        let crossed = manifest(side).into_iter().find(|name| name.starts_with(other));
        assert_eq!(crossed, None, "{side} depends on the other side");
    }
}

#[test]
fn the_architecture_fits_on_a_few_pages() {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    assert!(text.lines().count() <= 150);
}

#[test]
fn no_test_is_left_out() {
    for (path, text) in rust_files() {
        let left_out = concat!("#[", "ignore");
        assert!(!text.contains(left_out), "{} leaves a test out", path.display());
    }
}
