//! The command line: what an owner types, and how it is answered.
//!
//! Results on stdout, messages on stderr. Exit codes: 0 ok, 1 failure, 2 usage, 3 not running, 4 refused by policy, 75 try
//! later.

mod appeal;
mod explain;
mod log;
mod notices;
mod output;
mod receipts;
mod run;
mod setup;
mod status;

pub use sward_control::{Failure, Printer};

use crate::config::Layout;
use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Fetches public pages for a coordinator of your choice, within your limits.
#[derive(Debug, Parser)]
#[command(
    name = "sward-agent",
    version,
    after_help = "Example:\n  sward-agent setup --coordinator /ip4/192.0.2.1/tcp/8779/p2p/12D3... --invite CODE --payee me\n  sward-agent run"
)]
pub struct Cli {
    /// The data folder.
    #[arg(long, global = true, default_value_os_t = default_data(), value_name = "DIR")]
    pub data: PathBuf,
    /// Answers in JSON, with a schema_version.
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Setup(Box<setup::Setup>),
    Run(run::Run),
    Status(status::Status),
    Pause(status::Pause),
    Resume(status::Resume),
    Log(log::Log),
    Receipts(receipts::Receipts),
    Notices(notices::Notices),
    Appeal(appeal::Appeal),
    Explain(explain::Explain),
}

fn default_data() -> PathBuf {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    data.unwrap_or_else(|| home.join(".local/share")).join("sward-agent")
}

impl Cli {
    /// Does what was asked.
    ///
    /// # Errors
    /// [`Failure`] with the exit code.
    pub fn run(self) -> Result<(), Failure> {
        let layout = Layout::new(self.data);
        let printer = Printer { json: self.json };
        match self.command {
            Command::Setup(setup) => setup.run(&layout, printer),
            Command::Run(run) => run.run(&layout, printer),
            Command::Status(status) => status.run(&layout, printer),
            Command::Pause(pause) => pause.run(&layout, printer),
            Command::Resume(resume) => resume.run(&layout, printer),
            Command::Log(log) => log.run(&layout, printer),
            Command::Receipts(receipts) => receipts.run(&layout, printer),
            Command::Notices(notices) => notices.run(&layout, printer),
            Command::Appeal(appeal) => appeal.run(&layout, printer),
            Command::Explain(explain) => explain.run(&layout, printer),
        }
    }
}
