//! The path patterns of robots.txt rules (RFC 9309 sections 2.2.2 and 2.2.3).
//!
//! Decides how percent-encoding is normalised and whether a pattern with `*` and `$` matches a path, in time linear in
//! both. Never decides which of several patterns wins.

use std::fmt::Write as _;

/// A pattern in its two readings, both ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    /// As the site wrote it: characters that no URL holds are escaped, and escapes are in upper case. So the reference
    /// parser reads it.
    written: String,
    /// With escapes of unreserved characters undone as well. So RFC 9309 section 2.2.2 reads it.
    decoded: String,
}

/// A path with its query, in the same two readings.
#[derive(Debug)]
pub(super) struct Target {
    written: String,
    decoded: String,
}

impl Pattern {
    /// From the value of a rule.
    pub(super) fn new(value: &[u8]) -> Self {
        let (body, anchor) = value.strip_suffix(b"$").map_or((value, ""), |body| (body, "$"));
        let pieces: Vec<String> = body.split(|octet| *octet == b'*').map(decode).collect();
        Self { written: escape(value), decoded: pieces.join("*") + anchor }
    }

    /// The pattern as it is written out.
    pub(super) fn as_str(&self) -> &str {
        &self.written
    }

    /// The length that decides which of several rules wins.
    pub(super) fn octets(&self) -> usize {
        self.written.len()
    }

    /// Whether it matches in the reference parser's reading.
    pub(super) fn matches_as_written(&self, target: &Target) -> bool {
        matches(&self.written, &target.written)
    }

    /// Whether it matches in the RFC's reading.
    pub(super) fn matches_decoded(&self, target: &Target) -> bool {
        matches(&self.decoded, &target.decoded)
    }
}

impl Target {
    /// From the path and query of a URL; a missing path is `/`.
    pub(super) fn new(path_and_query: &str) -> Self {
        let slash = if path_and_query.starts_with('/') { "" } else { "/" };
        let path = format!("{slash}{path_and_query}");
        // The reference parser wants URLs encoded beforehand, so that what is not matches no pattern's escape.
        let ascii: Vec<String> =
            path.split(|c: char| !c.is_ascii()).map(|part| escape(part.as_bytes())).collect();
        Self { written: ascii.join("\u{fffd}"), decoded: decode(path.as_bytes()) }
    }

    /// Whether this is the one path that no rule concerns.
    pub(super) fn is_robots_txt(&self) -> bool {
        self.decoded == "/robots.txt"
    }
}

/// Whether `pattern` matches the beginning of `path`, or all of it where it ends in `$`; `*` is any run of characters.
///
/// Each piece between two stars is looked for once, leftmost, in what the earlier ones left over: if any placement
/// fits then that one does, and no character of the path is searched twice. `split_once` is linear (two-way search).
fn matches(pattern: &str, path: &str) -> bool {
    let (body, anchored) = pattern.strip_suffix('$').map_or((pattern, false), |body| (body, true));
    let mut pieces = body.split('*').peekable();
    let Some(mut rest) = path.strip_prefix(pieces.next().unwrap_or_default()) else { return false };
    while let Some(piece) = pieces.next() {
        if anchored && pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        let Some((_, after)) = rest.split_once(piece) else { return false };
        rest = after;
    }
    !anchored || rest.is_empty()
}

/// Escapes every octet that no URL holds, and writes escapes in upper case.
fn escape(text: &[u8]) -> String {
    normalise(text, |octet, escaped| escaped || !is_url_octet(octet))
}

/// Undoes escapes of unreserved characters too, and escapes `*` and `$`, which then stand for themselves.
fn decode(text: &[u8]) -> String {
    normalise(text, |octet, escaped| {
        let verbatim = if escaped { is_unreserved(octet) } else { is_url_octet(octet) };
        !verbatim || matches!(octet, b'*' | b'$')
    })
}

/// Rewrites `text` octet by octet; `escapes` says for an octet, and whether it was escaped, whether it shall be.
fn normalise(text: &[u8], escapes: impl Fn(u8, bool) -> bool) -> String {
    let mut normal = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let escaped =
            if first == b'%' { after.split_first_chunk::<2>().and_then(unescape) } else { None };
        let (octet, tail) = escaped.unwrap_or((first, after));
        rest = tail;
        if escapes(octet, escaped.is_some()) {
            // A String takes every write.
            let _ = write!(normal, "%{octet:02X}");
        } else {
            normal.push(char::from(octet));
        }
    }
    normal
}

fn unescape<'a>((digits, tail): (&[u8; 2], &'a [u8])) -> Option<(u8, &'a [u8])> {
    let value =
        |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    Some((value(digits[0])? * 16 + value(digits[1])?, tail))
}

/// Unreserved or reserved by RFC 3986, or a stray `%`. Not `'`: a WHATWG query never holds it unescaped, a path
/// always, so the two spellings are one here.
fn is_url_octet(octet: u8) -> bool {
    is_unreserved(octet) || b"%:/?#[]@!$&()*+,;=".contains(&octet)
}

/// RFC 3986 section 2.3.
fn is_unreserved(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"-._~".contains(&octet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_dollars() {
        for (pattern, path) in [
            ("/", "/a"),
            ("/a*", "/a"),
            ("/*.php$", "/x.php/y.php"),
            ("*", "/"),
            ("/a**b", "/axxb"),
            ("*$", "/x"),
            ("/a$b", "/a$bc"),
            ("/*a*b$", "/aab"),
            ("/a*$", "/abc"),
            ("/*ab*b", "/aabb"),
        ] {
            assert!(matches(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("/a", "/A"),
            ("/*.php$", "/x.php?y"),
            ("$", "/"),
            ("/a$", "/ab"),
            ("/*ab*b$", "/ab"),
            ("a", "/a"),
            ("/*aa*aa$", "/aaa"),
            ("/*x", "/"),
        ] {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn normal_forms() {
        let pattern = Pattern::new(b"/a b%7e%2f\xff*$x%4$");
        assert_eq!(pattern.written, "/a%20b%7E%2F%FF*$x%4$");
        assert_eq!(pattern.decoded, "/a%20b~%2F%FF*%24x%4$");
        assert_eq!(escape(pattern.written.as_bytes()), pattern.written, "written once and for all");
    }

    /// The obvious matcher, exponential but plainly right.
    fn matches_slowly(pattern: &[u8], path: &[u8]) -> bool {
        match pattern {
            [] => true,
            [b'$'] => path.is_empty(),
            [b'*', rest @ ..] => (0..=path.len()).any(|skip| matches_slowly(rest, &path[skip..])),
            [first, rest @ ..] => path.first() == Some(first) && matches_slowly(rest, &path[1..]),
        }
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_the_obvious_matcher(pattern in "/?[ab*$]{0,8}", path in "/[ab$]{0,10}") {
            proptest::prop_assert_eq!(matches(&pattern, &path), matches_slowly(pattern.as_bytes(), path.as_bytes()));
        }
    }
}
