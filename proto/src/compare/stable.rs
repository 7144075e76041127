//! Which blocks of a page can be relied on.
//!
//! Decides which blocks are stable, where nothing is known of the URL yet, and which blocks of a kept copy independent
//! groups attest. Never decides who is independent: the caller counts voices.

use super::block::{Block, BlockList};
use crate::wire::bounds::WireError;
use std::collections::{BTreeMap, BTreeSet};

/// How often each block that is stable stands in every copy of a page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StableBlocks(Option<BTreeMap<Block, usize>>);

impl StableBlocks {
    /// Nothing is known: layer 4 decides only on pages whose blocks are all equal.
    #[must_use]
    pub const fn unknown() -> Self {
        Self(None)
    }

    /// As the profile of the URL or of its template has them.
    #[must_use]
    pub const fn known(counts: BTreeMap<Block, usize>) -> Self {
        Self(Some(counts))
    }

    /// What independent groups share: those blocks that two more of them have than lack, as often as they do. With two
    /// groups that is what both have. A block beside one that they do not share is none of these, since where it ends may
    /// hang on what varies. Only a page that is not among `copies` is held against it.
    #[must_use]
    pub fn shared(copies: &[&BlockList], voices: impl Fn(&[usize]) -> usize) -> Self {
        let mut shared = BTreeMap::new();
        for (block, counts) in with_counts(copies) {
            let most = counts.iter().map(|(_, count)| *count).max().unwrap_or_default();
            let leads = |wanted: &usize| leads(&counts, *wanted, copies.len(), &voices, 2);
            if let Some(count) = (1..=most).rev().find(leads) {
                shared.insert(block, count);
            }
        }
        let beside: BTreeSet<Block> =
            copies.iter().flat_map(|copy| beside_others(copy, &shared)).collect();
        shared.retain(|block, _| !beside.contains(block));
        Self(Some(shared))
    }

    /// The bytes under which they are kept and published: those of a [`BlockList`] with each block as often as it is
    /// stable, in ascending order; none where nothing is known.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let counts = self.0.iter().flatten();
        counts.flat_map(|(block, count)| block.0.repeat(*count)).collect()
    }

    /// The inverse of [`Self::to_bytes`].
    ///
    /// # Errors
    /// [`WireError`] for bytes that are no [`BlockList`], or in another order.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        if bytes.is_empty() {
            return Ok(Self::unknown());
        }
        let list = BlockList::from_bytes(bytes)?;
        if list.blocks().is_sorted() {
            Ok(Self::known(list.counts()))
        } else {
            Err(WireError::invalid("stable", "blocks are not in ascending order"))
        }
    }

    /// Those that are stable here and there; those of `later` where nothing is known here.
    #[must_use]
    pub fn both(&self, later: &Self) -> Self {
        let (Some(before), Some(counts)) = (&self.0, &later.0) else { return later.clone() };
        let least = |(block, count): (&Block, &usize)| {
            before.get(block).map(|known| (*block, *known.min(count)))
        };
        Self(Some(counts.iter().filter_map(least).collect()))
    }

    /// How many blocks are stable, each as often as it is.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().flatten().map(|(_, count)| count).sum()
    }

    /// Whether no block is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The stable blocks; none where nothing is known.
    #[must_use]
    pub const fn counts(&self) -> Option<&BTreeMap<Block, usize>> {
        self.0.as_ref()
    }

    /// How many stable blocks a page lacks; `None` where nothing is known.
    #[must_use]
    pub fn lacking(&self, page: &BlockList) -> Option<usize> {
        let counts = page.counts();
        let lacks = |(block, wanted): (&Block, &usize)| {
            wanted.saturating_sub(counts.get(block).copied().unwrap_or_default())
        };
        self.0.as_ref().map(|stable| stable.iter().map(lacks).sum())
    }
}

