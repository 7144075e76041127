//! How much work each network and each newcomer has had today.
//!
//! Decides who has had its share: a network behind which several agents work gets no more than the median of those with one
//! agent, so that more keys at one place earn no more; and a newcomer gets a trickle of work that may rest on one agent's word,
//! so that a new name costs a day. Kept in memory only, as it is no one's right; a restart forgets it.

use crate::group::Network;
use crate::trust::replication::PROBATION_A_DAY;
use crate::trust::weight::{self, Claim};
use std::collections::BTreeMap;
use sward_proto::ids::PeerId;
use sward_proto::timestamp::Timestamp;

const DAY_MS: u64 = 24 * 3600 * 1000;
/// Leases after which the median is found anew.
const REFRESH: u32 = 64;

/// Pages that were leased since midnight (UTC).
#[derive(Debug, Default)]
pub(crate) struct Shares {
    day: u64,
    networks: BTreeMap<Network, BTreeMap<PeerId, u64>>,
    newcomers: BTreeMap<PeerId, u32>,
    /// What a network with several agents is given at most, where any network has just one.
    most: Option<u64>,
    /// The median of the day before: the day's first hours say little.
    before: Option<u64>,
    since: u32,
}

impl Shares {
    /// A page is leased.
    pub(crate) fn leased(&mut self, network: Network, agent: PeerId, now: Timestamp) {
        self.turn(now);
        *self.networks.entry(network).or_default().entry(agent).or_default() += 1;
        self.since += 1;
        if self.since >= REFRESH || self.most.is_none() {
            self.refresh();
        }
    }

    /// A page is leased to a newcomer that may come to rest on one agent's word.
    pub(crate) fn trickled(&mut self, newcomer: PeerId, now: Timestamp) {
        self.turn(now);
        *self.newcomers.entry(newcomer).or_default() += 1;
    }

    /// Whether the agents on this network have had what one agent has.
    pub(crate) fn is_spent(&mut self, network: Network, agent: &PeerId, now: Timestamp) -> bool {
        self.turn(now);
        let agents = self.networks.entry(network).or_default();
        if !agents.contains_key(agent) {
            // From now on its network may be one with several.
            agents.insert(*agent, 0);
            self.refresh();
        }
        let most = self.most.max(self.before);
        let agents = self.networks.get(&network).filter(|agents| agents.len() > 1);
        agents.zip(most).is_some_and(|(agents, most)| agents.values().sum::<u64>() >= most)
    }

    /// Whether a newcomer has had its trickle.
    pub(crate) fn is_trickle_spent(&mut self, newcomer: &PeerId, now: Timestamp) -> bool {
        self.turn(now);
        self.newcomers.get(newcomer).is_some_and(|pages| *pages >= PROBATION_A_DAY)
    }

    fn refresh(&mut self) {
        (self.since, self.most) = (0, self.median());
    }

    fn turn(&mut self, now: Timestamp) {
        let day = now.as_millis() / DAY_MS;
        if day != self.day {
            let before = self.median().filter(|_| day == self.day + 1);
            *self = Self { day, before, ..Self::default() };
        }
    }

    fn median(&self) -> Option<u64> {
        let claim = |agents: &BTreeMap<PeerId, u64>| Claim {
            work: agents.values().sum(),
            identities: u32::try_from(agents.len()).unwrap_or(u32::MAX),
        };
        let claims: Vec<Claim> = self.networks.values().map(claim).collect();
        weight::median_alone(&claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;
    use std::time::Duration;

    fn peer(n: u8) -> PeerId {
        let key = SigningKey::from_bytes(&[n; 32]).verifying_key().to_bytes();
        PeerId::from_public_key(key).expect("a key")
    }

    const FARM: Network = Network::V4([198, 51, 100]);

    fn home(n: u8) -> Network {
        Network::V4([192, 0, n])
    }

    #[test]
    fn ten_keys_at_one_place_get_what_one_agent_gets() {
        let (mut shares, mut farmed) = (Shares::default(), 0);
        for round in 0..3000u32 {
            let (who, home_of) = ((round % 10) as u8, (round % 5) as u8);
            if !shares.is_spent(FARM, &peer(20 + who), Timestamp::ZERO) {
                shares.leased(FARM, peer(20 + who), Timestamp::ZERO);
                farmed += 1;
            }
            assert!(!shares.is_spent(home(home_of), &peer(home_of + 1), Timestamp::ZERO));
            shares.leased(home(home_of), peer(home_of + 1), Timestamp::ZERO);
        }
        assert!((560..=600).contains(&farmed), "{farmed}, of 600 that one agent has");
        let tomorrow = Timestamp::ZERO + Duration::from_hours(24);
        assert!(!shares.is_spent(FARM, &peer(20), tomorrow));
    }

    #[test]
    fn where_nobody_is_alone_nobody_is_held_back() {
        let mut shares = Shares::default();
        for round in 0..500u32 {
            let who = peer((round % 4 + 1) as u8);
            assert!(!shares.is_spent(FARM, &who, Timestamp::ZERO));
            // The first of a network is alone until the second comes.
            shares.leased(FARM, who, Timestamp::ZERO);
        }
    }

    #[test]
    fn a_newcomer_has_a_trickle_a_day() {
        let mut shares = Shares::default();
        for _ in 0..PROBATION_A_DAY {
            assert!(!shares.is_trickle_spent(&peer(1), Timestamp::ZERO));
            shares.trickled(peer(1), Timestamp::ZERO);
        }
        assert!(shares.is_trickle_spent(&peer(1), Timestamp::ZERO));
        assert!(!shares.is_trickle_spent(&peer(2), Timestamp::ZERO));
        let tomorrow = Timestamp::ZERO + Duration::from_hours(24);
        assert!(!shares.is_trickle_spent(&peer(1), tomorrow));
    }
}
