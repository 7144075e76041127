//! Which URLs of a host are alike.
//!
//! Decides it by the shape of path and query alone, since nothing else is known of a URL that was never fetched: what is
//! likely an item's own name is left out, what is likely a section's is kept. Never decides how alike their pages are.

use serde::{Deserialize, Serialize};
use sward_proto::canonical_url::CanonicalUrl;

/// Bytes of the longest shape; a longer one ends in `*`.
const MAX_SHAPE: usize = 96;
/// A longer segment of a path names an item.
const MAX_NAME: usize = 24;
/// Words from which on a segment is an item's title.
const TITLE_WORDS: usize = 4;
/// A shorter run of hexadecimal digits may be a word.
const LEAST_HEX: usize = 8;
/// The longest extension that is kept: `.xhtml`.
const MAX_EXTENSION: usize = 5;

/// The shape of a URL's path and the names in its query, without their values: `/news/{n}/{s}.html?page`. In it `{n}` is a
/// number, `{h}` a hexadecimal one, `{s}` any other name of an item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Template(String);

impl Template {
    /// The template of a URL within its host.
    #[must_use]
    pub fn of(url: &CanonicalUrl) -> Self {
        let (path, query) = match url.path_and_query().split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (url.path_and_query(), None),
        };
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        let last = segments.len().saturating_sub(1);
        let mut shape = String::new();
        for (place, segment) in segments.iter().enumerate() {
            shape.push('/');
            shape.push_str(&general(segment, place == last));
        }
        let mut names: Vec<String> = query
            .into_iter()
            .flat_map(|query| query.split('&'))
            .map(|pair| general(pair.split('=').next().unwrap_or_default(), false))
            .collect();
        names.sort();
        names.dedup();
        if !names.is_empty() {
            shape.push('?');
            shape.push_str(&names.join("&"));
        }
        if shape.len() > MAX_SHAPE {
            let end = (0..MAX_SHAPE).rev().find(|end| shape.is_char_boundary(*end));
            shape.truncate(end.unwrap_or_default());
            shape.push('*');
        }
        Self(shape)
    }

    /// What stands for every further template of a host that has too many.
    #[must_use]
    pub fn others() -> Self {
        Self("*".to_owned())
    }

    /// The shape.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is kept of one segment, or of one name in a query. The last segment of a path names an item.
fn general(segment: &str, last: bool) -> String {
    let (stem, extension) = match segment.rsplit_once('.') {
        Some((stem, extension)) if last && is_extension(extension) => (stem, Some(extension)),
        Some(_) | None => (segment, None),
    };
    let kind = match () {
        () if stem.is_empty() => "",
        () if stem.bytes().all(|c| c.is_ascii_digit() || b"-_.:".contains(&c)) => "{n}",
        () if is_hex(stem) => "{h}",
        () if last || is_title(stem) => "{s}",
        () => stem,
    };
    match extension {
        Some(extension) => format!("{kind}.{extension}"),
        None => kind.to_owned(),
    }
}

fn is_extension(text: &str) -> bool {
    let short = (1..=MAX_EXTENSION).contains(&text.len());
    short
        && text.bytes().all(|c| c.is_ascii_alphanumeric())
        && !text.bytes().all(|c| c.is_ascii_digit())
}

/// A digest or a UUID: at least one digit among its letters.
fn is_hex(text: &str) -> bool {
    text.len() >= LEAST_HEX
        && text.bytes().all(|c| c.is_ascii_hexdigit() || c == b'-')
        && text.bytes().any(|c| c.is_ascii_digit())
}

fn is_title(text: &str) -> bool {
    let words = text.split(['-', '_', '+', '.']).filter(|word| !word.is_empty()).count();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    text.len() > MAX_NAME || words >= TITLE_WORDS || digits > 2 || text.contains('%')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(path: &str) -> String {
        let url = format!("https://a.example{path}").parse().expect("a url");
        Template::of(&url).as_str().to_owned()
    }

    #[test]
    fn items_are_left_out_and_sections_kept() {
        for (path, wanted) in [
            ("/", "/"),
            ("/about", "/{s}"),
            ("/news/2026/05/17/a-fine-day-for-all.html", "/news/{n}/{n}/{n}/{s}.html"),
            ("/news/2026-05-17/", "/news/{n}/"),
            ("/item/12345", "/item/{n}"),
            ("/commit/9fceb02d0ae598e95dc970b74767f19372d61af8", "/commit/{h}"),
            ("/u/0b9a3f1e-77aa-4c3e-8c1e-aaaaaaaaaaaa/posts/", "/u/{h}/posts/"),
            ("/wiki/Rust", "/wiki/{s}"),
            ("/a-long-title-of-a-book/reviews/", "/{s}/reviews/"),
            ("/v2/docs/index.html", "/v2/docs/{s}.html"),
            ("/list?page=3&sort=up", "/{s}?page&sort"),
            ("/list?sort=down&page=9&page=1", "/{s}?page&sort"),
            ("/%C3%A9t%C3%A9/x/", "/{s}/x/"),
        ] {
            assert_eq!(shape(path), wanted, "{path}");
        }
    }

    proptest::proptest! {
        /// No URL makes a long template, and values never matter.
        #[test]
        fn a_template_is_short_and_without_values(path in "(/[a-zA-Z0-9%é._-]{0,40}){1,12}", value in "[a-z0-9]{1,9}") {
            let template = shape(&path);
            proptest::prop_assert!(template.len() <= MAX_SHAPE + 1);
            proptest::prop_assert_eq!(shape(&format!("{path}?q={value}")), shape(&format!("{path}?q=1")));
        }
    }
}
