//! Who counts as one voice.
//!
//! Decides independence: agents with one payee, or behind one IPv4 /24 or IPv6 /48, are one group, however many keys they
//! hold. Keeps also from which autonomous system and region each dials, as the operator's files say. Never decides how groups
//! vote.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use sward_proto::ids::Payee;
use sward_proto::quorum::voice::{self, Voice, labels};
use sward_proto::region::Region;
use sward_proto::timestamp::Timestamp;

/// The network that an agent dials from, as coarse as one household or one rack can be expected to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Network {
    /// An IPv4 /24.
    V4([u8; 3]),
    /// An IPv6 /48.
    V6([u8; 6]),
}

impl From<IpAddr> for Network {
    fn from(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(v4) => {
                let [a, b, c, _] = v4.octets();
                Self::V4([a, b, c])
            }
            IpAddr::V6(v6) => {
                let [a, b, c, d, e, f, ..] = v6.octets();
                Self::V6([a, b, c, d, e, f])
            }
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4([a, b, c]) => write!(f, "{a}.{b}.{c}.0/24"),
            Self::V6([a, b, c, d, e, g]) => {
                let prefix = Ipv6Addr::from([*a, *b, *c, *d, *e, *g, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
                write!(f, "{prefix}/48")
            }
        }
    }
}

/// Agents that joined within one hour (UTC). A farm is set up in one go; so are neighbours, by chance: this makes no group,
/// but a replica is rather given to somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cohort(u64);

impl Cohort {
    /// The cohort of who joined then.
    #[must_use]
    pub const fn of(enrolled_at: Timestamp) -> Self {
        Self(enrolled_at.as_secs() / 3600)
    }
}

/// A network operator's number (RFC 1930). It is told to nobody; a verdict has labels in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Asn(pub u32);

/// What the operator's files say of an address; nothing where there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Whereabouts {
    /// Its autonomous system.
    pub asn: Option<Asn>,
    /// Its region.
    pub region: Option<Region>,
}

/// What ties an agent to others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ties {
    /// Who is paid.
    pub payee: Payee,
    /// Where it dials from.
    pub network: Network,
    /// What is known of that place. It ties nobody, and counts where a region has a variant.
    pub whereabouts: Whereabouts,
}

impl Ties {
    /// Whether the two may be one hand.
    #[must_use]
    pub fn shared_with(&self, other: &Self) -> bool {
        self.payee == other.payee || self.network == other.network
    }
}

/// Labels for these agents' payees and networks, in their order: with these a verdict is counted, and published.
#[must_use]
pub fn voices(members: &[&Ties]) -> Vec<Voice> {
    let payees: Vec<&Payee> = members.iter().map(|ties| &ties.payee).collect();
    let networks: Vec<Network> = members.iter().map(|ties| ties.network).collect();
    let pairs = labels(&payees).into_iter().zip(labels(&networks));
    let places = labels_of_known(members, |place| place.asn)
        .into_iter()
        .zip(labels_of_known(members, |place| place.region));
    pairs
        .zip(places)
        .map(|((payee, network), (asn, region))| Voice { payee, network, asn, region })
        .collect()
}

/// Labels numbered among those of whom it is known.
fn labels_of_known<T: PartialEq>(
    members: &[&Ties],
    of: fn(&Whereabouts) -> Option<T>,
) -> Vec<Option<u16>> {
    let all: Vec<Option<T>> = members.iter().map(|ties| of(&ties.whereabouts)).collect();
    let known: Vec<&T> = all.iter().flatten().collect();
    let mut numbers = labels(&known).into_iter();
    all.iter().map(|one| one.as_ref().and_then(|_| numbers.next())).collect()
}

/// How many groups these agents form: ties chain, so that A with B and B with C make one group of three.
#[must_use]
pub fn count_groups(members: &[&Ties]) -> usize {
    voice::count_groups(&voices(members))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ties(payee: &str, ip: &str) -> Ties {
        let ip: IpAddr = ip.parse().expect("an address");
        let whereabouts = Whereabouts::default();
        Ties { payee: payee.parse().expect("a payee"), network: ip.into(), whereabouts }
    }

    #[test]
    fn neighbours_and_accounts_are_one_voice() {
        let a = ties("ann", "192.0.2.1");
        let b = ties("bob", "192.0.2.200");
        let c = ties("bob", "198.51.100.1");
        let d = ties("dan", "2001:db8:1::1");
        let e = ties("eve", "2001:db8:1:ffff::1");
        let f = ties("fay", "2001:db8:2::1");
        assert_eq!(count_groups(&[&a, &b]), 1);
        assert_eq!(count_groups(&[&a, &b, &c]), 1);
        assert_eq!(count_groups(&[&a, &c, &d]), 3);
        assert_eq!(count_groups(&[&d, &e, &f]), 2);
        assert_eq!(count_groups(&[]), 0);
    }

    #[test]
    fn labels_tell_whether_two_are_in_one_place_and_nothing_more() {
        let at = |ip, asn: Option<u32>, region: Option<&str>| {
            let region = region.map(|code| code.parse().expect("a region"));
            Ties { whereabouts: Whereabouts { asn: asn.map(Asn), region }, ..ties(ip, ip) }
        };
        let a = at("192.0.2.1", None, Some("SE"));
        let b = at("198.51.100.1", Some(64_500), Some("JP"));
        let c = at("203.0.113.1", Some(64_499), Some("SE"));
        let labels: Vec<_> =
            voices(&[&a, &b, &c]).iter().map(|voice| (voice.asn, voice.region)).collect();
        assert_eq!(labels, [(None, Some(0)), (Some(0), Some(1)), (Some(1), Some(0))]);
    }

    #[test]
    fn a_mapped_address_is_its_ipv4_network() {
        assert_eq!(ties("a", "::ffff:192.0.2.9").network, ties("a", "192.0.2.1").network);
        assert_eq!(ties("a", "192.0.2.9").network.to_string(), "192.0.2.0/24");
    }
}
