//! A coordinator and honest agents in developer mode, each a process of its own, each agent in a network of its own.

use crate::process::{Process, ask};
use crate::programs::{Programs, with};
use crate::site;
use anyhow::{Context as _, Result, ensure};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use sward_control::Client;
use sward_coordinator::question::{AgentView, Question};

/// Agents may take this long to connect.
const CONNECT_TIME: Duration = Duration::from_secs(20);

/// A coordinator with its agents.
pub(crate) struct Crew {
    /// The coordinator.
    pub(crate) coordinator: Process,
    /// The agents.
    pub(crate) agents: Vec<Process>,
    program: PathBuf,
    data: PathBuf,
}

impl Crew {
    /// Starts all of them, and waits until every agent is connected. The agents find `hosts` where the site is.
    pub(crate) fn start(
        programs: &Programs,
        agents: u8,
        hosts: &[String],
        folder: &Path,
    ) -> Result<Self> {
        let program = programs.coordinator.clone();
        let data = folder.join("coordinator");
        ask(with(
            coordinator(&program, &data),
            &[
                "init",
                "--operator",
                "Sward bench",
                "--contact",
                "https://bot.sward.example/",
                "--log",
                "receipts.sward.example/bench",
                "--listen",
                "/ip4/127.0.0.1/tcp/0",
                "--health",
                "127.0.0.1:0",
                "--developer",
            ],
        ))?;
        let serve = with(coordinator(&program, &data), &["--json", "serve"]);
        let (process, _) = Process::start_and_listen(serve, &folder.join("coordinator.log"))?;
        let mut crew = Self { coordinator: process, agents: Vec::new(), program, data };
        let count = agents.to_string();
        let invites = crew.coordinator_does(&["--json", "invite", "--agents", &count])?;
        for (number, invite) in (1..).zip(invites.lines()) {
            let agent = join(&programs.agent, number, invite, hosts, folder)?;
            crew.agents.push(agent);
        }
        crew.wait_for_agents()?;
        Ok(crew)
    }

    /// Runs a command of the coordinator's command line.
    pub(crate) fn coordinator_does(&self, arguments: &[&str]) -> Result<String> {
        ask(with(coordinator(&self.program, &self.data), arguments))
    }

    /// Asks the daemon.
    pub(crate) fn question<T: DeserializeOwned>(&self, question: &Question) -> Result<Vec<T>> {
        let mut client = Client::ask(&self.data.join("control.sock"), question)?;
        let mut all = Vec::new();
        while let Some(item) = client.next_line()? {
            all.push(item);
        }
        Ok(all)
    }

    /// Fails where one of them has ended.
    pub(crate) fn check(&mut self) -> Result<()> {
        self.coordinator.check()?;
        self.agents.iter_mut().try_for_each(Process::check)
    }

    /// The coordinator's index.
    pub(crate) fn index(&self) -> PathBuf {
        self.data.join("index")
    }

    fn wait_for_agents(&mut self) -> Result<()> {
        let begun = Instant::now();
        loop {
            self.check()?;
            let views: Vec<AgentView> = self.question(&Question::Agents)?;
            if views.iter().filter(|view| view.connected).count() == self.agents.len() {
                return Ok(());
            }
            ensure!(begun.elapsed() < CONNECT_TIME, "the agents do not connect");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

fn coordinator(program: &Path, data: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg("--data").arg(data);
    command
}

/// Sets an agent up and starts it.
fn join(
    program: &Path,
    number: u8,
    invite: &str,
    hosts: &[String],
    folder: &Path,
) -> Result<Process> {
    let invite: Value = serde_json::from_str(invite).context("invite")?;
    let text = |name: &str| {
        invite.pointer(&format!("/invite/{name}")).and_then(Value::as_str).context("invite")
    };
    let agent = || {
        let mut command = Command::new(program);
        command.arg("--data").arg(folder.join(format!("agent-{number}")));
        command
    };
    let mut setup = with(agent(), &["setup", "--coordinator", text("address")?]);
    setup.args(["--invite", text("code")?, "--payee", &format!("owner-{number}")]);
    setup.args(["--accept-terms-version", "1", "--developer-loopback"]);
    setup.args(["--day-bytes", "1000000000000"]);
    setup.args(["--developer-address", &format!("127.0.{}.1", u16::from(number) + 10)]);
    for host in hosts {
        setup.args(["--developer-name", &format!("{host}={}", site::ADDRESS)]);
    }
    ask(setup)?;
    Process::start(with(agent(), &["run"]), &folder.join(format!("agent-{number}.log")))
}
