//! `appeal`: the owner objects to what was decided.

use super::{Failure, Printer};
use crate::config::Layout;
use crate::question::Question;
use clap::Args;
use sward_agent_core::session::View;
use sward_control::Client;
use sward_proto::wire::standing::check_words;

/// Appeals against what was decided about this agent, also where it is barred. One appeal can be open, and one a day is
/// taken. The answer is in `status`; who is right, the coordinator's operator decides.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  sward-agent appeal \"My provider put advertisements into pages; it has stopped, see tasks 17 and 31.\""
)]
pub(super) struct Appeal {
    /// What happened, in at most 2,000 characters.
    text: String,
}

impl Appeal {
    pub(super) fn run(self, layout: &Layout, printer: Printer) -> Result<(), Failure> {
        check_words(&self.text).map_err(Failure::usage)?;
        let question = Question::Appeal { text: self.text };
        let view: View = Client::ask(&layout.socket(), &question)?.only()?;
        printer.print("status", &view, |_| {
            "The appeal is kept, and sent with the next connection: see sward-agent status."
                .to_owned()
        })
    }
}
