//! Every layer over real pages: nothing panics, nothing is refused, and the canonical digest sees what it should.

mod data;

use std::path::PathBuf;
use sward_page::Page;
use sward_page::charset::decode;
use sward_page::depth::{MAX_DEPTH, check};
use sward_page::fingerprint::fingerprint;
use sward_proto::canonical_url::CanonicalUrl;

fn pages() -> Vec<PathBuf> {
    let sets = ["readability-pages", "scrapinghub", "trafilatura-eval", "wcxb"];
    let folders = sets.iter().filter_map(|set| data::folder(set));
    folders.flat_map(|folder| data::files(&folder, ".html.gz")).collect()
}

/// Every `step`th page; the offset lets tests look at different ones.
fn some(step: usize, offset: usize) -> impl Iterator<Item = (PathBuf, String)> {
    pages().into_iter().skip(offset).step_by(step).map(|path| {
        let text = decode(&data::read(&path), Some("text/html")).text.into_owned();
        (path, text)
    })
}

#[test]
fn no_real_page_is_refused() {
    for (path, text) in some(1, 0) {
        let deepest = check(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(deepest < MAX_DEPTH / 4, "{}: {deepest}", path.display());
    }
}

#[test]
fn every_page_has_a_fingerprint_and_twice_the_same() {
    let url: CanonicalUrl = "https://example.org/a/page".parse().expect("a url");
    for (number, path) in pages().iter().enumerate() {
        let body = data::read(path);
        let first = fingerprint(&body, Some("text/html"), &url, "swardbot");
        assert!(first.canonical.is_some() && !first.too_deep, "{}", path.display());
        if number % 4 == 0 {
            let again = fingerprint(&body, Some("text/html"), &url, "swardbot");
            assert_eq!(again, first, "{}", path.display());
        }
    }
}

#[test]
fn the_texts_of_a_page_agree_with_one_another() {
    for (path, text) in some(5, 1) {
        let page = Page::parse(&text).expect("a page");
        let all = page.text();
        let lines: Vec<&str> = all.lines().collect();
        assert!(page.main_text().lines().all(|line| lines.contains(&line)), "{}", path.display());
        assert!((0.0..=1.0).contains(&page.confidence()), "{}", path.display());
        let words = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
        assert!(words(&page.markdown()) >= words(&all), "{}", path.display());
    }
}

#[test]
fn what_a_load_changes_leaves_the_canonical_digest() {
    let mut tried = 0;
    for (path, text) in some(7, 0) {
        let Some(body) = body_start(&text) else { continue };
        let before = digest(&text);
        for noise in [
            "<!-- rendered 12:00:01 -->",
            "\n\n  \t",
            "<script nonce=abc>var t=1;</script>",
            "<input type=hidden name=csrf_token value=abc>",
            "<div class='ad-slot-1'><a href=https://ads.example/1>Buy</a></div>",
            "<template><p>x</p></template><style>p{}</style>",
        ] {
            let changed = format!("{}{noise}{}", &text[..body], &text[body..]);
            assert_eq!(digest(&changed), before, "{}: {noise}", path.display());
        }
        tried += 1;
    }
    assert!(tried > 100 || pages().is_empty(), "{tried}");
}

#[test]
fn what_a_reader_meets_changes_the_canonical_digest() {
    let mut tried = 0;
    for (path, text) in some(7, 3) {
        let Some(body) = body_start(&text) else { continue };
        let before = digest(&text);
        for (from, to) in [
            ("<p>", "<p>Forged. "),
            ("</h1>", " forged</h1>"),
            ("<a href=\"http", "<a href=\"https://x.example/"),
        ] {
            let Some(found) = visible(&text, from, body) else { continue };
            let changed = format!("{}{to}{}", &text[..found], &text[found + from.len()..]);
            assert_ne!(digest(&changed), before, "{}: {to}", path.display());
            tried += 1;
        }
    }
    assert!(tried > 200 || pages().is_empty(), "{tried}");
}

fn digest(text: &str) -> String {
    Page::parse(text).expect("a page").canonical_digest().to_string()
}

/// Where the body's content begins.
fn body_start(text: &str) -> Option<usize> {
    let tag = text.find("<body")?;
    let outside = !text[..tag].contains("<body") && text[..tag].contains("</head>");
    text[tag..].find('>').filter(|_| outside).map(|end| tag + end + 1)
}

/// The first place of `needle` in the body that no script, comment or hidden element is open before.
fn visible(text: &str, needle: &str, body: usize) -> Option<usize> {
    let found = body + text[body..].find(needle)?;
    let before = &text[body..found];
    let is_open =
        |open: &str, shut: &str| before.matches(open).count() != before.matches(shut).count();
    let hides = [
        ("<script", "</script>"),
        ("<!--", "-->"),
        ("<noscript", "</noscript>"),
        ("<style", "</style>"),
    ];
    let hidden = hides.iter().any(|(open, shut)| is_open(open, shut))
        || before.contains("<template")
        || before.contains("class=\"ad");
    if hidden { None } else { Some(found) }
}
