//! `notices`: what was decided about the agent, and why.

use super::output::{date, escaped};
use super::status::tidings;
use super::{Failure, Printer};
use crate::config::Layout;
use clap::Args;
use serde::Serialize;
use sward_proto::reason::Reason;
use sward_proto::wire::standing::Notice;

/// Lists what the coordinator decided about this agent, oldest first: told two days later at least, so that nobody learns
/// which page was a check.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  sward-agent notices --json")]
pub(super) struct Notices {}

#[derive(Debug, Serialize)]
struct Shown {
    #[serde(flatten)]
    notice: Notice,
    /// What it means.
    sentence: &'static str,
}

impl Notices {
    pub(super) fn run(self, layout: &Layout, printer: Printer) -> Result<(), Failure> {
        let notices = tidings(layout)?.notices.into_iter().map(|notice| {
            let known = Reason::of_code(&notice.reason);
            let sentence = known.map_or("A newer version knows what this is.", Reason::sentence);
            Shown { notice, sentence }
        });
        let notices: Vec<Shown> = notices.collect();
        printer.print("notices", &notices, |notices| {
            if notices.is_empty() {
                return "Nothing was decided about this agent.".to_owned();
            }
            notices.iter().map(line).collect()
        })
    }
}

fn line(shown: &Shown) -> String {
    let Notice { decided, reason, tasks } = &shown.notice;
    let tasks: Vec<String> = tasks.iter().map(ToString::to_string).collect();
    let tasks =
        if tasks.is_empty() { String::new() } else { format!(" Tasks: {}.", tasks.join(", ")) };
    format!("{}  {}: {}{tasks}\n", date(*decided), escaped(reason), shown.sentence)
}
