//! The robots matcher against the reference parser's own cases, edge cases of another crawler, and thousands of real
//! files read by two other implementations.

use base64::Engine as _;
use robotstxt::DefaultMatcher;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::robots::{MAX_ROBOTS_BYTES, Robots};

/// Where a shared test file lies, or none, said so, where this machine has no shared test data.
#[expect(clippy::print_stderr, reason = "a skipped test says why")]
fn data(name: &str) -> Option<PathBuf> {
    let beside = |ancestor: &Path| Some(ancestor.join("shared/data")).filter(|path| path.exists());
    let root = std::env::var_os("SWARD_DATA")
        .map(PathBuf::from)
        .or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().find_map(beside));
    let path = root.map(|root| root.join("robots").join(name)).filter(|path| path.exists());
    if path.is_none() {
        eprintln!("skipped: no robots/{name} under SWARD_DATA or a shared/data directory");
    }
    path
}

/// Path and query of a URL as written, as the reference parser takes it: without canonicalising.
fn written_path(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    after_scheme.find('/').map_or("", |slash| &after_scheme[slash..])
}

#[test]
#[expect(clippy::print_stdout, reason = "figures for --nocapture")]
fn the_reference_parsers_cases() {
    let Some(path) = data("google-robotstxt/cases.json") else { return };
    let text = std::fs::read_to_string(path).expect("readable cases");
    let cases: Vec<serde_json::Value> = serde_json::from_str(&text).expect("a list of cases");
    assert!(cases.len() >= 100, "{} cases are too few to mean anything", cases.len());
    let mut failed = Vec::new();
    let mut google_only = 0;
    for case in &cases {
        let field = |name: &str| case[name].as_str().expect("a text");
        google_only += u32::from(field("test").starts_with("GoogleOnly_"));
        let robots = Robots::parse(field("robots_txt").as_bytes(), field("user_agent"));
        let allowed = robots.decide(written_path(field("url"))).allowed;
        if Some(allowed) != case["allowed"].as_bool() {
            failed.push(case.to_string());
        }
    }
    println!("{} cases, {google_only} of them GoogleOnly_, {} failed", cases.len(), failed.len());
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn edge_cases_of_crawler_commons() {
    let parse = |name: &str, token: &str| {
        let path = data(&format!("crawler-commons/{name}"))?;
        Some(Robots::parse(&std::fs::read(path).expect("a readable file"), token))
    };
    for (name, token, path, allowed) in [
        ("robots-with-utf8-bom.txt", "bot", "/profile", false),
        ("robots-with-utf16le-bom.txt", "bot", "/login.aspx", false),
        ("robots-with-utf16le-bom.txt", "bot", "/index.aspx", true),
        ("merge-rules.txt", "wget", "/foo/bar", true),
        ("merge-rules.txt", "wget", "/tmp/bar", false),
        ("merge-rules.txt", "curl", "/ckh/bar", false),
        ("merge-rules.txt", "other", "/ckh/bar", true),
        ("rfc9309-example-rule-group-merging.txt", "examplebot", "/baz", false),
        ("rfc9309-example-rule-group-merging.txt", "other", "/baz", true),
        ("extensions-group-merging.txt", "mybot", "/login/", false),
        ("extensions-group-merging.txt", "other", "/login/", false),
        ("extensions-group-merging.txt", "other", "/llms.txt", true),
        ("wildcards.txt", "bot", "/gp/registry/wishlist/x/reserve", false),
        ("wildcards.txt", "bot", "/wishlist/universal-x", true),
        ("malformed-path.txt", "bot", "/wiki/Wikipedia_talk:Mediation_Committee/", false),
        ("malformed-path.txt", "bot", "/wiki/Wikipedia_talk%3Mediation_Committee/", false),
    ] {
        let Some(robots) = parse(name, token) else { return };
        assert_eq!(robots.decide(path).allowed, allowed, "{name} {token} {path}");
    }
    let delay = parse("dos-line-endings.txt", "bot").and_then(|robots| robots.crawl_delay());
    assert_eq!(delay.map(|delay| delay.as_secs()), Some(1));
}

/// Real robots.txt files as text, by host; junk octets are replaced, since one oracle takes nothing but text, and what
/// lies beyond our cap is cut off, since the oracles have none.
fn real_files(path: &Path) -> BTreeMap<String, String> {
    let mut text = String::new();
    let packed = std::fs::read(path).expect("readable data");
    flate2::read::GzDecoder::new(packed.as_slice())
        .read_to_string(&mut text)
        .expect("gzip of text");
    let read = |line: &str| {
        let object: serde_json::Value = serde_json::from_str(line).expect("an object a line");
        let field = |name: &str| object[name].as_str().map(str::to_owned);
        let decode = |coded: String| {
            base64::engine::general_purpose::STANDARD.decode(coded).expect("base64")
        };
        let mut text = field("text").unwrap_or_else(|| {
            let coded = field("base64").expect("text or base64");
            String::from_utf8_lossy(&decode(coded)).into_owned()
        });
        if let Some(head) = text.as_bytes().get(..MAX_ROBOTS_BYTES) {
            text.truncate(head.iter().rposition(|octet| *octet == b'\n').unwrap_or_default());
        }
        (field("host").expect("a host"), text)
    };
    text.lines().map(read).collect()
}

/// Paths that the rules of a file might be about: each pattern filled in, lengthened and cut, evenly thinned out.
fn probes(text: &str) -> BTreeSet<String> {
    const MOST: usize = 16;
    let mut paths = BTreeSet::from(["/".to_owned(), "/index.html?a=b".to_owned()]);
    let patterns: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| name.trim().to_ascii_lowercase().ends_with("allow"))
        .map(|(_, value)| value.split('#').next().unwrap_or_default().trim())
        .filter(|value| value.starts_with(['/', '*']))
        .collect();
    for pattern in patterns.iter().step_by(patterns.len() / MOST + 1) {
        let filled = pattern.trim_end_matches('$').replace('*', "x/y");
        let parent = filled.trim_end_matches('/').rsplit_once('/').map_or("", |(parent, _)| parent);
        paths.extend([format!("{parent}/"), format!("{filled}z?q=1"), filled]);
    }
    paths
}

