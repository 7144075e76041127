//! `job`: run, list, show, pause, resume, cancel.

use super::ask::{ask_all, order};
use super::{Failure, Printer};
use crate::config::Layout;
use crate::question::{JobView, Question};
use anyhow::Context as _;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use sward_coordinator_core::job::{JobSpec, JobState, Limits, Replication, Scope};
use sward_proto::ids::JobName;

/// How often progress is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Submits jobs and watches them.
#[derive(Debug, Subcommand)]
pub(super) enum Job {
    Run(Box<Run>),
    List(List),
    Show(Name),
    /// Leases nothing more until it is resumed.
    #[command(after_help = "Example:\n  sward-coordinator job pause docs")]
    Pause(Named),
    /// Goes on with a paused job.
    #[command(after_help = "Example:\n  sward-coordinator job resume docs")]
    Resume(Named),
    /// Ends a job; what it accepted stays.
    #[command(after_help = "Example:\n  sward-coordinator job cancel docs")]
    Cancel(Named),
}

/// Submits a job from a TOML file, or from flags, and shows its progress.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sward-coordinator job run docs.toml\n  sward-coordinator job run --name docs --purpose 'open text corpus' --seed https://docs.example/ --depth 3"
)]
pub(super) struct Run {
    /// The job file.
    #[arg(conflicts_with_all = ["name", "seed", "purpose"])]
    file: Option<PathBuf>,
    /// Its name.
    #[arg(long, required_unless_present = "file")]
    name: Option<JobName>,
    /// Where to begin; may be given several times.
    #[arg(long, required_unless_present = "file")]
    seed: Vec<String>,
    /// Why; shown to every owner.
    #[arg(long, required_unless_present = "file")]
    purpose: Option<String>,
    /// The category that owners may veto.
    #[arg(long, default_value = "general")]
    category: String,
    /// Follow only URLs that begin like this.
    #[arg(long)]
    prefix: Vec<String>,
    /// Follow also these hosts, with all names under them.
    #[arg(long)]
    host: Vec<String>,
    /// Follow only URLs that match one of these regular expressions.
    #[arg(long)]
    include: Vec<String>,
    /// Follow no URL that matches one of these.
    #[arg(long)]
    exclude: Vec<String>,
    /// Links between a seed and a page.
    #[arg(long, default_value_t = Limits::default().depth)]
    depth: u16,
    /// Accepted pages at most.
    #[arg(long, default_value_t = Limits::default().pages)]
    pages: u64,
    /// Least gap between two fetches on one host, in milliseconds.
    #[arg(long, default_value_t = Limits::default().delay_ms)]
    delay_ms: u64,
    /// Takes one result of an agent that has proved itself for enough, but where it is drawn for an audit afterwards.
    #[arg(long)]
    audited: bool,
    /// Submits and returns at once.
    #[arg(long)]
    detach: bool,
}

/// Lists all jobs.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  sward-coordinator job list")]
pub(super) struct List {}

/// Shows one job: what came of its URLs.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  sward-coordinator job show docs --json")]
pub(super) struct Name {
    /// Its name.
    name: JobName,
}

/// A job by name.
#[derive(Debug, Args)]
pub(super) struct Named {
    /// Its name.
    name: JobName,
}

impl Job {
    pub(super) fn run(self, layout: &Layout, printer: Printer) -> Result<(), Failure> {
        let socket = layout.socket();
        match self {
            Self::Run(run) => run.run(&socket, printer),
            Self::List(_) => {
                let jobs: Vec<JobView> = ask_all(&socket, &Question::Jobs)?;
                printer.print("jobs", &jobs, |jobs| jobs.iter().map(summary).collect())
            }
            Self::Show(Name { name }) => {
                let job = find(&socket, &name)?;
                printer.print("job", &job, details)
            }
            Self::Pause(job) => set_state(&socket, printer, job.name, JobState::Paused),
            Self::Resume(job) => set_state(&socket, printer, job.name, JobState::Running),
            Self::Cancel(job) => set_state(&socket, printer, job.name, JobState::Cancelled),
        }
    }
}

fn set_state(
    socket: &Path,
    printer: Printer,
    job: JobName,
    state: JobState,
) -> Result<(), Failure> {
    let done = order(socket, &Question::SetState { job, state })?;
    printer.print("job", &done, Clone::clone)
}

fn find(socket: &Path, name: &JobName) -> Result<JobView, Failure> {
    let jobs: Vec<JobView> = ask_all(socket, &Question::Jobs)?;
    let found = jobs.into_iter().find(|job| job.name == *name);
    found.ok_or_else(|| Failure::refused(format!("no job is named {name}: see job list")))
}

