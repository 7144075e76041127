//! `setup`: what it does is said first, and nothing is fetched before the owner agrees.

use super::{Failure, Printer};
use crate::config::{Config, Developer, Layout, TERMS, TERMS_VERSION};
use crate::identity::Identity;
use anyhow::Context as _;
use clap::Args;
use std::collections::BTreeMap;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::net::IpAddr;
use std::path::PathBuf;
use sward_agent_core::owner::Limits;
use sward_proto::ids::{Lane, Payee};

/// Joins a coordinator: says what the agent will do, asks, and writes the configuration.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sward-agent setup\n  sward-agent setup --coordinator /ip4/192.0.2.1/tcp/8779/p2p/12D3... --invite CODE --payee me --accept-terms-version 1"
)]
pub(super) struct Setup {
    /// The coordinator's address with its peer id, as the invite shows it.
    #[arg(long, value_name = "MULTIADDR")]
    coordinator: Option<String>,
    /// The invite code.
    #[arg(long)]
    invite: Option<String>,
    /// Who is paid.
    #[arg(long)]
    payee: Option<String>,
    /// Agrees to the terms of this version, for machines without a terminal.
    #[arg(long, value_name = "VERSION")]
    accept_terms_version: Option<u32>,
    /// Bytes over the wire in a day.
    #[arg(long, default_value_t = Limits::default().day_bytes)]
    day_bytes: u64,
    /// Fetches at the same time, each on another host.
    #[arg(long, default_value_t = Limits::default().parallel)]
    parallel: usize,
    /// Never this host, nor any name under it; may be given several times.
    #[arg(long, value_name = "HOST")]
    never_host: Vec<String>,
    /// Never this category; may be given several times.
    #[arg(long, value_name = "CATEGORY")]
    never_category: Vec<String>,
    /// For tests: opens loopback. Ordinary coordinators refuse such an agent's work.
    #[arg(long)]
    developer_loopback: bool,
    /// For tests: the local address to dial and fetch from.
    #[arg(long, requires = "developer_loopback", value_name = "IP")]
    developer_address: Option<IpAddr>,
    /// For tests: a name that is not asked of DNS, as NAME=IP; may be given several times.
    #[arg(long, requires = "developer_loopback", value_name = "NAME=IP", value_parser = parse_name)]
    developer_name: Vec<(String, IpAddr)>,
    /// For tests: a file with a certificate authority to trust.
    #[arg(long, requires = "developer_loopback", value_name = "FILE")]
    developer_root: Vec<PathBuf>,
}

fn parse_name(text: &str) -> Result<(String, IpAddr), String> {
    let (name, ip) = text.split_once('=').ok_or("give NAME=IP")?;
    Ok((name.to_owned(), ip.parse().map_err(|_| format!("{ip} is no address"))?))
}

impl Setup {
    pub(super) fn run(self, layout: &Layout, printer: Printer) -> Result<(), Failure> {
        if layout.config().exists() {
            let path = layout.config().display().to_string();
            return Err(Failure::usage(format!("{path} exists already: edit it, or remove it")));
        }
        let terminal = std::io::stdin().is_terminal();
        say(TERMS)?;
        let coordinator = ask("Coordinator's address", self.coordinator.clone(), terminal)?;
        let invite = ask("Invite code", self.invite.clone(), terminal)?;
        let payee = ask("Who is paid", self.payee.clone(), terminal)?;
        let agreed = match self.accept_terms_version {
            Some(TERMS_VERSION) => true,
            Some(other) => {
                let why =
                    format!("terms are at version {TERMS_VERSION}, not {other}: read them above");
                return Err(Failure::usage(why));
            }
            None => ask("Type yes to agree", None, terminal)? == "yes",
        };
        if !agreed {
            return Err(Failure::refused("nothing was set up: the terms were not agreed to"));
        }
        let config = self.config(coordinator, invite, &payee)?;
        let text = toml::to_string_pretty(&config).context("configuration")?;
        Config::parse(&text).map_err(|error| Failure::usage(format!("{error:#}")))?;
        let identity =
            if layout.key().exists() { Identity::load(layout)? } else { Identity::create(layout)? };
        std::fs::write(layout.config(), text)
            .with_context(|| format!("cannot write {}", layout.config().display()))?;
        printer.print("peer_id", &identity.peer.to_string(), |peer| {
            format!("{peer} is set up. Next: sward-agent run")
        })
    }

    fn config(self, coordinator: String, invite: String, payee: &str) -> Result<Config, Failure> {
        let coordinator = coordinator
            .parse()
            .map_err(|error| Failure::usage(format!("coordinator {coordinator}: {error}")))?;
        let payee: Payee = payee.parse().map_err(Failure::usage)?;
        let limits = Limits {
            day_bytes: self.day_bytes,
            parallel: self.parallel,
            never_hosts: self.never_host,
            never_categories: self.never_category,
            ..Limits::default()
        };
        let mut names: BTreeMap<String, Vec<IpAddr>> = BTreeMap::new();
        for (name, ip) in self.developer_name {
            names.entry(name).or_default().push(ip);
        }
        let developer = self.developer_loopback.then_some(Developer {
            loopback: true,
            local_address: self.developer_address,
            names,
            roots: self.developer_root,
        });
        let accepted_terms = TERMS_VERSION;
        Ok(Config { accepted_terms, coordinator, invite, payee, lane: Lane(0), limits, developer })
    }
}

fn say(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stderr().lock();
    writeln!(out, "{text}")?;
    Ok(())
}

/// What was given, or what is typed; without a terminal nobody is asked.
fn ask(question: &str, given: Option<String>, terminal: bool) -> Result<String, Failure> {
    if let Some(given) = given {
        return Ok(given);
    }
    if !terminal {
        let why = format!("{question}: not given, and there is no terminal to ask on");
        return Err(Failure::usage(why));
    }
    let mut out = std::io::stderr().lock();
    write!(out, "{question}: ")?;
    out.flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}
