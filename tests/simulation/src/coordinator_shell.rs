//! What is around the coordinator's core: its disk, its connections, and what waits for its next turn.

use crate::archive::Archive;
use crate::assembler::Assembler;
use crate::chance::seed_for;
use crate::plan::Plan;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;
use sward_coordinator_core::config::{Bounds, Config};
use sward_coordinator_core::coordinator::Coordinator;
use sward_coordinator_core::group::Whereabouts;
use sward_coordinator_core::input::Order;
use sward_coordinator_core::lookup::Lookup;
use sward_coordinator_core::record::position::Position;
use sward_coordinator_core::record::seen::SeenKey;
use sward_coordinator_core::store::MemoryStore;
use sward_coordinator_core::trust::hold;
use sward_proto::draw::{DrawPlan, SeedChain};
use sward_proto::ids::PeerId;
use sward_proto::note::NoteSigner;
use sward_proto::quorum::Rules;
use sward_proto::receipt::ReceiptSchema;
use sward_proto::tariff::Tariff;
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::reply::Terms;

/// A short epoch, so that receipts are issued while faults happen.
fn tariff(hold_seconds: u64) -> String {
    format!(
        "schema = 1\nname = \"simulation\"\ncurrency = \"credit\"\nhold_seconds = {hold_seconds}\n\
         epoch_seconds = 20\n[page]\naccepted = 1000\nconfirmed_absent = 300\nrobots = 100\n\
         redirect = 200\n"
    )
}
/// The name in receipts.
const LOG: &str = "sim.site.org/log";

/// What waits for the next turn.
#[derive(Debug)]
pub enum Arrival {
    /// A connection.
    Connected(usize, u64),
    /// Its end.
    Gone(usize, u64),
    /// A frame.
    Frame(usize, u64, Vec<u8>),
    /// The operator's word.
    Order(Order),
}

/// A coordinator with its disk.
pub struct Shell {
    /// `None` while it is down.
    pub core: Option<Coordinator>,
    /// Its index.
    pub store: MemoryStore,
    /// Its archive and journal.
    pub archive: Archive,
    /// How far the index reflects them.
    pub position: Position,
    /// Uploads.
    pub assembler: Assembler,
    /// The connection of each agent.
    pub conns: BTreeMap<usize, u64>,
    /// What has come in since the last turn.
    pub inbox: Vec<Arrival>,
    /// What the last turn asked of the index.
    pub lookups: Vec<Lookup>,
    /// Outputs until it crashes.
    pub crash_in: Option<u32>,
    /// Whether its archive takes nothing.
    pub disk_full: bool,
    /// How often it was started.
    pub life: u64,
    /// Who each agent is, and from where it dials.
    pub agents: Vec<(PeerId, IpAddr)>,
    /// What is known of where each dials from.
    pub whereabouts: Vec<Whereabouts>,
    numbers: BTreeMap<PeerId, usize>,
    config: Config,
    seed: u64,
}

impl Shell {
    /// A coordinator that has never run. `None` where its constants are no configuration.
    #[must_use]
    pub fn new(plan: &Plan, agents: Vec<(PeerId, IpAddr)>) -> Option<Self> {
        let text = tariff(plan.hold_seconds);
        let hold = Duration::from_secs(plan.hold_seconds);
        let tariff = Tariff::parse(&text).ok()?;
        let signer = NoteSigner::from_seed(LOG.parse().ok()?, &seed_for(plan.seed, "coordinator"));
        let draw_chain = SeedChain::grow(&seed_for(plan.seed, "draws"));
        let anchor = draw_chain.anchor();
        let draw_plan = DrawPlan { anchor, began: Timestamp::ZERO, round_seconds: 3600 };
        let terms = Terms {
            operator: "simulation".to_owned(),
            contact: "https://sim.site.org/".to_owned(),
            log: LOG.to_owned(),
            vkey: signer.verifier_key().to_string(),
            tariff: text,
            developer: false,
            draws: draw_plan,
        };
        let config = Config {
            terms,
            tariff,
            signer,
            schema: ReceiptSchema::of_domain("sim.site.org").ok()?,
            rules: Rules { partial: plan.partial, ..Rules::default() },
            developer: false,
            seen_key: SeenKey(seed_for(plan.seed, "seen")),
            seed: seed_for(plan.seed, "core"),
            draw_plan,
            draw_chain,
            beacon: None,
            bounds: Bounds {
                hot_hosts: plan.hot_hosts,
                probation: plan.probation,
                hold: hold::Terms {
                    checks: 0,
                    pages: 40,
                    gather: hold - hold / 7 * 2,
                    rest: hold / 7 * 2,
                },
                ..Bounds::default()
            },
        };
        Some(Self {
            core: None,
            store: MemoryStore::default(),
            archive: Archive::default(),
            position: Position::default(),
            assembler: Assembler::default(),
            conns: BTreeMap::new(),
            inbox: Vec::new(),
            lookups: Vec::new(),
            crash_in: None,
            disk_full: false,
            life: 0,
            numbers: agents.iter().enumerate().map(|(n, (peer, _))| (*peer, n)).collect(),
            agents,
            whereabouts: Vec::new(),
            config,
            seed: plan.seed,
        })
    }

    /// The configuration of the next life: the same but for the seed of chance.
    pub fn next_config(&mut self) -> Config {
        self.life += 1;
        let seed = seed_for(self.seed, &format!("core {}", self.life));
        Config { seed, ..self.config.clone() }
    }

    /// The configuration, to look at.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// An agent's number.
    #[must_use]
    pub fn number(&self, peer: &PeerId) -> Option<usize> {
        self.numbers.get(peer).copied()
    }

    /// Everything that is not on the disk is gone.
    pub fn crash(&mut self) {
        self.core = None;
        self.crash_in = None;
        self.assembler = Assembler::default();
        self.conns.clear();
        self.inbox.clear();
        self.lookups.clear();
    }

    /// Counts an output; true where the coordinator crashes at it.
    pub fn crashes_now(&mut self) -> bool {
        let Some(left) = &mut self.crash_in else { return false };
        *left = left.saturating_sub(1);
        *left == 0
    }
}
