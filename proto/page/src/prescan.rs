//! The encoding that a page's own first bytes declare.
//!
//! Decides as the HTML standard's "prescan a byte stream to determine its encoding" (section 13.2.3.2): `meta charset`,
//! `meta http-equiv content`, an XML declaration; not inside comments or other attributes. Never looks beyond the
//! bytes it is given.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};

/// The declared encoding, if any is declared and known.
#[must_use]
pub fn prescan(bytes: &[u8]) -> Option<&'static Encoding> {
    if bytes.starts_with(b"<\0?\0x\0") {
        return Some(UTF_16LE);
    }
    if bytes.starts_with(b"\0<\0?\0x") {
        return Some(UTF_16BE);
    }
    let mut input = Input { bytes, at: 0 };
    input.search().or_else(|| xml_encoding(bytes))
}

struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    fn search(&mut self) -> Option<&'static Encoding> {
        loop {
            let rest = self.rest();
            if rest.is_empty() {
                return None;
            }
            if rest.starts_with(b"<!--") {
                // The two dashes that open a comment may also close it.
                self.at += 2 + find(rest.get(2..)?, b"-->")? + 3;
                continue;
            }
            let second = rest.get(1).copied().unwrap_or_default();
            let third = rest.get(2).copied().unwrap_or_default();
            if rest.first() != Some(&b'<') {
                self.at += 1;
            } else if is_meta(rest) {
                self.at += 5;
                if let Some(encoding) = self.meta()? {
                    return Some(encoding);
                }
            } else if second.is_ascii_alphabetic() || second == b'/' && third.is_ascii_alphabetic()
            {
                self.at += rest.iter().position(|byte| is_space(*byte) || *byte == b'>')?;
                while self.attribute()?.is_some() {}
            } else if matches!(second, b'!' | b'/' | b'?') {
                self.at += find(rest, b">")? + 1;
            } else {
                self.at += 1;
            }
        }
    }

    /// The encoding of one `meta`; the outer `None` is the end of the bytes.
    fn meta(&mut self) -> Option<Option<&'static Encoding>> {
        let (mut names, mut is_pragma, mut needs_pragma, mut charset) =
            (Vec::new(), false, None, None);
        while let Some((name, value)) = self.attribute()? {
            if names.contains(&name) {
                continue;
            }
            match name.as_slice() {
                b"http-equiv" => is_pragma |= value == b"content-type",
                b"content" if charset.is_none() => {
                    if let Some(encoding) = from_content(&value) {
                        (charset, needs_pragma) = (Some(Some(encoding)), Some(true));
                    }
                }
                b"charset" => {
                    (charset, needs_pragma) = (Some(Encoding::for_label(&value)), Some(false))
                }
                _ => {}
            }
            names.push(name);
        }
        let usable = needs_pragma.is_some_and(|needs| !needs || is_pragma);
        Some(charset.flatten().filter(|_| usable).map(as_declared))
    }

    /// "Get an attribute", in lower case. The inner `None` is the tag's end; the outer, the end of the bytes.
    fn attribute(&mut self) -> Option<Option<(Vec<u8>, Vec<u8>)>> {
        self.skip(|byte| is_space(byte) || byte == b'/')?;
        if self.byte()? == b'>' {
            self.at += 1;
            return Some(None);
        }
        let start = self.at;
        self.at += 1;
        self.skip(|byte| !(is_space(byte) || matches!(byte, b'=' | b'/' | b'>')))?;
        let name = self.bytes.get(start..self.at)?.to_ascii_lowercase();
        self.skip(is_space)?;
        if self.byte()? != b'=' {
            return Some(Some((name, Vec::new())));
        }
        self.at += 1;
        self.skip(is_space)?;
        let quote = self.byte()?;
        if quote == b'"' || quote == b'\'' {
            self.at += 1;
            let start = self.at;
            self.skip(|byte| byte != quote)?;
            let value = self.bytes.get(start..self.at)?.to_ascii_lowercase();
            self.at += 1;
            return Some(Some((name, value)));
        }
        let start = self.at;
        self.skip(|byte| !(is_space(byte) || byte == b'>'))?;
        Some(Some((name, self.bytes.get(start..self.at)?.to_ascii_lowercase())))
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip(&mut self, while_: impl Fn(u8) -> bool) -> Option<()> {
        self.at += self.rest().iter().position(|byte| !while_(*byte))?;
        Some(())
    }
}

/// "Extracting a character encoding from a meta element"; `content` is in lower case.
fn from_content(content: &[u8]) -> Option<&'static Encoding> {
    let mut rest = content;
    loop {
        rest = rest.get(find(rest, b"charset")? + 7..)?;
        let behind = rest.trim_ascii_start();
        if let Some(value) = behind.strip_prefix(b"=") {
            let value = value.trim_ascii_start();
            let label = match value.first()? {
                quote @ (b'"' | b'\'') => {
                    let inner = value.get(1..)?;
                    inner.get(..inner.iter().position(|byte| byte == quote)?)?
                }
                _ => {
                    let ends = |byte: &u8| is_space(*byte) || *byte == b';';
                    value.get(..value.iter().position(ends).unwrap_or(value.len()))?
                }
            };
            return Encoding::for_label(label);
        }
    }
}

/// A page that can be read so far is neither in UTF-16 nor in a private encoding, whatever it says.
fn as_declared(encoding: &'static Encoding) -> &'static Encoding {
    if encoding == UTF_16BE || encoding == UTF_16LE {
        UTF_8
    } else if encoding == X_USER_DEFINED {
        WINDOWS_1252
    } else {
        encoding
    }
}

/// "Get an XML encoding" from a declaration at the very start.
fn xml_encoding(bytes: &[u8]) -> Option<&'static Encoding> {
    let declaration = bytes.strip_prefix(b"<?xml")?;
    let declaration = declaration.get(..find(declaration, b">")?)?;
    let behind = declaration.get(find(declaration, b"encoding")? + 8..)?;
    let blank = |byte: &u8| *byte > b' ';
    let behind = behind.get(behind.iter().position(blank)?..)?.strip_prefix(b"=")?;
    let quoted = behind.get(behind.iter().position(blank)?..)?;
    let quote = quoted.first().filter(|byte| matches!(byte, b'"' | b'\''))?;
    let inner = quoted.get(1..)?;
    let label = inner.get(..inner.iter().position(|byte| byte == quote)?)?;
    if label.iter().any(|byte| *byte <= b' ') {
        return None;
    }
    Encoding::for_label(label).map(as_declared)
}

fn is_meta(rest: &[u8]) -> bool {
    let (name, behind) = (rest.get(1..5), rest.get(5));
    name.is_some_and(|name| name.eq_ignore_ascii_case(b"meta"))
        && behind.is_some_and(|byte| is_space(*byte) || *byte == b'/')
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|part| part == needle)
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}
