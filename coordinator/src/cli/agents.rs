//! `invite`, `agents` and `hosts`.

use super::ask::ask_all;
use super::{Failure, Printer};
use crate::config::Layout;
use crate::question::{AgentView, HostView, Question, TemplateView};
use clap::Args;
use serde_json::Value;

/// Prints single-use invites for agents.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sward-coordinator invite --agents 5 --expires 7d\n  sward-coordinator invite --trusted"
)]
pub(super) struct Invite {
    /// How many.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    agents: u16,
    /// How long they are good: seconds, or with m, h or d.
    #[arg(long, default_value = "7d", value_parser = parse_span)]
    expires: u64,
    /// For fetchers of your own: they check what the others fetched, in disputes and by sample.
    #[arg(long)]
    trusted: bool,
}

/// Lists the agents: whether they are there, what they did, what they earned.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  sward-coordinator agents --json")]
pub(super) struct Agents {}

/// Lists the hosts in memory: what waits there, and when they may be asked again.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  sward-coordinator hosts --templates")]
pub(super) struct Hosts {
    /// Below each host, how its pages change, by the shape of their URLs. In JSON always.
    #[arg(long)]
    templates: bool,
}

fn parse_span(text: &str) -> Result<u64, String> {
    let (number, unit) = match text.strip_suffix(['s', 'm', 'h', 'd']) {
        Some(number) => (number, text.chars().last().unwrap_or('s')),
        None => (text, 's'),
    };
    let number: u64 = number.parse().map_err(|_| format!("{text} is no span such as 7d or 90m"))?;
    let seconds = match unit {
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => 1,
    };
    let span = number.checked_mul(seconds).filter(|span| (1..=366 * 86_400).contains(span));
    span.ok_or_else(|| format!("{text} is not between a second and a year"))
}

impl Invite {
    pub(super) fn run(self, layout: &Layout, printer: Printer) -> Result<(), Failure> {
        for _ in 0..self.agents {
            let question = Question::Invite { seconds: self.expires, trusted: self.trusted };
            for invite in ask_all::<Value>(&layout.socket(), &question)? {
                let text = |invite: &Value| {
                    let part = |name| invite.get(name).and_then(Value::as_str).unwrap_or_default();
                    format!("{} {}", part("address"), part("code"))
                };
                printer.print("invite", &invite, text)?;
            }
        }
        Ok(())
    }
}

impl Agents {
    pub(super) fn run(self, layout: &Layout, printer: Printer) -> Result<(), Failure> {
        let agents: Vec<AgentView> = ask_all(&layout.socket(), &Question::Agents)?;
        printer.print("agents", &agents, |agents| {
            let mut text = format!(
                "{:<52} {:>9} {:>6} {:>7} {:>7} {:>12} {:>12}  standing\n",
                "agent", "connected", "region", "results", "agreed", "pending", "receipted"
            );
            for agent in agents {
                let standing = match &agent.reason {
                    Some(reason) => format!("{}: {reason}", agent.standing),
                    None if agent.trusted => "trusted".to_owned(),
                    None => agent.standing.clone(),
                };
                text.push_str(&format!(
                    "{:<52} {:>9} {:>6} {:>7} {:>7} {:>12} {:>12}  {standing}\n",
                    agent.peer_id,
                    if agent.connected { "yes" } else { "no" },
                    agent.region.as_deref().unwrap_or("-"),
                    agent.fetched,
                    agent.agreed,
                    agent.pending,
                    agent.receipted,
                ));
            }
            text
        })
    }
}

impl Hosts {
    pub(super) fn run(self, layout: &Layout, printer: Printer) -> Result<(), Failure> {
        let hosts: Vec<HostView> = ask_all(&layout.socket(), &Question::Hosts)?;
        printer.print("hosts", &hosts, |hosts| {
            let mut text = format!(
                "{:<40} {:>9} {:>5} {:>5} {:>8}\n",
                "host", "queued", "open", "busy", "failures"
            );
            for host in hosts {
                let queued: u64 = host.queued.values().sum();
                let busy = if host.busy { "yes" } else { "no" };
                text.push_str(&format!(
                    "{:<40} {queued:>9} {:>5} {busy:>5} {:>8}\n",
                    host.host, host.open, host.failures
                ));
                for known in host.templates.iter().filter(|_| self.templates) {
                    text.push_str(&template(known));
                }
            }
            text
        })
    }
}

fn template(known: &TemplateView) -> String {
    let TemplateView { template, volatility, pages, jaccard } = known;
    let near = jaccard.map_or_else(|| "not learnt".to_owned(), |near| format!("{near} / 1000"));
    format!("  {template:<60} {:<12} {pages:>4} pages, near: {near}\n", volatility.word())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        assert_eq!(parse_span("90"), Ok(90));
        assert_eq!(parse_span("2h"), Ok(7200));
        assert_eq!(parse_span("7d"), Ok(604_800));
        for text in ["", "d", "0", "-1h", "1w", "99999d"] {
            assert!(parse_span(text).is_err(), "{text}");
        }
    }
}
