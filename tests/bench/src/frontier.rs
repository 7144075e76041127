//! A frontier of a given size: the coordinator's own turns and its index, fed with links instead of agents' results.

use crate::figures::Figures;
use crate::links::{LINKS_A_PAGE, Web};
use crate::process::ask;
use crate::programs::Programs;
use crate::usage::{memory_mib, own_seconds, thread_seconds};
use anyhow::{Context as _, Result, ensure};
use clap::Args;
use std::net::Ipv4Addr;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use sward_coordinator::config::{Config, Layout};
use sward_coordinator::intake::Intake;
use sward_coordinator::keeper::Keeper;
use sward_coordinator::keys::Keys;
use sward_coordinator::metrics::Metrics;
use sward_coordinator::recover::{Recovered, recover};
use sward_coordinator::run::{core_config, now};
use sward_coordinator::turn::Turns;
use sward_coordinator_core::batch::Batch;
use sward_coordinator_core::input::{Input, Order};
use sward_coordinator_core::record::robots::{self, RobotsRecord};
use sward_coordinator_core::settlement::{PageFacts, Settlement};
use sward_coordinator_core::store::Store as _;
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::digest::Digest;
use sward_proto::ids::{InviteCode, JobId, Lane, Payee, PeerId, TaskId};
use sward_proto::outcome::Outcome;
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::reply::CoordinatorReply;
use sward_proto::wire::request::AgentRequest;

/// Pages whose links come in within one turn: some 236 links.
const PAGES_A_TURN: usize = 4;
/// URLs a host, in the mean.
const URLS_A_HOST: u64 = 100;
/// Hosts whose rules are written at once.
const HOSTS_A_COMMIT: u64 = 256;
/// The clock moves on by this from turn to turn.
const TURN: Duration = Duration::from_millis(20);
/// Longer than any gap between two fetches on one host, and shorter than a lease lives.
const PAUSE: Duration = Duration::from_secs(10);
/// The Ed25519 base point (RFC 8032 section 5.1): a valid key that nobody signs with.
const KEY: [u8; 32] = {
    let mut key = [0x66; 32];
    key[0] = 0x58;
    key
};

/// Fills a frontier with links of made-up pages, and says what a URL costs in memory, on disk and in processor time.
#[derive(Debug, Args)]
pub(crate) struct Frontier {
    /// How many different URLs.
    #[arg(long, default_value_t = 10_000)]
    urls: u64,
    /// Hosts that they are spread over; a hundredth of the URLs otherwise.
    #[arg(long)]
    hosts: Option<u64>,
    /// The index's cache; the configuration's default otherwise.
    #[arg(long)]
    cache_mib: Option<u64>,
}

struct Bench {
    turns: Turns,
    now: Timestamp,
}

impl Frontier {
    pub(crate) fn run(self) -> Result<Figures> {
        let folder = tempfile::Builder::new().prefix("sward-bench-").tempdir()?;
        let layout = Layout::new(folder.path().join("coordinator"));
        let hosts = self.hosts.unwrap_or(self.urls / URLS_A_HOST).max(1);
        let mut bench = Bench::open(&layout, self.cache_mib)?;
        bench.know_robots(hosts)?;
        bench.submit()?;
        let mut figures = Figures::new("frontier");
        figures.add("memory before, resident", memory_mib(std::process::id(), "VmRSS")?, "MiB");
        let empty = bytes_in(&layout.index())?;
        let (begun, mut web) = (own_seconds(), Web::new(hosts));
        let (mut pages, mut making) = (0, 0.0);
        while web.met() < self.urls {
            let before = thread_seconds();
            let links: Vec<_> = (0..PAGES_A_TURN).map(|_| web.page()).collect::<Result<_>>()?;
            making += thread_seconds() - before;
            pages += links.len();
            bench.admit(links)?;
        }
        bench.settle()?;
        let spent = own_seconds() - begun - making;
        let (links, urls) = (pages as f64 * LINKS_A_PAGE as f64, web.met() as f64);
        let queued =
            bench.turns.coordinator.jobs().map(|(_, job)| job.progress.counts.queued).sum::<u64>();
        ensure!(queued == web.met() + 1, "{queued} URLs wait, not {}", web.met() + 1);
        figures.add("different URLs", urls, "");
        figures.add("hosts", hosts as f64, "");
        figures.add("links checked", links, "");
        figures.add("links checked", links / spent, "1 / CPU-s");
        figures.add("index", (bytes_in(&layout.index())? - empty) as f64 / urls, "bytes / URL");
        figures.add("memory after, resident", memory_mib(std::process::id(), "VmRSS")?, "MiB");
        let begun = own_seconds();
        let leases = bench.lease_all()?;
        figures.add("leases given", leases as f64, "");
        figures.add("leases given", leases as f64 / (own_seconds() - begun), "1 / CPU-s");
        figures.add("memory at its peak", memory_mib(std::process::id(), "VmHWM")?, "MiB");
        Ok(figures)
    }
}

