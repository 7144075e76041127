//! Which addresses and host names lie on the public internet.
//!
//! Decides by the IANA special-purpose registries (RFC 6890, RFC 8190) whether an address is global unicast, by the
//! special-use domain names whether a host name can be public at all, and which ports are the web's. An IPv6 address
//! that carries an IPv4 address is never public, and the reason is the carried address's own where it has one. Never
//! resolves a name, and knows nothing of the networks that this machine is on: that is the agent's guard.

use crate::canonical_url::CanonicalUrl;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::Host;

/// Why an address is not global unicast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum AddressKind {
    /// `0.0.0.0/8` (RFC 791), `::` (RFC 4291).
    #[error("unspecified, this network")]
    Unspecified,
    /// `127.0.0.0/8` (RFC 1122), `::1` (RFC 4291).
    #[error("loopback")]
    Loopback,
    /// `10.0.0.0/8`, `172.16.0.0/12`, `192.168.0.0/16` (RFC 1918).
    #[error("private")]
    Private,
    /// `100.64.0.0/10`, behind a carrier's NAT (RFC 6598).
    #[error("shared by a carrier's customers")]
    Shared,
    /// `169.254.0.0/16` (RFC 3927), `fe80::/10` (RFC 4291); cloud metadata services too.
    #[error("link-local")]
    LinkLocal,
    /// `192.0.0.0/24` (RFC 6890), `2001::/23` (RFC 2928), `5f00::/16` (RFC 9602).
    #[error("reserved for ietf protocols")]
    Protocol,
    /// `192.0.2.0/24`, `198.51.100.0/24`, `203.0.113.0/24` (RFC 5737), `2001:db8::/32` (RFC 3849), `3fff::/20`
    /// (RFC 9637).
    #[error("for documentation")]
    Documentation,
    /// `198.18.0.0/15` (RFC 2544), `2001:2::/48` (RFC 5180).
    #[error("for benchmarking")]
    Benchmarking,
    /// `224.0.0.0/4` (RFC 5771), `ff00::/8` (RFC 4291).
    #[error("multicast")]
    Multicast,
    /// `255.255.255.255` (RFC 919).
    #[error("broadcast")]
    Broadcast,
    /// `240.0.0.0/4` (RFC 1112), and all of IPv6 outside of `2000::/3` (RFC 4291) that has no other name.
    #[error("reserved")]
    Reserved,
    /// `168.63.129.16`, which Azure answers for each virtual machine's own host.
    #[error("a cloud platform's own service")]
    Platform,
    /// `fc00::/7` (RFC 4193).
    #[error("unique local")]
    UniqueLocal,
    /// `fec0::/10` (RFC 3879).
    #[error("site-local")]
    SiteLocal,
    /// `100::/64` (RFC 6666), `100:0:0:1::/64` (RFC 9780).
    #[error("discard-only")]
    Discard,
    /// IPv4 in IPv6, or its relays: mapped and compatible (RFC 4291), translated (RFC 2765), NAT64 (RFC 6052,
    /// RFC 8215), 6to4 (RFC 3056) and its relays `192.88.99.0/24` (RFC 7526), Teredo (RFC 4380), ISATAP (RFC 5214).
    #[error("a form of ipv4 in ipv6")]
    Transition,
}

/// Why a host name cannot be a public one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum NameKind {
    /// No name at all, or nothing but dots.
    #[error("empty")]
    Empty,
    /// `localhost` or a name under it (RFC 6761).
    #[error("this machine")]
    Localhost,
    /// A name without a dot, which a resolver completes with the local search list.
    #[error("of a single label")]
    SingleLabel,
    /// Under a suffix that the public DNS does not delegate: one of [`LOCAL_SUFFIXES`].
    #[error("under a suffix that is not public")]
    LocalSuffix,
}

/// Why a URL's host is not a public one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotPublic {
    /// Its host is an address.
    #[error("address {0} is not public: {1}")]
    Address(IpAddr, AddressKind),
    /// Its host is a name.
    #[error("name {0:?} is not public: {1}")]
    Name(String, NameKind),
}

/// The only ports that are fetched from: HTTP's and HTTPS's own (RFC 9110 section 4.2).
pub const PORTS: [u16; 2] = [80, 443];

