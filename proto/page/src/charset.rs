//! Which character encoding a body has, and its text.
//!
//! Decides in the order of the HTML standard's sniffing (section 13.2.3.2): byte order mark, the transport's charset,
//! a `meta` in the first 1,024 bytes. Where these say nothing it deviates, since most unlabelled pages are UTF-8: a
//! body that is valid UTF-8 throughout is taken for that; otherwise a later `meta` counts, as browsers restart for
//! it; otherwise windows-1252. Never guesses from letter frequencies, never refuses a body.

use crate::prescan::prescan;
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use std::borrow::Cow;

/// How far the standard looks for a `meta`, in bytes.
pub const PRESCAN_BYTES: usize = 1024;

/// A body as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// The text, without its byte order mark. Malformed bytes are U+FFFD.
    pub text: Cow<'a, str>,
    /// The name that the WHATWG Encoding Standard gives the encoding, for instance `windows-1252`.
    pub encoding: &'static str,
    /// Whether some bytes were malformed in that encoding.
    pub had_errors: bool,
}

/// Decodes a body; `content_type` is the header's value.
#[must_use]
pub fn decode<'a>(body: &'a [u8], content_type: Option<&str>) -> Decoded<'a> {
    let (encoding, mark) =
        Encoding::for_bom(body).unwrap_or_else(|| (declared(body, content_type), 0));
    let (text, had_errors) =
        encoding.decode_without_bom_handling(body.get(mark..).unwrap_or_default());
    Decoded { text, encoding: encoding.name(), had_errors }
}

fn declared(body: &[u8], content_type: Option<&str>) -> &'static Encoding {
    let transport = content_type.and_then(charset_parameter);
    transport
        .and_then(|label| Encoding::for_label(label.as_bytes()))
        .or_else(|| prescan(body.get(..PRESCAN_BYTES).unwrap_or(body)))
        .or_else(|| std::str::from_utf8(body).is_ok().then_some(UTF_8))
        .or_else(|| prescan(body))
        .unwrap_or(WINDOWS_1252)
}

/// The first `charset` parameter of a media type, unquoted (RFC 9110 section 8.3.1).
fn charset_parameter(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let is_charset = name.trim().eq_ignore_ascii_case("charset");
        is_charset.then(|| value.trim().trim_matches(['"', '\'']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoding(body: &[u8], content_type: Option<&str>) -> &'static str {
        decode(body, content_type).encoding
    }

    #[test]
    fn the_mark_then_the_transport_then_the_page() {
        let page = b"<meta charset=koi8-r>\xf0";
        assert_eq!(encoding(page, None), "KOI8-R");
        assert_eq!(encoding(page, Some("text/html; Charset=\"Shift_JIS\"")), "Shift_JIS");
        assert_eq!(encoding(page, Some("text/html; charset=nonsense")), "KOI8-R");
        let marked = [b"\xef\xbb\xbf".as_slice(), page].concat();
        assert_eq!(encoding(&marked, Some("text/html; charset=Shift_JIS")), "UTF-8");
        assert_eq!(decode(b"\xff\xfea\0", None).text, "a");
        assert!(decode(&marked, None).had_errors);
    }

    #[test]
    fn an_unlabelled_page_is_utf_8_if_it_can_be() {
        assert_eq!(encoding("<p>é".as_bytes(), None), "UTF-8");
        assert_eq!(decode(b"<p>\xe9", None).text, "<p>é");
        assert_eq!(encoding(b"<p>\xe9", None), "windows-1252");
        let late = [&[b' '; 2000], b"<meta charset=iso-8859-2>\xe9".as_slice()].concat();
        assert_eq!(encoding(&late, None), "ISO-8859-2");
    }
}