fn summary(job: &JobView) -> String {
    let counts = &job.counts;
    let ended: u64 = counts.outcomes.values().sum();
    format!(
        "{:<24} {:<9} {ended}/{} urls  {} pages  {} bytes\n",
        job.name,
        job.state.code(),
        counts.discovered,
        counts.pages,
        counts.bytes
    )
}

fn details(job: &JobView) -> String {
    let mut text = summary(job);
    text.push_str(&format!("  purpose: {}\n", job.purpose));
    for (outcome, count) in &job.counts.outcomes {
        text.push_str(&format!("  {outcome:<12} {count}\n"));
    }
    text.push_str(&format!("  {:<12} {}\n", "queued", job.counts.queued));
    text.push_str(&format!("  {:<12} {}\n", "in hand", job.open));
    text.push_str(&format!("  {:<12} {}\n", "fetches", job.counts.fetches));
    if job.counts.trusted > 0 {
        let trusted = job.counts.trusted;
        text.push_str(&format!("  {trusted} results are of fetchers of your own\n"));
    }
    if job.counts.single > 0 {
        let single = job.counts.single;
        text.push_str(&format!("  {single} pages rest on the word of one agent\n"));
    }
    if job.counts.retracted > 0 {
        text.push_str(&format!("  {} pages were taken back\n", job.counts.retracted));
    }
    if let Some(waiting) = &job.waiting_for {
        text.push_str(&format!("  waiting for {waiting}\n"));
    }
    text
}

/// Reads a job file.
///
/// # Errors
/// What is wrong with it, and where.
pub fn parse_file(path: &Path) -> anyhow::Result<JobSpec> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the job file {}", path.display()))?;
    let spec: JobSpec =
        sward_control::read_toml(&text).with_context(|| format!("in {}", path.display()))?;
    spec.rules().with_context(|| format!("in {}", path.display()))?;
    Ok(spec)
}

impl Run {
    fn run(self, socket: &Path, printer: Printer) -> Result<(), Failure> {
        let detach = self.detach;
        let spec = match &self.file {
            Some(file) => parse_file(file)?,
            None => self.spec()?,
        };
        let name = spec.name.clone();
        order(socket, &Question::Submit(Box::new(spec)))?;
        let job = if detach { find(socket, &name)? } else { watch(socket, &name)? };
        printer.print("job", &job, details)
    }

    fn spec(self) -> anyhow::Result<JobSpec> {
        let seeds =
            self.seed.iter().map(|seed| seed.parse().with_context(|| format!("seed {seed}")));
        let spec = JobSpec {
            name: self.name.context("give --name")?,
            seeds: seeds.collect::<anyhow::Result<_>>()?,
            purpose: self.purpose.context("give --purpose")?,
            category: self.category,
            scope: Scope {
                hosts: self.host,
                prefixes: self.prefix,
                include: self.include,
                exclude: self.exclude,
            },
            limits: Limits {
                depth: self.depth,
                pages: self.pages,
                delay_ms: self.delay_ms,
                ..Limits::default()
            },
            priority: 5,
            replication: if self.audited { Replication::Audited } else { Replication::Full },
            strip_tracking: false,
            media_types: vec!["text/html".to_owned(), "application/xhtml+xml".to_owned()],
        };
        spec.rules()?;
        Ok(spec)
    }
}

/// Shows a bar on a terminal, a line now and then elsewhere, until the job ends or pauses.
fn watch(socket: &Path, name: &JobName) -> Result<JobView, Failure> {
    let terminal = std::io::stderr().is_terminal();
    let bar = if terminal { ProgressBar::new(0) } else { ProgressBar::hidden() };
    let style = ProgressStyle::with_template("{prefix} [{bar:30}] {pos}/{len} {msg}");
    bar.set_style(style.context("progress bar")?.progress_chars("=> "));
    bar.set_prefix(name.to_string());
    let mut said = 0;
    loop {
        let job = find(socket, name)?;
        let ended: u64 = job.counts.outcomes.values().sum();
        bar.set_length(job.counts.discovered);
        bar.set_position(ended);
        let waiting = job.waiting_for.clone().unwrap_or_default();
        bar.set_message(format!("{} pages {waiting}", job.counts.pages));
        if !terminal && ended >= said + 100 {
            said = ended;
            tracing::info!(job = %name, ended, discovered = job.counts.discovered, "progress");
        }
        if job.state != JobState::Running {
            bar.finish_and_clear();
            return Ok(job);
        }
        std::thread::sleep(LOOK_EVERY);
    }
}
