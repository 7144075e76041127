//! An agent that is connected and has nothing to do.

use crate::crew::Crew;
use crate::figures::Figures;
use crate::programs::Programs;
use crate::usage::{cpu_seconds, memory_mib};
use anyhow::{Context as _, Result};
use clap::Args;
use std::time::Duration;

/// Once connected, an agent may take this long to settle before it is measured.
const SETTLE: Duration = Duration::from_secs(3);

/// Connects an agent to a coordinator without jobs, and says what it uses while it waits.
#[derive(Debug, Args)]
pub(crate) struct Idle {
    /// For how long.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

impl Idle {
    pub(crate) fn run(self) -> Result<Figures> {
        let programs = Programs::build("release")?;
        let folder = tempfile::Builder::new().prefix("sward-bench-").tempdir()?;
        let mut crew = Crew::start(&programs, 1, &[], folder.path())?;
        std::thread::sleep(SETTLE);
        let agent = crew.agents.first().context("agent")?.id();
        let coordinator = crew.coordinator.id();
        let (before, before_coordinator) = (cpu_seconds(agent)?, cpu_seconds(coordinator)?);
        std::thread::sleep(Duration::from_secs(self.seconds));
        crew.check()?;
        let mut figures = Figures::new("idle");
        let minutes = self.seconds as f64 / 60.0;
        figures.add("agent, resident", memory_mib(agent, "VmRSS")?, "MiB");
        figures.add("agent, resident and its own", memory_mib(agent, "RssAnon")?, "MiB");
        figures.add("agent, peak since its start", memory_mib(agent, "VmHWM")?, "MiB");
        figures.add("agent", (cpu_seconds(agent)? - before) / minutes, "CPU-s / min");
        figures.add("coordinator, resident", memory_mib(coordinator, "VmRSS")?, "MiB");
        let spent = cpu_seconds(coordinator)? - before_coordinator;
        figures.add("coordinator", spent / minutes, "CPU-s / min");
        Ok(figures)
    }
}
