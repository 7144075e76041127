//! The blocks of a page: the pieces in which a change is located.
//!
//! Decides where a block ends and what its digest covers, after the clean-up of `canonical`: its text, the targets of its
//! links, and the other attributes that a reader meets. A block is a line of text as `text` breaks it, or one `meta`,
//! `link`, `title` or `base`. Frames and embedded objects are no part of any: they are in `active`, so that one that was
//! put in by a network on the way is told from a page that says something else. Never decides which blocks matter.

use crate::canonical::{KEPT, collapsed, counts, is_left_out};
use crate::document::Page;
use crate::sketch::{PathCounts, sketch};
use crate::text::is_block;
use crate::walk::{Step, Walk, element};
use scraper::node::Element;
use sward_proto::compare::block::{Block, BlockList, MAX_BLOCKS};
use sward_proto::compare::sketch::Sketch;

/// The first line of what the digest of several blocks covers, where a page has too many.
const GROUP_DOMAIN: &[u8] = b"sward/block-group/v1\n";

/// Blocks and sketch of a page, from one walk over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pieces {
    /// The blocks in order.
    pub blocks: BlockList,
    /// Text and structure.
    pub sketch: Sketch,
}

impl Page {
    /// The page's blocks and its sketch.
    ///
    /// A block's digest is over `sward/block/v1`; the name of the block element that the piece is in; then, in order of
    /// appearance, `"` and a run of text with white space collapsed, `@name=value` for an attribute of an element in it;
    /// each with a line feed.
    #[must_use]
    pub fn pieces(&self) -> Pieces {
        let mut lines = Lines::default();
        let mut paths = PathCounts::default();
        let mut walk = Walk::new(self.root());
        while let Some(step) = walk.next() {
            match step {
                Step::Enter(node) => match element(node) {
                    Some(element) if is_left_out(element) => walk.skip_below(node),
                    Some(element) => {
                        paths.enter(element.name());
                        lines.enter(element);
                    }
                    None => lines.pending.push_str(node.value().as_text().map_or("", |text| text)),
                },
                Step::Leave(node) => {
                    if let Some(element) = element(node).filter(|element| !is_left_out(element)) {
                        paths.leave();
                        lines.leave(element);
                    }
                }
            }
        }
        lines.flush();
        let sketch = sketch(&lines.text, &paths);
        Pieces { blocks: grouped(lines.done), sketch }
    }
}

#[derive(Default)]
struct Lines {
    done: Vec<Block>,
    /// All text, one line a block.
    text: String,
    /// Of the block that is open: what its digest covers, without its first two lines.
    covered: String,
    /// Text since the last attribute.
    pending: String,
    /// The block elements that are open.
    within: Vec<String>,
}

impl Lines {
    fn enter(&mut self, element: &Element) {
        let name = element.name();
        if ends_a_block(name) {
            self.flush();
            self.within.push(name.to_owned());
        } else if matches!(name, "td" | "th") {
            self.pending.push(' ');
        }
        if matches!(name, "iframe" | "frame" | "embed" | "object") {
            return;
        }
        for attribute in KEPT {
            if let Some(value) = element.attr(attribute).filter(|_| counts(element, attribute)) {
                self.push_pending();
                for part in ["@", attribute, "=", &collapsed(value), "\n"] {
                    self.covered.push_str(part);
                }
            }
        }
    }

    fn leave(&mut self, element: &Element) {
        if ends_a_block(element.name()) {
            self.flush();
            self.within.pop();
        }
    }

    fn push_pending(&mut self) {
        let text = collapsed(&self.pending);
        if !text.is_empty() {
            for part in ["\"", &text, "\n"] {
                self.covered.push_str(part);
            }
            self.text.push_str(&text);
            self.text.push(' ');
        }
        self.pending.clear();
    }

    fn flush(&mut self) {
        self.push_pending();
        if self.covered.is_empty() {
            return;
        }
        let name = self.within.last().map_or("", String::as_str);
        self.done.push(Block::of_piece(name, &self.covered));
        self.covered.clear();
        self.text.push('\n');
    }
}

fn ends_a_block(name: &str) -> bool {
    is_block(name) || matches!(name, "title" | "meta" | "link" | "base" | "head")
}

