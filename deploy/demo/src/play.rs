//! The play itself: start everything, crawl, wait for receipts, export, verify, report.

use crate::cast::{PARTS, Player};
use crate::process::{self, Role};
use crate::report::{Report, Verified};
use crate::site::{BEACON, BEACON_HOST, PLAIN_HOST, Ready};
use anyhow::{Context as _, Result, bail, ensure};
use clap::Parser;
use serde_json::Value;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use sward_control::Client;
use sward_coordinator::question::{AgentView, JobView, Question};
use sward_coordinator_core::job::JobState;
use sward_proto::ids::PeerId;
use sward_proto::receipt::agent_key;

/// A coordinator, fourteen agents of which six cheat, and a site, all on loopback: crawls, cross-checks, catches, pays, exports,
/// verifies.
#[derive(Debug, Parser)]
#[command(
    name = "sward-demo",
    after_help = "Examples:\n  cargo demo\n  cargo demo --pages /usr/share/doc/python3/html --no-serve --out ./demo"
)]
pub(crate) struct Options {
    /// Where the result goes; a temporary folder otherwise.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Keeps the temporary folder.
    #[arg(long)]
    keep: bool,
    /// Serves any folder of HTML instead of generated pages.
    #[arg(long, value_name = "DIR")]
    pages: Option<PathBuf>,
    /// Ends when the report is out, instead of staying up.
    #[arg(long)]
    no_serve: bool,
    /// Changes the generated pages.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Gives up after this many seconds.
    #[arg(long, default_value_t = 600)]
    patience: u64,
}

const JOB: &str = "demo";
/// Receipts at once, instead of after days.
const TARIFF: &str = "schema = 1\nname = \"demo tariff\"\ncurrency = \"credit\"\nhold_seconds = 5\n\
                      epoch_seconds = 1\n\n[page]\naccepted = 1000\nconfirmed_absent = 300\n\
                      robots = 100\nredirect = 200\n";

/// Everything that runs.
struct Stage {
    out: PathBuf,
    ready: Ready,
    coordinator: Role,
    site: Role,
    players: Vec<Player>,
    begun: Instant,
    patience: Duration,
}

/// Plays.
pub(crate) fn run(options: Options) -> Result<()> {
    let temporary = tempfile::Builder::new().prefix("sward-demo-").tempdir()?;
    let out = match &options.out {
        Some(out) => {
            ensure!(!out.exists(), "{} exists already: choose another folder", out.display());
            std::fs::create_dir_all(out)
                .with_context(|| format!("cannot make {}", out.display()))?;
            out.canonicalize()?
        }
        None => temporary.path().to_owned(),
    };
    let keep = options.keep;
    let result = perform(&options, out);
    if keep || result.is_err() {
        let path = temporary.keep();
        if options.out.is_none() {
            say(&format!("Kept: {}", path.display()))?;
        }
    }
    result
}

fn perform(options: &Options, out: PathBuf) -> Result<()> {
    let mut stage = Stage::set(options, out)?;
    say(&format!(
        "A site of {} pages, a coordinator, {} agents, all on loopback.",
        stage.ready.acceptable,
        PARTS.len()
    ))?;
    let seed = format!("http://{PLAIN_HOST}:{}/", stage.ready.http);
    let hosts = ["site.sward.test", "secure.sward.test"];
    stage.coordinator_does(&[
        "job",
        "run",
        "--detach",
        "--name",
        JOB,
        "--purpose",
        "demonstration",
        "--seed",
        &seed,
        "--host",
        hosts[0],
        "--host",
        hosts[1],
        "--delay-ms",
        "1",
        "--depth",
        "1000",
    ])?;
    let job = stage.watch()?;
    let crawl_s = stage.begun.elapsed().as_secs_f64();
    let agents = stage.wait_for_receipts()?;
    stage.write_keys(&agents)?;
    let export = stage.out.join("export");
    stage.coordinator_does(&[
        "export",
        JOB,
        "--format",
        "warc,jsonl",
        "--out",
        &export.display().to_string(),
    ])?;
    let verified = stage.verify(&agents)?;
    let report =
        Report::new(&stage.ready, &stage.players, &job, &agents, verified, stage.begun.elapsed());
    report.write(&stage.out)?;
    say(&report.text(&stage.out, crawl_s))?;
    if !options.no_serve {
        let folder = stage.out.join("coordinator");
        say(&format!(
            "\nStill running; Ctrl-C ends it. The site: http://{PLAIN_HOST}:{} (at 127.7.7.1).\n\
             Try: sward-coordinator --data {} agents",
            stage.ready.http,
            folder.display()
        ))?;
        stage.stay()?;
    }
    stage.end()?;
    report.verdict()
}