#[derive(Debug, Default)]
struct Tally {
    probes: usize,
    against_robotstxt: usize,
    against_texting: usize,
    alone: Vec<String>,
    alone_and_laxer: usize,
}

fn compare(token: &str, files: &BTreeMap<String, String>) -> Tally {
    let mut tally = Tally::default();
    for (host, text) in files {
        let ours = Robots::parse(text.as_bytes(), token);
        let texting = texting_robots::Robot::new(token, text.as_bytes()).ok();
        for path in probes(text) {
            let Ok(url) = format!(
                "https://site.example{}{path}",
                if path.starts_with('/') { "" } else { "/" }
            )
            .parse::<CanonicalUrl>() else {
                continue;
            };
            tally.probes += 1;
            let allowed = ours.decide(url.path_and_query()).allowed;
            let reference =
                DefaultMatcher::default().one_agent_allowed_by_robots(text, token, url.as_str());
            let other = texting.as_ref().is_some_and(|robot| robot.allowed(url.as_str()));
            tally.against_robotstxt += usize::from(allowed != reference);
            tally.against_texting += usize::from(allowed != other);
            if allowed != reference && allowed != other {
                tally.alone_and_laxer += usize::from(allowed);
                let rule = ours.decide(url.path_and_query()).rule;
                tally.alone.push(format!("{host} {} {rule:?}", url.path_and_query()));
            }
        }
    }
    tally
}

/// Where we stand against both, there are two reasons, and both make us fetch less: neither knows that a `Crawl-delay`
/// does not end the head of a group (the reference parser does, and RFC 9309 section 2.2.4 says so), nor that `/{ }`
/// and `/%7B%20%7D` are one path. Nine in ten of robotstxt's disagreements are a fault of its own, it does not find
/// a later place for what follows a `*`; it also misses byte order marks.
#[test]
#[expect(clippy::print_stdout, reason = "figures for --nocapture")]
fn real_files_read_by_three() {
    let Some(path) = data("real-robots.jsonl.gz") else { return };
    let mut files = real_files(&path);
    assert!(files.len() >= 1000, "{} files are too few to mean anything", files.len());
    let count = files.len();
    // robotstxt 0.3 panics where its cut of a long line (2083 * 8 octets) falls within a character.
    files.retain(|_, text| text.is_ascii() || text.lines().all(|line| line.len() < 2083 * 8));
    println!("{} of {count} files left out: robotstxt may panic", count - files.len());
    for token in ["SwardBot", "Googlebot"] {
        if token == "Googlebot" {
            files.retain(|_, text| text.to_ascii_lowercase().contains("googlebot"));
        }
        let tally = compare(token, &files);
        let share = |count: usize| 100.0 * count as f64 / tally.probes as f64;
        println!(
            "{token}: {} files, {} probes; disagreements: robotstxt {} ({:.3} %), texting_robots {} ({:.3} %), \
             both {} ({:.3} %), of which we alone allow {}",
            files.len(),
            tally.probes,
            tally.against_robotstxt,
            share(tally.against_robotstxt),
            tally.against_texting,
            share(tally.against_texting),
            tally.alone.len(),
            share(tally.alone.len()),
            tally.alone_and_laxer,
        );
        for line in &tally.alone {
            println!("  alone: {line}");
        }
        assert_eq!(tally.alone_and_laxer, 0, "{:#?}", tally.alone);
        assert!(share(tally.alone.len()) < 0.1, "{:#?}", tally.alone);
    }
}