/// Suffixes that lead to local networks: `local` (RFC 6762), `home.arpa` (RFC 8375), `internal` (ICANN, 2024), `onion`
/// (RFC 7686), `alt` (RFC 9476); those that RFC 6762 appendix G lists as used in private networks; and `localdomain`, a
/// common default of resolvers.
pub const LOCAL_SUFFIXES: [&str; 11] = [
    "local",
    "home.arpa",
    "internal",
    "onion",
    "alt",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "localdomain",
];

/// The addresses that agree with one address in its first bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prefix {
    address: IpAddr,
    length: u8,
}

impl Prefix {
    /// The prefix of `length` bits; a greater length than the address has bits means that address alone.
    #[must_use]
    pub const fn new(address: IpAddr, length: u8) -> Self {
        Self { address, length }
    }

    /// Whether `address` lies within; an address of the other family never does.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(prefix), IpAddr::V4(address)) => {
                let differing = prefix.to_bits() ^ address.to_bits();
                differing.leading_zeros() >= u32::from(self.length.min(32))
            }
            (IpAddr::V6(prefix), IpAddr::V6(address)) => {
                let differing = prefix.to_bits() ^ address.to_bits();
                differing.leading_zeros() >= u32::from(self.length.min(128))
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

/// Why `address` is not global unicast; none where it is.
#[must_use]
pub fn refusal(address: IpAddr) -> Option<AddressKind> {
    match address {
        IpAddr::V4(_) => listed(address),
        IpAddr::V6(v6) => {
            if v6.is_unspecified() || v6.is_loopback() {
                return listed(address);
            }
            let carried = carried(v6);
            let outside = (!GLOBAL_UNICAST.contains(address)).then_some(AddressKind::Reserved);
            (carried.iter().flatten().find_map(|v4| listed(IpAddr::V4(*v4))))
                .or_else(|| carried.iter().flatten().next().map(|_| AddressKind::Transition))
                .or_else(|| listed(address))
                .or(outside)
        }
    }
}

/// Why a host name cannot be public, whatever it resolves to; none where it can. Takes any case and a final dot.
#[must_use]
pub fn refuse_name(name: &str) -> Option<NameKind> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let is_under = |suffix: &str| {
        name.strip_suffix(suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    if name.is_empty() {
        Some(NameKind::Empty)
    } else if is_under("localhost") {
        Some(NameKind::Localhost)
    } else if !name.contains('.') {
        Some(NameKind::SingleLabel)
    } else if LOCAL_SUFFIXES.iter().any(|suffix| is_under(suffix)) {
        Some(NameKind::LocalSuffix)
    } else {
        None
    }
}

/// The address that a URL's host is written as, in whatever spelling; none where the host is a name.
#[must_use]
pub fn literal_address(url: &CanonicalUrl) -> Option<IpAddr> {
    match url.parsed_host()? {
        Host::Ipv4(v4) => Some(IpAddr::V4(v4)),
        Host::Ipv6(v6) => Some(IpAddr::V6(v6)),
        Host::Domain(_) => None,
    }
}

/// Why a URL's host is not public as it stands there, before any name is resolved; none where it may be.
#[must_use]
pub fn refuse_host(url: &CanonicalUrl) -> Option<NotPublic> {
    if let Some(address) = literal_address(url) {
        return refusal(address).map(|kind| NotPublic::Address(address, kind));
    }
    let host = url.host();
    refuse_name(host.as_str()).map(|kind| NotPublic::Name(host.as_str().to_owned(), kind))
}

/// The only part of IPv6 that IANA allocates from (RFC 4291 section 2.4 and the IANA address space registry).
const GLOBAL_UNICAST: Prefix = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// The IANA special-purpose address registries of IPv4 and IPv6, without the blocks that are globally reachable
/// (AS112, AMT); where one lies within another, the narrower stands first.
const SPECIAL: [(Prefix, AddressKind); 32] = [
    (v4([0, 0, 0, 0], 8), AddressKind::Unspecified),
    (v4([10, 0, 0, 0], 8), AddressKind::Private),
    (v4([100, 64, 0, 0], 10), AddressKind::Shared),
    (v4([127, 0, 0, 0], 8), AddressKind::Loopback),
    (v4([168, 63, 129, 16], 32), AddressKind::Platform),
    (v4([169, 254, 0, 0], 16), AddressKind::LinkLocal),
    (v4([172, 16, 0, 0], 12), AddressKind::Private),
    (v4([192, 0, 0, 0], 24), AddressKind::Protocol),
    (v4([192, 0, 2, 0], 24), AddressKind::Documentation),
    (v4([192, 88, 99, 0], 24), AddressKind::Transition),
    (v4([192, 168, 0, 0], 16), AddressKind::Private),
    (v4([198, 18, 0, 0], 15), AddressKind::Benchmarking),
    (v4([198, 51, 100, 0], 24), AddressKind::Documentation),
    (v4([203, 0, 113, 0], 24), AddressKind::Documentation),
    (v4([224, 0, 0, 0], 4), AddressKind::Multicast),
    (v4([255, 255, 255, 255], 32), AddressKind::Broadcast),
    (v4([240, 0, 0, 0], 4), AddressKind::Reserved),
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 128), AddressKind::Unspecified),
    (v6([0, 0, 0, 0, 0, 0, 0, 1], 128), AddressKind::Loopback),
    (v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64), AddressKind::Discard),
    (v6([0x100, 0, 0, 1, 0, 0, 0, 0], 64), AddressKind::Discard),
    (v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48), AddressKind::Transition),
    (v6([0x2001, 2, 0, 0, 0, 0, 0, 0], 48), AddressKind::Benchmarking),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), AddressKind::Protocol),
    (v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), AddressKind::Documentation),
    (v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), AddressKind::Transition),
    (v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), AddressKind::Documentation),
    (v6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16), AddressKind::Protocol),
    (v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), AddressKind::UniqueLocal),
    (v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), AddressKind::LinkLocal),
    (v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10), AddressKind::SiteLocal),
    (v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), AddressKind::Multicast),
];

