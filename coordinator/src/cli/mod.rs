//! The command line: what an operator types, and how it is answered.
//!
//! Results on stdout, messages on stderr. Exit codes: 0 ok, 1 failure, 2 usage, 3 not running, 4 refused by policy,
//! 5 verification failed, 75 try later.

mod agents;
mod appeals;
mod ask;
mod draws;
mod export;
mod extract;
mod init;
mod job;
mod robots;
mod serve;

pub use job::parse_file;
pub use sward_control::{Failure, Printer};

use crate::config::Layout;
use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Assigns pages to agents, cross-checks what they saw, keeps the archive, signs receipts.
#[derive(Debug, Parser)]
#[command(
    name = "sward-coordinator",
    version,
    after_help = "Example:\n  sward-coordinator init --operator 'Example Lab' --contact https://bot.example/ --log receipts.example.org/main\n  sward-coordinator serve"
)]
pub struct Cli {
    /// The data folder.
    #[arg(long, global = true, default_value = "sward-data", value_name = "DIR")]
    pub data: PathBuf,
    /// Answers in JSON, with a schema_version.
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    Key(init::Key),
    Serve(serve::Serve),
    #[command(subcommand)]
    Job(job::Job),
    Invite(agents::Invite),
    Agents(agents::Agents),
    Appeals(appeals::Appeals),
    Hosts(agents::Hosts),
    Draws(draws::Draws),
    Rebuild(serve::Rebuild),
    Export(export::Export),
    Extract(extract::Extract),
    Robots(robots::Robots),
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
            Command::Init(init) => init.run(&layout, printer),
            Command::Key(key) => key.run(&layout, printer),
            Command::Serve(serve) => serve.run(&layout, printer),
            Command::Job(job) => job.run(&layout, printer),
            Command::Invite(invite) => invite.run(&layout, printer),
            Command::Agents(agents) => agents.run(&layout, printer),
            Command::Appeals(appeals) => appeals.run(&layout, printer),
            Command::Hosts(hosts) => hosts.run(&layout, printer),
            Command::Draws(draws) => draws.run(&layout, printer),
            Command::Rebuild(rebuild) => rebuild.run(&layout, printer),
            Command::Export(export) => export.run(&layout, printer),
            Command::Extract(extract) => extract.run(printer),
            Command::Robots(robots) => robots.run(printer),
        }
    }
}
