//! What an owner agreed to and configured: one TOML file in the data folder.
//!
//! Decides what a sound configuration is, all of it before the first byte is sent. Unknown keys are refused.

use anyhow::{Context as _, Result, anyhow, ensure};
use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use sward_agent_core::owner::Limits;
use sward_proto::ids::{InviteCode, Lane, Payee};

/// The terms that an owner agrees to. Raised whenever they change; then consent is asked for again.
pub const TERMS_VERSION: u32 = 1;

/// What the terms say.
pub const TERMS: &str = "\
Sward fetches public web pages for the coordinator that you choose.
  Sites will see YOUR internet address. Some may slow it down or block it.
  It never logs in, posts forms, or reaches your local network.
  Every page is listed at: sward-agent log
  You can pause it, veto sites and categories, and remove it at any time.";

/// The configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The version of the terms that were agreed to.
    pub accepted_terms: u32,
    /// Where the coordinator listens, ending in `/p2p/` and its peer id, which is pinned.
    pub coordinator: Multiaddr,
    /// A single-use invite; of no use once the agent has joined.
    pub invite: String,
    /// Who is paid.
    pub payee: Payee,
    /// Which installation under this key.
    #[serde(default)]
    pub lane: Lane,
    /// What the owner allows.
    #[serde(default)]
    pub limits: Limits,
    /// For tests: opens loopback. Said in every attestation, and refused by ordinary coordinators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub developer: Option<Developer>,
}

/// Developer mode.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Developer {
    /// Loopback addresses may be fetched, on any port.
    pub loopback: bool,
    /// The local address to dial and fetch from.
    pub local_address: Option<IpAddr>,
    /// Host names that are not asked of DNS.
    pub names: BTreeMap<String, Vec<IpAddr>>,
    /// Files with certificate authorities to trust besides the system's, in PEM.
    pub roots: Vec<PathBuf>,
}

/// The files of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout(PathBuf);

impl Layout {
    /// The files under a data folder.
    #[must_use]
    pub const fn new(data: PathBuf) -> Self {
        Self(data)
    }

    /// The data folder.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.0
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.0.join("config.toml")
    }

    /// The key, in a folder of its own.
    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.0.join("keys").join("identity")
    }

    /// Account, sealed results, the owner's log.
    #[must_use]
    pub fn index(&self) -> PathBuf {
        self.0.join("index")
    }

    /// Bodies that may still be asked for.
    #[must_use]
    pub fn spool(&self) -> PathBuf {
        self.0.join("spool")
    }

    /// Receipts with both signatures, a file each.
    #[must_use]
    pub fn receipts(&self) -> PathBuf {
        self.0.join("receipts")
    }

    /// Where the command line finds the agent.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.0.join("control.sock")
    }
}

impl Config {
    /// Reads and checks the configuration.
    ///
    /// # Errors
    /// What is wrong, in which file, and what to do.
    pub fn load(layout: &Layout) -> Result<Self> {
        let path = layout.config();
        let text = std::fs::read_to_string(&path).map_err(|error| {
            let absent = error.kind() == std::io::ErrorKind::NotFound;
            let advice = if absent {
                "run sward-agent setup first"
            } else {
                "see that it is a file that this user may read"
            };
            anyhow!("cannot read {}: {advice}: {error}", path.display())
        })?;
        Self::parse(&text).with_context(|| format!("in {}", path.display()))
    }

    /// Parses and checks a configuration.
    ///
    /// # Errors
    /// The key that is wrong.
    pub fn parse(text: &str) -> Result<Self> {
        let config: Self = sward_control::read_toml(text)?;
        ensure!(
            config.accepted_terms == TERMS_VERSION,
            "accepted_terms is {}, the terms are now at version {TERMS_VERSION}: run sward-agent setup",
            config.accepted_terms
        );
        config.pinned()?;
        config.invite_code()?;
        let Limits { parallel, .. } = config.limits;
        ensure!((1..=64).contains(&parallel), "limits.parallel is {parallel}: give 1 to 64");
        if let Some(developer) = config.developer.as_ref().filter(|developer| !developer.loopback) {
            ensure!(
                developer.names.is_empty() && developer.roots.is_empty(),
                "developer.names and developer.roots want developer.loopback = true"
            );
        }
        Ok(config)
    }

    /// The coordinator's address without its peer id, and the peer id.
    ///
    /// # Errors
    /// Where there is none to pin.
    pub fn pinned(&self) -> Result<(Multiaddr, libp2p::PeerId)> {
        let mut address = self.coordinator.clone();
        match address.pop() {
            Some(Protocol::P2p(peer)) => Ok((address, peer)),
            Some(_) | None => anyhow::bail!(
                "coordinator is {}: its address must end in /p2p/ and the peer id to pin",
                self.coordinator
            ),
        }
    }

    /// The invite.
    ///
    /// # Errors
    /// Where it is malformed.
    pub fn invite_code(&self) -> Result<InviteCode> {
        self.invite.parse().context("invite")
    }

    /// Whether loopback is open.
    #[must_use]
    pub fn is_developer(&self) -> bool {
        self.developer.as_ref().is_some_and(|developer| developer.loopback)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "accepted_terms = 1\ncoordinator = \"/ip4/192.0.2.1/tcp/8779/p2p/12D3KooWAaYVakMyznsMrUbM1TPKUnduj2tCfQiM6zujqQmepeqr\"\ninvite = \"0123456789abcdefghjkmnpqrs\"\npayee = \"ann\"\n";

    #[test]
    fn the_least_configuration_is_enough() {
        assert!(!Config::parse(SOUND).expect("sound").is_developer());
    }

    #[test]
    fn mistakes_are_named() {
        let error = |text: &str| format!("{:#}", Config::parse(text).expect_err("unsound"));
        assert!(error(&format!("{SOUND}colour = 1\n")).contains("unknown field `colour`"));
        assert!(error(&SOUND.replace("terms = 1", "terms = 0")).contains("sward-agent setup"));
        let unpinned =
            SOUND.replace("/p2p/12D3KooWAaYVakMyznsMrUbM1TPKUnduj2tCfQiM6zujqQmepeqr", "");
        assert!(error(&unpinned).contains("/p2p/"));
        assert!(error(&SOUND.replace("0123456789", "")).contains("invite"));
    }
}