const fn v4([a, b, c, d]: [u8; 4], length: u8) -> Prefix {
    Prefix::new(IpAddr::V4(Ipv4Addr::new(a, b, c, d)), length)
}

const fn v6([a, b, c, d, e, f, g, h]: [u16; 8], length: u8) -> Prefix {
    Prefix::new(IpAddr::V6(Ipv6Addr::new(a, b, c, d, e, f, g, h)), length)
}

fn listed(address: IpAddr) -> Option<AddressKind> {
    SPECIAL.iter().find(|(prefix, _)| prefix.contains(address)).map(|(_, kind)| *kind)
}

/// The IPv4 addresses that an IPv6 address carries, in any form that some system would unwrap and dial.
fn carried(address: Ipv6Addr) -> [Option<Ipv4Addr>; 2] {
    let join = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        // Compatible, mapped, translated; NAT64 with the well-known prefix and with the local one, which may place the
        // address elsewhere too (RFC 6052 section 2.2) but is refused whole.
        [0, 0, 0, 0, 0, 0, high, low]
        | [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x64, 0xff9b, 1, _, _, _, high, low] => [Some(join(high, low)), None],
        [0x2002, high, low, ..] => [Some(join(high, low)), None],
        // Teredo: the server, and the client with all bits inverted.
        [0x2001, 0, server_high, server_low, _, _, high, low] => {
            [Some(join(!high, !low)), Some(join(server_high, server_low))]
        }
        // ISATAP: any prefix, the universal bit of the interface identifier set or not.
        [_, _, _, _, 0 | 0x200, 0x5efe, high, low] => [Some(join(high, low)), None],
        _ => [None, None],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kind(address: &str) -> Option<AddressKind> {
        refusal(address.parse().expect(address))
    }

    #[test]
    fn every_block_has_its_edges() {
        use AddressKind::*;
        for (first, last, expected) in [
            ("0.0.0.0", "0.255.255.255", Unspecified),
            ("10.0.0.0", "10.255.255.255", Private),
            ("100.64.0.0", "100.127.255.255", Shared),
            ("127.0.0.0", "127.255.255.255", Loopback),
            ("169.254.0.0", "169.254.255.255", LinkLocal),
            ("172.16.0.0", "172.31.255.255", Private),
            ("192.0.0.0", "192.0.0.255", Protocol),
            ("192.0.2.0", "192.0.2.255", Documentation),
            ("192.88.99.0", "192.88.99.255", Transition),
            ("192.168.0.0", "192.168.255.255", Private),
            ("198.18.0.0", "198.19.255.255", Benchmarking),
            ("198.51.100.0", "198.51.100.255", Documentation),
            ("203.0.113.0", "203.0.113.255", Documentation),
            ("224.0.0.0", "239.255.255.255", Multicast),
            ("240.0.0.0", "255.255.255.254", Reserved),
            ("255.255.255.255", "255.255.255.255", Broadcast),
            ("168.63.129.16", "168.63.129.16", Platform),
            ("100::", "100::ffff:ffff:ffff:ffff", Discard),
            ("100:0:0:1::", "100:0:0:1::9", Discard),
            ("2001:2::", "2001:2:0:ffff::", Benchmarking),
            ("2001:1::1", "2001:1ff:ffff::", Protocol),
            ("2001:db8::", "2001:db8:ffff::1", Documentation),
            ("3fff::", "3fff:fff:ffff::", Documentation),
            ("5f00::", "5f00:ffff::1", Protocol),
            ("fc00::", "fdff:ffff::", UniqueLocal),
            ("fe80::", "febf:ffff::1", LinkLocal),
            ("fec0::", "feff:ffff::1", SiteLocal),
            ("ff00::", "ffff:ffff::1", Multicast),
            ("4000::", "5eff:ffff::1", Reserved),
            ("64:ff9b::808:808", "64:ff9b:1::808:808", Transition),
            ("::808:808", "::ffff:808:808", Transition),
            ("2001:0:808:808::f7f7:f7f7", "2002:808:808::1", Transition),
            ("::", "::", Unspecified),
            ("::1", "::1", Loopback),
        ] {
            assert_eq!(
                (kind(first), kind(last)),
                (Some(expected), Some(expected)),
                "{first} {last}"
            );
        }
    }

    #[test]
    fn what_lies_beside_the_blocks_is_public() {
        for address in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "168.63.129.17",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "203.0.114.0",
            "223.255.255.255",
            "2001:200::",
            "2001:db7:ffff::",
            "2001:db9::",
            "2003::",
            "2606:4700::1111",
            "2620:4f:8000::1",
            "3ffe::",
        ] {
            assert_eq!(kind(address), None, "{address}");
        }
    }

    #[test]
    fn local_names_are_refused_in_every_spelling() {
        for (name, expected) in [
            ("localhost", NameKind::Localhost),
            ("LOCALHOST.", NameKind::Localhost),
            ("a.localhost", NameKind::Localhost),
            ("router", NameKind::SingleLabel),
            ("router.", NameKind::SingleLabel),
            ("printer.local", NameKind::LocalSuffix),
            ("nas.home.arpa.", NameKind::LocalSuffix),
            ("metadata.google.internal", NameKind::LocalSuffix),
            ("x.Onion", NameKind::LocalSuffix),
            ("", NameKind::Empty),
            ("..", NameKind::Empty),
            ("home.arpa", NameKind::LocalSuffix),
            ("box.lan", NameKind::LocalSuffix),
        ] {
            assert_eq!(refuse_name(name), Some(expected), "{name}");
        }
        for name in [
            "example.org",
            "example.org.",
            "notlocalhost.org",
            "mylocal.example",
            "local.example",
            "a.arpa",
        ] {
            assert_eq!(refuse_name(name), None, "{name}");
        }
    }

    #[test]
    fn a_prefix_is_of_one_family_and_any_length() {
        let all = Prefix::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
        assert!(
            all.contains(IpAddr::V4(Ipv4Addr::BROADCAST))
                && !all.contains(IpAddr::V6(Ipv6Addr::LOCALHOST))
        );
        let one = Prefix::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 200);
        assert!(
            one.contains(IpAddr::V4(Ipv4Addr::LOCALHOST))
                && !one.contains(IpAddr::V4(Ipv4Addr::BROADCAST))
        );
    }

    proptest! {
        #[test]
        fn no_carried_address_is_public_and_a_special_one_gives_its_reason(bits: u32, network: u64) {
            let v4 = Ipv4Addr::from_bits(bits);
            let [high, low] = [(bits >> 16) as u16, bits as u16];
            let wide = u128::from(bits);
            let isatap = u128::from(network) << 64 | 0x5efe << 32 | wide;
            for v6 in [
                v4.to_ipv6_mapped(),
                Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
                Ipv6Addr::new(0x2001, 0, 0x808, 0x808, 0, 0, !high, !low),
                Ipv6Addr::from_bits(isatap),
                Ipv6Addr::from_bits(isatap | 0x200 << 48),
            ] {
                let reason = refusal(IpAddr::V6(v6));
                prop_assert!(reason.is_some(), "{}", v6);
                if let Some(expected) = listed(IpAddr::V4(v4)) {
                    prop_assert_eq!(reason, Some(expected), "{}", v6);
                }
            }
            prop_assert!(refusal(IpAddr::V6(Ipv6Addr::from_bits(wide))).is_some());
        }
    }
}
