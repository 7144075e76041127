//! A coordinator's process and its data folder. Its ports stay the same over restarts.

use super::process::{Role, Said, run};
use serde::de::DeserializeOwned;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;
use sward_control::Client;
use sward_coordinator::question::{AgentView, JobView, Question};
use sward_coordinator_core::job::JobState;
use sward_proto::note::VerifierKey;

/// Receipts within seconds, instead of after days.
const TARIFF: &str = "schema = 1\nname = \"system test\"\ncurrency = \"credit\"\nhold_seconds = 1\n\
                      epoch_seconds = 1\n\n[page]\naccepted = 1000\nconfirmed_absent = 300\n\
                      robots = 100\nredirect = 200\n";

/// A coordinator, running or not.
#[derive(Debug)]
pub struct Coordinator {
    /// Its data folder.
    pub data: PathBuf,
    /// Where `/readyz` is.
    pub health: u16,
    role: Option<Role>,
}

/// A port that is free now, below those that the system gives to outgoing connections, so that nobody takes it while its
/// owner restarts.
///
/// # Panics
/// Where none is free.
#[must_use]
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 1000).expect("below 1000") * 12;
    let mut candidates =
        (0..12_000).map(|_| 20_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000);
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    candidates.find(free).expect("a free port")
}

impl Coordinator {
    /// Makes the data folder of a coordinator, in developer mode or not.
    ///
    /// # Panics
    /// Where `init` fails.
    #[must_use]
    pub fn init(folder: &Path, developer: bool) -> Self {
        let data = folder.join("coordinator");
        let tariff = folder.join("tariff.toml");
        std::fs::write(&tariff, TARIFF).expect("the tariff");
        let health = free_port();
        let coordinator = Self { data, health, role: None };
        let mut arguments = vec![
            "init".to_owned(),
            "--operator=System test".to_owned(),
            "--contact=https://bot.sward.example/".to_owned(),
            "--log=receipts.sward.example/test".to_owned(),
            format!("--listen=/ip4/127.0.0.1/tcp/{}", free_port()),
            format!("--health=127.0.0.1:{health}"),
            format!("--tariff={}", tariff.display()),
        ];
        arguments.extend(developer.then(|| "--developer".to_owned()));
        coordinator.does(&arguments).ok();
        // Three agents make no newcomers: a page that all have answered differently is contested at once.
        coordinator.reconfigure("patience_seconds = 600", "patience_seconds = 1");
        coordinator
    }

    /// A coordinator over a copy of this one's data, with the same keys and ports. Only one of them can run.
    #[must_use]
    pub fn over(&self, data: PathBuf) -> Self {
        Self { data, health: self.health, role: None }
    }

    /// Replaces a text in the configuration.
    ///
    /// # Panics
    /// Where it is not there.
    pub fn reconfigure(&self, from: &str, to: &str) {
        let path = self.data.join("config.toml");
        let text = std::fs::read_to_string(&path).expect("a configuration");
        assert!(text.contains(from), "no {from:?} in {text}");
        std::fs::write(&path, text.replace(from, to)).expect("a configuration");
    }

    /// Runs a command on this data folder.
    pub fn does<S: AsRef<str>>(&self, arguments: &[S]) -> Said {
        let data = self.data.display().to_string();
        let mut all = vec!["--data", &data];
        all.extend(arguments.iter().map(AsRef::as_ref));
        run("coordinator", &all)
    }

    /// Starts it, and does not wait until it is ready.
    pub fn begin(&mut self) {
        let data = self.data.display().to_string();
        let arguments = ["--data", &data, "--json", "serve"];
        self.role = Some(Role::start("coordinator", &arguments, &self.log()));
    }

    /// Starts it and waits until it is ready.
    pub fn serve(&mut self) {
        self.begin();
        self.role().ready();
    }

    /// Its process.
    ///
    /// # Panics
    /// Where it was not started.
    pub fn role(&mut self) -> &mut Role {
        self.role.as_mut().expect("started")
    }

    fn log(&self) -> PathBuf {
        self.data.with_extension("log")
    }

    /// What it has said so far, over all its starts.
    #[must_use]
    pub fn messages(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
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

    /// The key that signs its receipts.
    ///
    /// # Panics
    /// Where it has none.
    #[must_use]
    pub fn key(&self) -> VerifierKey {
        self.does(&["key"]).ok().trim().parse().expect("a key")
    }

    /// The status line of `/readyz`; empty where nothing answers.
    #[must_use]
    pub fn readiness(&self) -> String {
        let asked = TcpStream::connect(("127.0.0.1", self.health)).and_then(|mut stream| {
            stream.write_all(
                b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            )?;
            let mut line = String::new();
            BufReader::new(stream).read_line(&mut line)?;
            Ok(line)
        });
        asked.unwrap_or_default()
    }

    /// Asks the daemon; `None` where none answers.
    #[must_use]
    pub fn ask<T: DeserializeOwned>(&self, question: &Question) -> Option<Vec<T>> {
        let mut client = Client::ask(&self.data.join("control.sock"), question).ok()?;
        let mut all = Vec::new();
        while let Some(item) = client.next_line().ok()? {
            all.push(item);
        }
        Some(all)
    }

    /// Its first job; `None` where it does not answer, or has none.
    #[must_use]
    pub fn job(&self) -> Option<JobView> {
        self.jobs().into_iter().next()
    }

    /// Its jobs, in order of submission.
    #[must_use]
    pub fn jobs(&self) -> Vec<JobView> {
        self.ask(&Question::Jobs).unwrap_or_default()
    }

    /// Its agents.
    #[must_use]
    pub fn agents(&self) -> Option<Vec<AgentView>> {
        self.ask(&Question::Agents).filter(|agents: &Vec<AgentView>| !agents.is_empty())
    }

    /// Waits until the first job is done.
    ///
    /// # Panics
    /// Where that takes longer than `patience`, with where it stands.
    pub fn wait_until_done(&self, patience: Duration) -> JobView {
        let begun = std::time::Instant::now();
        loop {
            let job = self.job();
            if let Some(job) = job.as_ref().filter(|job| job.state == JobState::Done) {
                return job.clone();
            }
            let tail = || {
                let messages = self.messages();
                let lines: Vec<&str> = messages.lines().collect();
                lines[lines.len().saturating_sub(15)..].join("\n")
            };
            assert!(begun.elapsed() < patience, "not done: {job:#?}\n{}", tail());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until all credit is under receipts that both sides have signed.
    pub fn wait_for_receipts(&self, patience: Duration) -> Vec<AgentView> {
        let settled = |agent: &AgentView| {
            agent.pending == 0 && (agent.receipt_seq == 0 || agent.countersigned)
        };
        super::wait_for("receipts with both signatures", patience, || {
            self.agents().filter(|agents| agents.iter().all(settled))
        })
    }
}
