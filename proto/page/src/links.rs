//! Where a page leads.
//!
//! Decides which elements are links, resolves them, and gives each target once. Never decides whether a target is
//! wanted: scope, robots.txt and the address guard do.

use crate::document::Page;
use crate::walk::has_token;
use scraper::node::Element;
use std::collections::BTreeSet;
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::digest::Digest;
use sward_proto::wire::bounds;
use url::Url;

/// The most links that are taken from one page; that all of them fit into one message bounds their bytes besides.
pub const MAX_LINKS: usize = bounds::MAX_LINKS;

/// The `rel` values of `link` elements that name another page (HTML 4.01 section 6.12 and the HTML standard).
const PAGE_RELATIONS: [&str; 18] = [
    "next",
    "prev",
    "start",
    "contents",
    "index",
    "search",
    "help",
    "up",
    "first",
    "last",
    "author",
    "copyright",
    "glossary",
    "chapter",
    "section",
    "subsection",
    "appendix",
    "canonical",
];

impl Page {
    /// The targets of `a`, `area`, `iframe`, `frame`, page-like `link` elements and `meta refresh`, resolved against
    /// `base href` or else `url`, in order of first appearance, at most [`MAX_LINKS`] and
    /// [`bounds::MAX_LINKS_BYTES`]. Targets within the page itself
    /// and targets that Sward does not fetch are left out. Empty where the page says `nofollow` to `product_token`.
    #[must_use]
    pub fn links(&self, url: &CanonicalUrl, product_token: &str) -> Vec<CanonicalUrl> {
        if self.robots_meta(product_token).nofollow {
            return Vec::new();
        }
        let base = self.base(url);
        let (mut seen, mut links, mut bytes) = (BTreeSet::new(), Vec::new(), 0);
        for target in self.elements().filter_map(target) {
            let Some(link) = resolve(&base, target, url) else { continue };
            if !seen.insert(link.clone()) {
                continue;
            }
            bytes += link.as_str().len();
            if links.len() == MAX_LINKS || bytes > bounds::MAX_LINKS_BYTES {
                break;
            }
            links.push(link);
        }
        links
    }

    fn base(&self, url: &CanonicalUrl) -> Url {
        let mut bases = self.elements().filter(|element| element.name() == "base");
        let base = bases.find_map(|element| element.attr("href"));
        let joined = base.and_then(|href| url.as_url().join(href.trim()).ok());
        let usable = joined.filter(|base| matches!(base.scheme(), "http" | "https"));
        usable.unwrap_or_else(|| url.as_url().clone())
    }
}

/// The digest of a page's links in their order: `sward/links/v1`, then each URL, each with a line feed.
#[must_use]
pub fn links_digest(links: &[CanonicalUrl]) -> Digest {
    let mut text = String::from("sward/links/v1\n");
    for link in links {
        text.push_str(link.as_str());
        text.push('\n');
    }
    Digest::of(text.as_bytes())
}

fn target(element: &Element) -> Option<&str> {
    match element.name() {
        "a" | "area" => element.attr("href"),
        "iframe" | "frame" => element.attr("src"),
        "link" if names_a_page(element) => element.attr("href"),
        "meta" => {
            let refreshes = element.attr("http-equiv")?.trim().eq_ignore_ascii_case("refresh");
            element.attr("content").filter(|_| refreshes).and_then(refresh_target)
        }
        _ => None,
    }
}

fn names_a_page(link: &Element) -> bool {
    if PAGE_RELATIONS.iter().any(|relation| has_token(link, "rel", relation)) {
        return true;
    }
    let media_type = link.attr("type").unwrap_or_default().trim().to_ascii_lowercase();
    let readable =
        matches!(media_type.as_str(), "" | "text/html" | "text/plain" | "application/xhtml+xml");
    let is_style = has_token(link, "rel", "stylesheet");
    has_token(link, "rel", "alternate") && readable && !is_style
}

/// The URL in `5; url='…'` (HTML standard, "shared declarative refresh steps").
fn refresh_target(content: &str) -> Option<&str> {
    let behind = content.trim_start().trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let behind = behind.trim_start().trim_start_matches([';', ',']).trim_start();
    let named = behind.get(..3).filter(|word| word.eq_ignore_ascii_case("url"));
    let value = named.and_then(|_| behind.get(3..)?.trim_start().strip_prefix('='));
    let value = value.unwrap_or(behind).trim();
    let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''));
    match quote {
        Some(quote) => value.get(1..)?.split(quote).next(),
        None => Some(value),
    }
}

fn resolve(base: &Url, target: &str, page: &CanonicalUrl) -> Option<CanonicalUrl> {
    let target = target.trim();
    if target.is_empty() {
        return None;
    }
    let joined = base.join(target).ok()?;
    let is_place = joined.fragment().is_some();
    let link = CanonicalUrl::from_url(joined).ok()?;
    if is_place && link == *page { None } else { Some(link) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(html: &str) -> Vec<String> {
        let url: CanonicalUrl = "https://a.example/dir/page?x=1".parse().expect("a url");
        let page = Page::parse(html).expect("a page");
        page.links(&url, "swardbot").into_iter().map(String::from).collect()
    }

    #[test]
    fn each_kind_of_link_is_found_once() {
        let html =
            "<meta http-equiv=refresh content=\"0;URL='/r'\"><link rel=stylesheet href=s.css>
            <link rel=next href=n><link rel=alternate type=application/rss+xml href=feed>
            <link rel=alternate href=alt><a href=' b '>b</a><a href=./b#part>again</a>
            <map><area href=//c.example/></map><iframe src=f></iframe><a href=#top>top</a>
            <a href='javascript:x()'>no</a><a href=mailto:a@b.example>no</a><a href=''>no</a>
            <template><a href=hidden>no</a></template><!-- <a href=comment> -->";
        let found =
            ["r", "dir/n", "dir/alt", "dir/b"].map(|path| format!("https://a.example/{path}"));
        let rest = ["https://c.example/", "https://a.example/dir/f"].map(String::from);
        assert_eq!(links(html), [found.to_vec(), rest.to_vec()].concat());
    }

    #[test]
    fn base_and_nofollow_are_obeyed() {
        assert_eq!(links("<base href=/b/><base href=/c/><a href=x>"), ["https://a.example/b/x"]);
        assert_eq!(links("<base href=data:,x><a href=x>"), ["https://a.example/dir/x"]);
        assert!(links("<meta name=SwardBot content=nofollow><a href=x>").is_empty());
    }

    #[test]
    fn links_are_bounded_and_their_order_is_digested() {
        let many: String = (0..5000).map(|n| format!("<a href={n}>")).collect();
        assert_eq!(links(&many).len(), MAX_LINKS);
        let url = |text: &str| text.parse::<CanonicalUrl>().expect("a url");
        let (a, b) = (url("http://a.example/"), url("http://b.example/"));
        assert_ne!(links_digest(&[a.clone(), b.clone()]), links_digest(&[b, a]));
        assert_eq!(links_digest(&[]), Digest::of(b"sward/links/v1\n"));
    }
}
