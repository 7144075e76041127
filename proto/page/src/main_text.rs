//! The part of a page that it was made for.
//!
//! Decides by a plain heuristic: the lines in `main`, else in `article`, else all; without those in navigation,
//! headers, footers, asides, menus and form controls, or in elements whose class says so; without lines that are
//! mostly links. Never learns, and reads no script: a better extractor may disagree.

use crate::document::Page;
use crate::text::{Line, Place};
use crate::walk::has_token;
use scraper::node::Element;

/// A part is taken for the main one only from this length on, in bytes.
const ENOUGH_BYTES: usize = 250;

/// A line of this length is prose; shorter ones may be labels.
const PROSE_BYTES: usize = 80;

/// Words in a class or id that mark furniture.
const FURNITURE: [&str; 27] = [
    "nav",
    "navbar",
    "navigation",
    "menu",
    "sidebar",
    "footer",
    "breadcrumb",
    "breadcrumbs",
    "cookie",
    "cookies",
    "consent",
    "share",
    "sharing",
    "social",
    "related",
    "recommended",
    "newsletter",
    "subscribe",
    "promo",
    "popup",
    "modal",
    "masthead",
    "pagination",
    "advert",
    "advertisement",
    "sponsored",
    "skip",
];

impl Page {
    /// The main text, one line for each block; empty where nothing qualifies.
    #[must_use]
    pub fn main_text(&self) -> String {
        let lines = self.main_lines();
        let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        texts.join("\n")
    }

    /// How far [`Page::main_text`] is to be trusted, 0 to 1: the share of its bytes that is prose (lines of 80 bytes or
    /// more), less for a text under 1,000 bytes in proportion. Not a probability.
    #[must_use]
    pub fn confidence(&self) -> f64 {
        let (mut all, mut prose) = (0_u32, 0_u32);
        for line in self.main_lines() {
            let bytes = u32::try_from(line.text.len()).unwrap_or(u32::MAX);
            all = all.saturating_add(bytes);
            if line.text.len() >= PROSE_BYTES {
                prose = prose.saturating_add(bytes);
            }
        }
        f64::from(prose) / f64::from(all.max(1000))
    }

    pub(crate) fn main_lines(&self) -> Vec<Line> {
        let mut lines = self.lines(place);
        lines.retain(|line| {
            !line.place.in_furniture && (line.place.in_heading || !is_mostly_links(line))
        });
        let bytes = |is_in: fn(&Line) -> bool| -> usize {
            lines.iter().filter(|line| is_in(line)).map(|line| line.text.len()).sum()
        };
        let in_main: fn(&Line) -> bool = |line| line.place.in_main;
        let in_article: fn(&Line) -> bool = |line| line.place.in_article;
        if bytes(in_main) >= ENOUGH_BYTES {
            lines.retain(in_main);
        } else if bytes(in_article) >= ENOUGH_BYTES {
            lines.retain(in_article);
        }
        lines
    }
}

fn place(element: &Element) -> Place {
    let name = element.name();
    Place {
        in_main: name == "main" || has_token(element, "role", "main"),
        in_article: name == "article" || has_token(element, "itemprop", "articleBody"),
        in_furniture: is_furniture(element),
        in_heading: matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6"),
    }
}

fn is_furniture(element: &Element) -> bool {
    match element.name() {
        "nav" | "footer" | "aside" | "menu" | "select" | "button" | "textarea" | "dialog" => true,
        "html" | "body" | "main" | "article" => false,
        _ => {
            let landmarks =
                ["navigation", "banner", "contentinfo", "complementary", "search", "dialog"];
            landmarks.iter().any(|role| has_token(element, "role", role))
                || [element.attr("class"), element.attr("id")]
                    .into_iter()
                    .flatten()
                    .any(names_furniture)
        }
    }
}

fn names_furniture(names: &str) -> bool {
    let mut words = names.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| FURNITURE.iter().any(|furniture| word.eq_ignore_ascii_case(furniture)))
}

fn is_mostly_links(line: &Line) -> bool {
    line.linked * 2 > line.text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn furniture_is_left_out() {
        let prose = "A sentence that is long enough to be prose, and says something about grass. "
            .repeat(5);
        let html = format!(
            "<nav>Home</nav><div class='site-menu'>Products</div><main><h1><a href=x>T</a></h1>
             <p>{prose}</p><p><a href=y>More of this</a></p><aside>Also</aside></main>
             <p>outside</p><footer>Imprint</footer>"
        );
        let page = Page::parse(&html).expect("a page");
        assert_eq!(page.main_text(), format!("T\n{}", prose.trim()));
        assert!(page.confidence() > 0.3 && page.confidence() < 0.5, "{}", page.confidence());
        assert_eq!(Page::parse("").expect("a page").confidence(), 0.0);
    }
}
