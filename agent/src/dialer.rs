//! A libp2p transport that can only dial, never listen.
//!
//! Decides that an agent has no open port, by having no code for one. Dials TCP from the owner's chosen local address.

#![expect(clippy::wildcard_enum_match_arm, reason = "libp2p's enums are non-exhaustive")]

use futures::future::BoxFuture;
use libp2p::Multiaddr;
use libp2p::core::transport::{DialOpts, ListenerId, Transport, TransportError, TransportEvent};
use libp2p::multiaddr::Protocol;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream};
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt as _};

/// A connection attempt is given up after this.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// Dials, and nothing else.
#[derive(Debug, Clone, Copy, Default)]
pub struct Dialer {
    /// The address to dial from, where the owner chose one.
    pub local_address: Option<IpAddr>,
}

/// A TCP stream in the shape of futures.
pub type Socket = Compat<TcpStream>;

impl Transport for Dialer {
    type Output = Socket;
    type Error = io::Error;
    type ListenerUpgrade = BoxFuture<'static, io::Result<Socket>>;
    type Dial = BoxFuture<'static, io::Result<Socket>>;

    fn listen_on(
        &mut self,
        _: ListenerId,
        address: Multiaddr,
    ) -> Result<(), TransportError<io::Error>> {
        Err(TransportError::MultiaddrNotSupported(address))
    }

    fn remove_listener(&mut self, _: ListenerId) -> bool {
        false
    }

    fn dial(
        &mut self,
        address: Multiaddr,
        _: DialOpts,
    ) -> Result<Self::Dial, TransportError<io::Error>> {
        let target = target(&address)
            .ok_or_else(|| TransportError::MultiaddrNotSupported(address.clone()))?;
        let local = self.local_address;
        Ok(Box::pin(async move {
            let connected = tokio::time::timeout(CONNECT_TIME, connect(target, local)).await;
            connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        }))
    }

    fn poll(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, io::Error>> {
        Poll::Pending
    }
}

fn target(address: &Multiaddr) -> Option<(String, u16)> {
    let mut parts = address.iter();
    let host = match parts.next()? {
        Protocol::Ip4(ip) => ip.to_string(),
        Protocol::Ip6(ip) => ip.to_string(),
        Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name) => name.into_owned(),
        _ => return None,
    };
    match parts.next()? {
        Protocol::Tcp(port) => Some((host, port)),
        _ => None,
    }
}

async fn connect((host, port): (String, u16), local: Option<IpAddr>) -> io::Result<Socket> {
    let mut failure: io::Error = io::ErrorKind::NotFound.into();
    for address in tokio::net::lookup_host((host.as_str(), port)).await? {
        match connect_to(address, local).await {
            Ok(stream) => return Ok(stream.compat()),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

async fn connect_to(address: SocketAddr, local: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(local) = local.filter(|local| local.is_ipv4() == address.is_ipv4()) {
        socket.bind(SocketAddr::new(local, 0))?;
    }
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
