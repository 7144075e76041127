//! The command line: what can be asked for and which files it takes.

use crate::report::{Report, Subject};
use crate::{chain, evidence, export, receipts, retraction, verdict};
use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Checks receipts, verdicts and exports offline.
///
/// Exit codes: 0 valid, 1 invalid, 2 malformed or wrong usage, 3 equivocation proven.
#[derive(Debug, Parser)]
#[command(name = "sward-verify", version, max_term_width = 100)]
pub struct Cli {
    /// Print one JSON document instead of a line for each file.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to check.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be checked.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check both signatures of receipts.
    ///
    /// A receipt without its agent's signature is valid and reported as unilateral: the
    /// coordinator admits the debt, the agent has not agreed to the sum.
    #[command(after_help = "Example:\n  sward-verify receipt --keys keys/vkeys receipts/*.note")]
    Receipt {
        /// One C2SP verifier key a line: the coordinator's first, then those of agents.
        #[arg(long, value_name = "VKEYS_FILE")]
        keys: PathBuf,
        /// Receipts, as signed notes.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Check that the receipts of one agent and lane form a chain without gaps.
    #[command(after_help = "Example:\n  sward-verify chain --keys keys/vkeys lane-0/*.note")]
    Chain {
        /// As for `receipt`. Without it no signature is checked, only how the receipts follow.
        #[arg(long, value_name = "VKEYS_FILE")]
        keys: Option<PathBuf>,
        /// Receipts of one log, agent and lane, in any order.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Prove that a coordinator signed two different receipts for one place (exit code 3).
    #[command(after_help = "Example:\n  sward-verify evidence --keys keys/vkeys a.note b.note")]
    Evidence {
        /// As for `receipt`.
        #[arg(long, value_name = "VKEYS_FILE")]
        keys: PathBuf,
        /// One receipt.
        #[arg(value_name = "A")]
        first: PathBuf,
        /// The other.
        #[arg(value_name = "B")]
        second: PathBuf,
    },
    /// Recompute verdicts from what each agent signed: seals, draws, votes, outcome.
    ///
    /// That no result is missing, which agents are independent, when leases were given and by which rules it was counted
    /// is vouched for by the coordinator's signature; all else follows.
    #[command(
        after_help = "Example:\n  sward-verify verdict --keys keys/vkeys corpus/docs.evidence.jsonl.gz\n\n\
        A file holds one bundle or, where its name ends in .jsonl or .jsonl.gz, one a line."
    )]
    Verdict {
        /// As for `receipt`. Without it bundles are only checked against the key that they name themselves.
        #[arg(long, value_name = "VKEYS_FILE")]
        keys: Option<PathBuf>,
        /// Bundles, as an export writes them.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Check statements of pages that their coordinator has taken back.
    #[command(
        after_help = "Example:\n  sward-verify retraction --keys keys/vkeys corpus/docs.retractions.jsonl\n\n\
        Whoever holds an earlier export should drop what they name."
    )]
    Retraction {
        /// As for `verdict`.
        #[arg(long, value_name = "VKEYS_FILE")]
        keys: Option<PathBuf>,
        /// Statements, one a line, as an export writes them.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Check an export: the files of its manifest, every WARC record, every JSONL line, every verdict.
    #[command(after_help = "Example:\n  sward-verify export corpus/\n\n\
        Reads corpus/manifest.json and the files that it lists.")]
    Export {
        /// As for `verdict`.
        #[arg(long, value_name = "VKEYS_FILE")]
        keys: Option<PathBuf>,
        /// The folder that holds manifest.json.
        #[arg(value_name = "DIR")]
        dir: PathBuf,
    },
}

impl Command {
    /// Checks what is asked for.
    #[must_use]
    pub fn run(&self) -> Report {
        match self {
            Self::Receipt { keys, files } => {
                Report::new(Subject::Receipt, receipts::check(files, keys))
            }
            Self::Chain { keys, files } => {
                Report::new(Subject::Chain, chain::check(files, keys.as_deref()))
            }
            Self::Evidence { keys, first, second } => {
                Report::new(Subject::Evidence, evidence::check(first, second, keys))
            }
            Self::Verdict { keys, files } => {
                Report::new(Subject::Verdict, verdict::check(files, keys.as_deref()))
            }
            Self::Retraction { keys, files } => {
                Report::new(Subject::Retraction, retraction::check(files, keys.as_deref()))
            }
            Self::Export { keys, dir } => {
                Report::new(Subject::Export, export::check(dir, keys.as_deref()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound_and_every_command_shows_an_example() {
        let cli = Cli::command();
        cli.clone().debug_assert();
        for command in cli.get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let example = format!("Example:\n  sward-verify {} ", command.get_name());
            assert!(help.starts_with(&example), "{}", command.get_name());
        }
    }
}
