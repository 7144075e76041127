//! Listening on one port of several loopback addresses, with and without TLS.

use anyhow::{Result, bail};
use axum::serve::Listener;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Listeners that share a port.
pub(super) struct OnePort {
    pub(super) port: u16,
    pub(super) listeners: Vec<TcpListener>,
}

/// Listens on a free port that all addresses have free.
pub(super) async fn on_one_port(addresses: &[Ipv4Addr]) -> Result<OnePort> {
    for _ in 0..64 {
        let mut port = 0;
        let mut listeners = Vec::new();
        for address in addresses {
            let Ok(listener) = TcpListener::bind((*address, port)).await else { break };
            port = listener.local_addr()?.port();
            listeners.push(listener);
        }
        if listeners.len() == addresses.len() {
            return Ok(OnePort { port, listeners });
        }
    }
    bail!("no port is free on all of {addresses:?}")
}

/// A listener that speaks TLS.
pub(super) struct Tls {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Tls {
    pub(super) fn new(listener: TcpListener, config: Arc<rustls::ServerConfig>) -> Self {
        Self { listener, acceptor: config.into() }
    }
}

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            if let Ok((stream, address)) = self.listener.accept().await
                && let Ok(stream) = self.acceptor.accept(stream).await
            {
                return (stream, address);
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}
