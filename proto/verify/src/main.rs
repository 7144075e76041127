//! The `sward-verify` command.

use clap::Parser as _;
use std::io::{Write as _, stdout};
use std::process::ExitCode;
use sward_verify::command::Cli;
use sward_verify::report::Outcome;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let report = cli.command.run();
    let text = if cli.json { report.to_json() } else { report.to_text() };
    let mut stdout = stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => report.outcome.exit_code().into(),
        // Whoever closed the pipe has not read what was found: never let that pass for valid.
        Err(_) => report.outcome.max(Outcome::Invalid).exit_code().into(),
    }
}