impl Bench {
    fn open(layout: &Layout, cache_mib: Option<u64>) -> Result<Self> {
        let mut init = Command::new(Programs::build("release")?.coordinator);
        init.arg("--data").arg(layout.data()).args(["init", "--operator", "Sward bench"]);
        init.args(["--contact", "https://bot.sward.example/"]);
        init.args(["--log", "receipts.sward.example/bench"]);
        ask(init)?;
        let config = Config::load(layout)?;
        let core = core_config(layout, &config, &Keys::load(layout)?)?;
        let (keeper, found) = Keeper::open(layout, &config)?;
        let now = now();
        let cache = cache_mib.map_or(config.limits.cache_bytes, |mib| mib << 20);
        let recovered = recover(layout, &core, &keeper, &found, cache, now)?;
        let Recovered { coordinator, store, position, .. } = recovered;
        let intake = Intake::new(config.limits.upload_bytes);
        let turns = Turns::new(coordinator, store, keeper, intake, Metrics::default(), position);
        Ok(Self { turns, now })
    }

    /// Lets everything be fetched, so that no robots.txt needs to be.
    fn know_robots(&mut self, hosts: u64) -> Result<()> {
        for number in 0..hosts {
            let host = Web::host(number)?;
            let url: CanonicalUrl = format!("https://{host}/").parse()?;
            let (origin, expires) = (url.origin(), self.now + Duration::from_secs(1 << 20));
            let key = robots::key(&host, &origin);
            let rules = RobotsRecord { origin, rules: String::new(), expires };
            let mut batch = Batch::default();
            batch.put(key, postcard::to_allocvec(&rules)?);
            self.turns.store.stage(batch);
            if number % HOSTS_A_COMMIT == 0 {
                self.turns.store.commit(Batch::default())?;
            }
        }
        Ok(self.turns.store.commit(Batch::default())?)
    }

    fn submit(&mut self) -> Result<()> {
        let spec = serde_json::json!({
            "name": "bench",
            "seeds": ["https://h00000.bench.example/"],
            "purpose": "benchmark",
            "scope": { "hosts": ["bench.example"] },
            "limits": { "depth": 1000, "delay_ms": 1000 },
        });
        let order = Order::Submit(Box::new(serde_json::from_value(spec)?));
        self.turn(vec![Input::Operator { ticket: 1, order }])?;
        self.settle()
    }

    /// One turn, in which so many pages with these links have been accepted.
    fn admit(&mut self, pages: Vec<Vec<CanonicalUrl>>) -> Result<()> {
        for links in pages {
            let settlement = self.settlement(links)?;
            self.turns.coordinator.admit_links(&settlement, self.now);
        }
        self.turn(Vec::new()).map(drop)
    }

    fn settlement(&self, links: Vec<CanonicalUrl>) -> Result<Settlement> {
        let url = "https://h00000.bench.example/".parse::<CanonicalUrl>()?;
        let page = PageFacts {
            final_url: url.clone(),
            status: 200,
            media_type: "text/html".to_owned(),
            fetched_at: self.now,
            payload: Digest::of(b""),
            bytes: 0,
            canonical: None,
            redirect_target: None,
            links,
            robots_rules: None,
        };
        Ok(Settlement {
            task: TaskId(0),
            job: JobId(1),
            url,
            depth: 0,
            robots: false,
            settled_at: self.now,
            outcome: Outcome::Ok,
            layer: None,
            page: Some(page),
            results: Vec::new(),
            audit: None,
            spot: None,
            rules: None,
            blocks: None,
        })
    }

    fn turn(&mut self, inputs: Vec<Input>) -> Result<Vec<CoordinatorReply>> {
        self.turns.take(inputs, self.now)?;
        let told = self.turns.end()?;
        self.now = self.now + TURN;
        Ok(told.answers.into_iter().map(|(_, _, reply)| reply).collect())
    }

    /// Turns until the index owes nothing.
    fn settle(&mut self) -> Result<()> {
        self.turn(Vec::new())?;
        while self.turns.is_owed() {
            self.turn(Vec::new())?;
        }
        Ok(())
    }

    /// An agent asks for work until there is none: the tasks in hand are as many as the configuration allows.
    fn lease_all(&mut self) -> Result<usize> {
        let agent = PeerId::from_public_key(KEY)?;
        let invite = InviteCode::from_random([7; 17]);
        let (fingerprint, expires) = (invite.fingerprint(), self.now + PAUSE);
        let payee: Payee = "owner".parse()?;
        let software = "sward-bench".to_owned();
        let enrol = AgentRequest::Enrol { invite, payee, lane: Lane(0), software };
        self.turn(vec![
            Input::Operator {
                ticket: 2,
                order: Order::Invite { fingerprint, expires, trusted: false },
            },
            Input::Connected { agent, ip: Ipv4Addr::new(192, 0, 2, 1).into() },
            Input::Request { agent, id: 1, request: enrol },
        ])?;
        self.now = self.now + PAUSE;
        let mut leases = 0;
        for id in 2.. {
            let (wait, holding) = (Duration::ZERO, Vec::new());
            let request = AgentRequest::WantWork { capacity: u16::MAX, wait, holding };
            let mut replies = self.turn(vec![Input::Request { agent, id, request }])?;
            while replies.is_empty() {
                replies = self.turn(Vec::new())?;
            }
            let given: usize = replies.iter().map(leases_in).sum();
            if given == 0 {
                break;
            }
            leases += given;
        }
        Ok(leases)
    }
}

const fn leases_in(reply: &CoordinatorReply) -> usize {
    if let CoordinatorReply::Work(work) = reply { work.leases.len() } else { 0 }
}

/// What the files of a folder, and of those within, take on disk.
pub(crate) fn bytes_in(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let found = entry.metadata()?;
        // Blocks are counted in units of 512 bytes (man 2 stat).
        bytes += if found.is_dir() { bytes_in(&entry.path())? } else { found.blocks() * 512 };
    }
    Ok(bytes)
}
