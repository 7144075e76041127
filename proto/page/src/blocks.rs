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
use crate::walk::{NodeRef, Step, Walk, compared_text, element};
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
        let (lines, paths) = self.walk_pieces(|_, _| {});
        let sketch = sketch(&lines.text, &paths);
        Pieces { blocks: grouped(&lines.done), sketch }
    }

    /// The page's blocks; `visit` is told of each node in which block its text or its attributes are, by the block's
    /// place in the list, and of each node that is in none and all below it. Nodes without text or attributes are as good
    /// in one as in another.
    pub(crate) fn located<'a>(
        &'a self,
        mut visit: impl FnMut(NodeRef<'a>, Option<usize>),
    ) -> BlockList {
        let mut nodes = Vec::new();
        let (lines, _) = self.walk_pieces(|node, piece| nodes.push((node, piece)));
        let groups = groups(&lines.done);
        for (node, piece) in nodes {
            // What follows the last piece without saying anything belongs to it as well as to none.
            let last = groups.last().copied();
            visit(node, piece.and_then(|piece| groups.get(piece).copied().or(last)));
        }
        grouped(&lines.done)
    }

    /// One walk over the page; `visit` gets each node that is entered, and the number of its piece, or none where it is
    /// left out.
    fn walk_pieces<'a>(
        &'a self,
        mut visit: impl FnMut(NodeRef<'a>, Option<usize>),
    ) -> (Lines, PathCounts) {
        let mut lines = Lines::default();
        let mut paths = PathCounts::default();
        let mut walk = Walk::new(self.root());
        while let Some(step) = walk.next() {
            match step {
                Step::Enter(node) => match element(node) {
                    Some(element) if is_left_out(element) => {
                        visit(node, None);
                        walk.skip_below(node);
                    }
                    Some(element) => {
                        paths.enter(element.name());
                        lines.enter(element);
                        visit(node, Some(lines.done.len()));
                    }
                    None => {
                        lines.pending.push_str(&compared_text(node));
                        visit(node, Some(lines.done.len()));
                    }
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
        (lines, paths)
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

/// The blocks of a list with these pieces: themselves or, where they are too many, one for each group.
fn grouped(pieces: &[Block]) -> BlockList {
    if let Ok(list) = BlockList::new(pieces.to_vec()) {
        return list;
    }
    let numbered: Vec<(usize, &Block)> = groups(pieces).into_iter().zip(pieces).collect();
    let of_group = |group: &[(usize, &Block)]| {
        let parts = group.iter().map(|(_, piece)| piece.0.as_slice());
        Block::of_parts(&[GROUP_DOMAIN].into_iter().chain(parts).collect::<Vec<_>>())
    };
    let blocks = numbered.chunk_by(|(one, _), (other, _)| one == other).map(of_group).collect();
    BlockList::new(blocks).unwrap_or_default()
}

/// For each piece, its block's place in the list. There are at most [`MAX_BLOCKS`]: where a page has more pieces, a group
/// begins at each whose digest ends in enough zero bits. How many are enough depends on the number of pieces alone, and on
/// their content only where chance or repetition makes too many groups all the same. So a piece that comes, goes or changes
/// moves boundaries where it stands and nowhere else.
fn groups(pieces: &[Block]) -> Vec<usize> {
    let count = pieces.len();
    if count <= MAX_BLOCKS {
        return (0..count).collect();
    }
    let enough = (1..u64::BITS).find(|bits| count >> bits <= GROUPS).unwrap_or(u64::BITS);
    let begins = |bits: u32, block: &Block| u64::from_be_bytes(block.0).trailing_zeros() >= bits;
    let later = |bits: &u32| pieces.iter().skip(1).filter(|piece| begins(*bits, piece)).count();
    let bits = (enough..=u64::BITS).find(|bits| later(bits) < MAX_BLOCKS).unwrap_or(u64::BITS);
    let numbers = pieces.iter().enumerate().scan(0, |group, (n, piece)| {
        *group += usize::from(n > 0 && begins(bits, piece));
        Some(*group)
    });
    numbers.collect()
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
