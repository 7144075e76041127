//! Where a page's source can be edited.
//!
//! Reads tags and texts by itself, so that what is edited does not depend on the code that is measured.

use std::ops::Range;

/// Elements in which nothing is edited.
const SKIPPED: [&str; 9] =
    ["script", "style", "noscript", "template", "textarea", "select", "title", "svg", "iframe"];

/// An edit: what to replace, by what.
pub type Edit = (Range<usize>, String);

/// Places in a source.
#[derive(Debug, Default)]
pub struct Places {
    /// Runs of text that are not only white space.
    pub texts: Vec<Range<usize>>,
    /// Values of `href` of links to elsewhere.
    pub links: Vec<Range<usize>>,
    /// Between blocks.
    pub gaps: Vec<usize>,
}

/// The places of a page.
pub fn places(html: &str) -> Places {
    let lower = html.to_ascii_lowercase();
    let mut places = Places::default();
    let mut at = lower.find("<body").unwrap_or_default();
    while let Some(rest) = lower.get(at..).filter(|rest| !rest.is_empty()) {
        let end = if rest.starts_with("<!--") {
            rest.find("-->").map(|end| end + 3)
        } else if rest.starts_with('<') {
            tag(rest, at, &mut places)
        } else {
            let end = rest.find('<').unwrap_or(rest.len());
            if rest.get(..end).is_some_and(|text| !text.trim().is_empty()) {
                places.texts.push(at..at + end);
            }
            Some(end)
        };
        let Some(end) = end else { break };
        at += end.max(1);
    }
    places
}

/// Reads the tag that a text begins with and says where to go on.
fn tag(rest: &str, at: usize, places: &mut Places) -> Option<usize> {
    let end = rest.find('>')? + 1;
    let inner = rest.get(1..end - 1)?;
    let name = inner.split(|c: char| !(c.is_ascii_alphanumeric() || c == '/')).next()?;
    if SKIPPED.contains(&name) {
        return rest.find(&format!("</{name}")).map(|close| close.max(end));
    }
    if matches!(name, "/p" | "/div" | "/h2" | "/ul" | "/section") {
        places.gaps.push(at + end);
    }
    if name == "a"
        && let Some((begin, value)) = href(inner)
        && !value.is_empty()
        && !value.starts_with(['#', 'j'])
    {
        let begin = at + 1 + begin;
        places.links.push(begin..begin + value.len());
    }
    Some(end)
}

/// A quoted `href` in a tag, and where it begins.
fn href(inner: &str) -> Option<(usize, &str)> {
    let begin = inner.find(" href=")? + 6;
    let quote = inner.get(begin..)?.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let behind = inner.get(begin + 1..)?;
    Some((begin + 1, behind.get(..behind.find(quote)?)?))
}

/// A source with edits made; one that overlaps an earlier one in the list is left out.
pub fn edited(html: &str, edits: &[Edit]) -> String {
    let mut kept: Vec<&Edit> = Vec::new();
    for edit in edits {
        let apart = |other: &&Edit| edit.0.end <= other.0.start || other.0.end <= edit.0.start;
        if kept.iter().all(apart) {
            kept.push(edit);
        }
    }
    kept.sort_by_key(|(range, _)| range.start);
    let (mut page, mut at) = (String::with_capacity(html.len() + 1024), 0);
    for (range, text) in kept {
        page.push_str(html.get(at..range.start).unwrap_or_default());
        page.push_str(text);
        at = range.end;
    }
    page.push_str(html.get(at..).unwrap_or_default());
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_where_a_reader_looks() {
        let html = "<head><title>T</title></head><body class=x><!-- a > b --><p>One 1</p>\
            <script>if (a<b) x</script><a class=y href='/l'>two</a> <a href='#t'>up</a></body>";
        let places = places(html);
        let texts: Vec<&str> = places.texts.iter().map(|range| &html[range.clone()]).collect();
        assert_eq!(texts, ["One 1", "two", "up"]);
        assert_eq!(&html[places.links[0].clone()], "/l");
        assert_eq!((places.links.len(), places.gaps.len()), (1, 1));
        let edits = [(places.texts[0].clone(), "1".to_owned()), (0..html.len(), String::new())];
        assert!(edited(html, &edits).contains("<p>1</p>"));
    }
}
