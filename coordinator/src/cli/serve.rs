//! `serve` and `rebuild`.

use super::{Failure, Printer};
use crate::config::{Config, Layout};
use crate::keeper::Keeper;
use crate::keys::Keys;
use crate::recover::recover;
use crate::run::{Daemon, core_config, now};
use crate::store::move_aside;
use anyhow::Context as _;
use clap::Args;
use sward_control::interrupted;

/// Runs the coordinator until it is interrupted.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  sward-coordinator --data /srv/sward serve")]
pub(super) struct Serve {}

/// Builds the index anew from archive and journal. The old one is moved aside. The coordinator must not run.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  sward-coordinator --data /srv/sward rebuild")]
pub(super) struct Rebuild {}

impl Serve {
    pub(super) fn run(self, layout: &Layout, printer: Printer) -> Result<(), Failure> {
        // One thread: its work is a small part of a core, and handing a frame from thread to thread costs more than the frame.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("runtime")?;
        runtime.block_on(async {
            let daemon = Daemon::start(layout).await?;
            let address = daemon.address.clone();
            printer
                .print("address", &address, |address| format!("ready: agents dial {address}"))?;
            daemon.run(interrupted()).await.map_err(Failure::from)
        })
    }
}

impl Rebuild {
    pub(super) fn run(self, layout: &Layout, printer: Printer) -> Result<(), Failure> {
        let config = Config::load(layout)?;
        let keys = Keys::load(layout)?;
        let core = core_config(layout, &config, &keys)?;
        let (keeper, found) = Keeper::open(layout, &config)?;
        let aside = if layout.index().exists() {
            Some(move_aside(&layout.index()).context("old index")?)
        } else {
            None
        };
        let cache = config.limits.cache_bytes;
        let recovered = recover(layout, &core, &keeper, &found, cache, now())?;
        let pages: u64 =
            recovered.coordinator.jobs().map(|(_, job)| job.progress.counts.pages).sum();
        let aside = aside.map(|aside| aside.display().to_string()).unwrap_or_default();
        let report = serde_json::json!({ "accepted_pages": pages, "old_index": aside });
        printer.print("rebuilt", &report, |_| {
            format!("index rebuilt: {pages} accepted pages; the old index, if any: {aside}")
        })
    }
}
