//! `export`: a job's corpus in files.

use super::ask::ask_all;
use super::{Failure, Printer};
use crate::config::{Config, Layout};
use crate::export::{Format, Plan, write};
use crate::operator;
use crate::question::{CaptureView, Question};
use crate::store::{IndexLimits, SledStore};
use anyhow::Context as _;
use clap::Args;
use std::path::PathBuf;
use sward_coordinator_core::job::JobState;
use sward_coordinator_core::record::job::JobRecord;
use sward_proto::ids::{JobId, JobName};

/// Writes what a job accepted into a new folder, with the evidence of each verdict and a manifest. Works while the coordinator runs, and when it does not.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  sward-coordinator export docs --format warc,jsonl --out ./docs"
)]
pub(super) struct Export {
    /// The job.
    job: JobName,
    /// The formats, separated by commas.
    #[arg(long, value_delimiter = ',', default_value = "warc,jsonl")]
    format: Vec<Format>,
    /// The folder; it must not exist.
    #[arg(long, required_unless_present = "dry_run", value_name = "DIR")]
    out: Option<PathBuf>,
    /// Only says what it would hold.
    #[arg(long)]
    dry_run: bool,
}

impl Export {
    pub(super) fn run(mut self, layout: &Layout, printer: Printer) -> Result<(), Failure> {
        let captures = captures(layout, &self.job)?;
        self.format.sort();
        self.format.dedup();
        match self.out {
            Some(out) if !self.dry_run => {
                let manifest = write(layout, &self.job, &captures, &self.format, &out)?;
                printer.print("export", &manifest, |manifest| {
                    format!(
                        "{} pages in {}: check with sward-verify export {}",
                        manifest.plan.pages,
                        out.display(),
                        out.display()
                    )
                })
            }
            Some(_) | None => printer.print("plan", &Plan::of(&captures), |plan| {
                format!(
                    "{} pages, {} of them duplicates, {} bytes",
                    plan.pages, plan.duplicates, plan.bytes
                )
            }),
        }
    }
}

/// A snapshot of the captures: from the daemon, or from the index where none runs.
fn captures(layout: &Layout, job: &JobName) -> Result<Vec<CaptureView>, Failure> {
    let question = Question::Captures { job: job.clone() };
    match ask_all::<Result<CaptureView, String>>(&layout.socket(), &question) {
        Ok(lines) => lines.into_iter().map(|line| line.map_err(Failure::refused)).collect(),
        Err(Failure { code: 3, .. }) => from_index(layout, job),
        Err(other) => Err(other),
    }
}

fn from_index(layout: &Layout, job: &JobName) -> Result<Vec<CaptureView>, Failure> {
    let config = Config::load(layout)?;
    let unknown = || Failure::refused(format!("no job is named {job}: see job list"));
    if !layout.index().exists() {
        return Err(unknown()); // opening it would make one
    }
    let store =
        SledStore::open(&layout.index(), IndexLimits::with_cache(config.limits.cache_bytes))
            .context("the index cannot be read: run sward-coordinator rebuild")?;
    let found = (1..).map(JobId).map_while(|id| Some((id, JobRecord::read(&store, id).ok()??)));
    let found = found.into_iter().find(|(_, record)| record.spec.name == *job);
    let (id, record) = found.ok_or_else(unknown)?;
    if record.progress.state == JobState::Running {
        tracing::info!(%job, "this job has not ended: the export holds what it has so far");
    }
    Ok(operator::captures(&store, id)?)
}
