//! How large the programs are, and of how many crates they are made.

use crate::figures::Figures;
use crate::process::ask;
use crate::programs::{Programs, cargo, with};
use anyhow::Result;
use clap::Args;
use std::collections::BTreeSet;

/// Says how large the built programs are and how many crates the agent's tree has.
#[derive(Debug, Args)]
pub(crate) struct Size {
    /// Builds the `dist` profile, too: that takes minutes.
    #[arg(long)]
    dist: bool,
}

impl Size {
    pub(crate) fn run(self) -> Result<Figures> {
        let mut figures = Figures::new("size");
        let release = Programs::build("release")?;
        figures.add("agent, release", mib(&release.agent)?, "MiB");
        figures.add("coordinator, release", mib(&release.coordinator)?, "MiB");
        if self.dist {
            let dist = Programs::build("dist")?;
            figures.add("agent, dist", mib(&dist.agent)?, "MiB");
            figures.add("coordinator, dist", mib(&dist.coordinator)?, "MiB");
        }
        figures.add("agent", crates("sward-agent")?, "crates");
        figures.add("coordinator", crates("sward-coordinator")?, "crates");
        Ok(figures)
    }
}

fn mib(program: &std::path::Path) -> Result<f64> {
    Ok(program.metadata()?.len() as f64 / f64::from(1 << 20))
}

/// The package itself, its own crates and all others, each version counted once.
fn crates(package: &str) -> Result<f64> {
    let tree = ["tree", "--package", package, "--edges", "normal", "--prefix", "none"];
    let tree = ask(with(cargo(), &tree))?;
    let names: BTreeSet<&str> = tree
        .lines()
        .map(|line| line.trim_end_matches(" (*)"))
        .filter(|line| !line.is_empty())
        .collect();
    Ok(names.len() as f64)
}
