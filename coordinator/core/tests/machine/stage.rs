//! A coordinator with an index in memory, and what its agents ask of it.

use ed25519_dalek::{Signer as _, SigningKey};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;
use sward_coordinator_core::beacon::Beacon;
use sward_coordinator_core::config::{Bounds, Config};
use sward_coordinator_core::coordinator::Coordinator;
use sward_coordinator_core::group::Whereabouts;
use sward_coordinator_core::input::{Archived, Input, Order};
use sward_coordinator_core::output::Output;
use sward_coordinator_core::record::agent::AgentRecord;
use sward_coordinator_core::record::capture::Location;
use sward_coordinator_core::record::seen::SeenKey;
use sward_coordinator_core::settlement::Settlement;
use sward_coordinator_core::store::{MemoryStore, Store};
use sward_coordinator_core::task::{Attempt, AttemptState};
use sward_coordinator_core::trust::hold;
use sward_proto::attestation::{Attestation, Observation, REQUEST_PROFILE, Response};
use sward_proto::batch::{self, Salt};
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::compare::block::BlockList;
use sward_proto::compare::print::LayerVersions;
use sward_proto::digest::Digest;
use sward_proto::draw::{DrawPlan, SeedChain};
use sward_proto::ids::{InviteCode, Lane, LeaseToken, PeerId};
use sward_proto::note::NoteSigner;
use sward_proto::quorum::Rules;
use sward_proto::receipt::ReceiptSchema;
use sward_proto::tariff::Tariff;
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::lease::Lease;
use sward_proto::wire::reply::{CoordinatorReply, Terms};
use sward_proto::wire::request::{AgentRequest, RevealedLeaf};

const TARIFF: &str = include_str!("../../../../deploy/tariff.toml");
const LOG: &str = "receipts.example.org/test";
const ROUND: u32 = 600;
/// Under which every result is sealed.
pub(crate) const SALT: Salt = Salt([7; 16]);

/// A coordinator at a time.
pub(crate) struct Stage {
    pub(crate) coordinator: Coordinator,
    store: MemoryStore,
    pub(crate) chain: SeedChain,
    pub(crate) now: Timestamp,
    /// What was given to the archive.
    pub(crate) archived: Vec<Settlement>,
    /// What was leased.
    pub(crate) leases: Vec<Lease>,
    /// How many leases an agent asks for at once.
    pub(crate) capacity: u16,
    request: u64,
}

