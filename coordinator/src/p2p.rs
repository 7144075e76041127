//! The transport: libp2p over TCP with noise and yamux, one long-lived framed stream for each agent.
//!
//! Decides how many connections and requests there may be, and drops who breaks the framing. Never reads what is inside a
//! frame.

#![expect(clippy::wildcard_enum_match_arm, reason = "libp2p's enums are non-exhaustive")]

use anyhow::{Context as _, Result, anyhow};
use futures::{AsyncReadExt as _, AsyncWriteExt as _, StreamExt as _};
use libp2p::core::ConnectedPoint;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{Multiaddr, Stream, StreamProtocol, Swarm, connection_limits};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use sward_proto::ids::PeerId;
use sward_proto::wire::frame::{self, FrameReader};
use tokio::sync::{Semaphore, mpsc};

/// The one protocol.
pub const PROTOCOL: StreamProtocol = StreamProtocol::new("/sward/1");
/// A stream on which nothing was said for this long is dropped; a long poll is renewed every half minute.
const SILENCE: Duration = Duration::from_secs(120);
/// Requests of one agent that are not answered yet.
const REQUESTS_A_PEER: usize = 16;
/// What is written at once holds no further answer when it is as long as this.
const TOGETHER_BYTES: usize = 16 << 10;
/// Answers that wait for one agent to read them.
const ANSWERS_A_PEER: usize = 64;

/// What the transport tells.
#[derive(Debug)]
pub enum NetEvent {
    /// A stream is open.
    Opened {
        /// Whose.
        peer: PeerId,
        /// From where.
        ip: IpAddr,
        /// Where its answers go.
        answers: mpsc::Sender<Vec<u8>>,
        /// Tells this stream from an older one of the same peer.
        stream: u64,
    },
    /// A frame has come.
    Frame {
        /// From whom.
        peer: PeerId,
        /// On which stream.
        stream: u64,
        /// Its bytes.
        frame: Vec<u8>,
    },
    /// The stream is gone.
    Closed {
        /// Whose.
        peer: PeerId,
        /// Which.
        stream: u64,
    },
}

#[derive(NetworkBehaviour)]
struct Behaviour {
    limits: connection_limits::Behaviour,
    streams: libp2p_stream::Behaviour,
}

/// A listening transport.
pub struct Transport {
    swarm: Swarm<Behaviour>,
    /// Where it listens, with the port that it was given.
    pub address: Multiaddr,
}

impl Transport {
    /// Listens.
    ///
    /// # Errors
    /// Where the address is in use or not ours.
    pub async fn listen(seed: [u8; 32], listen: &Multiaddr, connections: u32) -> Result<Self> {
        let identity = libp2p::identity::Keypair::ed25519_from_bytes(seed)
            .context("the identity key cannot be used")?;
        let limits = connection_limits::ConnectionLimits::default()
            .with_max_pending_incoming(Some(256))
            .with_max_established_incoming(Some(connections))
            .with_max_established_per_peer(Some(2))
            .with_max_established_outgoing(Some(0));
        let behaviour = Behaviour {
            limits: connection_limits::Behaviour::new(limits),
            streams: libp2p_stream::Behaviour::new(),
        };
        let tcp = libp2p::tcp::Config::default().nodelay(true);
        let mut swarm = libp2p::SwarmBuilder::with_existing_identity(identity)
            .with_tokio()
            .with_tcp(tcp, libp2p::noise::Config::new, libp2p::yamux::Config::default)?
            .with_behaviour(|_| behaviour)?
            .with_swarm_config(|config| config.with_idle_connection_timeout(SILENCE))
            .build();
        let refused = |error: anyhow::Error| {
            let cause = error.root_cause(); // the layers above it say the same again
            anyhow!("cannot listen on {listen}: set another `listen` in config.toml: {cause}")
        };
        swarm.listen_on(listen.clone()).map_err(|error| refused(error.into()))?;
        loop {
            match swarm.select_next_some().await {
                SwarmEvent::NewListenAddr { address, .. } => return Ok(Self { swarm, address }),
                SwarmEvent::ListenerClosed { reason, .. } => {
                    reason.map_err(|error| refused(error.into()))?;
                }
                SwarmEvent::ListenerError { error, .. } => {
                    return Err(refused(error.into()));
                }
                _ => {}
            }
        }
    }

    /// The identity that agents pin.
    #[must_use]
    pub fn peer_id(&self) -> libp2p::PeerId {
        *self.swarm.local_peer_id()
    }

