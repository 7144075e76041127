//! How many independent groups stand behind some results.
//!
//! Decides it from labels that are equal exactly where two results share a payee, a network, an autonomous system or a region,
//! and that tell nothing else of any: a verdict is counted and published with the same labels. Never decides what makes a
//! network.

use serde::{Deserialize, Serialize};

/// Who stands behind one result of a task, as opaque labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Voice {
    /// Equal for equal payees.
    pub payee: u16,
    /// Equal for equal networks.
    pub network: u16,
    /// Equal for equal autonomous systems; `None` where that is not known, or nothing hangs on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asn: Option<u16>,
    /// Equal for equal regions; `None` where that is not known, or nothing hangs on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<u16>,
}

impl Voice {
    /// A voice from nowhere in particular.
    #[must_use]
    pub const fn new(payee: u16, network: u16) -> Self {
        Self { payee, network, asn: None, region: None }
    }

    /// The same, from nowhere in particular.
    #[must_use]
    pub const fn unplaced(self) -> Self {
        Self::new(self.payee, self.network)
    }

    /// Whether the two may be one hand.
    #[must_use]
    pub const fn shared_with(self, other: Self) -> bool {
        self.payee == other.payee || self.network == other.network
    }

    /// The same, where one autonomous system is one hand too: for what only a region vouches for, in which few agents may
    /// be.
    const fn shared_nearby(self, other: Self) -> bool {
        match (self.asn, other.asn) {
            (Some(one), Some(another)) if one == another => true,
            _ => self.shared_with(other),
        }
    }
}

/// How many groups these form: ties chain, so that A with B and B with C make one group of three.
#[must_use]
pub fn count_groups(members: &[Voice]) -> usize {
    count(members, Voice::shared_with)
}

/// How many groups these form where agents of one autonomous system count as one as well, as far as systems are known.
#[must_use]
pub fn count_distant_groups(members: &[Voice]) -> usize {
    count(members, Voice::shared_nearby)
}

fn count(members: &[Voice], shared: fn(Voice, Voice) -> bool) -> usize {
    let mut group: Vec<usize> = (0..members.len()).collect();
    for (i, a) in members.iter().enumerate() {
        for (j, b) in members.iter().enumerate().skip(i + 1) {
            if shared(*a, *b) {
                merge(&mut group, i, j);
            }
        }
    }
    group.sort_unstable();
    group.dedup();
    group.len()
}

fn merge(group: &mut [usize], i: usize, j: usize) {
    let (from, into) = (group.get(j).copied(), group.get(i).copied());
    if let (Some(from), Some(into)) = (from, into) {
        group.iter_mut().filter(|g| **g == from).for_each(|g| *g = into);
    }
}

/// Labels for items: 0 for the first, and for each further one that of the first that equals it, or else the next number.
#[must_use]
pub fn labels<T: PartialEq>(items: &[T]) -> Vec<u16> {
    let (mut known, mut labels): (Vec<&T>, Vec<u16>) = (Vec::new(), Vec::new());
    for item in items {
        let place = known.iter().position(|other| *other == item).unwrap_or_else(|| {
            known.push(item);
            known.len() - 1
        });
        labels.push(u16::try_from(place).unwrap_or(u16::MAX));
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voices(pairs: &[(u16, u16)]) -> Vec<Voice> {
        pairs.iter().map(|(payee, network)| Voice::new(*payee, *network)).collect()
    }

    #[test]
    fn ties_chain() {
        assert_eq!(count_groups(&voices(&[(0, 0), (1, 0)])), 1);
        assert_eq!(count_groups(&voices(&[(0, 0), (1, 1), (0, 1)])), 1);
        assert_eq!(count_groups(&voices(&[(0, 0), (1, 1), (2, 2)])), 3);
        assert_eq!(count_groups(&[]), 0);
    }

    #[test]
    fn agents_of_one_system_are_one_group_of_their_region() {
        let of = |n: u16, asn| Voice { asn, ..Voice::new(n, n) };
        let both = [of(0, Some(0)), of(1, Some(0))];
        assert_eq!((count_groups(&both), count_distant_groups(&both)), (2, 1));
        let unknown = [of(0, None), of(1, None), of(2, Some(0))];
        assert_eq!(count_distant_groups(&unknown), 3);
    }

    #[test]
    fn labels_are_numbered_as_they_come() {
        assert_eq!(labels(&["b", "a", "b", "c"]), [0, 1, 0, 2]);
        assert_eq!(labels(&[0u16, 1, 0, 2]), [0, 1, 0, 2]);
    }
}
