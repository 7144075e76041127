//! Splits HTML into tags and text, once, from left to right.
//!
//! Decides where a tag, a comment and raw text end (HTML standard, section 13.2.5). Never decides what a tag means.

/// A start tag, in lower case.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tag<'a> {
    pub(super) name: &'a [u8],
    pub(super) source: &'a [u8],
    pub(super) attributes: usize,
    pub(super) self_closing: bool,
}

/// One piece of a page; comments and doctypes are left out.
#[derive(Debug, Clone, Copy)]
pub(super) enum Token<'a> {
    Text(&'a [u8]),
    Start(Tag<'a>),
    End(&'a [u8]),
}

/// How the text after a start tag is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Markup,
    Raw,
    Script,
    Plain,
}

/// A position in lower-cased HTML.
pub(super) struct Scanner<'a> {
    html: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(html: &'a [u8]) -> Self {
        Self { html, at: 0 }
    }

    /// The next piece. `foreign` says whether a drawing or formula is open, where CDATA sections are text.
    pub(super) fn next_token(&mut self, foreign: bool) -> Option<Token<'a>> {
        loop {
            let rest = self.rest();
            if rest.first()? != &b'<' {
                let text = until(rest, |byte| byte == b'<');
                self.at += text.len();
                return Some(Token::Text(text));
            }
            match (rest.get(1), rest.get(2)) {
                (Some(b'a'..=b'z'), _) => return self.tag(1).map(Token::Start),
                (Some(b'/'), Some(b'a'..=b'z')) => {
                    return self.tag(2).map(|tag| Token::End(tag.name));
                }
                (Some(b'!'), _) => self.declaration(foreign),
                (Some(b'?'), _) | (Some(b'/'), Some(_)) => self.skip_past(b">", 2),
                (Some(_) | None, _) => {
                    self.at += 1;
                    return rest.get(..1).map(Token::Text);
                }
            }
        }
    }

    /// Skips the text of an element that was just opened, with its end tag.
    pub(super) fn enter(&mut self, name: &[u8], content: Content) {
        match content {
            Content::Markup => {}
            Content::Plain => self.at = self.html.len(),
            Content::Raw => {
                self.skip_raw(name);
                self.tag(2);
            }
            Content::Script => {
                self.skip_script();
                self.tag(2);
            }
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.html.get(self.at..).unwrap_or_default()
    }

    /// Moves behind the next `end` that starts `from` bytes ahead or later, or to the end.
    fn skip_past(&mut self, end: &[u8], from: usize) {
        let rest = self.rest().get(from..).unwrap_or_default();
        self.at = match find(rest, end) {
            Some(found) => self.at + from + found + end.len(),
            None => self.html.len(),
        };
    }

    fn declaration(&mut self, foreign: bool) {
        let rest = self.rest();
        if foreign && rest.starts_with(b"<![cdata[") {
            return self.skip_past(b"]]>", 9);
        }
        let Some(comment) = rest.strip_prefix(b"<!--") else { return self.skip_past(b">", 2) };
        if comment.starts_with(b">") || comment.starts_with(b"->") {
            return self.skip_past(b">", 4);
        }
        let mut from = 0;
        while let Some(found) = find(comment.get(from..).unwrap_or_default(), b"--") {
            let behind = comment.get(from + found + 2..).unwrap_or_default();
            let closing = match behind {
                [b'>', ..] => 1,
                [b'!', b'>', ..] => 2,
                _ => 0,
            };
            if closing > 0 {
                self.at += 4 + from + found + 2 + closing;
                return;
            }
            from += found + 1;
        }
        self.at = self.html.len();
    }

    /// Reads a tag whose name starts `skip` bytes ahead. A tag that the page's end cuts is none.
    fn tag(&mut self, skip: usize) -> Option<Tag<'a>> {
        let start = self.at;
        self.at += skip;
        let name = until(self.rest(), ends_name);
        self.at += name.len();
        let mut attributes = 0;
        let mut self_closing = false;
        loop {
            let rest = self.rest();
            match rest.first() {
                None => return None,
                Some(b'>') => {
                    self.at += 1;
                    let source = self.html.get(start..self.at).unwrap_or_default();
                    return Some(Tag { name, source, attributes, self_closing });
                }
                Some(b'/') => {
                    self_closing = rest.get(1) == Some(&b'>');
                    self.at += 1;
                }
                Some(byte) if is_space(*byte) => self.at += 1,
                Some(_) => {
                    attributes += 1;
                    self.attribute();
                }
            }
        }
    }

    fn attribute(&mut self) {
        let behind_first = self.rest().get(1..).unwrap_or_default();
        self.at += 1 + until(behind_first, |byte| byte == b'=' || ends_name(byte)).len();
        let gap = until(self.rest(), |byte| !is_space(byte)).len();
        if self.rest().get(gap) != Some(&b'=') {
            return;
        }
        self.at += gap + 1;
        self.at += until(self.rest(), |byte| !is_space(byte)).len();
        match self.rest().first() {
            Some(quote @ (b'"' | b'\'')) => self.skip_past(&[*quote], 1),
            Some(_) | None => {
                self.at += until(self.rest(), |byte| is_space(byte) || byte == b'>').len();
            }
        }
    }

    fn skip_raw(&mut self, name: &[u8]) {
        let mut from = 0;
        let rest = self.rest();
        while let Some(found) = find(rest.get(from..).unwrap_or_default(), b"</") {
            from += found + 2;
            if names(rest, from, name) {
                self.at += from - 2;
                return;
            }
        }
        self.at = self.html.len();
    }

    /// The script data states: inside `<!--`, a `<script` takes one `</script` for itself.
    fn skip_script(&mut self) {
        let rest = self.rest();
        let (mut escaped, mut doubly) = (false, false);
        let mut from = 0;
        while let Some(ahead) = rest.get(from..).filter(|ahead| !ahead.is_empty()) {
            if names(rest, from, b"</script") {
                if !doubly {
                    self.at += from;
                    return;
                }
                doubly = false;
            } else if ahead.starts_with(b"<!--") && !escaped {
                escaped = true;
                from += 1; // its dashes may also be the first of a "-->"
            } else if ahead.starts_with(b"-->") {
                (escaped, doubly) = (false, false);
            } else if escaped && names(rest, from, b"<script") {
                doubly = true;
            }
            from += 1;
        }
        self.at = self.html.len();
    }
}

fn names(html: &[u8], at: usize, name: &[u8]) -> bool {
    let behind = html.get(at..).and_then(|rest| rest.strip_prefix(name));
    behind.is_some_and(|rest| rest.first().is_some_and(|byte| ends_name(*byte)))
}

fn until(bytes: &[u8], stop: impl Fn(u8) -> bool) -> &[u8] {
    let end = bytes.iter().position(|byte| stop(*byte)).unwrap_or(bytes.len());
    bytes.get(..end).unwrap_or_default()
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|part| part == needle)
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

const fn ends_name(byte: u8) -> bool {
    is_space(byte) || matches!(byte, b'/' | b'>')
}
