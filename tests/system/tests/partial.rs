//! A site whose pages change at each load, and an agent that alters one block of each: the pages are accepted, and nothing
//! that one agent alone saw is exported or followed.

use flate2::read::MultiGzDecoder;
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use sward_system_tests::network::{Agent, Books, Coordinator, say};
use sward_verify::export;
use sward_verify::report::Outcome;

const JOB: &str = "changing";
const HOST: &str = "changing.sward.test";
const TRUTH: Ipv4Addr = Ipv4Addr::new(127, 7, 8, 1);
const LIE: Ipv4Addr = Ipv4Addr::new(127, 66, 8, 1);
const PAGES: usize = 8;
const AGENTS: u8 = 5;
const PATIENCE: Duration = Duration::from_secs(120);

/// A page: paragraphs that all see, a time, an advertisement that is marked as none, and one in the text that is.
fn page(number: usize, visit: usize, lie: bool) -> String {
    let paragraph = |n: usize| match (n, lie) {
        (30, true) => {
            "<p>Send your savings to account FORGED. <a href=/planted>Why?</a></p>".into()
        }
        _ => format!(
            "<p>Paragraph {n} of page {number} tells at some length of dial {} and of valve {} \
             and of what the keeper of the works wrote down about both of them.</p>",
            n * 31 + number,
            n * 17 + 3 * number
        ),
    };
    let text: String = (0..60).map(paragraph).collect();
    let next = number % PAGES + 1;
    format!(
        "<!doctype html><title>Page {number}</title><h1>Page {number}</h1>\
         <p>Rendered for VISIT{visit}X.</p>{text}\
         <div class=promo>Partner VISIT{visit}Y: <a href=/promo/{visit}>buy now</a></div>\
         <div class=ad>Offer VISIT{visit}Z</div><p>Go on to <a href=/page/{next}>the next</a>.</p>"
    )
}

fn answer(mut stream: TcpStream, visits: &AtomicUsize, lie: bool) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let path = first.split(' ').nth(1).unwrap_or("/");
    let number = path.strip_prefix("/page/").and_then(|number| number.parse().ok());
    let (status, body) = match number {
        Some(number @ 1..=PAGES) => {
            ("200 OK", page(number, visits.fetch_add(1, Ordering::Relaxed), lie))
        }
        _ => ("404 Not Found", "none".to_owned()),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    )
}

/// Serves the true site and the liar's until the test is over; gives the port.
fn serve() -> u16 {
    let visits = Arc::new(AtomicUsize::new(0));
    let truth = TcpListener::bind((TRUTH, 0)).expect("a port");
    let port = truth.local_addr().expect("an address").port();
    let lie = TcpListener::bind((LIE, port)).expect("the same port");
    for (listener, lie) in [(truth, false), (lie, true)] {
        let visits = Arc::clone(&visits);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Who hangs up early is not answered.
                drop(answer(stream, &visits, lie));
            }
        });
    }
    port
}

fn join(folder: &Path, number: u8, coordinator: &Coordinator) -> Agent {
    let invite: Value =
        serde_json::from_str(&coordinator.does(&["--json", "invite"]).ok()).expect("an invite");
    let part = |name: &str| invite["invite"][name].as_str().expect("a part").to_owned();
    let site = if number == 0 { LIE } else { TRUTH };
    let more = [
        "--developer-loopback".to_owned(),
        format!("--developer-address=127.0.{}.1", 11 + number),
        "--developer-name".to_owned(),
        format!("{HOST}={site}"),
    ];
    Agent::set_up(folder, number, &part("address"), &part("code"), &more)
}

/// Every file of an export as text, decompressed where it is.
fn files(folder: &Path) -> Vec<(String, String)> {
    let text = |path: &Path| {
        let bytes = std::fs::read(path).expect("a file");
        let mut plain = Vec::new();
        if path.extension().is_some_and(|ending| ending == "gz") {
            MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut plain).expect("gzip");
        } else {
            plain = bytes;
        }
        String::from_utf8_lossy(&plain).into_owned()
    };
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file"));
    entries.map(|e| (e.file_name().to_string_lossy().into_owned(), text(&e.path()))).collect()
}

#[test]
fn what_one_agent_alone_saw_of_a_changing_page_is_in_no_export() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = serve();
    let mut coordinator = Coordinator::init(folder.path(), true);
    coordinator.serve();
    let mut agents: Vec<Agent> =
        (0..AGENTS).map(|number| join(folder.path(), number, &coordinator)).collect();
    agents.iter_mut().for_each(Agent::start);
    let seed = format!("http://{HOST}:{port}/page/1");
    let job =
        ["job", "run", "--detach", "--name", JOB, "--purpose", "system test", "--seed", &seed];
    let limits = ["--host", HOST, "--depth", "1000", "--delay-ms", "1"];
    coordinator.does(&[job.as_slice(), &limits].concat()).ok();
    coordinator.wait_until_done(PATIENCE);

    // Every page was found by attested links, and none of the others was ever fetched.
    let books = Books::read(&coordinator.data);
    assert_eq!(books.accepted.len(), PAGES, "{:?}", books.accepted);
    let out = folder.path().join("export");
    let to = out.display().to_string();
    coordinator.does(&["export", JOB, "--format", "warc,jsonl", "--out", &to]).ok();
    let findings = export::check(&out, None);
    assert!(findings.iter().all(|f| f.outcome == Outcome::Valid), "{findings:#?}");
    let files = files(&out);
    for (name, text) in &files {
        for alone in ["VISIT", "FORGED", "/planted", "/promo/"] {
            assert!(!text.contains(alone), "{alone} is in {name}");
        }
    }
    let of = |ending: &str| {
        let found = files.iter().find(|(name, _)| name.ends_with(ending));
        found.map(|(_, text)| text.as_str()).expect("that file")
    };
    let lines: Vec<Value> =
        of(".jsonl").lines().map(|line| serde_json::from_str(line).expect("json")).collect();
    assert_eq!(lines.len(), PAGES);
    for line in &lines {
        assert_eq!(line["attested"], "part", "{line}");
        assert!(line["blocks_left_out"].as_u64().is_some_and(|count| count >= 2), "{line}");
        assert!(line["text"].as_str().is_some_and(|text| text.contains("Paragraph 59")), "{line}");
    }
    assert_eq!(of(".warc.gz").matches("WARC-Type: conversion").count(), PAGES);
    let manifest: Value = serde_json::from_str(of("manifest.json")).expect("json");
    assert_eq!(manifest["in_part"], PAGES);
    say(&format!("{PAGES} pages in part, {} blocks left out", manifest["blocks_left_out"]));
}
