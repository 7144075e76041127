//! Who takes part: honest agents and one cheat of each kind, of colluders two, each dialling from a network of its own.

use crate::process::{self, Role};
use crate::site::{BEACON, BEACON_HOST, COPIED, Lie, PLAIN_HOST, SECURE_HOST, TRUTH};
use anyhow::{Context as _, Result};
use serde_json::Value;
use std::net::Ipv4Addr;
use std::path::Path;

/// A part to play.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    /// How it cheats; `None` is honest.
    pub(crate) lie: Option<Lie>,
    /// Where it dials from.
    address: Ipv4Addr,
    payee: &'static str,
}

const fn part(lie: Option<Lie>, network: u8, payee: &'static str) -> Part {
    Part { lie, address: Ipv4Addr::new(127, 0, network, 1), payee }
}

/// The parts. Liars are never the most, or the truth could not be told.
pub(crate) const PARTS: [Part; 14] = [
    part(None, 11, "ann"),
    part(Some(Lie::Forge), 12, "mallory"),
    part(None, 13, "bob"),
    part(Some(Lie::Replay), 14, "trudy"),
    part(None, 15, "carol"),
    part(Some(Lie::Sleep), 16, "sybil"),
    part(None, 17, "dave"),
    part(Some(Lie::Collude), 18, "chuck"),
    part(None, 19, "erin"),
    part(Some(Lie::Collude), 20, "craig"),
    part(None, 21, "frank"),
    part(None, 22, "grace"),
    Part { lie: None, address: COPIED, payee: "heidi" },
    part(Some(Lie::Copy), 24, "victor"),
];

/// An agent at work.
pub(crate) struct Player {
    /// What it plays.
    pub(crate) part: Part,
    /// Who it is.
    pub(crate) peer_id: String,
    /// Its process.
    pub(crate) process: Role,
}

impl Part {
    /// The word for it.
    pub(crate) const fn role(self) -> &'static str {
        match self.lie {
            None => "honest",
            Some(lie) => lie.role(),
        }
    }

    /// Sets the agent up in a folder named after its peer id, and starts it.
    pub(crate) fn join(self, agents: &Path, invite: &Value, authority: &Path) -> Result<Player> {
        let text = |name: &str| invite.get(name).and_then(Value::as_str).context("invite");
        let folder = agents.join(self.payee);
        let world = self.lie.map_or(TRUTH, Lie::address);
        // A liar lies about the site; only the copier has others fetch the coordinator's pages too.
        let notes = if self.lie == Some(Lie::Copy) { world } else { BEACON };
        let names = [(PLAIN_HOST, world), (SECURE_HOST, world), (BEACON_HOST, notes)]
            .map(|(name, address)| format!("{name}={address}"));
        let (data, authority) = (folder.display().to_string(), authority.display().to_string());
        let address = self.address.to_string();
        let answer = process::ask(
            "agent",
            &[
                "--data",
                &data,
                "--json",
                "setup",
                "--coordinator",
                text("address")?,
                "--invite",
                text("code")?,
                "--payee",
                self.payee,
                "--accept-terms-version",
                "1",
                "--developer-loopback",
                "--developer-address",
                &address,
                "--developer-name",
                &names[0],
                "--developer-name",
                &names[1],
                "--developer-name",
                &names[2],
                "--developer-root",
                &authority,
            ],
        )?;
        let answer: Value = serde_json::from_str(&answer).context("setup")?;
        let peer_id = answer.get("peer_id").and_then(Value::as_str).context("setup")?.to_owned();
        let data = agents.join(&peer_id);
        std::fs::rename(&folder, &data).context("agent folder")?;
        let arguments = ["--data".to_owned(), data.display().to_string(), "run".to_owned()];
        let process = Role::start("agent", &arguments, &data.join("messages.log"))?;
        Ok(Player { part: self, peer_id, process })
    }
}
