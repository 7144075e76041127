//! This machine's own addresses and the networks it is on, for the guard.

use std::net::IpAddr;
use sward_proto::address::Prefix;

/// Addresses of the interfaces, and their networks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Addresses of this machine.
    pub own: Vec<IpAddr>,
    /// Networks that it is directly on.
    pub on_link: Vec<Prefix>,
}

impl Surroundings {
    /// Asks the system. Where it does not answer the fixed rules still hold.
    #[must_use]
    pub fn read() -> Self {
        let interfaces = if_addrs::get_if_addrs().unwrap_or_else(|error| {
            tracing::warn!(%error, "this machine's own addresses are not known");
            Vec::new()
        });
        let mut found = Self::default();
        for interface in interfaces {
            if interface.is_loopback() {
                continue;
            }
            found.own.push(interface.ip());
            let length = match &interface.addr {
                if_addrs::IfAddr::V4(v4) => v4.prefixlen,
                if_addrs::IfAddr::V6(v6) => v6.prefixlen,
            };
            found.on_link.push(Prefix::new(interface.ip(), length));
        }
        found
    }
}
