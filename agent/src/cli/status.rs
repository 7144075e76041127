//! `status`, `pause` and `resume`.

use super::{Failure, Printer};
use crate::config::Layout;
use crate::question::Question;
use crate::store::AgentStore;
use clap::Args;
use sward_agent_core::reason::StopReason;
use sward_agent_core::session::View;
use sward_control::{Client, NotRunning};
use sward_proto::wire::standing::{Appeal, Decision, PendingBlock, Standing};

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
    let (pending, appeal) = (pending(&view.pending), appeal(view));
    format!(
        "{state}{developer}\n{} of {} bytes today. {} results taken, {} not settled yet. \
         {} micro-units under receipts ({} results).\n{pending}{appeal}Operator: {}",
        view.today_bytes,
        view.day_bytes,
        view.taken,
        view.unsettled,
        view.receipt_credit,
        view.receipt_tasks,
        super::output::escaped(&view.operator),
    )
}

/// What is earned and not final yet, a line for each date.
pub(super) fn pending(blocks: &[PendingBlock]) -> String {
    let line = |block: &PendingBlock| {
        let probation = if block.probation { " (on probation)" } else { "" };
        format!(
            "Pending: {} pages, {} micro-units, final by {} UTC{probation}.\n",
            block.tasks,
            block.credit,
            super::output::date(block.due)
        )
    };
    blocks.iter().filter(|block| block.tasks > 0).map(line).collect()
}

/// How far the owner's appeal has come.
fn appeal(view: &View) -> String {
    if view.appeal_waits {
        return "Appeal: waits to be sent.\n".to_owned();
    }
    if !view.appeal_not_taken.is_empty() {
        return format!("Appeal: not taken: {}\n", super::output::escaped(&view.appeal_not_taken));
    }
    match &view.appeal {
        None => String::new(),
        Some(Appeal { at, decision: Decision::Open, .. }) => {
            format!("Appeal of {}: open.\n", super::output::date(*at))
        }
        Some(Appeal { at, decision, answer }) => format!(
            "Appeal of {}: {decision}. {}\n",
            super::output::date(*at),
            super::output::escaped(answer)
        ),
    }
}

/// What the coordinator told last: of the running agent, or out of its store where none runs.
pub(super) fn tidings(layout: &Layout) -> Result<Standing, Failure> {
    match Client::ask(&layout.socket(), &Question::Status) {
        Ok(client) => {
            let View { pending, notices, appeal, .. } = client.only()?;
            Ok(Standing { pending, notices, appeal, barred: String::new() })
        }
        Err(NotRunning::Absent { .. }) if layout.index().exists() => {
            Ok(AgentStore::open(layout)?.memory()?.tidings.standing)
        }
        Err(NotRunning::Absent { .. }) => Ok(Standing::default()),
        Err(other) => Err(other.into()),
    }
}
