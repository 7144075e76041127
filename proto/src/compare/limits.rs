//! How near is near enough.
//!
//! Decides the constants of the comparison, which travel with a verdict so that it can be recomputed. Never decides which
//! URL has which: a profile of its volatility does, within the floor of [`LEAST_JACCARD`].

use super::Figures;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Copies of a page that changes by the minute are comparable if fetched within this.
pub const VOLATILE_WINDOW: Duration = Duration::from_secs(60);

/// Copies of any other page are comparable if fetched within this.
pub const STABLE_WINDOW: Duration = Duration::from_secs(15 * 60);

/// Where the threshold of the word 5-grams starts, in thousandths: the knee of FineWeb's 14 bands of 8 hashes.
pub const JACCARD: u16 = 720;

/// No profile lowers it beyond this.
pub const LEAST_JACCARD: u16 = 500;

/// The constants of one comparison. Research on validation, sections B1 and B2; ratios are in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Layer 0: how far apart two fetches may be, in milliseconds.
    pub window_ms: u32,
    /// Layer 4: the least share of a page's blocks that must be stable. A profile that knows little but a site's
    /// navigation says nothing of the page.
    pub stable_share: u16,
    /// Layer 5: the least Jaccard index of the word 5-grams.
    pub jaccard: u16,
    /// Layer 5: the most bits in which the SimHashes may differ (Manku, Jain, Das Sarma 2007).
    pub hamming: u32,
    /// Layer 5: the least ratio of text lengths (OONI's Web Connectivity).
    pub length_ratio: u16,
    /// Layer 5: the least similarity of the tag paths.
    pub path_similarity: u16,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            window_ms: millis(STABLE_WINDOW),
            stable_share: 500,
            jaccard: JACCARD,
            hamming: 3,
            length_ratio: 700,
            path_similarity: 900,
        }
    }
}

impl Limits {
    /// For a page that changes by the minute.
    #[must_use]
    pub fn volatile(self) -> Self {
        Self { window_ms: millis(VOLATILE_WINDOW), ..self }
    }

    /// With the threshold of the word 5-grams that a profile learnt, never below [`LEAST_JACCARD`].
    #[must_use]
    pub fn learnt(self, jaccard: u16) -> Self {
        Self { jaccard: jaccard.max(LEAST_JACCARD), ..self }
    }

    /// Layer 5: all conditions together.
    #[must_use]
    pub const fn are_near(&self, figures: &Figures) -> bool {
        figures.jaccard >= self.jaccard
            && figures.hamming <= self.hamming
            && figures.length_ratio >= self.length_ratio
            && figures.path_similarity >= self.path_similarity
    }
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
