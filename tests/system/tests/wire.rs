//! What a coordinator answers to an agent that does not keep to the wire's rules, over a real connection.

#![expect(clippy::wildcard_enum_match_arm, reason = "libp2p's enums are non-exhaustive")]

use futures::{AsyncReadExt as _, AsyncWriteExt as _, StreamExt as _};
use libp2p::core::Transport as _;
use libp2p::core::upgrade::Version;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::SwarmEvent;
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::{Multiaddr, Stream, StreamProtocol, Swarm, noise, yamux};
use prost::Message as _;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;
use sward_agent::dialer::Dialer;
use sward_coordinator::question::AgentView;
use sward_proto::attestation::{Attestation, Observation, REQUEST_PROFILE};
use sward_proto::batch::{self, Salt};
use sward_proto::compare::block::BlockList;
use sward_proto::digest::Digest;
use sward_proto::ids::{Lane, LeaseToken, PeerId};
use sward_proto::note::NoteSigner;
use sward_proto::outcome::FailureCode;
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::answer::AnswerCode;
use sward_proto::wire::bounds::MAX_BATCH;
use sward_proto::wire::frame::{self, FrameReader, MAX_FRAME_BYTES};
use sward_proto::wire::lease::Lease;
use sward_proto::wire::pb;
use sward_proto::wire::refusal::{Refusal, RefusalCode};
use sward_proto::wire::reply::CoordinatorReply;
use sward_proto::wire::request::{AgentRequest, RevealedLeaf};
use sward_system_tests::network::Coordinator;
use tokio::runtime::Runtime;

const PROTOCOL: StreamProtocol = StreamProtocol::new("/sward/1");
const PATIENCE: Duration = Duration::from_secs(30);

/// An agent that sends whatever a test tells it to.
struct Peer {
    runtime: Runtime,
    stream: Stream,
    reader: FrameReader,
    signer: NoteSigner,
    peer: PeerId,
    next_id: u64,
}

/// A running coordinator with one job, whose first page is the robots.txt of a site that nobody asks.
fn coordinator(folder: &Path, developer: bool) -> Coordinator {
    let mut coordinator = Coordinator::init(folder, developer);
    coordinator.serve();
    let flags = ["--name=wire", "--purpose=test", "--delay-ms=0", "--seed=http://host.example/"];
    coordinator.does(&[&["job", "run", "--detach"], &flags[..]].concat()).ok();
    coordinator
}

fn invite(coordinator: &Coordinator) -> (String, String) {
    let said = coordinator.does(&["invite"]).ok();
    let (address, code) = said.trim().split_once(' ').expect("address and code");
    (address.to_owned(), code.to_owned())
}

async fn open(seed: [u8; 32], address: &str, from: IpAddr) -> Stream {
    let identity = libp2p::identity::Keypair::ed25519_from_bytes(seed).expect("a key");
    let transport = Dialer { local_address: Some(from) }
        .upgrade(Version::V1)
        .authenticate(noise::Config::new(&identity).expect("noise"))
        .multiplex(yamux::Config::default())
        .boxed();
    let config = libp2p::swarm::Config::with_tokio_executor()
        .with_idle_connection_timeout(Duration::from_secs(60));
    let behaviour = libp2p_stream::Behaviour::new();
    let mut swarm = Swarm::new(transport, behaviour, identity.public().to_peer_id(), config);
    let mut place: Multiaddr = address.parse().expect("an address");
    let Some(Protocol::P2p(target)) = place.pop() else { panic!("no peer id in {address}") };
    swarm.dial(DialOpts::peer_id(target).addresses(vec![place]).build()).expect("dialled");
    let mut control = swarm.behaviour().new_control();
    loop {
        match swarm.select_next_some().await {
            SwarmEvent::ConnectionEstablished { .. } => break,
            SwarmEvent::OutgoingConnectionError { error, .. } => panic!("{error}"),
            _ => {}
        }
    }
    tokio::spawn(async move {
        loop {
            swarm.select_next_some().await;
        }
    });
    control.open_stream(target, PROTOCOL).await.expect("a stream")
}

impl Peer {
    /// Connects as a stranger, from a network of its own.
    fn connect(number: u8, address: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let seed = [number; 32];
        let from = IpAddr::from([127, 0, 20 + number, 1]);
        let opened = async { tokio::time::timeout(PATIENCE, open(seed, address, from)).await };
        let stream = runtime.block_on(opened).expect("a stream in time");
        let nameless = NoteSigner::from_seed("agent".parse().expect("a name"), &seed);
        let key = *nameless.verifier_key().public_key();
        let peer = PeerId::from_public_key(key).expect("a strong key");
        let signer = NoteSigner::from_seed(peer.to_string().parse().expect("a name"), &seed);
        Self { runtime, stream, reader: FrameReader::default(), signer, peer, next_id: 1 }
    }

