//! `run`.

use super::{Failure, Printer};
use crate::config::{Config, Layout};
use crate::run::Agent;
use anyhow::{Context as _, anyhow};
use clap::Args;
use sward_control::interrupted;

/// Works until it is interrupted.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  sward-agent run")]
pub(super) struct Run {}

impl Run {
    pub(super) fn run(self, layout: &Layout, _: Printer) -> Result<(), Failure> {
        if Config::load(layout)?.is_developer() {
            tracing::warn!(
                "DEVELOPER MODE: loopback addresses can be fetched; not for use on the internet"
            );
        }
        rustls::crypto::ring::default_provider()
            .install_default()
            .map_err(|_| anyhow!("another TLS provider is installed already"))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("runtime")?;
        runtime.block_on(async { Agent::start(layout)?.run(interrupted()).await })?;
        Ok(())
    }
}