    /// Serves streams until the receiver of events is gone.
    ///
    /// # Errors
    /// Where the protocol is taken already.
    pub async fn run(mut self, events: mpsc::Sender<NetEvent>) -> Result<()> {
        let mut control = self.swarm.behaviour().streams.new_control();
        let mut incoming = control.accept(PROTOCOL).context("protocol taken twice")?;
        let mut peers: BTreeMap<libp2p::PeerId, IpAddr> = BTreeMap::new();
        let mut next_stream = 0;
        loop {
            tokio::select! {
                event = self.swarm.select_next_some() => note_peer(&mut peers, &event),
                Some((peer, stream)) = incoming.next() => {
                    next_stream += 1;
                    if let (Some(ip), Ok(id)) = (peers.get(&peer), PeerId::from_bytes(&peer.to_bytes())) {
                        tokio::spawn(serve_stream(id, *ip, stream, next_stream, events.clone()));
                    }
                }
                () = events.closed() => return Ok(()),
            }
        }
    }
}

fn note_peer<T>(peers: &mut BTreeMap<libp2p::PeerId, IpAddr>, event: &SwarmEvent<T>) {
    match event {
        SwarmEvent::ConnectionEstablished { peer_id, endpoint, .. } => {
            if let ConnectedPoint::Listener { send_back_addr, .. } = endpoint
                && let Some(ip) = ip_of(send_back_addr)
            {
                peers.insert(*peer_id, ip);
            }
        }
        SwarmEvent::ConnectionClosed { peer_id, num_established: 0, .. } => {
            peers.remove(peer_id);
        }
        SwarmEvent::IncomingConnectionError { error, .. } => {
            tracing::debug!(%error, "incoming connection failed");
        }
        _ => {}
    }
}

fn ip_of(address: &Multiaddr) -> Option<IpAddr> {
    address.iter().find_map(|part| match part {
        Protocol::Ip4(ip) => Some(ip.into()),
        Protocol::Ip6(ip) => Some(ip.into()),
        _ => None,
    })
}

async fn serve_stream(
    peer: PeerId,
    ip: IpAddr,
    stream: Stream,
    id: u64,
    events: mpsc::Sender<NetEvent>,
) {
    let (answers, outgoing) = mpsc::channel(ANSWERS_A_PEER);
    let opened = NetEvent::Opened { peer, ip, answers, stream: id };
    if events.send(opened).await.is_err() {
        return;
    }
    let unanswered = Arc::new(Semaphore::new(REQUESTS_A_PEER));
    let (read, write) = stream.split();
    tokio::select! {
        why = read_frames(peer, id, read, &unanswered, &events) => {
            tracing::debug!(%peer, why, "stream ended");
        }
        () = write_frames(write, outgoing, &unanswered) => {}
    }
    drop(events.send(NetEvent::Closed { peer, stream: id }).await);
}

async fn read_frames(
    peer: PeerId,
    stream: u64,
    mut read: futures::io::ReadHalf<Stream>,
    unanswered: &Semaphore,
    events: &mpsc::Sender<NetEvent>,
) -> &'static str {
    let mut reader = FrameReader::default();
    let mut buffer = vec![0; 16 << 10];
    loop {
        let count = match tokio::time::timeout(SILENCE, read.read(&mut buffer)).await {
            Ok(Ok(0)) => return "closed",
            Ok(Ok(count)) => count,
            Ok(Err(_)) => return "broken",
            Err(_) => return "silent",
        };
        reader.push(&buffer[..count]);
        loop {
            match reader.next_frame() {
                Ok(Some(frame)) => {
                    let Ok(permit) = unanswered.acquire().await else { return "closed" };
                    permit.forget();
                    let event = NetEvent::Frame { peer, stream, frame };
                    if events.send(event).await.is_err() {
                        return "stopped";
                    }
                }
                Ok(None) => break,
                Err(_) => return "frame too large",
            }
        }
    }
}

async fn write_frames(
    mut write: futures::io::WriteHalf<Stream>,
    mut outgoing: mpsc::Receiver<Vec<u8>>,
    unanswered: &Semaphore,
) {
    while let Some(payload) = outgoing.recv().await {
        let (mut frames, mut answers) = (Vec::new(), 1);
        let mut appended = frame::append(&mut frames, &payload);
        // Answers that are ready together go out together: a packet costs both sides more than the bytes in it.
        while appended.is_ok() && frames.len() < TOGETHER_BYTES {
            let Ok(payload) = outgoing.try_recv() else { break };
            appended = frame::append(&mut frames, &payload);
            answers += 1;
        }
        if appended.is_err() {
            return;
        }
        let written = async {
            write.write_all(&frames).await?;
            write.flush().await
        };
        match tokio::time::timeout(SILENCE, written).await {
            Ok(Ok(())) => unanswered.add_permits(answers),
            Ok(Err(_)) | Err(_) => return,
        }
    }
}
