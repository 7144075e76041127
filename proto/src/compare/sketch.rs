//! What is left of a page's text and structure when two copies are compared without either at hand.
//!
//! Decides the sketch's form and how near two sketches are. Never decides how near is near enough, nor how a sketch is
//! taken of a page.

use crate::wire::bounds::WireError;

/// Bins of the word sketch: one-permutation MinHash (Li, Owen, Zhang 2012), of which 16 bits a bin travel. With 128
/// the estimate of a Jaccard index of 0.72 has a standard error of 0.04.
pub const WORD_BINS: usize = 128;

/// Bins into which tag paths are counted.
pub const PATH_BINS: usize = 128;

/// A thousand: all ratios are in thousandths, so that verdicts do not hang on a processor's rounding.
const WHOLE: u64 = 1000;

/// A sketch of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sketch {
    /// The least hash of the word 5-grams that fall into each bin, 16 bits of it; 0 for a bin without any.
    pub words: [u16; WORD_BINS],
    /// SimHash of the words (Charikar 2002), each weighing as often as it stands there.
    pub simhash: u64,
    /// Characters of visible text.
    pub text_chars: u32,
    /// How many elements have a path of tag names that falls into each bin, at most 255.
    pub paths: [u8; PATH_BINS],
}

impl Default for Sketch {
    fn default() -> Self {
        Self { words: [0; WORD_BINS], simhash: 0, text_chars: 0, paths: [0; PATH_BINS] }
    }
}

impl Sketch {
    /// The estimated Jaccard index of the two texts' word 5-grams, in thousandths. Bins that are empty in both say
    /// nothing; two texts without any 5-gram are alike.
    #[must_use]
    pub fn jaccard(&self, other: &Self) -> u16 {
        let pairs = self.words.iter().zip(&other.words).filter(|(a, b)| **a != 0 || **b != 0);
        let (equal, all) =
            pairs.fold((0, 0), |(equal, all), (a, b)| (equal + u64::from(a == b), all + 1));
        thousandths(equal, all)
    }

    /// In how many bits the SimHashes differ.
    #[must_use]
    pub const fn hamming(&self, other: &Self) -> u32 {
        (self.simhash ^ other.simhash).count_ones()
    }

    /// The shorter text's length by the longer's, in thousandths.
    #[must_use]
    pub fn length_ratio(&self, other: &Self) -> u16 {
        let (a, b) = (u64::from(self.text_chars), u64::from(other.text_chars));
        thousandths(a.min(b), a.max(b))
    }

    /// The weighted Jaccard index of the binned tag paths, in thousandths.
    #[must_use]
    pub fn path_similarity(&self, other: &Self) -> u16 {
        let pairs = self.paths.iter().zip(&other.paths);
        let (shared, all) = pairs.fold((0, 0), |(shared, all), (a, b)| {
            (shared + u64::from(*a.min(b)), all + u64::from(*a.max(b)))
        });
        thousandths(shared, all)
    }

    /// The word bins as they travel, big-endian.
    #[must_use]
    pub fn words_to_bytes(&self) -> Vec<u8> {
        self.words.iter().flat_map(|bin| bin.to_be_bytes()).collect()
    }

    /// The inverse of [`Self::words_to_bytes`].
    ///
    /// # Errors
    /// [`WireError`] for any other number of bytes.
    pub fn words_from_bytes(bytes: &[u8]) -> Result<[u16; WORD_BINS], WireError> {
        let (bins, rest) = bytes.as_chunks::<2>();
        let bins: Option<[[u8; 2]; WORD_BINS]> = bins.try_into().ok();
        match bins.filter(|_| rest.is_empty()) {
            Some(bins) => Ok(bins.map(u16::from_be_bytes)),
            None => Err(WireError::invalid("sketch.words", format!("{} bytes", bytes.len()))),
        }
    }
}

fn thousandths(part: u64, whole: u64) -> u16 {
    let share = (part * WHOLE).checked_div(whole).unwrap_or(WHOLE);
    u16::try_from(share).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_shares() {
        let (mut a, mut b) = (Sketch::default(), Sketch::default());
        assert_eq!((a.jaccard(&b), a.length_ratio(&b), a.path_similarity(&b)), (1000, 1000, 1000));
        a.words[..4].copy_from_slice(&[1, 2, 3, 4]);
        b.words[..4].copy_from_slice(&[1, 2, 0, 5]);
        assert_eq!(a.jaccard(&b), 500);
        (a.text_chars, b.text_chars) = (300, 400);
        assert_eq!(a.length_ratio(&b), 750);
        (a.paths[0], b.paths[0], b.paths[1]) = (3, 2, 1);
        assert_eq!(a.path_similarity(&b), 500);
        (a.simhash, b.simhash) = (0b1011, 0b0010);
        assert_eq!(a.hamming(&b), 2);
    }

    #[test]
    fn word_bins_come_back() {
        let words = std::array::from_fn(|n| u16::try_from(n * 7).unwrap_or_default());
        let sketch = Sketch { words, ..Sketch::default() };
        assert_eq!(Sketch::words_from_bytes(&sketch.words_to_bytes()), Ok(words));
        assert!(Sketch::words_from_bytes(&[0; 255]).is_err());
    }
}