    /// Connects and joins.
    fn join(number: u8, coordinator: &Coordinator) -> Self {
        let (address, code) = invite(coordinator);
        let mut peer = Self::connect(number, &address);
        let answer = peer.ask(&AgentRequest::Enrol {
            invite: code.parse().expect("a code"),
            payee: format!("payee-{number}").parse().expect("a payee"),
            lane: Lane(0),
            software: "wire test".to_owned(),
        });
        assert!(matches!(answer, CoordinatorReply::Enrolled(_)), "{answer:?}");
        peer
    }

    fn send(&mut self, bytes: &[u8]) {
        let sent = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        self.runtime.block_on(sent).expect("sent");
    }

    fn send_frame(&mut self, payload: &[u8]) {
        let mut frame = Vec::new();
        frame::append(&mut frame, payload).expect("small");
        self.send(&frame);
    }

    /// The next answer and the request that it is for; `None` where the coordinator hung up.
    fn receive(&mut self) -> Option<(u64, CoordinatorReply)> {
        loop {
            if let Some(frame) = self.reader.next_frame().expect("a small frame") {
                return Some(CoordinatorReply::decode(&frame).expect("an answer"));
            }
            let mut buffer = [0; 4096];
            let stream = &mut self.stream;
            let read = self
                .runtime
                .block_on(async { tokio::time::timeout(PATIENCE, stream.read(&mut buffer)).await });
            match read.expect("an answer in time") {
                Ok(0) | Err(_) => return None,
                Ok(count) => self.reader.push(&buffer[..count]),
            }
        }
    }

    fn ask(&mut self, request: &AgentRequest) -> CoordinatorReply {
        let id = self.next_id;
        self.next_id += 1;
        self.send_frame(&request.encode(id));
        let (reply_to, reply) = self.receive().expect("an answer");
        assert_eq!(reply_to, id, "{reply:?}");
        reply
    }

    fn refusal(&mut self, request: &AgentRequest) -> Refusal {
        refusal(self.ask(request))
    }

    /// Sees that the connection still serves.
    fn lives(&mut self) {
        let answer = self.ask(&want(Vec::new(), 0, Duration::ZERO));
        assert!(
            !matches!(&answer, CoordinatorReply::Refusal(refusal)
            if refusal.code != RefusalCode::NotEnrolled),
            "{answer:?}"
        );
    }

    /// Waits for a lease.
    fn lease(&mut self) -> Lease {
        for _ in 0..10 {
            let answer = self.ask(&want(Vec::new(), 1, Duration::from_secs(5)));
            let CoordinatorReply::Work(work) = answer else { panic!("{answer:?}") };
            if let Some(lease) = work.leases.into_iter().next() {
                return lease;
            }
        }
        panic!("no lease");
    }

    /// Seals a leaf under a lease, with a sound signature.
    fn sealed(&self, token: LeaseToken, leaf: Digest) -> AgentRequest {
        let (tokens, leaves) = (vec![token], vec![leaf]);
        let statement = batch::statement(&tokens, &leaves);
        let signature = self.signer.sign_bytes(statement.as_bytes());
        AgentRequest::Commit { tokens, leaves, signature }
    }

    /// What became of the one lease that a request is about.
    fn answer(&mut self, request: &AgentRequest) -> AnswerCode {
        let reply = self.ask(request);
        let CoordinatorReply::Answers(answers) = &reply else { panic!("{reply:?}") };
        answers.first().expect("one answer").code
    }
}

fn want(holding: Vec<LeaseToken>, capacity: u16, wait: Duration) -> AgentRequest {
    AgentRequest::WantWork { capacity, wait, holding }
}

fn refusal(reply: CoordinatorReply) -> Refusal {
    let CoordinatorReply::Refusal(refusal) = reply else { panic!("not refused: {reply:?}") };
    refusal
}

/// What an agent says that could not connect.
fn attestation(lease: &Lease, developer: bool) -> Vec<u8> {
    let detail = "refused".to_owned();
    let observation = Observation::Failure { code: FailureCode::Connect, detail };
    Attestation {
        profile: REQUEST_PROFILE,
        url: lease.url.clone(),
        fetched_at: Timestamp::from_millis(1),
        elapsed_ms: 1,
        developer,
        observation,
    }
    .encode()
}

fn view(coordinator: &Coordinator, peer: &PeerId) -> AgentView {
    let agents = coordinator.agents().expect("agents");
    agents.into_iter().find(|agent| agent.peer_id == peer.to_string()).expect("enrolled")
}

