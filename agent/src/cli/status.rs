//! `status`, `pause` and `resume`.

use super::{Failure, Printer};
use crate::config::Layout;
use crate::question::Question;
use clap::Args;
use sward_agent_core::reason::StopReason;
use sward_agent_core::session::View;
use sward_control::Client;

/// Says whether the agent is fetching, and if not why and until when.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  sward-agent status --json")]
pub(super) struct Status {}

/// Stops fetching; what was fetched is still handed in. Outlives a restart.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  sward-agent pause")]
pub(super) struct Pause {}

/// Goes on fetching.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  sward-agent resume")]
pub(super) struct Resume {}

macro_rules! asks {
    ($command:ident, $question:expr) => {
        impl $command {
            pub(super) fn run(self, layout: &Layout, printer: Printer) -> Result<(), Failure> {
                let view: View = Client::ask(&layout.socket(), &$question)?.only()?;
                printer.print("status", &view, text)
            }
        }
    };
}

asks!(Status, Question::Status);
asks!(Pause, Question::Pause(true));
asks!(Resume, Question::Pause(false));

fn text(view: &View) -> String {
    let state = match view.reason {
        Some(StopReason::Revoked) => {
            let why = super::output::escaped(&view.detail);
            format!("{} It says: {why}", StopReason::Revoked.sentence())
        }
        Some(reason) => reason.sentence().to_owned(),
        None => format!("Running: fetching {}, {} waiting.", view.fetching, view.waiting),
    };
    let developer = if view.developer { "\nDEVELOPER MODE: loopback can be fetched." } else { "" };
    format!(
        "{state}{developer}\n{} of {} bytes today. {} results taken, {} not settled yet. \
         {} micro-units under receipts ({} results).\nOperator: {}",
        view.today_bytes,
        view.day_bytes,
        view.taken,
        view.unsettled,
        view.receipt_credit,
        view.receipt_tasks,
        super::output::escaped(&view.operator),
    )
}