impl Stage {
    fn set(options: &Options, out: PathBuf) -> Result<Self> {
        let authority = out.join("site-authority.pem");
        let mut arguments = vec!["--authority".to_owned(), authority.display().to_string()];
        arguments.extend(["--seed".to_owned(), options.seed.to_string()]);
        if let Some(pages) = &options.pages {
            arguments.extend(["--pages".to_owned(), pages.display().to_string()]);
        }
        let mut site = Role::start("site", &arguments, &out.join("site.log"))?;
        let ready: Ready = serde_json::from_str(&site.line()?).context("site")?;
        let data = out.join("coordinator");
        let tariff = out.join("tariff.toml");
        std::fs::write(&tariff, TARIFF).context("tariff")?;
        let folder = data.display().to_string();
        process::ask(
            "coordinator",
            &[
                "--data",
                &folder,
                "init",
                "--operator",
                "Sward demo",
                "--contact",
                "https://bot.sward.example/",
                "--log",
                "receipts.sward.example/demo",
                "--listen",
                "/ip4/127.0.0.1/tcp/0",
                "--health",
                "127.0.0.1:0",
                "--developer",
                // So that every seed but the last is out when the corpus is exported.
                // Within a round an agent's share of the work hangs on its place: many rounds even that out.
                "--draw-round",
                "1",
                "--tariff",
                &tariff.display().to_string(),
            ],
        )?;
        // A demo has no newcomers: a page that all have answered differently is contested at once.
        let config = data.join("config.toml");
        let text = std::fs::read_to_string(&config)?;
        let mut text = text.replace("patience_seconds = 600", "patience_seconds = 1");
        // Long enough that who lies once it is believed is caught before it is paid.
        text = text.replace("[hold]\n", "[hold]\nrest_seconds = 3\n");
        // Many more pages of the coordinator's own than otherwise, as there are few pages in all.
        let port = ready.http;
        text.push_str(&format!(
            "\n[beacon]\nlisten = \"{BEACON}:{port}\"\norigins = [\"http://{BEACON_HOST}:{port}\"]\nevery = 16\n"
        ));
        std::fs::write(&config, text)?;
        let arguments = ["--data", &folder, "--json", "serve"];
        let mut coordinator = Role::start("coordinator", &arguments, &out.join("coordinator.log"))?;
        coordinator.line()?;
        let mut stage = Self {
            out,
            ready,
            coordinator,
            site,
            players: Vec::new(),
            begun: Instant::now(),
            patience: Duration::from_secs(options.patience),
        };
        stage.call_players(&authority)?;
        Ok(stage)
    }

    fn call_players(&mut self, authority: &Path) -> Result<()> {
        let agents = self.out.join("agents");
        std::fs::create_dir_all(&agents)?;
        let count = PARTS.len().to_string();
        let invites = self.coordinator_does(&["--json", "invite", "--agents", &count])?;
        for (part, line) in PARTS.iter().zip(invites.lines()) {
            let invite: Value = serde_json::from_str(line).context("invite")?;
            let invite = invite.get("invite").context("invite")?;
            self.players.push(part.join(&agents, invite, authority)?);
        }
        Ok(())
    }

    fn coordinator_does(&self, arguments: &[&str]) -> Result<String> {
        let folder = self.out.join("coordinator").display().to_string();
        process::ask("coordinator", &[&["--data", folder.as_str()], arguments].concat())
    }

    fn question<T: serde::de::DeserializeOwned>(&self, question: &Question) -> Result<Vec<T>> {
        let socket = self.out.join("coordinator").join("control.sock");
        let mut client = Client::ask(&socket, question)?;
        let mut all = Vec::new();
        while let Some(item) = client.next_line()? {
            all.push(item);
        }
        Ok(all)
    }

