//! Who fetched the same pages as whom of late.
//!
//! Decides whether two agents meet too often for their agreement to say much: friends who are drawn together again and again
//! could vouch for each other. Kept in memory only, as it is a preference; a restart forgets it.

use std::collections::{BTreeMap, VecDeque};
use sward_proto::ids::PeerId;

/// Meetings remembered for each agent. In a network of no more agents than that, nobody meets too often: it knows no better.
const REMEMBERED: usize = 16;
/// So many of them with one other are never too many.
const ALWAYS_ALLOWED: usize = 4;
/// Otherwise, so many times what chance would give.
const TIMES_EXPECTED: usize = 3;

/// The last meetings of each agent.
#[derive(Debug, Default)]
pub(crate) struct Meetings(BTreeMap<PeerId, VecDeque<PeerId>>);

impl Meetings {
    /// Two agents fetch the same page.
    pub(crate) fn record(&mut self, one: PeerId, other: PeerId) {
        for (one, other) in [(one, other), (other, one)] {
            let met = self.0.entry(one).or_default();
            if met.len() >= REMEMBERED {
                met.pop_front();
            }
            met.push_back(other);
        }
    }

    /// Whether the two have met too often, where `agents` can be drawn.
    pub(crate) fn too_often(&self, one: &PeerId, other: &PeerId, agents: usize) -> bool {
        let met = |one, other| {
            self.0.get(one).map_or(0, |met| met.iter().filter(|met| *met == other).count())
        };
        let expected = REMEMBERED.div_ceil(agents.saturating_sub(1).max(1));
        let allowed = ALWAYS_ALLOWED.max(TIMES_EXPECTED * expected);
        agents > REMEMBERED && met(one, other).max(met(other, one)) >= allowed
    }

    /// An agent has left.
    pub(crate) fn forget(&mut self, agent: &PeerId) {
        self.0.remove(agent);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;

    fn peer(n: u8) -> PeerId {
        let key = SigningKey::from_bytes(&[n; 32]).verifying_key().to_bytes();
        PeerId::from_public_key(key).expect("a key")
    }

    #[test]
    fn a_pair_is_parted_in_a_crowd_and_not_among_three() {
        let (a, b, c) = (peer(1), peer(2), peer(3));
        let mut meetings = Meetings::default();
        for meeting in 0..REMEMBERED {
            let enough = meeting >= ALWAYS_ALLOWED;
            assert_eq!(meetings.too_often(&a, &b, 100), enough, "after {meeting} meetings");
            assert!(!meetings.too_often(&a, &b, 3));
            meetings.record(b, a);
        }
        assert!(!meetings.too_often(&a, &c, 100));
        for _ in 0..REMEMBERED {
            meetings.record(a, c);
            meetings.record(b, c);
        }
        assert!(!meetings.too_often(&a, &b, 100), "long ago");
        meetings.record(a, b);
        meetings.forget(&a);
        assert!(!meetings.too_often(&a, &b, 100));
    }
}
