//! `log`: every URL, fetched or not, with what became of it.

use super::output::{date, escaped};
use super::{Failure, Printer};
use crate::config::Layout;
use crate::question::Question;
use crate::store::AgentStore;
use clap::Args;
use sward_agent_core::log::LogEntry;
use sward_control::{Client, NotRunning};

/// Lists what the agent fetched and what it refused, oldest first.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  sward-agent log --last 20")]
pub(super) struct Log {
    /// How many lines.
    #[arg(long, default_value_t = 100)]
    last: usize,
}

impl Log {
    pub(super) fn run(self, layout: &Layout, printer: Printer) -> Result<(), Failure> {
        let question = Question::Log { count: self.last };
        let entries = match Client::ask(&layout.socket(), &question) {
            Ok(mut client) => {
                let mut entries = Vec::new();
                while let Some(entry) = client.next_line::<LogEntry>()? {
                    entries.push(entry);
                }
                entries
            }
            Err(NotRunning::Absent { .. }) => AgentStore::open(layout)?.log(self.last)?,
            Err(other) => return Err(other.into()),
        };
        printer.print("log", &entries, |entries| entries.iter().map(line).collect())
    }
}

fn line(entry: &LogEntry) -> String {
    format!(
        "{}  {:<9} {:>9} B  {}  [{}: {}] {}\n",
        date(entry.at),
        entry.outcome,
        entry.bytes,
        escaped(&entry.url),
        escaped(&entry.job),
        escaped(&entry.purpose),
        escaped(&entry.detail),
    )
}
