//! The agent's program: parse, log, run, exit code.

use clap::Parser as _;
use std::io::Write as _;
use std::process::ExitCode;
use sward_agent::cli::{Cli, Failure};
use sward_control::messages_to_stderr;

fn main() -> ExitCode {
    let cli = Cli::parse();
    messages_to_stderr();
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { code, error }) => {
            // Nothing more can be done where even stderr is closed.
            drop(writeln!(std::io::stderr(), "sward-agent: {error:#}"));
            ExitCode::from(code)
        }
    }
}
