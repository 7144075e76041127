//! What came of it: `summary.json`, and a text for a person.

use crate::cast::Player;
use crate::site::Ready;
use anyhow::{Context as _, Result, ensure};
use serde::Serialize;
use std::path::Path;
use std::time::Duration;
use sward_coordinator::question::{AgentView, JobView};
use sward_proto::outcome::Outcome;

/// What the verifier said.
#[derive(Debug, Default)]
pub(crate) struct Verified {
    /// Receipts that hold.
    pub(crate) receipts: usize,
    /// Whether every verdict follows from its evidence.
    pub(crate) verdicts: bool,
    /// Whether the export holds.
    pub(crate) export: bool,
    /// Its own words.
    pub(crate) lines: Vec<String>,
}

/// `summary.json`.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    schema_version: u32,
    pages_served: usize,
    pages_accepted: u64,
    duplicates_exact: u64,
    duplicates_near: u64,
    fetches: u64,
    fetches_per_accepted: f64,
    receipts: usize,
    receipts_verified: usize,
    verdicts_verified: bool,
    export_verified: bool,
    contested: u64,
    #[serde(skip)]
    beacons: u64,
    honest_blamed: usize,
    elapsed_s: f64,
    agents: Vec<AgentReport>,
    #[serde(skip)]
    lines: Vec<String>,
}

#[derive(Debug, Serialize)]
struct AgentReport {
    peer_id: String,
    role: &'static str,
    caught: bool,
    reason: Option<String>,
    fetched: u64,
    accepted: u64,
    credit: u64,
}

impl Report {
    pub(crate) fn new(
        ready: &Ready,
        players: &[Player],
        job: &JobView,
        agents: &[AgentView],
        verified: Verified,
        elapsed: Duration,
    ) -> Self {
        let agents: Vec<AgentReport> = players
            .iter()
            .filter_map(|player| {
                let agent = agents.iter().find(|agent| agent.peer_id == player.peer_id)?;
                Some(AgentReport {
                    peer_id: player.peer_id.clone(),
                    role: player.part.role(),
                    caught: agent.standing == "caught",
                    reason: agent.reason.clone(),
                    fetched: agent.fetched,
                    accepted: agent.agreed,
                    credit: agent.receipted,
                })
            })
            .collect();
        let counts = &job.counts;
        // The ratio of two small counts: no precision is lost.
        let ratio = counts.fetches as f64 / counts.pages.max(1) as f64;
        Self {
            schema_version: 1,
            pages_served: ready.acceptable,
            pages_accepted: counts.pages,
            duplicates_exact: counts.duplicates,
            duplicates_near: 0,
            fetches: counts.fetches,
            fetches_per_accepted: (ratio * 1000.0).round() / 1000.0,
            receipts: agents.iter().filter(|agent| agent.credit > 0).count(),
            receipts_verified: verified.receipts,
            verdicts_verified: verified.verdicts,
            export_verified: verified.export,
            contested: counts.outcomes.get(&Outcome::Disagree).copied().unwrap_or_default(),
            beacons: counts.outcomes.get(&Outcome::Beacon).copied().unwrap_or_default(),
            honest_blamed: agents.iter().filter(|a| a.role == "honest" && a.caught).count(),
            elapsed_s: (elapsed.as_secs_f64() * 10.0).round() / 10.0,
            agents,
            lines: verified.lines,
        }
    }

    pub(crate) fn write(&self, out: &Path) -> Result<()> {
        let mut json = serde_json::to_string_pretty(self)?;
        json.push('\n');
        std::fs::write(out.join("summary.json"), json).context("summary.json")
    }

    pub(crate) fn text(&self, out: &Path, crawl_s: f64) -> String {
        let mut text = format!(
            "\n{} of {} acceptable pages accepted, {} of them exact duplicates, in {crawl_s:.1} s; {} \
             fetches, {:.2} a page.\n{} pages differ at every visit: contested, and nobody's fault. {} were the \
             coordinator's own, to show who copies.\n\n",
            self.pages_accepted,
            self.pages_served,
            self.duplicates_exact,
            self.fetches,
            self.fetches_per_accepted,
            self.contested,
            self.beacons,
        );
        for agent in &self.agents {
            let caught = match &agent.reason {
                Some(reason) => format!("CAUGHT: {reason}"),
                None => "not blamed".to_owned(),
            };
            text.push_str(&format!(
                "{:<9} {}  {:>3} results, {:>3} agreed, {:>6} micro-units  {caught}\n",
                agent.role, agent.peer_id, agent.fetched, agent.accepted, agent.credit
            ));
        }
        text.push_str("\nsward-verify says:\n");
        for line in &self.lines {
            text.push_str(&format!("  {}\n", line.replace('\n', "\n  ")));
        }
        text.push_str(&format!(
            "\nEverything lies in {}:\n  summary.json  export/ (WARC, JSONL, evidence, manifest)  receipts/  \
             keys/vkeys  agents/  coordinator/",
            out.display()
        ));
        text
    }

    /// Whether the demo showed what it is there to show.
    pub(crate) fn verdict(&self) -> Result<()> {
        ensure!(self.honest_blamed == 0, "an honest agent was blamed");
        for agent in self.agents.iter().filter(|agent| agent.role != "honest") {
            ensure!(agent.caught, "the {} was not caught", agent.role);
        }
        ensure!(self.receipts_verified == self.receipts, "a receipt does not verify");
        ensure!(self.verdicts_verified, "a verdict does not follow from its evidence");
        ensure!(self.export_verified, "the export does not verify");
        Ok(())
    }
}
