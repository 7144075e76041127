//! A crawl of real pages over the whole path: lease, fetch by independent agents, cross-check, upload, archive.

use crate::crew::Crew;
use crate::figures::Figures;
use crate::process::Process;
use crate::programs::Programs;
use crate::site::Site;
use crate::usage::{cpu_seconds, memory_mib};
use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use sward_coordinator::question::{JobView, Question};
use sward_coordinator_core::job::JobState;

/// How often the job is looked at: seldom, as looking costs the coordinator, too.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Crawls folders of HTML pages that nginx serves on loopback, and says what that costs each process.
#[derive(Debug, Args)]
pub(crate) struct Crawl {
    /// A folder of HTML with an index.html, served as a site of its own; may be given several times.
    #[arg(long, required = true, value_name = "DIR")]
    pages: Vec<PathBuf>,
    /// Honest agents, each in a network of its own; every page is fetched by two of them.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(2..=200))]
    agents: u8,
    /// Accepted pages at most.
    #[arg(long, default_value_t = 100_000)]
    limit: u64,
    /// Least gap between two fetches on one site, in milliseconds.
    #[arg(long, default_value_t = 1)]
    delay_ms: u64,
    /// Takes one result of an agent that has proved itself for enough, but where an audit is drawn.
    #[arg(long)]
    audited: bool,
    /// The web server.
    #[arg(long, default_value = "nginx", value_name = "FILE")]
    nginx: PathBuf,
    /// Gives up after this many seconds.
    #[arg(long, default_value_t = 1800)]
    patience: u64,
    /// Where coordinator and agents keep their data; a temporary folder otherwise.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

struct Cost {
    coordinator: f64,
    agents: f64,
    site: f64,
}

impl Crawl {
    pub(crate) fn run(self) -> Result<Figures> {
        let programs = Programs::build("release")?;
        let temporary = tempfile::Builder::new().prefix("sward-bench-").tempdir()?;
        let folder = match &self.out {
            Some(out) => {
                std::fs::create_dir(out).with_context(|| out.display().to_string())?;
                out.canonicalize()?
            }
            None => temporary.path().to_owned(),
        };
        let site = Site::serve(&self.nginx, &self.pages, &folder.join("site"))?;
        let mut crew = Crew::start(&programs, self.agents, &site.hosts, &folder)?;
        let (begun, before) = (Instant::now(), cost(&crew, &site)?);
        self.submit(&crew, &site)?;
        let job = self.watch(&mut crew, begun)?;
        let (wall, after) = (begun.elapsed(), cost(&crew, &site)?);
        figures(&job, wall, &before, &after, &crew)
    }

    fn submit(&self, crew: &Crew, site: &Site) -> Result<()> {
        let mut arguments: Vec<String> = ["job", "run", "--detach", "--name", "bench"]
            .into_iter()
            .chain(["--purpose", "benchmark", "--depth", "1000"])
            .map(str::to_owned)
            .collect();
        arguments.extend(["--pages".to_owned(), self.limit.to_string()]);
        arguments.extend(["--delay-ms".to_owned(), self.delay_ms.to_string()]);
        arguments.extend(self.audited.then(|| "--audited".to_owned()));
        arguments.extend(site.seeds().flat_map(|seed| ["--seed".to_owned(), seed]));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        crew.coordinator_does(&arguments).map(drop)
    }

    fn watch(&self, crew: &mut Crew, begun: Instant) -> Result<JobView> {
        loop {
            crew.check()?;
            let jobs: Vec<JobView> = crew.question(&Question::Jobs)?;
            let job = jobs.into_iter().next().context("the job is gone")?;
            match job.state {
                JobState::Done => return Ok(job),
                JobState::Running => {}
                JobState::Paused | JobState::Cancelled => bail!("somebody stopped the job"),
            }
            let (pages, seconds) = (job.counts.pages, begun.elapsed().as_secs());
            ensure!(seconds < self.patience, "{pages} pages after {seconds} s: giving up");
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

fn cost(crew: &Crew, site: &Site) -> Result<Cost> {
    let agents = crew.agents.iter().map(|agent| cpu_seconds(agent.id()));
    Ok(Cost {
        coordinator: cpu_seconds(crew.coordinator.id())?,
        agents: agents.sum::<Result<f64>>()?,
        site: cpu_seconds(site.process.id())?,
    })
}

fn figures(
    job: &JobView,
    wall: Duration,
    before: &Cost,
    after: &Cost,
    crew: &Crew,
) -> Result<Figures> {
    let mut figures = Figures::new("crawl");
    let pages = job.counts.pages as f64;
    ensure!(pages > 0.0, "no page was accepted");
    let thousands = pages / 1000.0;
    figures.add("pages accepted", pages, "");
    figures.add("pages that repeat another's bytes", job.counts.duplicates as f64, "");
    figures.add("fetches", job.counts.fetches as f64, "");
    figures.add("pages on the word of one agent", job.counts.single as f64, "");
    figures.add("mean page", job.counts.bytes as f64 / pages, "bytes");
    figures.add("wall time", wall.as_secs_f64(), "s");
    figures.add("pages a second", pages / wall.as_secs_f64(), "1/s");
    let of = |now: f64, then: f64| (now - then) / thousands;
    let unit = "CPU-s / 1,000 pages";
    figures.add("coordinator", of(after.coordinator, before.coordinator), unit);
    figures.add("agents, together", of(after.agents, before.agents), unit);
    let fetches = job.counts.fetches as f64 / 1000.0;
    let unit_fetch = "CPU-s / 1,000 fetches";
    figures.add("an agent", (after.agents - before.agents) / fetches, unit_fetch);
    figures.add("nginx", of(after.site, before.site), unit);
    figures.add("coordinator, peak", memory_mib(crew.coordinator.id(), "VmHWM")?, "MiB resident");
    let peak = |agent: &Process| memory_mib(agent.id(), "VmHWM");
    let peaks = crew.agents.iter().map(peak).collect::<Result<Vec<f64>>>()?;
    figures.add("an agent, peak", peaks.into_iter().fold(0.0, f64::max), "MiB resident");
    let index = crate::frontier::bytes_in(&crew.index())?;
    figures.add("index on disk", index as f64 / pages, "bytes / page");
    Ok(figures)
}
