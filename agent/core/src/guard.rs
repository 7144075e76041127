//! What this agent never touches, whoever asks.
//!
//! Decides whether a URL, the addresses and canonical names that it resolves to, and each redirect may be dialled. A
//! coordinator cannot change these rules; the owner can only let loopback in, for development. Never resolves, dials or
//! follows anything: the shell dials only addresses that came out of [`Guard::check_answers`].

mod redirect;

pub use redirect::{MAX_REDIRECTS, RedirectDecision};

use std::net::{IpAddr, Ipv6Addr};
use sward_proto::address::{
    AddressKind, NameKind, PORTS, Prefix, literal_address, refusal, refuse_name,
};
use sward_proto::canonical_url::CanonicalUrl;

/// What the guard knows of the machine that it protects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GuardConfig {
    /// The owner's local switch: lets 127.0.0.0/8 and ::1 in, on any port, and nothing else.
    pub developer_loopback: bool,
    /// Addresses of this machine's interfaces, and the public one that its router shows.
    pub own_addresses: Vec<IpAddr>,
    /// Networks that this machine is directly on; with IPv6 their addresses are global like any other.
    pub on_link: Vec<Prefix>,
}

/// Why something is not fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A port other than [`PORTS`].
    #[error("port {0} is not dialled, only 80 and 443")]
    Port(u16),
    /// An address that is not global unicast.
    #[error("address {0} is not on the public internet: {1}")]
    Address(IpAddr, AddressKind),
    /// A host name, or a canonical name behind it, that is not public.
    #[error("name {0:?} is not on the public internet: {1}")]
    Name(String, NameKind),
    /// A name that resolves to nothing.
    #[error("the name has no address")]
    NoAddress,
    /// One of this machine's own addresses.
    #[error("address {0} is this machine's own")]
    OwnAddress(IpAddr),
    /// An address on a network that this machine is on.
    #[error("address {0} is on a network of this machine")]
    OnLink(IpAddr),
    /// A redirect from https to http.
    #[error("redirect from https to {0}, which is not encrypted")]
    Downgrade(CanonicalUrl),
    /// A redirect to where the chain has been.
    #[error("redirect back to {0}")]
    RedirectLoop(CanonicalUrl),
    /// One redirect more than [`MAX_REDIRECTS`].
    #[error("more than {MAX_REDIRECTS} redirects, the next to {0}")]
    TooManyRedirects(CanonicalUrl),
}

/// The rules, with what they know of this machine.
#[derive(Debug, Clone)]
pub struct Guard {
    config: GuardConfig,
}

impl Guard {
    /// Rules for this machine.
    #[must_use]
    pub const fn new(config: GuardConfig) -> Self {
        Self { config }
    }

    /// Replaces what is known of the machine after its network changed. The developer switch stays as it was.
    pub fn update_local(&mut self, own_addresses: Vec<IpAddr>, on_link: Vec<Prefix>) {
        self.config.own_addresses = own_addresses;
        self.config.on_link = on_link;
    }

    /// Whether a URL may be asked for, as far as its text tells: its port, and its host as a literal address or as a
    /// name that is local whatever it resolves to. In developer mode the port of a name is judged with its answers.
    ///
    /// # Errors
    /// [`Refusal`] with the first rule that forbids it.
    pub fn check_url(&self, url: &CanonicalUrl) -> Result<(), Refusal> {
        if let Some(address) = literal_address(url) {
            return self.check_dial(address, url.port());
        }
        self.check_name(url.host().as_str())?;
        if self.config.developer_loopback { Ok(()) } else { check_port(url.port()) }
    }

    /// The addresses that `url`'s host resolved to and that may be dialled: all of them, in their order, or none. One
    /// bad answer condemns the name, since whoever mixes public and private answers means the private one.
    ///
    /// # Errors
    /// [`Refusal`] for the first bad answer, or for an empty list.
    pub fn check_answers(
        &self,
        url: &CanonicalUrl,
        answers: &[IpAddr],
    ) -> Result<Vec<IpAddr>, Refusal> {
        if answers.is_empty() {
            return Err(Refusal::NoAddress);
        }
        answers.iter().try_for_each(|answer| self.check_dial(*answer, url.port()))?;
        Ok(answers.to_vec())
    }

    /// Whether the canonical names (CNAME) that a resolver went through are all public ones.
    ///
    /// # Errors
    /// [`Refusal::Name`] with the first that is not.
    pub fn check_canonical_names(&self, names: &[&str]) -> Result<(), Refusal> {
        names.iter().try_for_each(|name| self.check_name(name))
    }

    fn check_name(&self, name: &str) -> Result<(), Refusal> {
        match refuse_name(name) {
            Some(NameKind::Localhost) if self.config.developer_loopback => Ok(()),
            Some(kind) => Err(Refusal::Name(name.to_owned(), kind)),
            None => Ok(()),
        }
    }

    fn check_dial(&self, address: IpAddr, port: u16) -> Result<(), Refusal> {
        if self.config.developer_loopback && is_loopback(address) {
            return Ok(());
        }
        if let Some(kind) = refusal(address) {
            return Err(Refusal::Address(address, kind));
        }
        if self.config.own_addresses.contains(&address) {
            return Err(Refusal::OwnAddress(address));
        }
        if self.config.on_link.iter().any(|prefix| prefix.contains(address)) {
            return Err(Refusal::OnLink(address));
        }
        check_port(port)
    }
}

impl Refusal {
    /// A word for logs and metrics that stays the same from version to version.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Port(_) => "port",
            Self::Address(..) => "address",
            Self::Name(..) => "name",
            Self::NoAddress => "no_address",
            Self::OwnAddress(_) => "own_address",
            Self::OnLink(_) => "on_link",
            Self::Downgrade(_) => "downgrade",
            Self::RedirectLoop(_) => "redirect_loop",
            Self::TooManyRedirects(_) => "too_many_redirects",
        }
    }
}

/// What developer mode lets in; an IPv6 form of 127.0.0.1 is not among it.
fn is_loopback(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback(),
        IpAddr::V6(v6) => v6 == Ipv6Addr::LOCALHOST,
    }
}

fn check_port(port: u16) -> Result<(), Refusal> {
    if PORTS.contains(&port) { Ok(()) } else { Err(Refusal::Port(port)) }
}
