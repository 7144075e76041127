//! How near honest copies of a template's pages were to each other.
//!
//! Decides the threshold that follows: the first percentile (research on validation, section B2), in a histogram of a few
//! dozen bytes that forgets. Never decides which figures are honest ones.

use serde::{Deserialize, Serialize};
use sward_proto::compare::limits::{JACCARD, LEAST_JACCARD};

/// Thousandths in one band.
const WIDTH: u16 = 25;
/// Bands from [`LEAST_JACCARD`] to a thousand.
const BANDS: usize = 20;
/// No threshold is learnt from fewer figures: the first percentile is then the least of them.
const LEAST_FIGURES: u32 = 100;
/// With so many figures all bands are halved.
const MEMORY: u32 = 512;
/// Groups that are remembered for a low figure; with more, none is counted until the bands are halved.
const LOW_GROUPS: usize = 16;

/// Jaccard figures of pairs, in thousandths.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Bands {
    counts: [u16; BANDS],
    /// Groups with a part in a figure below [`JACCARD`] since the bands were halved.
    low: Vec<u32>,
}

impl Bands {
    /// Adds the figure of two groups' copies. Below [`JACCARD`], where the threshold starts, each group counts once until
    /// the bands are halved: nobody alone can lower the threshold beyond its start, however many pages it has a part in.
    pub fn add(&mut self, figure: u16, groups: [u32; 2]) {
        if figure < JACCARD {
            let again = groups.iter().any(|group| self.low.contains(group));
            if again || self.low.len() >= LOW_GROUPS {
                return;
            }
            self.low.extend(groups);
        }
        let band = usize::from(figure.saturating_sub(LEAST_JACCARD) / WIDTH).min(BANDS - 1);
        if let Some(count) = self.counts.get_mut(band) {
            *count = count.saturating_add(1);
        }
        if self.figures() >= MEMORY {
            self.counts.iter_mut().for_each(|count| *count /= 2);
            self.low.clear();
        }
    }

    /// How many figures count.
    #[must_use]
    pub fn figures(&self) -> u32 {
        self.counts.iter().map(|count| u32::from(*count)).sum()
    }

    /// The threshold; `None` from too few figures. It lies a band below the one with the first percentile: figures below a
    /// threshold are seldom learnt, so that one without slack would rise a little each time it is learnt. The slack alone
    /// takes none below [`JACCARD`].
    #[must_use]
    pub fn threshold(&self) -> Option<u16> {
        let figures = self.figures();
        if figures < LEAST_FIGURES {
            return None;
        }
        let (mut below, mut edge) = (0, LEAST_JACCARD);
        for count in self.counts {
            below += u32::from(count);
            if below * 100 >= figures {
                break;
            }
            edge += WIDTH;
        }
        let floor = if edge + WIDTH > JACCARD { JACCARD } else { LEAST_JACCARD };
        Some(edge.saturating_sub(WIDTH).max(floor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_is_learnt_from_few_and_nobody_alone_lowers_it() {
        let mut bands = Bands::default();
        (0..99).for_each(|n| bands.add(900, [n, n + 1]));
        assert_eq!(bands.threshold(), None);
        bands.add(900, [0, 1]);
        assert_eq!(bands.threshold(), Some(875));
        // One group with ever another partner.
        (0..4000).for_each(|n| {
            bands.add(510, [7, 1000 + n]);
            bands.add(900, [n, n + 1]);
        });
        assert_eq!(bands.threshold(), Some(875));
        (0..8).for_each(|n| bands.add(610, [n, n + 100]));
        assert_eq!(bands.threshold(), Some(575));
    }

    #[test]
    fn what_is_seldom_does_not_drive_the_threshold_up() {
        // Figures spread from 700 to 999; only those at or above the threshold are ever learnt.
        let (mut bands, mut least) = (Bands::default(), 0);
        for n in 0..100_000u32 {
            let figure = 700 + u16::try_from(n * 7919 % 300).expect("small");
            if figure >= least {
                bands.add(figure, [2 * n, 2 * n + 1]);
            }
            least = bands.threshold().unwrap_or(720).min(720);
        }
        assert!((650..=720).contains(&least), "{least}");
    }

    proptest! {
        /// Against a sorted list: the threshold is the first percentile, to a band and the one of slack, and never lower
        /// than the floor.
        #[test]
        fn it_is_the_first_percentile(figures in proptest::collection::vec(JACCARD..=1000, 1..500)) {
            let mut bands = Bands::default();
            for (n, figure) in (0..).zip(&figures) {
                bands.add(*figure, [2 * n, 2 * n + 1]);
            }
            let mut sorted = figures.clone();
            sorted.sort_unstable();
            let first = sorted[figures.len().div_ceil(100) - 1];
            match bands.threshold() {
                None => prop_assert!(figures.len() < LEAST_FIGURES as usize),
                Some(threshold) => {
                    prop_assert!(threshold >= JACCARD && threshold <= first);
                    prop_assert!(threshold + 3 * WIDTH > first, "{threshold} for {first}");
                }
            }
        }
    }
}