#[test]
fn another_version_is_refused_and_the_connection_lives() {
    let folder = tempfile::tempdir().expect("a folder");
    let coordinator = coordinator(folder.path(), false);
    let mut peer = Peer::join(1, &coordinator);
    let request = want(Vec::new(), 1, Duration::ZERO).encode(77);
    let mut frame = pb::AgentFrame::decode(request.as_slice()).expect("our own frame");
    frame.version = 2;
    peer.send_frame(&frame.encode_to_vec());
    let (id, answer) = peer.receive().expect("an answer");
    let refusal = refusal(answer);
    assert_eq!((id, refusal.code), (77, RefusalCode::Version));
    assert!(refusal.detail.contains("version 2"), "{refusal}");
    peer.lives();
}

#[test]
fn what_is_malformed_is_named_and_the_connection_lives() {
    let folder = tempfile::tempdir().expect("a folder");
    let coordinator = coordinator(folder.path(), false);
    let mut peer = Peer::join(1, &coordinator);
    let tokens = vec![LeaseToken([7; 16]); MAX_BATCH + 1];
    let leaves = vec![Digest::ZERO; MAX_BATCH + 1];
    let long = "a".repeat(300);
    let cases = [
        (want(tokens.clone(), 1, Duration::ZERO), "want_work.holding"),
        (AgentRequest::Commit { tokens, leaves, signature: [0; 64] }, "commit.tokens"),
        (AgentRequest::Countersign { note: long.repeat(100) }, "countersign.note"),
        (
            AgentRequest::UploadChunk {
                token: LeaseToken([7; 16]),
                offset: 0,
                data: vec![0; (64 << 10) + 1],
            },
            "upload_chunk.data",
        ),
    ];
    for (request, field) in cases {
        let refusal = peer.refusal(&request);
        assert_eq!(refusal.code, RefusalCode::Malformed, "{refusal}");
        assert!(refusal.detail.contains(field), "{refusal}");
        peer.lives();
    }
    for garbage in [&b"\xff\xff\xff\xff"[..], b"GET / HTTP/1.1\r\n\r\n", &[0x0a; 1000]] {
        peer.send_frame(garbage);
        let (_, answer) = peer.receive().expect("an answer");
        assert_eq!(refusal(answer).code, RefusalCode::Malformed);
        peer.lives();
    }
    // An empty frame is a message without a version.
    peer.send_frame(b"");
    let (_, answer) = peer.receive().expect("an answer");
    assert_eq!(refusal(answer).code, RefusalCode::Version);
    peer.lives();
}

#[test]
fn a_frame_that_is_too_large_ends_the_stream_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let coordinator = coordinator(folder.path(), false);
    let mut other = Peer::join(2, &coordinator);
    let mut peer = Peer::join(1, &coordinator);
    let (address, _) = invite(&coordinator);
    let size = u32::try_from(MAX_FRAME_BYTES + 1).expect("small");
    peer.send(&size.to_be_bytes());
    assert_eq!(peer.receive(), None, "it is not hung up");
    other.lives();
    drop(peer);
    Peer::connect(1, &address).lives();
}

#[test]
fn a_stranger_gets_nothing_but_the_advice_to_enrol() {
    let folder = tempfile::tempdir().expect("a folder");
    let coordinator = coordinator(folder.path(), false);
    let (address, _) = invite(&coordinator);
    let mut peer = Peer::connect(1, &address);
    let forged = peer.sealed(LeaseToken([7; 16]), Digest::ZERO);
    for request in [want(Vec::new(), 1, Duration::ZERO), forged] {
        let refusal = peer.refusal(&request);
        assert_eq!(refusal.code, RefusalCode::NotEnrolled, "{refusal}");
        assert!(refusal.detail.contains("invite"), "{refusal}");
    }
    assert!(coordinator.agents().is_none(), "nobody joined");
}

