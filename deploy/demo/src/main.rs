//! The whole of Sward on loopback, as real processes: this program runs itself again in each role.

mod cast;
mod certificate;
mod play;
mod process;
mod report;
mod role;
mod site;

use clap::Parser as _;
use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let program = arguments.next().unwrap_or_default();
    if arguments.next().is_some_and(|first| first == role::FLAG) {
        return role::run(program, arguments);
    }
    match play::run(play::Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing more can be done where even stderr is closed.
            drop(writeln!(std::io::stderr(), "sward-demo: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
