//! `init`: a data folder with keys, prices and a configuration.

use super::{Failure, Printer};
use crate::config::{Config, Draws, Layout, write_new};
use crate::keys::Keys;
use crate::run::now;
use anyhow::Context as _;
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;
use sward_proto::note::NoteSigner;

/// Makes a data folder: keys, prices, configuration. Nothing listens yet.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  sward-coordinator init --operator 'Example Lab' --contact https://bot.example/ --log receipts.example.org/main"
)]
pub(super) struct Init {
    /// Who runs it; shown to every owner of an agent.
    #[arg(long)]
    operator: String,
    /// The http or https address of a page about the crawl; it is in the User-Agent.
    #[arg(long)]
    contact: String,
    /// The name of the receipt log and its key.
    #[arg(long, value_name = "NAME")]
    log: String,
    /// Where agents dial.
    #[arg(long, default_value = "/ip4/0.0.0.0/tcp/8779", value_name = "MULTIADDR")]
    listen: String,
    /// Where /livez, /readyz and /metrics are; loopback only.
    #[arg(long, default_value = "127.0.0.1:8780")]
    health: SocketAddr,
    /// A price list to use instead of the sample.
    #[arg(long, value_name = "FILE")]
    tariff: Option<PathBuf>,
    /// Seconds after which the seed that leases are drawn with is published, and another one used.
    #[arg(long, default_value_t = 3600, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    draw_round: u32,
    /// For tests: takes developer-mode agents, and jobs that name loopback.
    #[arg(long)]
    developer: bool,
}

/// Prints the key that signs receipts, as verifiers want it.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  sward-coordinator key > vkeys")]
pub(super) struct Key {}

impl Key {
    pub(super) fn run(self, layout: &Layout, printer: Printer) -> Result<(), Failure> {
        let config = Config::load(layout)?;
        let keys = Keys::load(layout)?;
        let signer = NoteSigner::from_seed(config.key_name()?, &keys.receipts);
        printer.print("vkey", &signer.verifier_key().to_string(), Clone::clone)
    }
}

const SAMPLE_TARIFF: &str = include_str!("../../../deploy/tariff.toml");

impl Init {
    pub(super) fn run(self, layout: &Layout, printer: Printer) -> Result<(), Failure> {
        let listen = self.listen.parse().with_context(|| {
            format!("listen is {:?}: give an address such as /ip4/0.0.0.0/tcp/8779", self.listen)
        })?;
        let config = Config {
            operator: self.operator,
            contact: self.contact,
            log: self.log,
            listen,
            health: self.health,
            developer: self.developer,
            draws: Draws { began: now().as_secs(), round_seconds: self.draw_round },
            quorum: crate::config::Quorum::default(),
            beacon: None,
            network: crate::config::NetworkPart::default(),
            hold: crate::config::Hold::default(),
            limits: crate::config::Limits::default(),
        };
        let text = toml::to_string_pretty(&config).context("configuration")?;
        Config::parse(&text)?;
        let tariff = match self.tariff {
            Some(path) => std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?,
            None => SAMPLE_TARIFF.to_owned(),
        };
        sward_proto::tariff::Tariff::parse(&tariff).context("tariff")?;
        std::fs::create_dir_all(layout.data())
            .with_context(|| format!("cannot make {}", layout.data().display()))?;
        write_new(&layout.config(), &text)?;
        write_new(&layout.tariff(), &tariff)?;
        Keys::create(layout)?;
        std::fs::create_dir_all(layout.archive()).context("archive folder")?;
        let folder = layout.data().display().to_string();
        printer.print("data", &folder, |folder| {
            format!("{folder} is ready. Next: sward-coordinator --data {folder} serve")
        })
    }
}
