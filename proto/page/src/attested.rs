//! What a page says where independent groups attest only some of its blocks.
//!
//! Decides what is left of a page then: text, Markdown, title and links are made from what is left, so that none of them
//! can tell more. What is in no block (advertisements, scripts, frames, comments) is one agent's word and left out too,
//! and so are attributes that no block covers, but for those that place a text and say nothing. Never decides which blocks
//! are attested: the verdict does.

use crate::canonical::{KEPT, counts};
use crate::document::Page;
use crate::walk::{compared_text, element};
use scraper::Node;
use scraper::node::Element;
use std::borrow::Cow;
use std::collections::BTreeSet;
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::verdict::PublishedBlocks;

/// Attributes that steer what is extracted and are never shown: what is furniture, what is hidden, which `link` and `meta`
/// are links. The worst that an agent can do with them is to have something left out.
const STEERING: [&str; 9] =
    ["class", "hidden", "http-equiv", "id", "itemprop", "name", "rel", "role", "type"];

/// Why nothing can be said of which parts of a page are attested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the page's blocks are not those that the verdict is about")]
pub struct OtherBlocks;

/// A page of which only what is attested is left.
#[derive(Debug)]
pub struct AttestedPage {
    page: Page,
    /// Whether the whole page says what its links are relative to.
    whole_has_base: bool,
}

impl Page {
    /// What is left of the page where only these blocks are attested.
    ///
    /// # Errors
    /// [`OtherBlocks`] where they are blocks of another page, or cut by another version of the rules.
    pub fn attested(self, blocks: &PublishedBlocks) -> Result<AttestedPage, OtherBlocks> {
        let marks: Vec<bool> = blocks.attested.bytes().map(|mark| mark == b'1').collect();
        let list = self.located(|_, _| {});
        if list.to_bytes() != blocks.kept || list.blocks().len() != marks.len() {
            return Err(OtherBlocks);
        }
        Ok(self.only(|block| marks.get(block).copied().unwrap_or_default()))
    }

    /// What is left of the page where all of its blocks are attested, as on the layer of equal canonical digests.
    #[must_use]
    pub fn in_blocks(self) -> AttestedPage {
        self.only(|_| true)
    }

    fn only(mut self, is_attested: impl Fn(usize) -> bool) -> AttestedPage {
        let whole_has_base = has_base(&self);
        let (mut gone, mut stripped, mut retold) = (Vec::new(), Vec::new(), Vec::new());
        self.located(|node, block| match (element(node), block.is_some_and(&is_attested)) {
            (Some(_), _) if block.is_none() => gone.push(node.id()),
            (Some(_), attested) => stripped.push((node.id(), attested)),
            (None, attested) => {
                if !attested || node.value().is_comment() {
                    gone.push(node.id());
                } else if let Cow::Owned(text) = compared_text(node) {
                    retold.push((node.id(), text));
                }
            }
        });
        let tree = &mut self.html_mut().tree;
        for id in gone {
            if let Some(mut node) = tree.get_mut(id)
                && node.parent().is_some()
            {
                node.detach();
            }
        }
        for (id, attested) in stripped {
            if let Some(mut node) = tree.get_mut(id)
                && let Node::Element(element) = node.value()
            {
                strip(element, attested);
            }
        }
        for (id, text) in retold {
            if let Some(mut node) = tree.get_mut(id)
                && let Node::Text(old) = node.value()
            {
                old.text = text.into();
            }
        }
        AttestedPage { page: self, whole_has_base }
    }
}

impl AttestedPage {
    /// What is left, for text, Markdown and title.
    #[must_use]
    pub const fn page(&self) -> &Page {
        &self.page
    }

    /// Which of the whole page's links (as [`Page::links`] gives them) attested blocks name, in their order. None where the
    /// page has a `base` that is not attested: nobody knows then where a link leads.
    #[must_use]
    pub fn links(
        &self,
        whole: &[CanonicalUrl],
        url: &CanonicalUrl,
        product_token: &str,
    ) -> Vec<CanonicalUrl> {
        if self.whole_has_base && !has_base(&self.page) {
            return Vec::new();
        }
        let left: BTreeSet<CanonicalUrl> =
            self.page.links(url, product_token).into_iter().collect();
        whole.iter().filter(|link| left.contains(link)).cloned().collect()
    }
}

