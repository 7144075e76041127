//! How many independent groups stand behind some results.
//!
//! Decides it from labels that are equal exactly where two results share a payee or a network, and that tell nothing else
//! of either: a verdict is counted and published with the same labels. Never decides what makes a network.

use serde::{Deserialize, Serialize};

/// Who stands behind one result of a task, as opaque labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Voice {
    /// Equal for equal payees.
    pub payee: u16,
    /// Equal for equal networks.
    pub network: u16,
}

impl Voice {
    /// Whether the two may be one hand.
    #[must_use]
    pub const fn shared_with(self, other: Self) -> bool {
        self.payee == other.payee || self.network == other.network
    }
}

/// How many groups these form: ties chain, so that A with B and B with C make one group of three.
#[must_use]
pub fn count_groups(members: &[Voice]) -> usize {
    let mut group: Vec<usize> = (0..members.len()).collect();
    for (i, a) in members.iter().enumerate() {
        for (j, b) in members.iter().enumerate().skip(i + 1) {
            if a.shared_with(*b) {
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
        pairs.iter().map(|(payee, network)| Voice { payee: *payee, network: *network }).collect()
    }

    #[test]
    fn ties_chain() {
        assert_eq!(count_groups(&voices(&[(0, 0), (1, 0)])), 1);
        assert_eq!(count_groups(&voices(&[(0, 0), (1, 1), (0, 1)])), 1);
        assert_eq!(count_groups(&voices(&[(0, 0), (1, 1), (2, 2)])), 3);
        assert_eq!(count_groups(&[]), 0);
    }

    #[test]
    fn labels_are_numbered_as_they_come() {
        assert_eq!(labels(&["b", "a", "b", "c"]), [0, 1, 0, 2]);
        assert_eq!(labels(&[0u16, 1, 0, 2]), [0, 1, 0, 2]);
    }
}
