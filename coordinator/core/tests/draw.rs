//! Who is given a page that others fetch: as the wire shows it, and as it can be checked afterwards.

use ed25519_dalek::{Signer as _, SigningKey};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;
use sward_coordinator_core::config::{Bounds, Config};
use sward_coordinator_core::coordinator::Coordinator;
use sward_coordinator_core::input::{Input, Order};
use sward_coordinator_core::output::Output;
use sward_coordinator_core::record::seen::SeenKey;
use sward_coordinator_core::store::{MemoryStore, Store};
use sward_coordinator_core::task::Attempt;
use sward_proto::batch;
use sward_proto::digest::Digest;
use sward_proto::draw::{DrawPlan, PassedOver, SeedChain};
use sward_proto::ids::{InviteCode, Lane, LeaseToken, PeerId};
use sward_proto::note::NoteSigner;
use sward_proto::quorum::Rules;
use sward_proto::receipt::ReceiptSchema;
use sward_proto::tariff::Tariff;
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::reply::{CoordinatorReply, Terms};
use sward_proto::wire::request::AgentRequest;

const TARIFF: &str = include_str!("../../../deploy/tariff.toml");
const LOG: &str = "receipts.example.org/test";
const ROUND: u32 = 600;

struct Stage {
    coordinator: Coordinator,
    store: MemoryStore,
    chain: SeedChain,
    now: Timestamp,
    request: u64,
}

fn key(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

fn peer(n: u8) -> PeerId {
    PeerId::from_public_key(key(n).verifying_key().to_bytes()).expect("a key")
}

impl Stage {
    fn new() -> Self {
        let signer = NoteSigner::from_seed(LOG.parse().expect("a name"), &[1; 32]);
        let chain = SeedChain::grow(&[2; 32]);
        let anchor = chain.anchor();
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
            bounds: Bounds::default(),
        };
        let now = Timestamp::from_millis(1_000);
        let coordinator = Coordinator::new(config, now);
        Self { coordinator, store: MemoryStore::default(), chain, now, request: 0 }
    }

    fn handle(&mut self, input: Input) -> Vec<(PeerId, CoordinatorReply)> {
        self.coordinator.handle(input, self.now);
        self.drain()
    }

    fn after(&mut self, wait: Duration) -> Vec<(PeerId, CoordinatorReply)> {
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
                Output::Send { agent, reply, .. } => told.push((agent, *reply)),
                Output::Receive { .. }
                | Output::Discard(_)
                | Output::Archive { .. }
                | Output::Journal(_)
                | Output::Operator { .. }
                | Output::Event(_) => {}
            }
        }
        told
    }

    fn ask(&mut self, n: u8, request: AgentRequest) -> Vec<(PeerId, CoordinatorReply)> {
        self.request += 1;
        self.handle(Input::Request { agent: peer(n), id: self.request, request })
    }

    /// Agent `n`, from a network and with a payee of its own.
    fn join(&mut self, n: u8) {
        let invite = InviteCode::from_random([n; 17]);
        let (fingerprint, expires) = (invite.fingerprint(), self.now + Duration::from_secs(60));
        let order = Order::Invite { fingerprint, expires };
        self.handle(Input::Operator { ticket: n.into(), order });
        let ip: IpAddr = Ipv4Addr::new(192, 0, n, 1).into();
        self.handle(Input::Connected { agent: peer(n), ip });
        let payee = format!("payee-{n}").parse().expect("a payee");
        self.ask(n, AgentRequest::Enrol { invite, payee, lane: Lane(0), software: "t".into() });
    }

    /// Lets agent `n` wait for work; returns whether it was given any.
    fn poll(&mut self, n: u8) -> bool {
        let (wait, holding) = (Duration::from_secs(60), Vec::new());
        let told = self.ask(n, AgentRequest::WantWork { capacity: 4, wait, holding });
        given(&told, n)
    }

    /// Agent `n` seals what it was given, so that its host may be fetched from again.
    fn seal(&mut self, n: u8) {
        let own = |attempt: &Attempt| attempt.agent == peer(n);
        let tokens: Vec<LeaseToken> =
            self.attempts().into_iter().filter(own).map(|attempt| attempt.token).collect();
        let leaves = vec![Digest::ZERO; tokens.len()];
        let statement = batch::statement(&tokens, &leaves);
        let signature = key(n).sign(statement.as_bytes()).to_bytes();
        self.ask(n, AgentRequest::Commit { tokens, leaves, signature });
        self.after(Duration::from_secs(10));
    }

    fn submit(&mut self) {
        let spec = serde_json::json!({
            "name": "test",
            "seeds": ["https://site.example/"],
            "purpose": "test",
            "scope": {},
            "limits": {},
        });
        let order = Order::Submit(serde_json::from_value(spec).expect("a job"));
        self.handle(Input::Operator { ticket: 0, order });
    }

    fn attempts(&self) -> Vec<Attempt> {
        self.coordinator.tasks().flat_map(|task| task.attempts.clone()).collect()
    }
}

