//! An agent's process and its data folder, on a network of its own.

use super::coordinator::Coordinator;
use super::process::{Role, Said, run};
use super::site::Site;
use serde_json::Value;
use std::path::{Path, PathBuf};
use sward_agent::question::Question;
use sward_agent_core::session::View;
use sward_control::Client;
use sward_proto::ids::PeerId;

/// What an agent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Does what it says.
    Honest,
    /// Tells the same lies of every page as others of its kind: it is shown the demo's false mirror.
    Colluder,
    /// The operator's own fetcher.
    Trusted,
}

/// An agent, running or not.
#[derive(Debug)]
pub struct Agent {
    /// Its data folder.
    pub data: PathBuf,
    /// Who it is.
    pub peer: PeerId,
    role: Option<Role>,
}

impl Agent {
    /// Sets up agent `number` with a new invite of a running coordinator; it is not started.
    ///
    /// # Panics
    /// Where one of the two refuses.
    #[must_use]
    pub fn join(folder: &Path, number: u8, coordinator: &Coordinator, site: &Site) -> Self {
        Self::join_as(Part::Honest, folder, number, coordinator, site)
    }

    /// The same in another part.
    ///
    /// # Panics
    /// Where one of the two refuses.
    #[must_use]
    pub fn join_as(
        part: Part,
        folder: &Path,
        number: u8,
        coordinator: &Coordinator,
        site: &Site,
    ) -> Self {
        let mirror = part == Part::Colluder;
        let invite: &[&str] = match part {
            Part::Honest | Part::Colluder => &["--json", "invite"],
            Part::Trusted => &["--json", "invite", "--trusted"],
        };
        let invite = coordinator.does(invite).ok();
        let invite: Value = serde_json::from_str(&invite).expect("an invite");
        let part = |name: &str| invite["invite"][name].as_str().expect("a part").to_owned();
        let mut more = vec![
            "--developer-loopback".to_owned(),
            format!("--developer-address=127.0.{}.1", 11 + number),
        ];
        more.extend(site.agent_flags(mirror));
        Self::set_up(folder, number, &part("address"), &part("code"), &more)
    }

    /// Sets up agent `number` with an address, an invite code, and `more` of `setup`'s flags.
    ///
    /// # Panics
    /// Where `setup` fails.
    #[must_use]
    pub fn set_up(folder: &Path, number: u8, address: &str, code: &str, more: &[String]) -> Self {
        let data = folder.join(format!("agent-{number}"));
        let mut arguments = vec![
            format!("--data={}", data.display()),
            "--json".to_owned(),
            "setup".to_owned(),
            format!("--coordinator={address}"),
            format!("--invite={code}"),
            format!("--payee=payee-{number}"),
            "--accept-terms-version=1".to_owned(),
        ];
        arguments.extend_from_slice(more);
        let answer: Value = serde_json::from_str(&run("agent", &arguments).ok()).expect("JSON");
        let peer = answer["peer_id"].as_str().expect("a peer id").parse().expect("a peer id");
        Self { data, peer, role: None }
    }

    /// The same agent over a copy of its data. Only one of them can run.
    #[must_use]
    pub const fn over(&self, data: PathBuf) -> Self {
        Self { data, peer: self.peer, role: None }
    }

    /// Starts it.
    pub fn start(&mut self) {
        let arguments = ["--data".to_owned(), self.data.display().to_string(), "run".to_owned()];
        self.role = Some(Role::start("agent", &arguments, &self.data.join("messages.log")));
    }

    /// Its process.
    ///
    /// # Panics
    /// Where it was not started.
    pub fn role(&mut self) -> &mut Role {
        self.role.as_mut().expect("started")
    }

    /// Ends it without warning.
    pub fn kill(&mut self) {
        if let Some(role) = self.role.take() {
            role.kill();
        }
    }

    /// Asks it to end.
    pub fn end(&mut self) {
        if let Some(role) = self.role.take() {
            role.end();
        }
    }

    /// Runs a command on this data folder.
    pub fn does(&self, arguments: &[&str]) -> Said {
        let data = self.data.display().to_string();
        run("agent", &[&["--data", data.as_str()], arguments].concat())
    }

    /// What it says of itself; `None` where it does not run.
    #[must_use]
    pub fn status(&self) -> Option<View> {
        Client::ask(&self.data.join("control.sock"), &Question::Status).ok()?.only().ok()
    }
}