/// Whether independent witnesses contradict a page that is not among theirs: it lacks blocks that they share or, where
/// their own pages have the same blocks throughout, has others than they have.
#[must_use]
pub fn contradicts(
    page: &BlockList,
    witnesses: &[&BlockList],
    voices: impl Fn(&[usize]) -> usize,
) -> bool {
    let all: Vec<usize> = (0..witnesses.len()).collect();
    if voices(&all) < 2 {
        return false;
    }
    let counts: Vec<_> = witnesses.iter().map(|witness| witness.counts()).collect();
    if counts.windows(2).all(|pair| pair.first() == pair.last()) {
        return counts.first() != Some(&page.counts());
    }
    StableBlocks::shared(witnesses, voices).lacking(page).is_some_and(|lacking| lacking > 0)
}

/// Which blocks of a kept copy are published under a verdict that rests on less than equal content: those that as many
/// independent groups have as lack them, and `margin` more, so that two hold an undisputed block and no group that
/// differs is outvoted by fewer than it takes to outvote it on a page. `copies` are the blocks of every agreeing copy,
/// the kept one among them; `voices` says how many independent groups some of them (by index) make.
#[must_use]
pub fn attested(
    kept: &BlockList,
    copies: &[&BlockList],
    voices: impl Fn(&[usize]) -> usize,
    margin: usize,
) -> Vec<bool> {
    let counts: BTreeMap<Block, Vec<(usize, usize)>> = with_counts(copies);
    let mut met: BTreeMap<Block, usize> = BTreeMap::new();
    let mut is_attested = |block: &Block| {
        let nth = met.entry(*block).or_default();
        *nth += 1;
        counts.get(block).is_some_and(|c| leads(c, *nth, copies.len(), &voices, margin))
    };
    kept.blocks().iter().map(&mut is_attested).collect()
}

/// Whether some block is held by two independent groups and lacked by others whom they do not outvote by `margin`: then
/// it is open whether the page says that, and one more voice is wanted.
#[must_use]
pub fn is_disputed(
    copies: &[&BlockList],
    voices: impl Fn(&[usize]) -> usize,
    margin: usize,
) -> bool {
    with_counts(copies).values().any(|counts| {
        let most = counts.iter().map(|(_, count)| *count).max().unwrap_or_default();
        (1..=most).any(|wanted| {
            let enough = counts.iter().filter(|(_, count)| *count >= wanted);
            let having: Vec<usize> = enough.map(|(copy, _)| *copy).collect();
            voices(&having) >= 2 && !leads(counts, wanted, copies.len(), &voices, margin)
        })
    })
}

/// The blocks of a copy that stand beside one that is not shared.
fn beside_others<'a>(
    copy: &'a BlockList,
    shared: &'a BTreeMap<Block, usize>,
) -> impl Iterator<Item = Block> + 'a {
    let is_shared = |block: &Block| shared.contains_key(block);
    copy.blocks().windows(2).flat_map(move |pair| match pair {
        [a, b] if !is_shared(a) && is_shared(b) => Some(*b),
        [a, b] if is_shared(a) && !is_shared(b) => Some(*a),
        _ => None,
    })
}

/// For each block, which copies hold it and how often.
fn with_counts(copies: &[&BlockList]) -> BTreeMap<Block, Vec<(usize, usize)>> {
    let mut all: BTreeMap<Block, Vec<(usize, usize)>> = BTreeMap::new();
    for (copy, list) in copies.iter().enumerate() {
        for (block, count) in list.counts() {
            all.entry(block).or_default().push((copy, count));
        }
    }
    all
}

