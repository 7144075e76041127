//! Whether a page can be parsed in bounded time.
//!
//! html5ever walks the stack of open elements at many tags, re-opens unclosed formatting elements in each
//! paragraph, and compares each attribute with those before it: 256 KB of nested `<ul><li>` take 55 seconds
//! ([html5ever #788](https://github.com/servo/html5ever/issues/788)). This gate reads the tags once, keeps the
//! same stack in small, and refuses before html5ever is asked. It never builds a tree, and it is a model: a caller
//! that parses pages of strangers still puts a time limit around the parser.

mod formatting;
mod names;
mod nesting;
mod scan;
mod tables;

use nesting::Nesting;
use scan::{Scanner, Token};

/// The most elements open at once that are parsed. Real pages of our test sets stay below 100.
pub const MAX_DEPTH: usize = 512;

/// The most attributes on one tag; html5ever compares each with all before it.
pub const MAX_ATTRIBUTES: usize = 1024;

/// The most elements that the parser may add by itself, re-opening formatting that was never closed, beyond
/// [`REOPENED_PER_TAG`] for each start tag.
pub const MAX_REOPENED: usize = 65_536;

/// What sloppy but harmless pages have: the standard keeps three unclosed elements of one kind.
pub const REOPENED_PER_TAG: usize = 4;

/// Why a page is not parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooDeep {
    /// More than [`MAX_DEPTH`] elements open at once.
    #[error("the page opens more than {MAX_DEPTH} elements inside one another; it is not parsed")]
    Nesting,
    /// More than [`MAX_REOPENED`] elements that are not in the page's text.
    #[error("unclosed formatting would add more than {MAX_REOPENED} elements; it is not parsed")]
    Reopened,
    /// More than [`MAX_ATTRIBUTES`] attributes.
    #[error("a tag has more than {MAX_ATTRIBUTES} attributes; the page is not parsed")]
    Attributes,
}

/// The greatest number of elements open at once and of formatting that may open again, counted as the HTML standard's tree construction opens and closes
/// them (section 13.2.6), implied end tags and re-opened formatting included. Linear in the length of `html`.
///
/// # Errors
/// [`TooDeep`] with the bound that was passed.
pub fn check(html: &str) -> Result<usize, TooDeep> {
    let lowered = html.to_ascii_lowercase();
    let mut strict = Nesting::new(false);
    let deepest = follow(lowered.as_bytes(), &mut strict)?;
    if !strict.quirks_matter() {
        return Ok(deepest);
    }
    // Old doctypes, and none, differ in one rule; which of them a page has is the parser's to say.
    Ok(deepest.max(follow(lowered.as_bytes(), &mut Nesting::new(true))?))
}

fn follow<'a>(html: &'a [u8], nesting: &mut Nesting<'a>) -> Result<usize, TooDeep> {
    let mut scanner = Scanner::new(html);
    let (mut deepest, mut may_reopen) = (0, MAX_REOPENED);
    while let Some(token) = scanner.next_token(nesting.is_foreign()) {
        match token {
            Token::Text(text) => nesting.text(text),
            Token::End(name) => nesting.end(name),
            Token::Start(tag) if tag.attributes > MAX_ATTRIBUTES => {
                return Err(TooDeep::Attributes);
            }
            Token::Start(tag) => {
                may_reopen += REOPENED_PER_TAG;
                scanner.enter(tag.name, nesting.start(&tag));
            }
        }
        deepest = deepest.max(nesting.depth());
        if deepest > MAX_DEPTH {
            return Err(TooDeep::Nesting);
        }
        if nesting.reopened() > may_reopen {
            return Err(TooDeep::Reopened);
        }
    }
    Ok(deepest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_lists_are_refused_and_flat_ones_are_not() {
        assert_eq!(check(&"<ul><li>".repeat(32_000)), Err(TooDeep::Nesting));
        for flat in
            ["<p>x", "<li>x", "<tr><td>x", "<option>x", "<dt>x<dd>y", "<b>x</b>", "<a href=x>x"]
        {
            let page = format!("<table><tr><td><ul>{}", flat.repeat(20_000));
            assert!(check(&page).is_ok_and(|deepest| deepest < 16), "{flat}: {:?}", check(&page));
        }
        assert!(check(&format!("<table>{}", "<tr><td>x".repeat(20_000))).is_ok_and(|d| d < 8));
    }

    #[test]
    fn what_a_script_or_comment_says_opens_nothing() {
        for hidden in ["<script>{}</script>", "<!--{}-->", "<style>{}</style>", "<title>{}</title>"]
        {
            assert!(
                check(&hidden.replace("{}", &"<ul>".repeat(2_000))).is_ok_and(|d| d < 3),
                "{hidden}"
            );
        }
        let escaped = format!("<script><!--<script></script>{}", "<ul>".repeat(2_000));
        assert!(check(&escaped).is_ok());
        assert_eq!(check(&format!("<svg><style>{}", "<ul>".repeat(2_000))), Err(TooDeep::Nesting));
        assert_eq!(check(&format!("<!-->{}", "<ul>".repeat(2_000))), Err(TooDeep::Nesting));
    }

    #[test]
    fn multiplying_formatting_and_attributes_are_refused() {
        let bold: String = (0..1_000).map(|n| format!("<p><b x={n}>y</p>")).collect();
        assert!(check(&bold).is_err());
        let many: String = (0..200).map(|n| format!("<b x={n}>")).collect();
        assert_eq!(check(&format!("<p>{many}{}", "<p>y".repeat(2_000))), Err(TooDeep::Reopened));
        let wide: String = (0..2_000).map(|n| format!(" a{n}")).collect();
        assert_eq!(check(&format!("<p{wide}>")), Err(TooDeep::Attributes));
    }
}
