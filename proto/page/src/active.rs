//! What a page would run, load into frames or send forms to.
//!
//! Decides what of that is attested: enough that a script or frame that was put in on the way shows, little enough that
//! tokens, times and cache keys do not. Never judges what a script does.

use crate::document::Page;
use crate::walk::{NodeRef, Step, Walk, element};
use scraper::node::Element;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use sward_proto::digest::Digest;

/// The first line of what the digest covers.
const DOMAIN: &str = "sward/active/v1\n";

impl Page {
    /// The digest of the set of the page's active parts: `sward/active/v1`, then, sorted, a line for each
    ///
    /// - `script` with a `src`, `iframe`, `frame`, `embed` and `object`: where it is loaded from, without query, and with
    ///   each run of digits as one zero;
    /// - `script` without, `srcdoc` and `on…` attribute: a digest of its shape, in which literals count for nothing but
    ///   the hosts in them;
    /// - `form` that is sent elsewhere: the host.
    ///
    /// Data that only looks like a script (JSON, templates) is no part of it.
    #[must_use]
    pub fn active_digest(&self) -> Digest {
        let mut parts = BTreeSet::new();
        let mut walk = Walk::new(self.root());
        while let Some(step) = walk.next() {
            let Step::Enter(node) = step else { continue };
            let Some(element) = element(node) else { continue };
            if element.name() == "template" {
                walk.skip_below(node);
            }
            collect(node, element, &mut parts);
        }
        let mut hasher = Sha256::new_with_prefix(DOMAIN);
        for part in parts {
            hasher.update(part);
            hasher.update(b"\n");
        }
        Digest(hasher.finalize().into())
    }
}

fn collect(node: NodeRef<'_>, element: &Element, parts: &mut BTreeSet<String>) {
    let loaded = match element.name() {
        "script" if is_data(element) => None,
        "script" => match element.attr("src") {
            None => {
                let text = node.first_child().and_then(|child| child.value().as_text());
                let text: &str = text.map_or("", |text| text);
                parts.insert(format!("inline {}", shape(text)));
                None
            }
            src => src,
        },
        "iframe" | "frame" | "embed" => element.attr("src"),
        "object" => element.attr("data"),
        "form" => {
            let host = element.attr("action").and_then(host);
            parts.extend(host.map(|host| format!("form {host}")));
            None
        }
        _ => None,
    };
    parts.extend(loaded.map(|source| format!("{} {}", element.name(), place(source))));
    for (name, value) in element.attrs() {
        if name.starts_with("on") || name == "srcdoc" {
            parts.insert(format!("{name} {}", shape(value)));
        }
    }
}

fn is_data(script: &Element) -> bool {
    let kind = script.attr("type").unwrap_or_default().to_ascii_lowercase();
    ["json", "template", "html", "importmap", "speculationrules"]
        .iter()
        .any(|data| kind.contains(data))
}

/// A source without scheme, query and fragment, each run of digits as one zero; of inline data its shape.
fn place(source: &str) -> String {
    let source = source.trim();
    if source.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:")) {
        return format!("data {}", shape(source));
    }
    let path = source.split(['?', '#']).next().unwrap_or_default();
    let path = path.find("//").and_then(|at| path.get(at..)).unwrap_or(path);
    let mut place = String::with_capacity(path.len());
    for c in path.chars() {
        match c {
            '0'..='9' if place.ends_with('0') => {}
            '0'..='9' => place.push('0'),
            _ => place.push(c.to_ascii_lowercase()),
        }
    }
    place
}

/// The host after the first `//` of a text.
fn host(text: &str) -> Option<String> {
    let (_, behind) = text.split_once("//")?;
    let end = behind.find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-' | ':' | '@')));
    let host = behind.get(..end.unwrap_or(behind.len()))?;
    host.contains('.').then(|| host.to_ascii_lowercase())
}

/// A digest of a program without its white space, its numbers and what its string literals hold, but for hosts in them.
fn shape(program: &str) -> String {
    let mut hasher = Sha256::new();
    let mut rest = program;
    while let Some(c) = rest.chars().next() {
        let behind = rest.get(c.len_utf8()..).unwrap_or_default();
        rest = match c {
            '"' | '\'' | '`' => {
                let end = literal_end(behind, c);
                let literal = behind.get(..end).unwrap_or_default();
                hasher.update(b"\"");
                hasher.update(host(literal).unwrap_or_default());
                behind.get(end + 1..).unwrap_or_default()
            }
            c if c.is_whitespace() || c.is_ascii_digit() => behind,
            c => {
                hasher.update(c.encode_utf8(&mut [0; 4]).as_bytes());
                behind
            }
        };
    }
    Digest(hasher.finalize().into()).to_string()
}

/// Where the literal that this text begins with ends: at its quote, or at the end of the text or, but for a template
/// literal, of the line.
fn literal_end(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote || (c == '\n' && quote != '`') => return at,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<script src='https://cdn.example/a.js?v=17'></script>
        <script nonce=abc>var t = 1732; load('tok-77', \"//ads.example/x?r=1\");</script>
        <form action=/search></form><p onclick=\"go('a1')\">x</p><iframe src=//v.example/7/1></iframe>";

    fn digest(html: &str) -> Digest {
        Page::parse(html).expect("a page").active_digest()
    }

    #[test]
    fn tokens_and_times_do_not_show() {
        for (from, to) in [
            ("v=17", "v=18"),
            ("nonce=abc", "nonce=xyz"),
            ("1732", "1741"),
            ("tok-77", "tok-it's"),
            ("r=1", "r=2"),
            ("/7/1", "/8/22"),
            ("<p ", "<script type=application/ld+json>{\"a\":1}</script><p "),
        ] {
            let from_to = PAGE.replace(from, &to.replace("it's", "its"));
            assert_ne!(from_to, PAGE, "{from}");
            assert_eq!(digest(&from_to), digest(PAGE), "{to}");
        }
    }

    #[test]
    fn what_is_put_in_shows() {
        for (from, to) in [
            ("<form", "<script src=//evil.example/a.js></script><form"),
            ("<form", "<script>mine()</script><form"),
            ("<form", "<div class=ad><iframe src=//evil.example/></iframe></div><form"),
            ("ads.example", "evil.example"),
            ("cdn.example", "evil.example"),
            ("action=/search", "action=https://evil.example/s"),
            ("go(", "gone("),
            ("<p ", "<p onmouseover=go() "),
        ] {
            assert_ne!(digest(&PAGE.replace(from, to)), digest(PAGE), "{to}");
        }
    }
}
