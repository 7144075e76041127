//! Measures what Sward costs: processor time, memory and disk, of the programs as they are built for users.
//!
//! Nothing here judges: each command prints figures, as text or as JSON.

mod compare;
mod crawl;
mod crew;
mod figures;
mod frontier;
mod idle;
mod links;
mod process;
mod programs;
mod site;
mod size;
mod usage;

use clap::{Parser, Subcommand};
use std::io::Write as _;
use std::process::ExitCode;

/// What Sward costs, measured.
#[derive(Debug, Parser)]
#[command(
    name = "sward-bench",
    after_help = "Example:\n  apt-get install nginx postgresql-doc-15\n  cargo bench-all crawl --pages /usr/share/doc/postgresql-doc-15/html\n  cargo bench-all frontier --urls 1000000\n  cargo bench-all compare --data FOLDER"
)]
struct Cli {
    /// Answers in JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Compare(compare::Compare),
    Crawl(crawl::Crawl),
    Idle(idle::Idle),
    Frontier(frontier::Frontier),
    Size(size::Size),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let measured = match cli.command {
        Command::Compare(compare) => compare.run(),
        Command::Crawl(crawl) => crawl.run(),
        Command::Idle(idle) => idle.run(),
        Command::Frontier(frontier) => frontier.run(),
        Command::Size(size) => size.run(),
    };
    match measured.and_then(|figures| figures.print(cli.json)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing more can be done where even stderr is closed.
            drop(writeln!(std::io::stderr(), "sward-bench: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