fn key(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

pub(crate) fn peer(n: u8) -> PeerId {
    PeerId::from_public_key(key(n).verifying_key().to_bytes()).expect("a key")
}

/// Where agent `n` dials from.
pub(crate) fn address(n: u8) -> IpAddr {
    Ipv4Addr::new(192, 0, n, 1).into()
}

/// What an agent attests that was shown this body.
pub(crate) fn attestation(url: &CanonicalUrl, status: u16, body: &str) -> Vec<u8> {
    let response = Response {
        final_url: url.clone(),
        hops: Vec::new(),
        status,
        header_names: Vec::new(),
        media_type: "text/plain".into(),
        raw: Digest::of(body.as_bytes()),
        raw_bytes: body.len() as u64,
        canonical: None,
        links: Digest::ZERO,
        link_count: 0,
        wire_bytes: 1,
        peer_ip: Ipv4Addr::LOCALHOST.into(),
        certificate: None,
        redirect_target: None,
        retry_after_s: None,
        versions: LayerVersions::CURRENT,
        page: None,
        neutral: None,
    };
    let observation = Observation::Response(Box::new(response));
    let (profile, elapsed_ms, developer) = (REQUEST_PROFILE, 1, false);
    let fetched_at = Timestamp::from_millis(1_000);
    let url = url.clone();
    Attestation { profile, url, fetched_at, elapsed_ms, developer, observation }.encode()
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::with_beacon(None)
    }

    pub(crate) fn with_beacon(beacon: Option<Beacon>) -> Self {
        let signer = NoteSigner::from_seed(LOG.parse().expect("a name"), &[1; 32]);
        let chain = SeedChain::grow(&[2; 32]);
        let anchor = chain.anchor();
        let hold = hold::Terms { checks: 1, ..hold::Terms::default() };
        let draw_plan = DrawPlan { anchor, began: Timestamp::ZERO, round_seconds: ROUND };
        let config = Config {
            terms: Terms {
                operator: "Lab".into(),
                contact: "https://bot.example/".into(),
                log: LOG.into(),
                vkey: signer.verifier_key().to_string(),
                tariff: TARIFF.into(),
                developer: false,
                draws: draw_plan,
            },
            tariff: Tariff::parse(TARIFF).expect("a tariff"),
            signer,
            schema: ReceiptSchema::of_domain("example.org").expect("a domain"),
            rules: Rules::default(),
            developer: false,
            seen_key: SeenKey([3; 32]),
            seed: [4; 32],
            draw_plan,
            draw_chain: chain.clone(),
            beacon,
            bounds: Bounds { probation: 1, hold, ..Bounds::default() },
        };
        let now = Timestamp::from_millis(1_000);
        let coordinator = Coordinator::new(config, now);
        Self {
            coordinator,
            store: MemoryStore::default(),
            chain,
            now,
            archived: Vec::new(),
            leases: Vec::new(),
            capacity: 4,
            request: 0,
        }
    }

    pub(crate) fn handle(&mut self, input: Input) -> Vec<(PeerId, CoordinatorReply)> {
        self.coordinator.handle(input, self.now);
        self.drain()
    }

    pub(crate) fn after(&mut self, wait: Duration) -> Vec<(PeerId, CoordinatorReply)> {
        self.now = self.now + wait;
        self.coordinator.handle_timeout(self.now);
        self.drain()
    }

    fn drain(&mut self) -> Vec<(PeerId, CoordinatorReply)> {
        let mut told = Vec::new();
        while let Some(output) = self.coordinator.next_output() {
            match output {
                Output::Commit(batch) => self.store.commit(batch).expect("memory"),
                Output::Lookup(lookup) => {
                    let answer = lookup.answer(&self.store).expect("memory");
                    self.coordinator.handle(Input::Answer(answer), self.now);
                }
                Output::Send { agent, reply, .. } => {
                    if let CoordinatorReply::Work(work) = &*reply {
                        self.leases.extend(work.leases.iter().cloned());
                    }
                    told.push((agent, *reply));
                }
                Output::Archive { settlement, .. } => {
                    let location = Location { segment: 1, offset: 0, length: 1 };
                    let archived = Archived { settlement: location, page: None };
                    let task = settlement.task;
                    self.archived.push(*settlement);
                    self.coordinator.handle(Input::Archived { task, archived }, self.now);
                }
                Output::Receive { .. }
                | Output::Discard(_)
                | Output::Journal(_)
                | Output::Operator { .. }
                | Output::Event(_) => {}
            }
        }
        told
    }

    pub(crate) fn ask(&mut self, n: u8, request: AgentRequest) -> Vec<(PeerId, CoordinatorReply)> {
        self.request += 1;
        self.handle(Input::Request { agent: peer(n), id: self.request, request })
    }

    /// Agent `n`, from a network and with a payee of its own.
    pub(crate) fn join(&mut self, n: u8) {
        self.join_from(n, address(n), Whereabouts::default());
    }

    /// The same as a fetcher of the operator's own, where that is `trusted`.
    pub(crate) fn join_as(&mut self, n: u8, trusted: bool) {
        self.take_in(n, address(n), Whereabouts::default(), trusted);
    }

    /// The same, dialling from there.
    pub(crate) fn join_from(&mut self, n: u8, ip: IpAddr, whereabouts: Whereabouts) {
        self.take_in(n, ip, whereabouts, false);
    }

    fn take_in(&mut self, n: u8, ip: IpAddr, whereabouts: Whereabouts, trusted: bool) {
        let invite = InviteCode::from_random([n; 17]);
        let (fingerprint, expires) = (invite.fingerprint(), self.now + Duration::from_secs(60));
        let order = Order::Invite { fingerprint, expires, trusted };
        self.handle(Input::Operator { ticket: n.into(), order });
        self.handle(Input::Connected { agent: peer(n), ip, whereabouts });
        let payee = format!("payee-{n}").parse().expect("a payee");
        self.ask(n, AgentRequest::Enrol { invite, payee, lane: Lane(0), software: "t".into() });
    }

    /// Lets agent `n` wait for work; returns whether it was given any.
    pub(crate) fn poll(&mut self, n: u8) -> bool {
        let (wait, holding) = (Duration::from_secs(60), Vec::new());
        let told = self.ask(n, AgentRequest::WantWork { capacity: self.capacity, wait, holding });
        given(&told, n)
    }

    /// Agent `n` opens what it sealed.
    pub(crate) fn reveal(
        &mut self,
        n: u8,
        token: LeaseToken,
        attestation: Vec<u8>,
    ) -> Vec<(PeerId, CoordinatorReply)> {
        let blocks = BlockList::default();
        let leaf = RevealedLeaf { token, salt: SALT, attestation, blocks };
        self.ask(n, AgentRequest::Reveal(vec![leaf]))
    }

    /// Agent `n` seals what it was given, so that its host may be fetched from again.
    pub(crate) fn seal(&mut self, n: u8) {
        self.seal_as(n, Digest::ZERO);
    }

    /// The same under this leaf.
    pub(crate) fn seal_as(&mut self, n: u8, leaf: Digest) {
        let tokens = self.tokens(n);
        let leaves = vec![leaf; tokens.len()];
        self.commit(n, tokens, leaves);
    }

    pub(crate) fn commit(&mut self, n: u8, tokens: Vec<LeaseToken>, leaves: Vec<Digest>) {
        self.commit_at_once(n, tokens, leaves);
        self.after(Duration::from_secs(10));
    }

    /// The same, and no time passes.
    pub(crate) fn commit_at_once(
        &mut self,
        n: u8,
        tokens: Vec<LeaseToken>,
        leaves: Vec<Digest>,
    ) -> Vec<(PeerId, CoordinatorReply)> {
        let statement = batch::statement(&tokens, &leaves);
        let signature = key(n).sign(statement.as_bytes()).to_bytes();
        self.ask(n, AgentRequest::Commit { tokens, leaves, signature })
    }

    /// The leases of agent `n`.
    pub(crate) fn tokens(&self, n: u8) -> Vec<LeaseToken> {
        let own = |attempt: &Attempt| attempt.agent == peer(n);
        self.attempts().into_iter().filter(own).map(|attempt| attempt.token).collect()
    }

    pub(crate) fn submit(&mut self) {
        self.submit_seeds(&["https://site.example/"]);
    }

    pub(crate) fn submit_seeds(&mut self, seeds: &[&str]) {
        self.submit_job("test", seeds, "full");
    }

    /// A job of one page that may rest on one agent's word, named after it.
    pub(crate) fn submit_audited(&mut self, url: &str) {
        let url: CanonicalUrl = url.parse().expect("a url");
        let name = url.host().as_str().replace('.', "-");
        self.submit_job(&name, &[url.as_str()], "audited");
    }

    /// The same of many pages.
    pub(crate) fn submit_audited_all(&mut self, seeds: &[&str]) {
        self.submit_job("test", seeds, "audited");
    }

    pub(crate) fn submit_job(&mut self, name: &str, seeds: &[&str], replication: &str) {
        let spec = serde_json::json!({
            "name": name,
            "replication": replication,
            "media_types": [],
            "seeds": seeds,
            "purpose": "test",
            "scope": {},
            "limits": {},
        });
        let order = Order::Submit(serde_json::from_value(spec).expect("a job"));
        self.handle(Input::Operator { ticket: 0, order });
    }

    /// The leases of agent `n` in such a state, with their URLs.
    pub(crate) fn held(
        &self,
        n: u8,
        is: impl Fn(&AttemptState) -> bool,
    ) -> Vec<(LeaseToken, CanonicalUrl)> {
        let attempts = self.coordinator.tasks().flat_map(|task| {
            task.attempts.iter().map(|attempt| (attempt.clone(), task.url.clone()))
        });
        let own = attempts.filter(|(attempt, _)| attempt.agent == peer(n) && is(&attempt.state));
        own.map(|(attempt, url)| (attempt.token, url)).collect()
    }

    pub(crate) fn record(&self, n: u8) -> &AgentRecord {
        &self.coordinator.roster().get(&peer(n)).expect("enrolled").record
    }

    pub(crate) fn attempts(&self) -> Vec<Attempt> {
        self.coordinator.tasks().flat_map(|task| task.attempts.clone()).collect()
    }
}

pub(crate) fn given(told: &[(PeerId, CoordinatorReply)], n: u8) -> bool {
    told.iter().any(|(agent, reply)| {
        *agent == peer(n)
            && matches!(reply, CoordinatorReply::Work(work) if !work.leases.is_empty())
    })
}