/// The most groups that are expected of a page with too many blocks: [`MAX_BLOCKS`] is 4.6 standard deviations above.
const GROUPS: usize = 192;

/// At most [`MAX_BLOCKS`]: where a page has more, a group begins at each block whose digest ends in enough zero bits. How
/// many are enough depends on the number of blocks alone, and on their content only where chance or repetition makes too
/// many groups all the same. So a block that comes, goes or changes moves boundaries where it stands and nowhere else.
fn grouped(blocks: Vec<Block>) -> BlockList {
    let count = blocks.len();
    if let Ok(list) = BlockList::new(blocks.clone()) {
        return list;
    }
    let enough = (1..u64::BITS).find(|bits| count >> bits <= GROUPS).unwrap_or(u64::BITS);
    let begins = |bits: u32, block: &Block| u64::from_be_bytes(block.0).trailing_zeros() >= bits;
    let groups =
        |bits: &u32| blocks.iter().skip(1).filter(|block| begins(*bits, block)).count() + 1;
    let bits = (enough..=u64::BITS).find(|bits| groups(bits) <= MAX_BLOCKS).unwrap_or(u64::BITS);
    let mut done = Vec::with_capacity(MAX_BLOCKS);
    let mut group: Vec<&[u8]> = vec![GROUP_DOMAIN];
    for (n, block) in blocks.iter().enumerate() {
        if n > 0 && begins(bits, block) {
            done.push(Block::of_parts(&std::mem::replace(&mut group, vec![GROUP_DOMAIN])));
        }
        group.push(&block.0);
    }
    done.push(Block::of_parts(&group));
    BlockList::new(done).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<!doctype html><title>Shop</title><meta name=description content='A shop'>
        <h1>Lamp</h1><p>Price: <b>12 €</b></p><p>See <a href=/buy>this</a>.<br>And that.</p>
        <ul><li><a href=/a>A</a><li><img src=b.png alt=B></ul>";

    fn blocks(html: &str) -> Vec<Block> {
        Page::parse(html).expect("a page").pieces().blocks.blocks().to_vec()
    }

    fn differing(one: &[Block], other: &[Block]) -> (usize, usize) {
        let missing =
            |of: &[Block], from: &[Block]| of.iter().filter(|block| !from.contains(block)).count();
        (missing(one, other), missing(other, one))
    }

    #[test]
    fn one_change_is_one_block() {
        let page = blocks(PAGE);
        assert_eq!(page.len(), 8);
        for (from, to) in [
            ("12 €", "11 €"),
            ("/buy", "/sell"),
            ("And that", "Nor that"),
            ("b.png", "c.png"),
            ("A shop", "A chop"),
            ("<h1>Lamp</h1>", "<h2>Lamp</h2>"),
        ] {
            assert_eq!(differing(&page, &blocks(&PAGE.replace(from, to))), (1, 1), "{to}");
        }
        let more = blocks(&PAGE.replace("<ul>", "<p>Sold out.</p><ul>"));
        assert_eq!(differing(&page, &more), (0, 1));
    }

    #[test]
    fn what_changes_with_each_load_is_in_no_block() {
        for (from, to) in [
            ("<h1>", "<script>t=1</script><input type=hidden value=3><h1 class=x9>"),
            ("<ul>", "<iframe src=//ads.example/1></iframe><div class=ad>Buy!</div><ul>"),
        ] {
            assert_eq!(blocks(&PAGE.replace(from, to)), blocks(PAGE), "{to}");
        }
    }

    #[test]
    fn many_blocks_are_grouped_and_a_change_stays_where_it_is() {
        let page = |n: usize, more: &str| {
            let line = |n| format!("<p>line {n} of many</p>{}", if n == 700 { more } else { "" });
            blocks(&(0..n).map(line).collect::<String>())
        };
        let whole = page(2000, "");
        assert!((64..=MAX_BLOCKS).contains(&whole.len()), "{}", whole.len());
        for more in 0..50 {
            let more = page(2000, &format!("<p>and number {more}</p>"));
            let (gone, new) = differing(&whole, &more);
            assert!(gone == 1 && (1..=2).contains(&new), "{gone} {new}");
        }
        assert!(blocks(&"<p>x".repeat(3000)).len() <= MAX_BLOCKS);
    }
}
