//! Which program this process is: the coordinator's, an agent's, the verifier's, or the site.

use crate::site;
use clap::Parser as _;
use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;
use sward_control::messages_to_stderr;

/// The first argument of a process that plays a role.
pub(crate) const FLAG: &str = "--as";

/// Runs a role with the rest of the arguments.
pub(crate) fn run(program: OsString, mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let role = arguments.next().unwrap_or_default();
    let arguments = std::iter::once(program).chain(arguments);
    messages_to_stderr();
    match role.to_str() {
        Some("coordinator") => {
            let result = sward_coordinator::cli::Cli::parse_from(arguments).run();
            end(result.map_err(|failure| (failure.code, failure.error)))
        }
        Some("agent") => {
            let result = sward_agent::cli::Cli::parse_from(arguments).run();
            end(result.map_err(|failure| (failure.code, failure.error)))
        }
        Some("site") => {
            end(site::run(site::Options::parse_from(arguments)).map_err(|error| (1, error)))
        }
        Some("verify") => verify(arguments),
        Some(_) | None => ExitCode::from(2),
    }
}

fn end(result: Result<(), (u8, anyhow::Error)>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, error)) => {
            drop(writeln!(std::io::stderr(), "{error:#}"));
            ExitCode::from(code)
        }
    }
}

fn verify(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let cli = sward_verify::command::Cli::parse_from(arguments);
    let report = cli.command.run();
    let text = if cli.json { report.to_json() } else { report.to_text() };
    drop(std::io::stdout().lock().write_all(text.as_bytes()));
    ExitCode::from(report.outcome.exit_code())
}