    fn check(&mut self) -> Result<()> {
        ensure!(self.begun.elapsed() < self.patience, "the demo takes too long: giving up");
        self.coordinator.check()?;
        self.site.check()?;
        self.players.iter_mut().try_for_each(|player| player.process.check())
    }

    /// Shows progress until the job is done.
    fn watch(&mut self) -> Result<JobView> {
        let mut said = Instant::now();
        loop {
            self.check()?;
            let jobs: Vec<JobView> = self.question(&Question::Jobs)?;
            let job = jobs.into_iter().next().context("the job is gone")?;
            let ended: u64 = job.counts.outcomes.values().sum();
            let done = job.state == JobState::Done;
            if done || said.elapsed() > Duration::from_millis(500) {
                said = Instant::now();
                say(&format!(
                    "{:6.1} s  {ended} of {} urls, {} pages accepted, {} fetches",
                    self.begun.elapsed().as_secs_f64(),
                    job.counts.discovered,
                    job.counts.pages,
                    job.counts.fetches
                ))?;
            }
            match job.state {
                JobState::Done => return Ok(job),
                JobState::Running => std::thread::sleep(Duration::from_millis(50)),
                JobState::Paused | JobState::Cancelled => bail!("somebody stopped the job"),
            }
        }
    }

    /// Waits until all credit is under receipts that both sides have signed.
    fn wait_for_receipts(&mut self) -> Result<Vec<AgentView>> {
        loop {
            self.check()?;
            let agents: Vec<AgentView> = self.question(&Question::Agents)?;
            let settled = |agent: &AgentView| {
                agent.standing != "good"
                    || (agent.pending == 0 && (agent.receipt_seq == 0 || agent.countersigned))
            };
            if agents.len() == self.players.len() && agents.iter().all(settled) {
                return Ok(agents);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// `keys/vkeys` and `receipts/PEERID.note`.
    fn write_keys(&self, agents: &[AgentView]) -> Result<()> {
        let keys = self.out.join("keys");
        let receipts = self.out.join("receipts");
        std::fs::create_dir_all(&keys)?;
        std::fs::create_dir_all(&receipts)?;
        let vkey = self.coordinator_does(&["--json", "key"])?;
        let vkey: Value = serde_json::from_str(&vkey).context("key")?;
        let vkey = vkey.get("vkey").and_then(Value::as_str).context("key")?;
        let mut lines = format!("{vkey}\n");
        for agent in agents {
            let peer: PeerId = agent.peer_id.parse()?;
            lines.push_str(&format!("{}\n", agent_key(&peer)?));
            if !agent.receipt.is_empty() {
                std::fs::write(receipts.join(format!("{peer}.note")), &agent.receipt)?;
            }
        }
        std::fs::write(keys.join("vkeys"), lines).context("keys")
    }

    fn verify(&self, agents: &[AgentView]) -> Result<Verified> {
        let keys = self.out.join("keys/vkeys").display().to_string();
        let mut verified = Verified::default();
        for agent in agents.iter().filter(|agent| !agent.receipt.is_empty()) {
            let note = self.out.join("receipts").join(format!("{}.note", agent.peer_id));
            let note = note.display().to_string();
            let output = process::run("verify", &["receipt", "--keys", &keys, &note])?;
            verified.receipts += usize::from(output.status.success());
            verified.lines.push(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        let export = self.out.join("export");
        let evidence = export.join(format!("{JOB}.evidence.jsonl.gz")).display().to_string();
        let output = process::run("verify", &["verdict", "--keys", &keys, &evidence])?;
        verified.verdicts = output.status.success();
        verified.lines.push(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        let export = export.display().to_string();
        let output = process::run("verify", &["export", "--keys", &keys, &export])?;
        verified.export = output.status.success();
        verified.lines.push(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        Ok(verified)
    }

    fn stay(&mut self) -> Result<()> {
        loop {
            std::thread::sleep(Duration::from_millis(500));
            self.coordinator.check()?;
            self.site.check()?;
        }
    }

    fn end(mut self) -> Result<()> {
        for player in &mut self.players {
            player.process.end()?;
        }
        self.coordinator.end()?;
        self.site.end()
    }
}

fn say(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()?;
    Ok(())
}
