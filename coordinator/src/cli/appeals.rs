//! `appeals`: what owners object to, and what the operator decides.

use super::ask::{ask_all, order};
use super::{Failure, Printer};
use crate::config::Layout;
use crate::question::{AppealView, Question};
use clap::{Args, Subcommand};
use sward_proto::ids::PeerId;

/// Lists the appeals of owners, and decides on them.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sward-coordinator appeals\n  sward-coordinator appeals uphold 12D3KooW...\n  sward-coordinator appeals reject 12D3KooW... --why 'Three agents elsewhere saw another page than yours, see task 17.'"
)]
pub(super) struct Appeals {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(List),
    Uphold(Uphold),
    Reject(Reject),
}

/// Lists the last appeal of each agent.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  sward-coordinator --json appeals list")]
struct List {}

/// Gives the agent work again: in good standing, on probation, with nothing held against it. What it was not paid stays
/// unpaid, and pages that were taken back stay so.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  sward-coordinator appeals uphold 12D3KooW...")]
struct Uphold {
    /// The agent.
    peer: PeerId,
    /// What its owner reads.
    #[arg(long, default_value = "Your appeal was upheld; your agent begins anew.")]
    why: String,
}

/// Leaves everything as it is. A page that you show to the owner should not be used as a check again.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  sward-coordinator appeals reject 12D3KooW... --why 'Three agents elsewhere saw another page.'"
)]
struct Reject {
    /// The agent.
    peer: PeerId,
    /// What its owner reads.
    #[arg(long)]
    why: String,
}

impl Appeals {
    pub(super) fn run(self, layout: &Layout, printer: Printer) -> Result<(), Failure> {
        let (agent, upheld, why) = match self.command {
            None | Some(Command::List(List {})) => return list(layout, printer),
            Some(Command::Uphold(Uphold { peer, why })) => (peer, true, why),
            Some(Command::Reject(Reject { peer, why })) => (peer, false, why),
        };
        let done = order(&layout.socket(), &Question::DecideAppeal { agent, upheld, why })?;
        printer.print("appeal", &done, Clone::clone)
    }
}

fn list(layout: &Layout, printer: Printer) -> Result<(), Failure> {
    let appeals: Vec<AppealView> = ask_all(&layout.socket(), &Question::Appeals)?;
    printer.print("appeals", &appeals, |appeals| {
        if appeals.is_empty() {
            return "No owner has appealed.".to_owned();
        }
        let line = |appeal: &AppealView| {
            let AppealView { peer_id, standing, decision, text, tasks, .. } = appeal;
            let tasks: Vec<String> = tasks.iter().map(ToString::to_string).collect();
            let (text, tasks) = (text.escape_debug(), tasks.join(", "));
            format!("{peer_id}  {standing}  {decision}\n  \"{text}\"\n  tasks: {tasks}\n")
        };
        appeals.iter().map(line).collect()
    })
}
