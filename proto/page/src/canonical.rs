//! What two honest copies of one page have in common.
//!
//! Decides which parts of a page count when copies are compared: its elements, its text, and the attributes that a
//! reader meets (`href`, `src`, `alt`, `title`, `content`, and `value` of visible inputs). Left out is what changes
//! with each load and is not content: scripts, styles and links to them, `noscript`, `template`, comments, hidden
//! inputs, tokens against request forgery, nonces, frames that are marked as advertisements, and how many minutes ago
//! something was. White space at the
//! edges of a text counts for nothing and elsewhere for one space. Never decides how near two differing pages are.

use crate::document::Page;
use crate::walk::{Step, Walk, compared_text, element, has_token};
use scraper::node::Element;
use sha2::{Digest as _, Sha256};
use sward_proto::digest::Digest;

/// The first line of what is hashed.
const DOMAIN: &[u8] = b"sward/canonical/v1\n";

/// Attributes that count, in the order in which they are hashed.
pub(crate) const KEPT: [&str; 6] = ["alt", "content", "href", "src", "title", "value"];

/// Parts of the name of a `meta` or `input` that carries a secret of the visit.
const TOKEN_NAMES: [&str; 4] = ["csrf", "xsrf", "authenticity_token", "__requestverificationtoken"];

/// Class or id tokens of advertisements, whole and without a number at their end.
const ADVERTISEMENTS: [&str; 24] = [
    "ad",
    "ads",
    "advert",
    "adverts",
    "advertisement",
    "advertising",
    "adsbygoogle",
    "sponsor",
    "sponsored",
    "banner-ad",
    "banner_ad",
    "ad-banner",
    "ad-slot",
    "ad_slot",
    "adslot",
    "ad-unit",
    "ad-container",
    "ad-wrapper",
    "ad-frame",
    "ad-box",
    "adbox",
    "google-ad",
    "google-ads",
    "div-gpt-ad",
];

/// `link` relations that fetch scripts, styles or connections.
const TECHNICAL_LINKS: [&str; 7] = [
    "stylesheet",
    "preload",
    "modulepreload",
    "prefetch",
    "dns-prefetch",
    "preconnect",
    "prerender",
];

impl Page {
    /// The digest of the page without what changes at each load.
    ///
    /// Hashed are lines: `sward/canonical/v1`; `(` and a name where an element opens, then `@name=value` for each
    /// attribute that counts, in alphabetical order; `"` and the text; `)` where an element closes. No name or
    /// collapsed text holds a line feed, so two pages with equal lines are equal in all that counts.
    #[must_use]
    pub fn canonical_digest(&self) -> Digest {
        let mut lines = Lines { hasher: Sha256::new_with_prefix(DOMAIN), text: String::new() };
        let mut walk = Walk::new(self.root());
        while let Some(step) = walk.next() {
            match step {
                Step::Enter(node) => match element(node) {
                    Some(element) if is_left_out(element) => walk.skip_below(node),
                    Some(element) => lines.open(element),
                    None => lines.text.push_str(&compared_text(node)),
                },
                Step::Leave(node) => {
                    if element(node).is_some_and(|element| !is_left_out(element)) {
                        lines.close();
                    }
                }
            }
        }
        lines.flush();
        Digest(lines.hasher.finalize().into())
    }
}

struct Lines {
    hasher: Sha256,
    /// Text since the last element; it may come in pieces, around what is left out.
    text: String,
}

impl Lines {
    fn open(&mut self, element: &Element) {
        self.flush();
        self.line("(", element.name());
        for name in KEPT {
            if let Some(value) = element.attr(name).filter(|_| counts(element, name)) {
                self.hasher.update(b"@");
                self.hasher.update(name);
                self.line("=", &collapsed(value));
            }
        }
    }

    fn close(&mut self) {
        self.flush();
        self.line(")", "");
    }

    fn flush(&mut self) {
        let text = collapsed(&self.text);
        if !text.is_empty() {
            self.line("\"", &text);
        }
        self.text.clear();
    }

    fn line(&mut self, mark: &str, value: &str) {
        self.hasher.update(mark);
        self.hasher.update(value);
        self.hasher.update(b"\n");
    }
}

