//! The lines of a robots.txt.
//!
//! Decides where lines end, how much of a file counts, and which field a line is, with the misspellings that the
//! reference parser forgives. Never fails: a line of junk is [`Field::Other`].

use super::MAX_ROBOTS_BYTES;
use std::borrow::Cow;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Beginnings of field names, as in the reference parser's `ParsedRobotsKey` (github.com/google/robotstxt), which
/// also goes by beginnings.
const FIELDS: [(&str, Field); 11] = [
    ("user-agent", Field::UserAgent),
    ("useragent", Field::UserAgent),
    ("user agent", Field::UserAgent),
    ("allow", Field::Allow),
    ("disallow", Field::Disallow),
    ("dissallow", Field::Disallow),
    ("dissalow", Field::Disallow),
    ("disalow", Field::Disallow),
    ("diasllow", Field::Disallow),
    ("disallaw", Field::Disallow),
    ("crawl-delay", Field::CrawlDelay),
];

/// What a line says, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    /// Begins or continues the head of a group.
    UserAgent,
    /// A rule.
    Allow,
    /// A rule.
    Disallow,
    /// The site's wish for a pause.
    CrawlDelay,
    /// Sitemaps, content signals, typing errors: no concern of this matcher.
    Other,
}

/// The first [`MAX_ROBOTS_BYTES`] of a file without the line that they cut: half a `Disallow: /private` would be a
/// `Disallow: /`.
pub(super) fn capped(text: &[u8]) -> &[u8] {
    let Some((head, rest)) = text.split_at_checked(MAX_ROBOTS_BYTES) else { return text };
    if rest.first().is_none_or(is_line_end) {
        return head;
    }
    let last_end = head.iter().rposition(is_line_end).unwrap_or_default();
    head.get(..last_end).unwrap_or_default()
}

/// A file as octets of UTF-8, which RFC 9309 section 2.2 demands. UTF-16 with a byte order mark is met in the wild and
/// converted; everything else is left as it is.
pub(super) fn as_utf8(text: &[u8]) -> Cow<'_, [u8]> {
    let read: fn([u8; 2]) -> u16 = match text {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return Cow::Borrowed(text),
    };
    let units = text.as_chunks().0.iter().map(|pair| read(*pair));
    let decoded = char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER));
    Cow::Owned(decoded.collect::<String>().into_bytes())
}

/// The lines of a file, each without its end (LF, CR or CRLF), with its number from 1.
pub(super) fn numbered(text: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    let lines = text
        .split(|octet| *octet == b'\n')
        .flat_map(|line| line.strip_suffix(b"\r").unwrap_or(line).split(|octet| *octet == b'\r'));
    (1..).zip(lines)
}

/// The field and the value of a line, without comment and surrounding white space.
///
/// White space stands in for a forgotten colon where exactly two words are left, as in the reference parser.
pub(super) fn field(mut line: &[u8]) -> (Field, &[u8]) {
    while let Some(rest) = line.strip_prefix(BYTE_ORDER_MARK) {
        line = rest;
    }
    let line = line.split(|octet| *octet == b'#').next().unwrap_or_default();
    let line = trimmed(line);
    let split_at = line.iter().position(|octet| *octet == b':');
    let colon_or_space = split_at.or_else(|| line.iter().position(is_blank));
    let Some((name, rest)) = colon_or_space.and_then(|at| line.split_at_checked(at)) else {
        return (Field::Other, line);
    };
    let value = trimmed(rest.get(1..).unwrap_or_default());
    if split_at.is_none() && value.iter().any(is_blank) {
        return (Field::Other, line);
    }
    let begins = |beginning: &str| {
        name.get(..beginning.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(beginning.as_bytes()))
    };
    let field = FIELDS.iter().find(|(beginning, _)| begins(beginning)).map(|(_, field)| *field);
    (field.unwrap_or(Field::Other), value)
}

/// Without the white space around it, no-break spaces included: editors leave them behind, and a rule that ends in one
/// would match nothing.
fn trimmed(text: &[u8]) -> &[u8] {
    str::from_utf8(text).map_or_else(|_| text.trim_ascii(), |text| text.trim().as_bytes())
}

fn is_line_end(octet: &u8) -> bool {
    matches!(octet, b'\n' | b'\r')
}

fn is_blank(octet: &u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_their_misspellings() {
        for line in [
            "Disallow: /x",
            "disalow:/x # why",
            "\u{feff}dissallow : /x\t",
            "DISALLOW /x",
            "Disallow: /x\u{a0}",
            " diasllow\t/x",
        ] {
            assert_eq!(field(line.as_bytes()), (Field::Disallow, b"/x".as_slice()), "{line}");
        }
        for line in ["user agent: a", "useragent a", "User-Agents: a"] {
            assert_eq!(field(line.as_bytes()), (Field::UserAgent, b"a".as_slice()), "{line}");
        }
        for line in [
            "",
            ":",
            "#disallow: /",
            "disallow /x y",
            "user agent a",
            "sitemap: /x",
            "\u{0}allow: /",
        ] {
            assert_eq!(field(line.as_bytes()).0, Field::Other, "{line}");
        }
    }

    #[test]
    fn all_line_ends_count_once() {
        let text = b"a\r\nb\rc\n\nd\r\r\ne";
        let expected: Vec<(u32, &[u8])> =
            vec![(1, b"a"), (2, b"b"), (3, b"c"), (4, b""), (5, b"d"), (6, b""), (7, b"e")];
        assert_eq!(numbered(text).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_cut_line_does_not_count() {
        let mut text = vec![b'#'; MAX_ROBOTS_BYTES - 9];
        text.extend_from_slice(b"\nallow: /\n");
        assert_eq!(capped(&text).len(), MAX_ROBOTS_BYTES, "the cap falls on the end of a line");
        text.insert(0, b'#');
        assert_eq!(capped(&text).len(), MAX_ROBOTS_BYTES - 8, "the last line would be cut");
        assert_eq!(capped(&vec![b'#'; MAX_ROBOTS_BYTES + 1]), b"");
        assert_eq!(capped(b"short"), b"short");
    }
}
