//! The sketch of a page: what is left of its words and its structure.
//!
//! Decides what a word and a tag path are and how they are hashed. Never compares two sketches: that is `sward-proto`.

use sward_proto::compare::sketch::{PATH_BINS, Sketch, WORD_BINS};

/// Words in a row that are taken together, as FineWeb takes them.
const GRAM: usize = 5;

/// How many elements stand under each path of tag names, in bins.
#[derive(Debug, Clone)]
pub(crate) struct PathCounts {
    bins: [u8; PATH_BINS],
    /// The hash of each path that is open.
    open: Vec<u64>,
}

impl Default for PathCounts {
    fn default() -> Self {
        Self { bins: [0; PATH_BINS], open: Vec::new() }
    }
}

impl PathCounts {
    pub(crate) fn enter(&mut self, name: &str) {
        let above = self.open.last().copied().unwrap_or_default();
        let path = mix(above ^ Word::of(name).0);
        self.open.push(path);
        if let Some(bin) = self.bins.get_mut(bin_of(path, PATH_BINS)) {
            *bin = bin.saturating_add(1);
        }
    }

    pub(crate) fn leave(&mut self) {
        self.open.pop();
    }
}

/// The sketch of a text, of which each line is a block, and of the paths of its elements.
///
/// Words are runs of letters and digits in lower case; where a script sets no spaces between words, each character is
/// one. A text of fewer than five words has one gram.
pub(crate) fn sketch(text: &str, paths: &PathCounts) -> Sketch {
    let mut grams = Grams::default();
    let mut word = Word::default();
    let mut text_chars: u32 = 0;
    for c in text.chars() {
        text_chars = text_chars.saturating_add(u32::from(!c.is_whitespace()));
        if stands_alone(c) {
            grams.push(std::mem::take(&mut word));
            grams.push(Word::default().and(c));
        } else if c.is_ascii() {
            if c.is_ascii_alphanumeric() {
                word = word.and(c.to_ascii_lowercase());
            } else {
                grams.push(std::mem::take(&mut word));
            }
        } else if c.is_alphanumeric() {
            word = c.to_lowercase().fold(word, Word::and);
        } else {
            grams.push(std::mem::take(&mut word));
        }
    }
    grams.push(word);
    let (words, simhash) = grams.finish();
    Sketch { words, simhash, text_chars, paths: paths.bins }
}

/// SplitMix64's finaliser (Steele, Lea, Flood 2014).
pub(crate) const fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The top bits of a hash, as an index below a power of two.
fn bin_of(hash: u64, bins: usize) -> usize {
    usize::try_from(hash >> (64 - bins.trailing_zeros())).unwrap_or_default()
}

/// Han, kana, Thai, Lao, Khmer and Burmese are written without spaces between words.
fn stands_alone(c: char) -> bool {
    matches!(c,
        '\u{0e00}'..='\u{0eff}'
        | '\u{1000}'..='\u{109f}'
        | '\u{1780}'..='\u{17ff}'
        | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
        && c.is_alphanumeric()
}

/// A word as far as it is read: FNV-1a over its characters. Zero is no word.
#[derive(Debug, Clone, Copy, Default)]
struct Word(u64);

impl Word {
    fn of(text: &str) -> Self {
        text.chars().fold(Self::default(), Self::and)
    }

    const fn and(self, c: char) -> Self {
        let so_far = if self.0 == 0 { 0xcbf2_9ce4_8422_2325 } else { self.0 };
        Self((so_far ^ c as u64).wrapping_mul(0x0100_0000_01b3))
    }
}

struct Grams {
    last: [u64; GRAM],
    met: usize,
    least: [u64; WORD_BINS],
    bits: [i32; 64],
}

impl Default for Grams {
    fn default() -> Self {
        Self { last: [0; GRAM], met: 0, least: [u64::MAX; WORD_BINS], bits: [0; 64] }
    }
}

impl Grams {
    fn push(&mut self, word: Word) {
        if word.0 == 0 {
            return;
        }
        let hash = mix(word.0);
        for (n, bit) in self.bits.iter_mut().enumerate() {
            *bit += if (hash >> n) & 1 == 1 { 1 } else { -1 };
        }
        self.last.rotate_left(1);
        if let Some(last) = self.last.last_mut() {
            *last = hash;
        }
        self.met += 1;
        if self.met >= GRAM {
            self.take_gram();
        }
    }

    fn take_gram(&mut self) {
        let gram = mix(self.last.iter().fold(0, |sum, word| mix(sum ^ word)));
        if let Some(least) = self.least.get_mut(bin_of(gram, WORD_BINS)) {
            *least = gram.min(*least);
        }
    }

    fn finish(mut self) -> ([u16; WORD_BINS], u64) {
        if (1..GRAM).contains(&self.met) {
            self.take_gram();
        }
        let low = |least: u64| match least {
            u64::MAX => 0,
            least => u16::try_from(least & 0xffff).unwrap_or_default().max(1),
        };
        let is_set = |(n, bit): (usize, &i32)| u64::from(*bit > 0) << n;
        (self.least.map(low), self.bits.iter().enumerate().map(is_set).sum())
    }
}

#[cfg(test)]
mod tests {
    use crate::document::Page;
    use sward_proto::compare::sketch::Sketch;

    fn of(html: &str) -> Sketch {
        Page::parse(html).expect("a page").pieces().sketch
    }

    fn text(words: std::ops::Range<usize>) -> String {
        words.map(|n| format!("word{n} ")).collect()
    }

    #[test]
    fn the_estimate_is_near_the_truth() {
        // 500 grams, of which the one lacks the first 100: 400 of 500.
        let (one, other) = (of(&text(0..504)), of(&text(100..504)));
        assert!((680..920).contains(&one.jaccard(&other)), "{}", one.jaccard(&other));
        assert_eq!(one.jaccard(&of(&text(1000..1504))), 0);
        assert!(one.hamming(&of(&text(1000..1504))) > 10);
    }

    #[test]
    fn case_and_layout_do_not_matter_and_words_do() {
        let page = of("<p>One two three, four five six.</p>");
        let other = of("<div><p>ONE TWO <b>three</b></p><p>four five six</p></div>");
        assert_eq!((page.words, page.simhash), (other.words, other.simhash));
        assert!(page.path_similarity(&other) < 900);
        assert_ne!(page.words, of("<p>One two three, four five seven.</p>").words);
        assert_ne!(of("<p>今日は雨です</p>").words, of("<p>今日は雪です</p>").words);
        assert_ne!(of("<p>hello").words, of("<p>bye").words);
    }
}
