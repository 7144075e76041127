//! The one connection to the coordinator: dialled when asked, one framed stream, its peer id pinned.
//!
//! Never decides when to dial: the core does.

#![expect(clippy::wildcard_enum_match_arm, reason = "libp2p's enums are non-exhaustive")]

use crate::dialer::Dialer;
use anyhow::{Context as _, Result};
use futures::{AsyncReadExt as _, AsyncWriteExt as _, StreamExt as _};
use libp2p::core::Transport as _;
use libp2p::core::upgrade::Version;
use libp2p::swarm::SwarmEvent;
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::{Multiaddr, Stream, StreamProtocol, Swarm};
use std::time::Duration;
use sward_proto::wire::frame::{self, FrameReader};
use tokio::sync::mpsc;

/// The one protocol.
const PROTOCOL: StreamProtocol = StreamProtocol::new("/sward/1");
/// A stream on which nothing was said for this long is dropped; the coordinator answers a long poll sooner.
const SILENCE: Duration = Duration::from_secs(75);
/// What is written at once holds no further request when it is as long as this.
const TOGETHER_BYTES: usize = 16 << 10;
/// Opening a stream may take this long.
const OPEN_TIME: Duration = Duration::from_secs(15);

/// What the link tells.
#[derive(Debug)]
pub enum LinkEvent {
    /// The stream is open; requests go here.
    Open(mpsc::Sender<Vec<u8>>),
    /// A frame has come.
    Frame(Vec<u8>),
    /// The stream is gone, or could not be opened, and why.
    Closed(String),
}

/// Where to dial, and whom to expect there.
#[derive(Debug, Clone)]
pub struct Target {
    /// The address.
    pub address: Multiaddr,
    /// The identity that must answer.
    pub peer: libp2p::PeerId,
}

/// Dials once for each message on `dials`, and reports what comes of it.
///
/// # Errors
/// Where the key cannot be used.
pub async fn run(
    seed: [u8; 32],
    dialer: Dialer,
    target: Target,
    mut dials: mpsc::Receiver<()>,
    events: mpsc::Sender<LinkEvent>,
) -> Result<()> {
    let identity = libp2p::identity::Keypair::ed25519_from_bytes(seed)
        .context("the identity key cannot be used")?;
    while dials.recv().await.is_some() {
        let mut swarm = swarm(&identity, dialer)?;
        let why = match tokio::time::timeout(OPEN_TIME, open(&mut swarm, &target)).await {
            Ok(Ok(stream)) => serve(&mut swarm, stream, &events).await,
            Ok(Err(error)) => format!("{error:#}"),
            Err(_) => "no answer in time".to_owned(),
        };
        if events.send(LinkEvent::Closed(why)).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

fn swarm(
    identity: &libp2p::identity::Keypair,
    dialer: Dialer,
) -> Result<Swarm<libp2p_stream::Behaviour>> {
    let noise = libp2p::noise::Config::new(identity).context("noise")?;
    let transport = dialer
        .upgrade(Version::V1)
        .authenticate(noise)
        .multiplex(libp2p::yamux::Config::default())
        .timeout(OPEN_TIME)
        .boxed();
    let behaviour = libp2p_stream::Behaviour::new();
    let config = libp2p::swarm::Config::with_tokio_executor().with_idle_connection_timeout(SILENCE);
    Ok(Swarm::new(transport, behaviour, identity.public().to_peer_id(), config))
}

async fn open(swarm: &mut Swarm<libp2p_stream::Behaviour>, target: &Target) -> Result<Stream> {
    let mut control = swarm.behaviour().new_control();
    let options = DialOpts::peer_id(target.peer).addresses(vec![target.address.clone()]).build();
    swarm.dial(options).context("dialling")?;
    loop {
        match swarm.select_next_some().await {
            SwarmEvent::ConnectionEstablished { .. } => break,
            SwarmEvent::OutgoingConnectionError { error, .. } => {
                return Err(error).with_context(|| format!("dialling {}", target.address));
            }
            _ => {}
        }
    }
    let opening = control.open_stream(target.peer, PROTOCOL);
    tokio::pin!(opening);
    loop {
        tokio::select! {
            stream = &mut opening => return stream.context("opening a stream"),
            _ = swarm.select_next_some() => {}
        }
    }
}

/// Passes frames both ways until either side is done.
async fn serve(
    swarm: &mut Swarm<libp2p_stream::Behaviour>,
    stream: Stream,
    events: &mpsc::Sender<LinkEvent>,
) -> String {
    let (requests, outgoing) = mpsc::channel(64);
    if events.send(LinkEvent::Open(requests)).await.is_err() {
        return "stopped".to_owned();
    }
    let (read, write) = stream.split();
    tokio::select! {
        why = read_frames(read, events) => why,
        why = write_frames(write, outgoing) => why,
        () = drive(swarm) => "the connection closed".to_owned(),
    }
}

async fn drive(swarm: &mut Swarm<libp2p_stream::Behaviour>) {
    loop {
        if let SwarmEvent::ConnectionClosed { .. } = swarm.select_next_some().await {
            return;
        }
    }
}

async fn read_frames(
    mut read: futures::io::ReadHalf<Stream>,
    events: &mpsc::Sender<LinkEvent>,
) -> String {
    let mut reader = FrameReader::default();
    let mut buffer = vec![0; 8 << 10];
    loop {
        let count = match tokio::time::timeout(SILENCE, read.read(&mut buffer)).await {
            Ok(Ok(0)) => return "the coordinator closed the stream".to_owned(),
            Ok(Ok(count)) => count,
            Ok(Err(error)) => return error.to_string(),
            Err(_) => return "the coordinator fell silent".to_owned(),
        };
        reader.push(buffer.get(..count).unwrap_or_default());
        loop {
            match reader.next_frame() {
                Ok(Some(frame)) => {
                    if events.send(LinkEvent::Frame(frame)).await.is_err() {
                        return "stopped".to_owned();
                    }
                }
                Ok(None) => break,
                Err(error) => return error.to_string(),
            }
        }
    }
}

async fn write_frames(
    mut write: futures::io::WriteHalf<Stream>,
    mut outgoing: mpsc::Receiver<Vec<u8>>,
) -> String {
    while let Some(payload) = outgoing.recv().await {
        let mut frames = Vec::new();
        let mut appended = frame::append(&mut frames, &payload);
        // Requests that are ready together go out together: a packet costs both sides more than the bytes in it.
        while appended.is_ok() && frames.len() < TOGETHER_BYTES {
            let Ok(payload) = outgoing.try_recv() else { break };
            appended = frame::append(&mut frames, &payload);
        }
        if let Err(error) = appended {
            return error.to_string();
        }
        let written = async {
            write.write_all(&frames).await?;
            write.flush().await
        };
        match tokio::time::timeout(SILENCE, written).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return error.to_string(),
            Err(_) => return "the coordinator reads nothing".to_owned(),
        }
    }
    "stopped".to_owned()
}
