//! The command line: one run, or a sweep over seeds.

#![expect(clippy::print_stdout, reason = "results belong on stdout")]

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use sward_simulation::plan::Plan;
use sward_simulation::report::Report;
use sward_simulation::table;
use sward_simulation::world::World;

/// The deterministic simulator: hundreds of agents on a seeded clock, faults, liars, and what must hold all the same.
#[derive(Parser)]
#[command(name = "sward-sim", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs one seed.
    Run {
        /// Names the world.
        #[arg(long)]
        seed: u64,
        /// How many agents.
        #[arg(long, default_value_t = 300)]
        agents: usize,
        /// Writes the report as JSON to this file.
        #[arg(long)]
        json: Option<PathBuf>,
    },
    /// Runs many seeds, and prints those in which something did not hold.
    Sweep {
        /// How many.
        #[arg(long)]
        seeds: u64,
        /// The first.
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// How many agents.
        #[arg(long, default_value_t = 300)]
        agents: usize,
        /// Runs at the same time.
        #[arg(long, default_value_t = 2)]
        threads: usize,
    },
    /// Detection, overhead and false penalties, for every attack, beside every baseline.
    Table(Box<table::command::Command>),
}

fn main() -> ExitCode {
    let held = match Cli::parse().command {
        Command::Run { seed, agents, json } => run(seed, agents, json),
        Command::Sweep { seeds, from, agents, threads } => sweep(seeds, from, agents, threads),
        Command::Table(command) => command.run(&mut |line| println!("{line}")),
    };
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn simulate(seed: u64, agents: usize) -> Option<Report> {
    World::new(Plan::of_seed(seed, agents)).map(World::run)
}

fn run(seed: u64, agents: usize, json: Option<PathBuf>) -> bool {
    let Some(report) = simulate(seed, agents) else { return false };
    let text = serde_json::to_string_pretty(&report).unwrap_or_default();
    println!("{text}");
    let written = json.is_none_or(|file| std::fs::write(file, &text).is_ok());
    report.holds() && written
}

fn sweep(seeds: u64, from: u64, agents: usize, threads: usize) -> bool {
    let next = AtomicU64::new(from);
    let (sender, receiver) = mpsc::channel();
    let mut failed = 0;
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + seeds || sender.send(simulate(seed, agents)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        for report in receiver.into_iter().flatten().filter(|report| !report.holds()) {
            failed += 1;
            println!("{}", report.command());
            for violation in &report.violations {
                println!("    {violation}");
            }
        }
    });
    println!("{seeds} seeds from {from} with {agents} agents: {failed} failed");
    failed == 0
}
