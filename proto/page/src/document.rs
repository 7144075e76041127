//! A page, parsed once.
//!
//! Decides whether a page is parsed at all, and what its head says of itself: title and robots directives. Links,
//! text and digests have modules of their own. Never fetches what the page refers to.

use crate::depth::{self, TooDeep};
use crate::walk::{NodeRef, element};
use scraper::{Html, node::Element};

/// The longest title that is kept, in characters.
pub const MAX_TITLE_CHARS: usize = 1024;

/// Why a text has no [`Page`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// It would take the parser too long.
    #[error(transparent)]
    TooDeep(#[from] TooDeep),
}

/// A parsed page.
#[derive(Debug)]
pub struct Page {
    html: Html,
}

/// What a page's `meta` elements ask of robots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RobotsMeta {
    /// Do not list the page.
    pub noindex: bool,
    /// Do not follow its links.
    pub nofollow: bool,
    /// Do not offer a copy.
    pub noarchive: bool,
}

impl Page {
    /// Parses decoded HTML.
    ///
    /// # Errors
    /// [`PageError::TooDeep`] where [`depth::check`] refuses it.
    pub fn parse(text: &str) -> Result<Self, PageError> {
        depth::check(text)?;
        Ok(Self { html: Html::parse_document(text) })
    }

    /// The text of the first `title`: white space collapsed, control and bidirectional formatting characters left
    /// out, so that it can be shown in a terminal or a log; at most [`MAX_TITLE_CHARS`].
    #[must_use]
    pub fn title(&self) -> Option<String> {
        let title = self.html.tree.nodes().find(|node| {
            element(*node).is_some_and(|element| element.name() == "title" && !is_foreign(element))
        })?;
        let mut text = String::new();
        for child in title.children() {
            text.push_str(child.value().as_text().map_or("", |text| text));
        }
        let shown: Vec<String> = text.split_whitespace().map(without_controls).collect();
        let kept: Vec<&str> =
            shown.iter().map(String::as_str).filter(|word| !word.is_empty()).collect();
        let title: String = kept.join(" ").chars().take(MAX_TITLE_CHARS).collect();
        if title.is_empty() { None } else { Some(title) }
    }

    /// The directives for all robots and for `product_token` together; the stricter holds. `none` is `noindex` and
    /// `nofollow` ([Google's robots meta specification](
    /// https://developers.google.com/search/docs/crawling-indexing/robots-meta-tag)).
    #[must_use]
    pub fn robots_meta(&self, product_token: &str) -> RobotsMeta {
        let mut robots = RobotsMeta::default();
        for meta in self.elements().filter(|element| element.name() == "meta") {
            let name = meta.attr("name").unwrap_or_default().trim();
            if !name.eq_ignore_ascii_case("robots") && !name.eq_ignore_ascii_case(product_token) {
                continue;
            }
            let content = meta.attr("content").unwrap_or_default().to_ascii_lowercase();
            for directive in content.split([',', ';', ' ']).map(str::trim) {
                robots.noindex |= matches!(directive, "noindex" | "none");
                robots.nofollow |= matches!(directive, "nofollow" | "none");
                robots.noarchive |= directive == "noarchive";
            }
        }
        robots
    }

    /// Changes the tree, which is only ever made less.
    pub(crate) const fn html_mut(&mut self) -> &mut Html {
        &mut self.html
    }

    pub(crate) fn root(&self) -> NodeRef<'_> {
        self.html.tree.root()
    }

    /// All elements that are part of the page, in document order; those in templates are not.
    pub(crate) fn elements(&self) -> impl Iterator<Item = &Element> {
        let mut walk = crate::walk::Walk::new(self.root());
        std::iter::from_fn(move || {
            loop {
                let crate::walk::Step::Enter(node) = walk.next()? else { continue };
                let Some(element) = element(node) else { continue };
                if element.name() == "template" {
                    walk.skip_below(node);
                }
                return Some(element);
            }
        })
    }
}

fn is_foreign(element: &Element) -> bool {
    &*element.name.ns != "http://www.w3.org/1999/xhtml"
}

fn without_controls(word: &str) -> String {
    let is_bidi = |c: char| {
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}')
            || ('\u{202a}'..='\u{202e}').contains(&c)
            || ('\u{2066}'..='\u{2069}').contains(&c)
    };
    word.chars().filter(|c| !c.is_control() && !is_bidi(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(html: &str) -> Page {
        Page::parse(html).expect("a page")
    }

    #[test]
    fn titles_are_safe_to_show() {
        let title = |html: &str| page(html).title();
        assert_eq!(title("<title> A\n  b&amp;c </title><title>d</title>"), Some("A b&c".into()));
        assert_eq!(
            title("<title>x\u{1b}[31m\u{202e}y\u{7} \u{200f} z</title>"),
            Some("x[31my z".into())
        );
        assert_eq!(title("<svg><title>drawing</title></svg>"), None);
        assert_eq!(title("<title> </title>"), None);
    }

    #[test]
    fn robots_directives_add_up() {
        let all =
            page("<meta name=ROBOTS content='NoIndex, x:3'><meta name=swardbot content=nofollow>");
        let robots = all.robots_meta("swardbot");
        assert!(robots.noindex && robots.nofollow && !robots.noarchive);
        assert!(!all.robots_meta("otherbot").nofollow);
        assert!(page("<meta name=robots content=none>").robots_meta("swardbot").nofollow);
    }

    #[test]
    fn too_deep_a_page_is_an_error() {
        let deep = "<ul><li>".repeat(32_000);
        assert_eq!(Page::parse(&deep).err(), Some(PageError::TooDeep(TooDeep::Nesting)));
    }
}