fn given(told: &[(PeerId, CoordinatorReply)], n: u8) -> bool {
    told.iter().any(|(agent, reply)| {
        *agent == peer(n)
            && matches!(reply, CoordinatorReply::Work(work) if !work.leases.is_empty())
    })
}

/// What was told to agent `n`, byte by byte, but for the lease's token.
fn bytes_told(told: &[(PeerId, CoordinatorReply)], n: u8) -> Vec<u8> {
    let of = told.iter().find(|(agent, _)| *agent == peer(n)).map(|(_, reply)| reply.clone());
    let Some(CoordinatorReply::Work(mut work)) = of else { panic!("no work: {told:?}") };
    work.leases.iter_mut().for_each(|lease| lease.token = LeaseToken([0; 16]));
    CoordinatorReply::Work(work).encode(1)
}

#[test]
fn nothing_in_a_lease_tells_a_first_fetch_from_a_second() {
    let mut stage = Stage::new();
    (1..=4).for_each(|n| stage.join(n));
    stage.submit();
    let (wait, holding) = (Duration::from_secs(60), Vec::new());
    let request = AgentRequest::WantWork { capacity: 4, wait, holding };
    let first = stage.ask(1, request.clone());
    stage.seal(1);
    let second = stage.ask(2, request);
    assert_eq!(bytes_told(&first, 1), bytes_told(&second, 2));
    assert!(bytes_told(&first, 1).len() > 50, "a lease was told");
}

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn a_stranger_is_preferred_to_who_joined_together() {
    let mut stage = Stage::new();
    stage.join(1);
    stage.join(2);
    stage.after(HOUR);
    stage.join(3);
    stage.submit();
    assert!(stage.poll(1), "the first fetch is anybody's");
    stage.seal(1);
    assert!(!stage.poll(2), "a stranger may come");
    assert!(stage.poll(3));
    let attempts = stage.attempts();
    assert!(attempts.iter().all(|attempt| !attempt.draw.widened), "{attempts:#?}");
    for attempt in &attempts {
        let seed = stage.chain.seed(attempt.draw.round);
        assert_eq!(attempt.draw.check(&seed, &attempt.agent), Ok(()));
    }
}

#[test]
fn the_circle_is_widened_after_a_while_and_says_so() {
    let mut stage = Stage::new();
    stage.join(1);
    stage.join(2);
    stage.after(HOUR);
    stage.join(3);
    stage.submit();
    assert!(stage.poll(1));
    stage.seal(1);
    assert!(!stage.poll(2));
    assert!(!given(&stage.after(Duration::from_secs(49)), 2), "59 s: the stranger may still come");
    stage.poll(1);
    assert!(given(&stage.after(Duration::from_secs(1)), 2), "60 s");
    let attempts = stage.attempts();
    let [first, second] = &attempts[..] else { panic!("{attempts:#?}") };
    assert_eq!((first.draw.widened, second.draw.widened), (false, true));
    let seed = stage.chain.seed(second.draw.round);
    assert_eq!(second.draw.check(&seed, &peer(2)), Ok(()));
    assert!(second.draw.passed.iter().all(|passed| *passed == (peer(1), PassedOver::Tied)));
}

#[test]
fn where_there_is_no_stranger_nobody_waits() {
    let mut stage = Stage::new();
    stage.join(1);
    stage.join(2);
    stage.submit();
    assert!(stage.poll(1));
    stage.seal(1);
    assert!(stage.poll(2));
    assert!(stage.attempts().iter().any(|attempt| attempt.draw.widened));
}