/// Whether those copies that hold a block so often have `margin` more voices than those that do not.
fn leads(
    counts: &[(usize, usize)],
    wanted: usize,
    copies: usize,
    voices: &impl Fn(&[usize]) -> usize,
    margin: usize,
) -> bool {
    let enough = counts.iter().filter(|(_, count)| *count >= wanted);
    let having: Vec<usize> = enough.map(|(copy, _)| *copy).collect();
    let lacking: Vec<usize> = (0..copies).filter(|copy| !having.contains(copy)).collect();
    voices(&having) >= voices(&lacking) + margin
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(blocks: &[u8]) -> BlockList {
        BlockList::new(blocks.iter().map(|n| Block([*n; 8])).collect()).expect("short")
    }

    #[test]
    fn what_two_groups_share_is_stable_for_a_third() {
        let copies =
            [list(&[1, 2, 6, 2, 7, 3]), list(&[1, 2, 6, 2, 7, 4]), list(&[1, 2, 6, 8, 7, 5])];
        let copies: Vec<&BlockList> = copies.iter().collect();
        let two = StableBlocks::shared(&copies[..2], <[usize]>::len);
        // 7 stands beside what they do not share.
        let counts = BTreeMap::from([(Block([1; 8]), 1), (Block([2; 8]), 2), (Block([6; 8]), 1)]);
        assert_eq!(two.counts(), Some(&counts));
        assert_eq!(two.lacking(&list(&[2, 1])), Some(2));
        assert_eq!(two.lacking(&list(&[6, 2, 1, 9, 2])), Some(0));
        // Two have the second 2, one has not: that is no lead of two, and 8 stands beside 6.
        let three = StableBlocks::shared(&copies, <[usize]>::len);
        let counts = BTreeMap::from([(Block([1; 8]), 1), (Block([2; 8]), 1)]);
        assert_eq!(three.counts(), Some(&counts));
        assert_eq!(StableBlocks::unknown().lacking(&list(&[])), None);
        // Two copies of one voice are not two.
        assert_eq!(StableBlocks::shared(&copies, |_| 1).counts(), Some(&BTreeMap::new()));
    }

    #[test]
    fn stable_blocks_have_one_spelling() {
        let stable = StableBlocks::known(list(&[3, 1, 3]).counts());
        let bytes = stable.to_bytes();
        assert_eq!(bytes, list(&[1, 3, 3]).to_bytes());
        assert_eq!(StableBlocks::from_bytes(&bytes), Ok(stable.clone()));
        assert_eq!(StableBlocks::from_bytes(&[]), Ok(StableBlocks::unknown()));
        for wrong in [list(&[3, 1, 3]).to_bytes(), bytes[1..].to_vec(), [7; 8].repeat(257)] {
            assert!(StableBlocks::from_bytes(&wrong).is_err());
        }
        let later = StableBlocks::known(list(&[1, 3, 5]).counts());
        assert_eq!(stable.both(&later).to_bytes(), list(&[1, 3]).to_bytes());
        assert_eq!(StableBlocks::unknown().both(&later), later);
        assert_eq!((stable.len(), later.both(&StableBlocks::unknown()).len()), (3, 0));
    }

    #[test]
    fn witnesses_that_agree_throughout_contradict_what_is_put_in() {
        let (clean, more) = (list(&[1, 2, 3, 4]), list(&[1, 2, 9, 3, 4]));
        let noisy = list(&[1, 2, 3, 5]);
        assert!(contradicts(&more, &[&clean, &clean], <[usize]>::len));
        assert!(!contradicts(&more, &[&clean, &noisy], <[usize]>::len));
        assert!(contradicts(&list(&[7, 2, 9, 4]), &[&clean, &noisy], <[usize]>::len));
        assert!(!contradicts(&clean, &[&clean, &clean], <[usize]>::len));
        assert!(!contradicts(&more, &[&clean, &clean], |_| 1));
    }

    #[test]
    fn only_what_two_groups_attest_is_published() {
        let (a, b, c) = (list(&[1, 2, 2, 3]), list(&[1, 2, 4]), list(&[1, 2, 2, 5]));
        let two = attested(&a, &[&a, &b], <[usize]>::len, 2);
        assert_eq!(two, [true, true, false, false]);
        // A third that differs raises the bar for what it does not have.
        let three = attested(&a, &[&a, &b, &c], <[usize]>::len, 2);
        assert_eq!(three, [true, true, false, false]);
        assert!(is_disputed(&[&a, &b, &c], <[usize]>::len, 2));
        assert!(!is_disputed(&[&a, &b], <[usize]>::len, 2));
        let alone = attested(&a, &[&a, &a], |members| members.len().min(1), 2);
        assert_eq!(alone, [false; 4]);
    }
}
