//! The coordinator's program: parse, log, run, exit code.

use clap::Parser as _;
use std::io::Write as _;
use std::process::ExitCode;
use sward_control::messages_to_stderr;
use sward_coordinator::cli::{Cli, Failure};

fn main() -> ExitCode {
    let cli = Cli::parse();
    messages_to_stderr();
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { code, error }) => {
            // Nothing more can be done where even stderr is closed.
            drop(writeln!(std::io::stderr(), "sward-coordinator: {error:#}"));
            ExitCode::from(code)
        }
    }
}
