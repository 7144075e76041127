//! Whatever a page is made of, what one agent alone saw is in nothing that is made from it.

use proptest::prelude::*;
use sward_page::Page;
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::verdict::PublishedBlocks;

/// A piece of a page with a word and a link of its own, in one of the ways in which pages have them. Each is one block.
fn piece(way: usize, n: usize) -> String {
    let (word, link) = (format!("word{n}x"), format!("<a href=/link{n}x>"));
    match way {
        0 => format!("<p>{word} {link}here</a></p>"),
        1 => format!("<ul><li><b>{link}{word}</a></b></ul>"),
        2 => format!("<table><tr><td>{word}<td>{link}there</a></table>"),
        3 => format!("<div class=main title=t>{word} <code>{link}c</a></code></div>"),
        4 => format!("<blockquote>{link}{word}</a></blockquote>"),
        5 => format!("<ol start={n}><li>{word} {link}o</a></ol>"),
        6 => format!("<pre>{word}\n  {link}code</a></pre>"),
        7 => format!("<h2>{link}{word}</a></h2>"),
        _ => format!("<span>{word}</span> {link}in no element</a><br>"),
    }
}

fn pieces() -> impl Strategy<Value = Vec<(usize, bool)>> {
    prop_oneof![
        4 => prop::collection::vec((0..9_usize, any::<bool>()), 1..40),
        // So many that blocks are groups of pieces.
        1 => prop::collection::vec((0..9_usize, prop::bool::weighted(0.99)), 300..400),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_or_link_of_an_unattested_block_is_left(pieces in pieces()) {
        let html: String =
            pieces.iter().enumerate().map(|(n, (way, _))| piece(*way, n)).collect();
        let true_for_all: String = pieces
            .iter()
            .enumerate()
            .filter(|(_, (_, honest))| *honest)
            .map(|(n, (way, _))| piece(*way, n))
            .collect();
        let url: CanonicalUrl = "http://a.example/".parse().expect("a url");
        let page = Page::parse(&html).expect("a page");
        let kept = page.pieces().blocks;
        let others = Page::parse(&true_for_all).expect("a page").pieces().blocks.counts();
        let marks: Vec<bool> =
            kept.blocks().iter().map(|block| others.contains_key(block)).collect();
        let whole = page.links(&url, "swardbot");
        let left = page.attested(&PublishedBlocks::new(&kept, &marks)).expect("its blocks");
        let said = [left.page().text(), left.page().main_text(), left.page().markdown()];
        let links = left.links(&whole, &url, "swardbot");
        let is_one_block_a_piece = kept.blocks().len() == pieces.len();
        for (n, (_, honest)) in pieces.iter().enumerate() {
            let (word, link) = (format!("word{n}x"), format!("/link{n}x"));
            let leads = links.iter().any(|url| url.as_str().ends_with(&link));
            let shows = |text: &String| text.contains(&word);
            if !honest {
                prop_assert!(!said.iter().any(shows) && !leads, "{word} of {html}");
            } else if is_one_block_a_piece {
                prop_assert!(shows(&said[0]) && shows(&said[2]) && leads, "no {word} of {html}");
            }
        }
    }
}
