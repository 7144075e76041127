//! The depth gate against the parser itself: on tag soup it counts at least what html5ever nests, and every page
//! that it lets through parses quickly.

use proptest::prelude::*;
use scraper::{Html, Node};
use std::time::{Duration, Instant};
use sward_page::depth::{MAX_DEPTH, check};

/// The most elements inside one another, without html, head and body.
fn parsed_depth(html: &str) -> usize {
    let parsed = Html::parse_document(html);
    let depth = |node: NodeRef<'_>| {
        let mut count = 0;
        let mut at = Some(node);
        while let Some(node) = at {
            count += usize::from(node.value().is_element());
            at = node.parent();
        }
        count
    };
    let raw = ["script", "style", "title", "textarea", "iframe", "xmp", "noscript", "plaintext"];
    let voids = ["br", "img", "input", "hr", "col", "meta", "link", "wbr", "area"];
    let counts = |node: &Node| {
        node.as_element().is_some_and(|e| !raw.contains(&e.name()) && !voids.contains(&e.name()))
    };
    let deepest = parsed.tree.nodes().filter(|node| counts(node.value())).map(depth).max();
    deepest.unwrap_or(2).saturating_sub(2)
}

type NodeRef<'a> = <scraper::ElementRef<'a> as std::ops::Deref>::Target;

const NAMES: [&str; 48] = [
    "div",
    "p",
    "ul",
    "ol",
    "li",
    "dl",
    "dt",
    "dd",
    "table",
    "tbody",
    "thead",
    "tr",
    "td",
    "th",
    "caption",
    "colgroup",
    "col",
    "b",
    "i",
    "a",
    "font",
    "nobr",
    "code",
    "span",
    "foo",
    "h1",
    "h2",
    "button",
    "form",
    "select",
    "option",
    "optgroup",
    "object",
    "template",
    "svg",
    "math",
    "foreignobject",
    "desc",
    "mi",
    "g",
    "br",
    "hr",
    "input",
    "style",
    "title",
    "ruby",
    "rt",
    "pre",
];

fn soup() -> impl Strategy<Value = String> {
    let name = proptest::sample::select(&NAMES[..]);
    let piece = (name, 0..12_u8, 0..4_u8).prop_map(|(name, shape, kind)| match shape {
        0..=5 => format!("<{name}>"),
        6 => format!("<{name} x={kind}>"),
        7..=8 => format!("</{name}>"),
        9 => "x".to_owned(),
        10 => format!("<{name}/>"),
        _ => ["<!--<ul>-->", "<![CDATA[<ul>]]>", " ", "</>"][usize::from(kind)].to_owned(),
    });
    proptest::collection::vec(piece, 1..120).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 20_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_gate_counts_at_least_what_the_parser_nests(html in soup(), strict: bool) {
        let html = if strict { format!("<!doctype html>{html}") } else { html };
        let counted = check(&html).expect("short pages pass");
        let nested = parsed_depth(&html);
        prop_assert!(nested <= counted + 4, "{nested} nested, {counted} counted: {html}");
    }
}

/// 256 KB, cut to whole pieces.
fn filled(piece: &str) -> String {
    piece.repeat(256 * 1024 / piece.len())
}

#[test]
#[expect(clippy::disallowed_methods, reason = "what is tested is the time that the parser takes")]
fn whatever_passes_is_parsed_quickly() {
    let closed = |names: &[&str], count: usize| {
        let open: String = (0..count).map(|at| format!("<{}>", names[at % names.len()])).collect();
        let shut: String =
            (0..count).rev().map(|at| format!("</{}>", names[at % names.len()])).collect();
        open + &shut
    };
    let near = MAX_DEPTH - 12;
    let pages = [
        filled(&closed(&["ul", "li"], near)),
        filled(&closed(&["div"], near)),
        closed(&["div"], near).replace("</div>", "") + &filled("<p>x"),
        closed(&["div"], near).replace("</div>", "") + &filled("<b></b>"),
        closed(&["span"], near).replace("</span>", "") + &filled("<li>x</li>"),
        filled("<table><tr><td>x</table>"),
        filled("<p><b>x</p>"),
        filled("<a href=x><p>x"),
        filled("<svg><g><path/></g></svg>"),
        (0..20).map(|n| format!("<b x={n}>")).collect::<String>() + &"<p>x</p>".repeat(2_000),
        format!("<p {}>", (0..1_000).map(|n| format!("a{n} ")).collect::<String>()).repeat(40),
    ];
    for page in pages {
        let head: String = page.chars().take(40).collect();
        assert!(check(&page).is_ok(), "{head} is refused: {:?}", check(&page));
        let start = Instant::now();
        let nodes = Html::parse_document(&page).tree.nodes().count();
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{head}: {nodes} nodes, {:?}",
            start.elapsed()
        );
    }
}
