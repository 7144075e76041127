//! The coordinator's program: parse, log, run, exit code.

use clap::Parser as _;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use sward_coordinator::cli::{Cli, Failure};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_env("SWARD_LOG")
        .unwrap_or_else(|_| EnvFilter::new("info,libp2p_swarm=warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { code, error }) => {
            // Nothing more can be done where even stderr is closed.
            drop(writeln!(std::io::stderr(), "sward-coordinator: {error:#}"));
            ExitCode::from(code)
        }
    }
}
