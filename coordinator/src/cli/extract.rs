//! `extract`: what the extractor makes of a page.

use super::{Failure, Printer};
use anyhow::Context as _;
use clap::Args;
use serde::{Deserialize, Serialize};
use std::io::{BufRead as _, Read as _};
use std::path::PathBuf;
use sward_page::charset::decode;
use sward_page::document::Page;
use sward_proto::canonical_url::CanonicalUrl;

/// The product token that robots meta elements are read for.
const PRODUCT_TOKEN: &str = "SwardBot";

/// Prints title, text, markdown, links, language and page type of an HTML page.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  sward-coordinator extract page.html --url https://example.org/page.html"
)]
pub(super) struct Extract {
    /// The page; stdin where it is not given.
    file: Option<PathBuf>,
    /// Where it came from: the base of its links.
    #[arg(long, required_unless_present = "jsonl")]
    url: Option<CanonicalUrl>,
    /// Reads one JSON object a line (id, url, html or html_path) and answers one a line.
    #[arg(long)]
    jsonl: bool,
}

#[derive(Deserialize)]
struct Item {
    id: serde_json::Value,
    url: String,
    html: Option<String>,
    html_path: Option<PathBuf>,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Extracted {
    title: Option<String>,
    text: String,
    markdown: String,
    links: Vec<CanonicalUrl>,
    language: Option<&'static str>,
    language_score: Option<f64>,
    page_type: &'static str,
    confidence: f64,
}

impl Extract {
    pub(super) fn run(self, printer: Printer) -> Result<(), Failure> {
        if self.jsonl {
            return many(printer);
        }
        let body = match &self.file {
            Some(file) => {
                std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?
            }
            None => {
                let mut body = Vec::new();
                std::io::stdin().lock().read_to_end(&mut body)?;
                body
            }
        };
        let Some(url) = self.url else { return Ok(()) };
        let found = extract(&body, &url)?;
        printer.line(&serde_json::to_string(&found).context("json")?)
    }
}

fn many(printer: Printer) -> Result<(), Failure> {
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let item: Result<Item, _> = serde_json::from_str(&line);
        let answer = match item {
            Ok(item) => {
                let id = item.id.clone();
                match one(item) {
                    Ok(found) => with_id(id, &found)?,
                    Err(error) => serde_json::json!({ "id": id, "error": format!("{error:#}") }),
                }
            }
            Err(error) => serde_json::json!({ "id": null, "error": error.to_string() }),
        };
        printer.line(&answer.to_string())?;
    }
    Ok(())
}

fn one(item: Item) -> anyhow::Result<Extracted> {
    let url: CanonicalUrl = item.url.parse()?;
    let body = match (item.html, item.html_path) {
        (Some(html), _) => html.into_bytes(),
        (None, Some(path)) => {
            std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?
        }
        (None, None) => anyhow::bail!("give html or html_path"),
    };
    extract(&body, &url)
}

fn with_id(id: serde_json::Value, found: &Extracted) -> anyhow::Result<serde_json::Value> {
    let mut value = serde_json::to_value(found)?;
    if let Some(object) = value.as_object_mut() {
        object.insert("id".to_owned(), id);
    }
    Ok(value)
}

fn extract(body: &[u8], url: &CanonicalUrl) -> anyhow::Result<Extracted> {
    let decoded = decode(body, None);
    let page = Page::parse(&decoded.text)?;
    let text = page.main_text();
    let language = whatlang::detect(&text);
    Ok(Extracted {
        title: page.title(),
        markdown: page.markdown(),
        links: page.links(url, PRODUCT_TOKEN),
        language: language.as_ref().map(|found| found.lang().code()),
        language_score: language.map(|found| found.confidence()),
        page_type: page.page_type(),
        confidence: page.confidence(),
        text,
    })
}