#[test]
fn results_are_taken_once_and_from_their_own_agent_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let coordinator = coordinator(folder.path(), false);
    let mut peer = Peer::join(1, &coordinator);
    let mut other = Peer::join(2, &coordinator);
    let lease = peer.lease();
    let leaf = batch::leaf(Salt([1; 16]), &attestation(&lease, false));
    let sound = peer.sealed(lease.token, leaf);

    let AgentRequest::Commit { tokens, leaves, mut signature } = sound.clone() else {
        panic!("not a commit")
    };
    signature[3] ^= 1;
    let refusal = peer.refusal(&AgentRequest::Commit { tokens, leaves, signature });
    assert_eq!(refusal.code, RefusalCode::Malformed, "{refusal}");
    assert!(refusal.detail.contains("not signed by the key of this connection"), "{refusal}");
    // Signed by the agent that hands it in, but leased to another.
    let stolen = other.sealed(lease.token, leaf);
    assert_eq!(other.answer(&stolen), AnswerCode::Foreign);
    // Handed in by another than the one that signed it.
    assert_eq!(other.refusal(&sound).code, RefusalCode::Malformed);

    assert_eq!(peer.answer(&sound), AnswerCode::Taken);
    assert_eq!(peer.answer(&sound), AnswerCode::Duplicate);
    let changed = peer.sealed(lease.token, Digest::of(b"something else"));
    assert_eq!(peer.answer(&changed), AnswerCode::Mismatch);
    let unknown = peer.sealed(LeaseToken([7; 16]), leaf);
    assert_eq!(peer.answer(&unknown), AnswerCode::Late);
    // Opened before its sibling is sealed.
    let opened = RevealedLeaf {
        token: lease.token,
        salt: Salt([1; 16]),
        attestation: attestation(&lease, false),
        blocks: BlockList::default(),
    };
    assert_eq!(peer.answer(&AgentRequest::Reveal(vec![opened])), AnswerCode::Mismatch);
    assert_eq!(view(&coordinator, &peer.peer).fetched, 0, "nothing was opened");
}

#[test]
fn a_result_for_a_lease_that_was_given_up_is_late() {
    let folder = tempfile::tempdir().expect("a folder");
    let coordinator = coordinator(folder.path(), false);
    let (address, _) = invite(&coordinator);
    let mut peer = Peer::join(1, &coordinator);
    let lease = peer.lease();
    drop(peer);
    // Back without it: the coordinator counts the lease as lost.
    let mut peer = Peer::connect(1, &address);
    peer.lives();
    let late = peer.sealed(lease.token, Digest::ZERO);
    assert_eq!(peer.answer(&late), AnswerCode::Late);
}

#[test]
fn what_a_developer_agent_saw_counts_only_where_it_may() {
    for (developer, expected) in [(false, AnswerCode::Mismatch), (true, AnswerCode::Taken)] {
        let folder = tempfile::tempdir().expect("a folder");
        let coordinator = coordinator(folder.path(), developer);
        let mut peers = [Peer::join(1, &coordinator), Peer::join(2, &coordinator)];
        let mut leases = Vec::new();
        for (peer, says) in peers.iter_mut().zip([true, false]) {
            let lease = peer.lease();
            let leaf = batch::leaf(Salt([1; 16]), &attestation(&lease, says));
            let sealed = peer.sealed(lease.token, leaf);
            assert_eq!(peer.answer(&sealed), AnswerCode::Taken);
            leases.push((lease, says));
        }
        assert_eq!(leases[0].0.url, leases[1].0.url, "two voices on one page");
        for ((peer, (lease, says)), code) in
            peers.iter_mut().zip(&leases).zip([expected, AnswerCode::Taken])
        {
            let (salt, attestation) = (Salt([1; 16]), attestation(lease, *says));
            let (token, blocks) = (lease.token, BlockList::default());
            let opened = RevealedLeaf { token, salt, attestation, blocks };
            assert_eq!(peer.answer(&AgentRequest::Reveal(vec![opened])), code, "{developer}");
        }
        let fetched = u64::from(expected == AnswerCode::Taken);
        assert_eq!(view(&coordinator, &peers[0].peer).fetched, fetched, "void is void");
        assert_eq!(view(&coordinator, &peers[1].peer).fetched, 1);
    }
}

#[test]
fn blocks_that_were_not_attested_are_a_mismatch() {
    let folder = tempfile::tempdir().expect("a folder");
    let coordinator = coordinator(folder.path(), false);
    let mut peers = [Peer::join(1, &coordinator), Peer::join(2, &coordinator)];
    let leases = peers.each_mut().map(|peer| {
        let lease = peer.lease();
        let leaf = batch::leaf(Salt([1; 16]), &attestation(&lease, false));
        let sealed = peer.sealed(lease.token, leaf);
        assert_eq!(peer.answer(&sealed), AnswerCode::Taken);
        lease
    });
    let one = BlockList::from_bytes(&[7; 8]).expect("one block");
    let opened = [(one, AnswerCode::Mismatch), (BlockList::default(), AnswerCode::Taken)];
    for ((peer, lease), (blocks, code)) in peers.iter_mut().zip(leases).zip(opened) {
        let (token, salt) = (lease.token, Salt([1; 16]));
        let opened = RevealedLeaf { token, salt, attestation: attestation(&lease, false), blocks };
        assert_eq!(peer.answer(&AgentRequest::Reveal(vec![opened])), code);
    }
}
