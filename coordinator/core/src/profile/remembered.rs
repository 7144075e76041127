//! Of which URLs of a host the stable blocks are kept.
//!
//! Decides which, and where each lies: of a small site all, of a larger one those with the least fingerprints. These are the
//! same at every visit; were the newest kept, a site that is fetched again in the same order would have forgotten each page
//! just before its turn. The blocks themselves are in the index ([`crate::record::blocks`]), and only of pages that were
//! agreed on in part, since no other needs them.

use crate::record::seen::Fingerprint;
use crate::settlement::Settlement;
use serde::{Deserialize, Serialize};
use sward_proto::compare::block::BlockList;
use sward_proto::compare::stable::StableBlocks;
use sward_proto::quorum::finding::Finding;
use sward_proto::quorum::voice::{Voice, count_groups};

/// URLs of one host whose stable blocks are kept, up to 2 KiB each on disk.
pub const URLS: usize = 32;

/// The place of one URL's blocks among those of its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Slot(pub u8);

/// The URLs of one host whose blocks are kept, each at the number of its place.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Remembered(Vec<Fingerprint>);

impl Remembered {
    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Where a URL's blocks lie.
    #[must_use]
    pub fn slot(&self, url: Fingerprint) -> Option<Slot> {
        slot(self.0.iter().position(|known| *known == url)?)
    }

    /// Where a URL's blocks are to lie from now on, if they are to be kept.
    pub fn keep(&mut self, url: Fingerprint) -> Option<Slot> {
        if let Some(known) = self.slot(url) {
            return Some(known);
        }
        if self.0.len() < URLS {
            self.0.push(url);
            return slot(self.0.len() - 1);
        }
        let (place, greatest) = self.0.iter_mut().enumerate().max_by_key(|(_, known)| **known)?;
        if *greatest < url {
            return None;
        }
        *greatest = url;
        slot(place)
    }
}

fn slot(place: usize) -> Option<Slot> {
    u8::try_from(place).ok().map(Slot)
}

/// The stable blocks of a page that was accepted in part: those that its independent groups share and that were stable
/// before. Where fewer than half of those are left, the page was made anew, and only the newest visit counts. `None` for any
/// other settlement.
#[must_use]
pub fn stable_after(settlement: &Settlement) -> Option<StableBlocks> {
    settlement
        .page
        .as_ref()
        .filter(|_| settlement.layer.is_some_and(|layer| layer.is_partial()))?;
    let mut voices: Vec<Voice> = Vec::new();
    let mut copies: Vec<BlockList> = Vec::new();
    for result in settlement.results.iter().filter(|result| result.finding == Finding::Agreed) {
        voices.push(result.origin.as_ref()?.voice);
        copies.push(BlockList::from_bytes(&result.blocks).ok()?);
    }
    let copies: Vec<&BlockList> = copies.iter().collect();
    let groups = |some: &[usize]| {
        let some: Vec<Voice> = some.iter().filter_map(|n| voices.get(*n)).copied().collect();
        count_groups(&some)
    };
    let shared = StableBlocks::shared(&copies, groups);
    let before = StableBlocks::from_bytes(&settlement.stable).ok()?;
    let both = before.both(&shared);
    let stable = if both.len() * 2 >= shared.len() && !both.is_empty() { both } else { shared };
    (!stable.is_empty()).then_some(stable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::seen::SeenKey;
    use std::collections::BTreeSet;

    proptest::proptest! {
        /// Against a sorted set: the least are kept, each in its own place.
        #[test]
        fn the_same_ones_are_kept(visits in proptest::collection::vec(0u8..80, 0..200)) {
            let print = |n: &u8| {
                SeenKey([1; 32]).fingerprint(&format!("http://a.example/{n}").parse().expect("a url"))
            };
            let (mut kept, mut met) = (Remembered::new(), BTreeSet::new());
            for visit in visits {
                met.insert(print(&visit));
                let slot = kept.keep(print(&visit));
                proptest::prop_assert_eq!(kept.slot(print(&visit)), slot);
            }
            let least: BTreeSet<Fingerprint> = met.into_iter().take(URLS).collect();
            let all: BTreeSet<Fingerprint> = kept.0.iter().copied().collect();
            proptest::prop_assert_eq!(least, all);
        }
    }
}