fn has_base(page: &Page) -> bool {
    page.elements().any(|element| element.name() == "base" && element.attr("href").is_some())
}

/// Takes from an element what its block does not attest. Frames and embedded objects are in no block.
fn strip(element: &mut Element, attested: bool) {
    let embeds = matches!(element.name(), "iframe" | "frame" | "embed" | "object");
    let covered: Vec<&str> =
        KEPT.into_iter().filter(|name| attested && !embeds && counts(element, name)).collect();
    element.attrs.retain(|(name, _)| {
        let name: &str = &name.local;
        covered.contains(&name) || STEERING.contains(&name)
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use sward_proto::compare::block::Block;

    const PAGE: &str = "<!doctype html><title>Lamp</title><base href=/shop/><!-- 7 --><h1>Lamp</h1>
        <div class=ad>Advertisement</div><ol start=90210><li><a href=a>A</a><li>B <a href=b>b</a></ol>
        <p>Price: <b>12 coins</b></p><iframe src=/frame></iframe><p>Kept <a href=c>c</a>.</p>";

    fn url() -> CanonicalUrl {
        "http://a.example/".parse().expect("a url")
    }

    /// What is left of a page where each block that has this text in it is held by one agent alone.
    fn without(html: &str, text: &str) -> AttestedPage {
        let alone = |block: &Block| {
            let other = Page::parse(&html.replace(text, "other words")).expect("a page");
            !other.pieces().blocks.blocks().contains(block)
        };
        let page = Page::parse(html).expect("a page");
        let kept = page.pieces().blocks;
        let marks: Vec<bool> = kept.blocks().iter().map(|block| !alone(block)).collect();
        assert_eq!(marks.iter().filter(|mark| !**mark).count(), 1, "{text}");
        page.attested(&PublishedBlocks::new(&kept, &marks)).expect("its blocks")
    }

    fn links(left: &AttestedPage, html: &str) -> Vec<String> {
        let whole = Page::parse(html).expect("a page").links(&url(), "swardbot");
        left.links(&whole, &url(), "swardbot").into_iter().map(String::from).collect()
    }

    #[test]
    fn nothing_of_an_unattested_block_is_left() {
        let left = without(PAGE, "12 coins");
        assert_eq!(left.page().text(), "Lamp\nA\nB b\nKept c.");
        assert_eq!(left.page().markdown(), "# Lamp\n\n1. A\n2. B b\n\nKept c.");
        assert_eq!(left.page().title().as_deref(), Some("Lamp"));
        let left = without(PAGE, "<a href=b>b</a>");
        assert_eq!(left.page().text(), "Lamp\nA\nPrice: 12 coins\nKept c.");
        assert_eq!(links(&left, PAGE), ["http://a.example/shop/a", "http://a.example/shop/c"]);
        assert_eq!(without(PAGE, "<title>Lamp").page().title(), None);
    }

    #[test]
    fn what_is_in_no_block_is_nobodys_word() {
        let left = Page::parse(PAGE).expect("a page").in_blocks();
        assert!(!left.page().text().contains("Advertisement"));
        assert_eq!(links(&left, PAGE).len(), 3, "a frame is in no block");
    }

    #[test]
    fn how_long_ago_something_was_is_nobodys_word() {
        let page = |html: &str| Page::parse(html).expect("a page");
        let (one, other) = (page("<p>Updated 3 minutes ago"), page("<p>Updated 1 hour ago"));
        assert_eq!(one.canonical_digest(), other.canonical_digest());
        assert_eq!(one.pieces(), other.pieces());
        assert_eq!(one.in_blocks().page().text(), "Updated … ago");
    }

    #[test]
    fn an_altered_base_leads_nowhere() {
        assert!(links(&without(PAGE, "<base href=/shop/>"), PAGE).is_empty());
    }

    #[test]
    fn blocks_of_another_page_are_refused() {
        let page = |html: &str| Page::parse(html).expect("a page");
        let kept = page("<p>one<p>two").pieces().blocks;
        let published = PublishedBlocks::new(&kept, &[true, true]);
        assert!(page("<p>one<p>two").attested(&published).is_ok());
        assert_eq!(page("<p>one<p>three").attested(&published).err(), Some(OtherBlocks));
        let short = PublishedBlocks::new(&kept, &[true]);
        assert_eq!(page("<p>one<p>two").attested(&short).err(), Some(OtherBlocks));
    }
}
