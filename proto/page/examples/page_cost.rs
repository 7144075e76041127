//! What each layer costs: microseconds a page over a folder of HTML files (`.html` or `.html.gz`).
//!
//! `cargo run --release -p sward-page --example page_cost -- FOLDER`
#![expect(clippy::print_stdout, reason = "a program that reports to its user")]

use flate2::read::GzDecoder;
use std::fs;
use std::io::{Error, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use sward_page::Page;
use sward_page::charset::decode;
use sward_page::depth::check;
use sward_page::fingerprint::fingerprint;
use sward_proto::canonical_url::CanonicalUrl;

const LAYERS: [&str; 10] = [
    "decode",
    "depth gate",
    "gate+parse",
    "canonical",
    "links",
    "title+robots",
    "text",
    "markdown",
    "main text",
    "fingerprint",
];

fn main() -> Result<(), Error> {
    let folder =
        std::env::args_os().nth(1).ok_or_else(|| Error::other("usage: page_cost FOLDER"))?;
    let url: CanonicalUrl = "https://example.org/page".parse().map_err(Error::other)?;
    let (mut spent, mut pages, mut bytes) = ([Duration::ZERO; LAYERS.len()], 0_u32, 0_usize);
    for path in html_files(PathBuf::from(folder))? {
        let body = read(&path)?;
        pages += 1;
        bytes += body.len();
        for (total, layer) in spent.iter_mut().zip(cost(&body, &url)) {
            *total += layer;
        }
    }
    println!("{pages} pages, {bytes} bytes");
    for (name, total) in LAYERS.iter().zip(spent) {
        println!("{name:>14} {:>8} µs a page", (total / pages.max(1)).as_micros());
    }
    Ok(())
}

fn cost(body: &[u8], url: &CanonicalUrl) -> Vec<Duration> {
    let mut costs = Vec::new();
    let decoded = timed(&mut costs, || decode(body, Some("text/html")));
    timed(&mut costs, || check(&decoded.text).is_ok());
    let Ok(page) = timed(&mut costs, || Page::parse(&decoded.text)) else { return costs };
    timed(&mut costs, || page.canonical_digest());
    timed(&mut costs, || page.links(url, "swardbot"));
    timed(&mut costs, || (page.title(), page.robots_meta("swardbot")));
    timed(&mut costs, || page.text());
    timed(&mut costs, || page.markdown());
    timed(&mut costs, || page.main_text());
    timed(&mut costs, || fingerprint(body, Some("text/html"), url, "swardbot"));
    costs
}

#[expect(clippy::disallowed_methods, reason = "measures the cores from outside")]
fn timed<T>(costs: &mut Vec<Duration>, layer: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let made = layer();
    costs.push(start.elapsed());
    made
}

fn html_files(folder: PathBuf) -> Result<Vec<PathBuf>, Error> {
    let (mut found, mut open) = (Vec::new(), vec![folder]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.to_string_lossy().into_owned();
            if path.is_dir() {
                open.push(path);
            } else if name.ends_with(".html") || name.ends_with(".html.gz") {
                found.push(path);
            }
        }
    }
    Ok(found)
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let bytes = fs::read(path)?;
    if !bytes.starts_with(b"\x1f\x8b") {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    GzDecoder::new(bytes.as_slice()).read_to_end(&mut unpacked)?;
    Ok(unpacked)
}
