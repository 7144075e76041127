//! `explain`: whether a URL would be fetched, and why not. Sends nothing: names are not resolved here.

use super::{Failure, Printer};
use crate::config::{Config, Layout};
use crate::surroundings::Surroundings;
use clap::Args;
use serde::{Deserialize, Serialize};
use std::io::BufRead as _;
use sward_agent_core::guard::{Guard, GuardConfig};
use sward_agent_core::owner::Limits;
use sward_proto::canonical_url::{CanonicalUrl, UrlError};

/// Says whether the agent would fetch a URL, and why not. Exit code 4 where it would not.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  sward-agent explain http://192.168.1.1/")]
pub(super) struct Explain {
    /// The URL.
    #[arg(required_unless_present = "jsonl")]
    url: Option<String>,
    /// Reads one JSON object a line (id, url) and answers one a line.
    #[arg(long)]
    jsonl: bool,
}

#[derive(Deserialize)]
struct Item {
    id: serde_json::Value,
    url: String,
}

#[derive(Serialize)]
struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<serde_json::Value>,
    url: String,
    allowed: bool,
    reason: String,
    detail: String,
}

/// What decides, before anything is sent.
struct Rules {
    guard: Guard,
    limits: Limits,
}

impl Explain {
    pub(super) fn run(self, layout: &Layout, printer: Printer) -> Result<(), Failure> {
        let rules = rules(layout)?;
        if self.jsonl {
            return many(&rules, printer);
        }
        let Some(url) = self.url else { return Ok(()) };
        let answer = explain(&rules, &url);
        let (allowed, detail) = (answer.allowed, answer.detail.clone());
        let line = if printer.json {
            serde_json::to_string(&answer).unwrap_or_default()
        } else if allowed {
            format!("would be fetched: {detail}")
        } else {
            format!("refused ({}): {detail}", answer.reason)
        };
        printer.line(&line)?;
        if allowed { Ok(()) } else { Err(Failure::refused(detail)) }
    }
}

/// The owner's rules; before setup, the rules that nobody can change.
fn rules(layout: &Layout) -> anyhow::Result<Rules> {
    let config = if layout.config().exists() { Some(Config::load(layout)?) } else { None };
    let Surroundings { own, on_link } = Surroundings::read();
    let developer_loopback = config.as_ref().is_some_and(Config::is_developer);
    let guard = Guard::new(GuardConfig { developer_loopback, own_addresses: own, on_link });
    Ok(Rules { guard, limits: config.map(|config| config.limits).unwrap_or_default() })
}

fn many(rules: &Rules, printer: Printer) -> Result<(), Failure> {
    for line in std::io::stdin().lock().lines() {
        let answer = match serde_json::from_str::<Item>(&line?) {
            Ok(item) => {
                let answer = Answer { id: Some(item.id), ..explain(rules, &item.url) };
                serde_json::to_value(&answer).unwrap_or_default()
            }
            Err(error) => serde_json::json!({ "id": null, "error": error.to_string() }),
        };
        printer.line(&answer.to_string())?;
    }
    Ok(())
}

fn explain(rules: &Rules, text: &str) -> Answer {
    let answer = |allowed, reason: &str, detail: String| {
        let (id, url, reason) = (None, text.to_owned(), reason.to_owned());
        Answer { id, url, allowed, reason, detail }
    };
    let url: CanonicalUrl = match text.parse() {
        Ok(url) => url,
        Err(error) => return answer(false, url_reason(&error), error.to_string()),
    };
    if let Err(refusal) = rules.guard.check_url(&url) {
        return answer(false, refusal.code(), refusal.to_string());
    }
    if let Some(veto) = rules.limits.veto_host(&url.host()) {
        return answer(false, "opt_out", format!("your veto: {veto}"));
    }
    let detail = "if every address of its name is public and its robots.txt allows it";
    answer(true, "ok", detail.to_owned())
}

const fn url_reason(error: &UrlError) -> &'static str {
    match error {
        UrlError::TooLong(_) => "too_long",
        UrlError::Malformed(_) => "malformed",
        UrlError::Scheme(_) => "scheme",
        UrlError::UserInfo => "user_info",
        UrlError::PortZero => "port",
    }
}
