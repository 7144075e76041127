//! Real pages, and of which site each is.
//!
//! The pages are other people's and are read in place. Sites are dealt into two halves by a hash of their name, so that
//! what is looked at while thresholds are chosen is never what is reported.

use anyhow::{Context as _, Result, bail};
use flate2::read::GzDecoder;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{read, read_dir};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use sward_page::charset::decode;
use sward_proto::digest::Digest;

/// One page.
pub struct Page {
    /// Its text.
    pub html: String,
    /// Of the half that is reported.
    pub reported: bool,
}

/// All pages below a folder with `scrapinghub`, `wcxb`, `trafilatura-eval` and `readability-pages`, as far as they exist.
pub fn load(folder: &Path) -> Result<Vec<Page>> {
    let mut pages = Vec::new();
    for (name, sites) in [
        ("scrapinghub", scrapinghub as fn(&Path) -> Result<BTreeMap<String, String>>),
        ("wcxb", wcxb),
        ("trafilatura-eval", trafilatura),
    ] {
        let folder = folder.join(name);
        if folder.exists() {
            let sites = sites(&folder).with_context(|| folder.display().to_string())?;
            for path in files(&folder.join("html"))? {
                let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let site = sites.get(file.trim_end_matches(".gz")).cloned().unwrap_or(file);
                pages.push(page(&path, &site)?);
            }
        }
    }
    let readability = folder.join("readability-pages");
    for folder in files(&readability).unwrap_or_default() {
        let source = folder.join("source.html.gz");
        if source.exists() {
            pages.push(page(&source, &folder.to_string_lossy())?);
        }
    }
    if pages.is_empty() {
        bail!("{} has none of the page collections: give --data", folder.display());
    }
    Ok(pages)
}

fn page(path: &Path, site: &str) -> Result<Page> {
    let mut body = read(path).with_context(|| path.display().to_string())?;
    if path.extension().is_some_and(|ending| ending == "gz") {
        let mut plain = Vec::new();
        GzDecoder::new(body.as_slice()).read_to_end(&mut plain)?;
        body = plain;
    }
    let html = decode(&body, Some("text/html")).text.into_owned();
    let Digest([first, ..]) = Digest::of(site.as_bytes());
    Ok(Page { html, reported: first & 1 == 1 })
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut files: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.sort();
    Ok(files)
}

fn scrapinghub(folder: &Path) -> Result<BTreeMap<String, String>> {
    let truth: BTreeMap<String, Value> =
        serde_json::from_slice(&read(folder.join("ground-truth.json"))?)?;
    let site = |(id, page): (String, Value)| {
        (format!("{id}.html"), host(page.get("url").and_then(Value::as_str).unwrap_or(&id)))
    };
    Ok(truth.into_iter().map(site).collect())
}

fn wcxb(folder: &Path) -> Result<BTreeMap<String, String>> {
    let metadata: BTreeMap<String, Value> =
        serde_json::from_slice(&read(folder.join("metadata.json"))?)?;
    let site = |(id, page): (String, Value)| {
        let domain = page.get("domain").and_then(Value::as_str).unwrap_or(&id).to_owned();
        (format!("{id}.html"), domain)
    };
    Ok(metadata.into_iter().map(site).collect())
}

fn trafilatura(folder: &Path) -> Result<BTreeMap<String, String>> {
    let data: BTreeMap<String, Value> =
        serde_json::from_slice(&read(folder.join("evaldata.json"))?)?;
    let site = |(key, page): (String, Value)| {
        let file = page.get("file").and_then(Value::as_str).unwrap_or_default();
        let name = key.rsplit("::").next().unwrap_or_default();
        (file.trim_end_matches(".gz").to_owned(), host(name))
    };
    Ok(data.into_iter().map(site).collect())
}

/// The host in a URL, or what stands before the first dash of a name made from one.
fn host(url: &str) -> String {
    let behind = url.split_once("//").map_or(url, |(_, behind)| behind);
    let host = behind.split(['/', '-']).next().unwrap_or(behind);
    host.trim_start_matches("www.").to_owned()
}