pub(crate) fn collapsed(text: &str) -> String {
    let mut collapsed = String::with_capacity(text.len());
    for word in text.split_ascii_whitespace() {
        if !collapsed.is_empty() {
            collapsed.push(' ');
        }
        collapsed.push_str(word);
    }
    collapsed
}

pub(crate) fn counts(element: &Element, attribute: &str) -> bool {
    attribute != "value"
        || matches!(element.name(), "input" | "option" | "button" | "li" | "data" | "meter")
}

pub(crate) fn is_left_out(element: &Element) -> bool {
    match element.name() {
        "script" | "style" | "noscript" | "template" => true,
        "link" => TECHNICAL_LINKS.iter().any(|relation| has_token(element, "rel", relation)),
        "meta" => ["name", "property", "id"].iter().any(|name| holds_token(element, name)),
        "input" => {
            let kind = element.attr("type").unwrap_or_default().trim();
            kind.eq_ignore_ascii_case("hidden")
                || ["name", "id"].iter().any(|name| holds_token(element, name))
        }
        "iframe" | "ins" | "div" | "aside" => is_advertisement(element),
        _ => false,
    }
}

fn holds_token(element: &Element, attribute: &str) -> bool {
    let name = element.attr(attribute).unwrap_or_default().trim().to_ascii_lowercase();
    matches!(name.as_str(), "nonce" | "_token" | "csp-nonce" | "_wpnonce")
        || TOKEN_NAMES.iter().any(|part| name.contains(part))
}

fn is_advertisement(element: &Element) -> bool {
    let attributes = [element.attr("class"), element.attr("id")];
    let mut tokens = attributes.into_iter().flatten().flat_map(str::split_ascii_whitespace);
    tokens.any(|token| {
        let bare = token.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '-' | '_'));
        ADVERTISEMENTS.iter().any(|name| bare.eq_ignore_ascii_case(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<!doctype html><title>Shop</title><meta name=description content='A shop'>
        <h1>Lamp</h1><p>Price: <b>12 €</b></p><a href=/buy>buy</a><img src=lamp.png alt=lamp>
        <form><input name=amount value=1></form>";

    fn digest(html: &str) -> Digest {
        Page::parse(html).expect("a page").canonical_digest()
    }

    #[test]
    fn what_changes_with_each_load_is_not_seen() {
        for (from, to) in [
            ("<h1>", "<!-- built 12:01:03 --><h1>"),
            ("<form>", "<form><input type=hidden name=t value=77><input name=csrf_token value=8>"),
            (
                "<meta",
                "<meta name=csrf-token content=abc><link rel=stylesheet href=s.css?v=3><meta",
            ),
            ("Price: ", "Pri<!--x-->ce:\n  <script nonce=r4nd>t=1</script>"),
            ("<h1>", "<h1 id=ember42 data-t=9 style='x:y' nonce=q>"),
            ("<p>", "<div class='box ad-slot-3'>Buy!</div>\n\n<ins class=adsbygoogle>x</ins><p>"),
            ("src=lamp.png alt=lamp", "ALT='lamp'   src=\"lamp.png\""),
        ] {
            assert!(PAGE.contains(from), "{from}");
            assert_eq!(digest(&PAGE.replace(from, to)), digest(PAGE), "{to}");
        }
    }

    #[test]
    fn what_a_reader_meets_is_seen() {
        for (from, to) in [
            ("12 €", "11 €"),
            ("/buy", "/sell"),
            ("lamp.png", "lump.png"),
            ("alt=lamp", "alt=lump"),
            ("<h1>Lamp</h1>", "<h2>Lamp</h2>"),
            ("<p>", "<p>Sold out.</p><p>"),
            ("value=1", "value=2"),
            ("A shop", "A chop"),
            ("<p>", "<div class=header-adornment>x</div><p>"),
        ] {
            assert_ne!(digest(&PAGE.replace(from, to)), digest(PAGE), "{to}");
        }
    }

    #[test]
    fn text_cannot_pass_for_structure() {
        assert_ne!(digest("<p>a\n)\n(p\n\"b"), digest("<p>a</p><p>b"));
        assert_ne!(digest("<p title='x&#10;@value=y'>"), digest("<p title=x value=y>"));
        assert_ne!(digest("<p>ab</p>"), digest("<p>a b</p>"));
    }
}
