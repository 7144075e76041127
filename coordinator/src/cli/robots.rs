//! `robots`: what a robots.txt says to a crawler.

use super::{Failure, Printer};
use anyhow::Context as _;
use clap::Args;
use serde::{Deserialize, Serialize};
use std::io::BufRead as _;
use std::path::PathBuf;
use sward_proto::robots::Robots as Rules;
use url::Url;

/// Says whether a robots.txt allows a URL, and by which rule. Exit code 4 where it does not.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  sward-coordinator robots robots.txt https://example.org/private/ --agent SwardBot"
)]
pub(super) struct Robots {
    /// The robots.txt file.
    #[arg(required_unless_present = "jsonl")]
    file: Option<PathBuf>,
    /// The URL.
    #[arg(required_unless_present = "jsonl")]
    url: Option<String>,
    /// The crawler's product token.
    #[arg(long, default_value = "SwardBot", value_name = "TOKEN")]
    agent: String,
    /// Reads one JSON object a line (id, robots, url, agent) and answers one a line.
    #[arg(long)]
    jsonl: bool,
}

#[derive(Deserialize)]
struct Item {
    id: serde_json::Value,
    robots: String,
    url: String,
    agent: Option<String>,
}

#[derive(Serialize)]
struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<serde_json::Value>,
    allowed: bool,
    rule: Option<String>,
    line: Option<u32>,
}

impl Robots {
    pub(super) fn run(self, printer: Printer) -> Result<(), Failure> {
        if self.jsonl {
            return self.many(printer);
        }
        let (Some(file), Some(url)) = (&self.file, &self.url) else { return Ok(()) };
        let text =
            std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let answer = decide(&text, url, &self.agent, None)?;
        let allowed = answer.allowed;
        let line = if printer.json {
            serde_json::to_string(&answer).context("json")?
        } else {
            let rule = answer.rule.as_deref().unwrap_or("no rule matches");
            let line = answer.line.map(|line| format!(" (line {line})")).unwrap_or_default();
            format!("{}: {rule}{line}", if allowed { "allowed" } else { "disallowed" })
        };
        printer.line(&line)?;
        if allowed { Ok(()) } else { Err(Failure::refused(format!("robots.txt forbids {url}"))) }
    }

    fn many(&self, printer: Printer) -> Result<(), Failure> {
        for line in std::io::stdin().lock().lines() {
            let line = line?;
            let answer = match serde_json::from_str::<Item>(&line) {
                Ok(item) => self.one(item),
                Err(error) => serde_json::json!({ "id": null, "error": error.to_string() }),
            };
            printer.line(&answer.to_string())?;
        }
        Ok(())
    }

    fn one(&self, item: Item) -> serde_json::Value {
        let Item { id, robots, url, agent } = item;
        let agent = agent.as_deref().unwrap_or(&self.agent);
        let answer = decide(robots.as_bytes(), &url, agent, Some(id.clone()));
        let answer = answer.and_then(|answer| Ok(serde_json::to_value(answer)?));
        answer
            .unwrap_or_else(|error| serde_json::json!({ "id": id, "error": format!("{error:#}") }))
    }
}

fn decide(
    text: &[u8],
    url: &str,
    agent: &str,
    id: Option<serde_json::Value>,
) -> anyhow::Result<Answer> {
    // The path is matched as the WHATWG parser spells it, percent-encoded; the fragment is no part of a request.
    let parsed = Url::parse(url).with_context(|| format!("not a url: {url}"))?;
    let path = &parsed[url::Position::BeforePath..url::Position::AfterQuery];
    let decision = Rules::parse(text, agent).decide(path);
    let (allowed, rule, line) = (decision.allowed, decision.rule, decision.line);
    Ok(Answer { id, allowed, rule, line })
}
