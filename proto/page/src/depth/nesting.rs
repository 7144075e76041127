//! The stack of open elements, in small.
//!
//! Decides what each tag opens and closes, as the "in body" and table rules of the HTML standard do (section
//! 13.2.6.4), implied end tags, the adoption agency and re-opened formatting included. Never looks at attributes
//! but to tell equal formatting apart.

use super::formatting::Format;
use super::names::{Kind, bounds_scope, breaks_out, ends_by_itself, is_special, kind};
use super::scan::{Content, Tag};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Space {
    #[default]
    Html,
    Svg,
    Math,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Open<'a> {
    pub(super) name: &'a [u8],
    pub(super) space: Space,
    /// A foreign element whose content is HTML again.
    pub(super) holds_html: bool,
    /// Ties a formatting element to its entry in the list.
    pub(super) id: usize,
}

/// The elements that are open at one place of the page.
#[derive(Debug, Default)]
pub(super) struct Nesting<'a> {
    pub(super) quirks: bool,
    pub(super) quirks_matter: bool,
    pub(super) open: Vec<Open<'a>>,
    pub(super) formatting: Vec<Format<'a>>,
    pub(super) form: Option<usize>,
    /// From here on every start tag counts and nothing closes: a template began with `col`, behind which the parser
    /// may skip tags that open raw text elsewhere, or a doubtful template holds a drawing.
    pub(super) count_all: bool,
    /// A template that began with a table's part. Which tags it takes then depends on their order, so all count.
    pub(super) doubtful: Option<usize>,
    /// The start tags since then.
    pub(super) doubts: usize,
    /// Formatting that such templates may have left behind.
    pub(super) leftover: usize,
    pub(super) ids: usize,
    pub(super) reopened: usize,
}

impl<'a> Nesting<'a> {
    /// At the start of a page. In quirks mode a table does not close a paragraph.
    pub(super) fn new(quirks: bool) -> Self {
        Self { quirks, ..Self::default() }
    }

    /// Whether a page in quirks mode would have come to another stack.
    pub(super) const fn quirks_matter(&self) -> bool {
        self.quirks_matter
    }

    /// How many elements are open, and how many more formatting could open again.
    pub(super) fn depth(&self) -> usize {
        self.open.len() + self.formatting.len() + self.leftover + self.doubts
    }

    /// How many elements the parser has added by itself so far.
    pub(super) const fn reopened(&self) -> usize {
        self.reopened
    }

    /// Whether the innermost element is part of a drawing or formula.
    pub(super) fn is_foreign(&self) -> bool {
        self.open.last().is_some_and(|top| top.space != Space::Html)
    }

    pub(super) fn text(&mut self, text: &[u8]) {
        let blank = text.iter().all(u8::is_ascii_whitespace);
        if !blank && !self.is_foreign() {
            self.leave_columns();
        }
        let in_table = self.open.last().is_some_and(is_table_part);
        if !(self.is_foreign() && !self.holds_html() || blank && in_table) {
            self.reopen();
        }
    }

    /// Opens what a start tag opens, and says how the text behind it is read.
    pub(super) fn start(&mut self, tag: &Tag<'a>) -> Content {
        self.count_all |= self.doubtful.is_some() && self.meets_drawing(tag.name);
        if self.count_all {
            self.push(tag.name);
            return Content::Markup;
        }
        self.doubts += usize::from(self.doubtful.is_some());
        if self.is_foreign() && !self.takes_html(tag.name) {
            if !breaks_out(tag.name, tag.source) {
                let space = self.open.last().map(|top| top.space).unwrap_or_default();
                if !tag.self_closing {
                    self.push_foreign(tag, space);
                }
                return Content::Markup;
            }
            while self.is_foreign() && !self.holds_html() {
                self.pop();
            }
        }
        let kind = kind(tag.name);
        if !matches!(tag.name, b"col" | b"template") {
            self.leave_columns();
        }
        if tag.name == b"col" {
            self.start_column();
            return Content::Markup;
        }
        match kind {
            Kind::Raw | Kind::Script | Kind::Plain => return self.start_raw(kind, tag.name),
            Kind::Section | Kind::Row | Kind::Cell => self.start_table_part(kind, tag.name),
            Kind::Formatting => self.start_formatting(tag),
            Kind::Outside | Kind::VoidInline | Kind::Rule | Kind::Input => self.start_void(kind),
            Kind::Foreign => {
                self.reopen();
                let space = if tag.name == b"svg" { Space::Svg } else { Space::Math };
                if !tag.self_closing {
                    self.push_foreign(tag, space);
                }
            }
            Kind::Block
            | Kind::Heading
            | Kind::Item
            | Kind::Button
            | Kind::Form
            | Kind::Marked
            | Kind::Select
            | Kind::Option
            | Kind::Ruby
            | Kind::Table
            | Kind::Other => self.start_element(kind, tag.name),
        }
        Content::Markup
    }

    /// Closes what an end tag closes.
    pub(super) fn end(&mut self, name: &'a [u8]) {
        if self.count_all || self.is_foreign() && self.end_foreign(name) {
            return;
        }
        if self.doubtful.is_some() && name != b"template" {
            return;
        }
        if !matches!(name, b"col" | b"colgroup" | b"template") {
            self.leave_columns();
        }
        match kind(name) {
            Kind::Formatting => self.adopt(name),
            Kind::Block if name == b"p" => self.close_paragraph(),
            Kind::Heading => self.close_to(|open| kind(open.name) == Kind::Heading),
            Kind::Item if name == b"li" => {
                let bounds = |bound: &[u8]| bounds_scope(bound) || matches!(bound, b"ol" | b"ul");
                if let Some(at) = self.in_scope(|open| open.name == name, bounds) {
                    self.truncate(at);
                }
            }
            Kind::Block | Kind::Item | Kind::Button | Kind::Select => {
                self.close_to(|open| open.name == name);
            }
            Kind::Form => {
                // Only the form itself goes; what it holds stays open.
                let form = self.form.take();
                let is_form = |open: &Open<'_>| Some(open.id) == form;
                if self.in_template() {
                    self.close_to(|open| open.name == name);
                } else if self.in_scope(is_form, bounds_scope).is_some() {
                    self.close_implied(b"");
                    self.open.retain(|open| !is_form(open));
                }
            }
            Kind::Marked if name == b"template" => self.end_template(),
            Kind::Marked => {
                if self.in_scope(|open| open.name == name, bounds_scope).is_some() {
                    self.close_to(|open| open.name == name);
                    self.clear_to_marker();
                }
            }
            Kind::Table | Kind::Section | Kind::Row | Kind::Cell => self.end_table_part(name),
            Kind::VoidInline if name == b"br" => self.reopen(),
            Kind::VoidInline
            | Kind::Outside
            | Kind::Rule
            | Kind::Input
            | Kind::Raw
            | Kind::Script
            | Kind::Plain
            | Kind::Option
            | Kind::Ruby
            | Kind::Foreign
            | Kind::Other => self.end_other(name),
        }
    }

    fn start_void(&mut self, kind: Kind) {
        if kind == Kind::Rule {
            self.close_paragraph();
            if self.in_scope(|open| open.name == b"select", bounds_scope).is_some() {
                self.close_implied(b"");
            }
        } else if kind == Kind::Input {
            self.close_open_select();
        }
        if matches!(kind, Kind::Input | Kind::VoidInline) {
            self.reopen();
        }
    }

    fn start_raw(&mut self, kind: Kind, name: &[u8]) -> Content {
        if name == b"xmp" {
            self.close_paragraph();
            self.reopen();
        }
        if kind == Kind::Script {
            Content::Script
        } else if kind == Kind::Plain {
            Content::Plain
        } else {
            Content::Raw
        }
    }

    fn start_element(&mut self, kind: Kind, name: &'a [u8]) {
        match kind {
            Kind::Block => self.close_paragraph(),
            Kind::Heading => {
                self.close_paragraph();
                if self.open.last().is_some_and(|top| super::names::kind(top.name) == Kind::Heading)
                {
                    self.pop();
                }
            }
            Kind::Item => self.start_item(name),
            Kind::Button => {
                if let Some(at) = self.in_scope(|open| open.name == b"button", bounds_scope) {
                    self.truncate(at);
                }
                self.reopen();
            }
            Kind::Form => return self.start_form(name),
            Kind::Marked => {
                if name != b"template" {
                    self.reopen();
                }
                self.push_marked(name);
                return;
            }
            Kind::Select => {
                if self.close_open_select() {
                    return;
                }
                self.reopen();
            }
            Kind::Option => {
                self.start_option(name);
                self.reopen();
            }
            Kind::Ruby => {
                if self.in_scope(|open| open.name == b"ruby", bounds_scope).is_some() {
                    self.close_implied(if name == b"rb" || name == b"rtc" { b"" } else { b"rtc" });
                }
            }
            Kind::Table => return self.start_table(name),
            Kind::Outside
            | Kind::VoidInline
            | Kind::Rule
            | Kind::Input
            | Kind::Raw
            | Kind::Script
            | Kind::Plain
            | Kind::Formatting
            | Kind::Section
            | Kind::Row
            | Kind::Cell
            | Kind::Foreign
            | Kind::Other => self.reopen(),
        }
        self.push(name);
    }

    fn start_form(&mut self, name: &'a [u8]) {
        let in_template = self.in_template();
        if self.form.is_some() && !in_template {
            return;
        }
        if self.in_table() {
            // Between a table and its cells a form is made, but not opened.
            self.ids += 1;
            self.form = Some(self.ids);
            return;
        }
        self.close_paragraph();
        let id = self.push(name);
        if !in_template {
            self.form = Some(id);
        }
    }

    fn start_item(&mut self, name: &[u8]) {
        let ends = |other: &[u8]| match name {
            b"li" => other == b"li",
            _ => matches!(other, b"dd" | b"dt"),
        };
        let stop = |open: &Open<'_>| {
            ends(open.name)
                || is_special(open.name) && !matches!(open.name, b"address" | b"div" | b"p")
        };
        let last = self.position(stop);
        if let Some(at) = last.filter(|at| self.open.get(*at).is_some_and(|open| ends(open.name))) {
            self.truncate(at);
        }
        self.close_paragraph();
    }

    fn start_option(&mut self, name: &[u8]) {
        if self.in_scope(|open| open.name == b"select", bounds_scope).is_some() {
            self.close_implied(if name == b"option" { b"optgroup" } else { b"" });
        } else if self.open.last().is_some_and(|top| top.name == b"option") {
            self.pop();
        }
    }

    /// Whether the end tag was dealt with by the rules for foreign content.
    fn end_foreign(&mut self, name: &[u8]) -> bool {
        if matches!(name, b"p" | b"br") {
            while self.is_foreign() && !self.holds_html() {
                self.pop();
            }
            return false;
        }
        let html = self.position(|_| true).map_or(0, |at| at + 1);
        let foreign = self.open.iter().rposition(|open| open.name == name);
        let found = foreign.filter(|at| *at >= html);
        if let Some(at) = found {
            self.truncate(at);
        }
        found.is_some()
    }

    /// "Any other end tag": looks no further than the next special element.
    pub(super) fn end_other(&mut self, name: &[u8]) {
        let stop = |open: &Open<'_>| open.name == name || is_special(open.name);
        let Some(at) = self.position(stop) else { return };
        if self.open.get(at).is_some_and(|open| open.name == name) {
            self.truncate(at);
        }
    }

    pub(super) fn close_paragraph(&mut self) {
        let bounds = |name: &[u8]| bounds_scope(name) || name == b"button";
        if let Some(at) = self.in_scope(|open| open.name == b"p", bounds) {
            self.truncate(at);
        }
    }

    fn close_open_select(&mut self) -> bool {
        let select = self.in_scope(|open| open.name == b"select", bounds_scope);
        if let Some(at) = select {
            self.truncate(at);
        }
        select.is_some()
    }

    fn close_to(&mut self, is_it: impl Fn(&Open<'_>) -> bool) {
        if let Some(at) = self.in_scope(is_it, bounds_scope) {
            self.truncate(at);
        }
    }

    fn close_implied(&mut self, except: &[u8]) {
        while self.open.last().is_some_and(|top| {
            top.space == Space::Html && top.name != except && ends_by_itself(top.name)
        }) {
            self.pop();
        }
    }

    /// The innermost HTML element that `is_it`, unless a bound lies before it.
    pub(super) fn in_scope(
        &self,
        is_it: impl Fn(&Open<'_>) -> bool,
        bounds: impl Fn(&[u8]) -> bool,
    ) -> Option<usize> {
        for (at, open) in self.open.iter().enumerate().rev() {
            match open.space {
                Space::Html if is_it(open) => return Some(at),
                Space::Html if bounds(open.name) => return None,
                Space::Svg | Space::Math if open.holds_html => return None,
                Space::Html | Space::Svg | Space::Math => {}
            }
        }
        None
    }

    fn meets_drawing(&self, name: &[u8]) -> bool {
        kind(name) == Kind::Foreign || self.open.iter().any(|open| open.space != Space::Html)
    }

    /// The innermost HTML element that `is_it`.
    pub(super) fn position(&self, is_it: impl Fn(&Open<'_>) -> bool) -> Option<usize> {
        self.open.iter().rposition(|open| open.space == Space::Html && is_it(open))
    }

    fn holds_html(&self) -> bool {
        self.open.last().is_some_and(|top| top.holds_html)
    }

    fn takes_html(&self, name: &[u8]) -> bool {
        self.open.last().is_some_and(|top| match top.space {
            Space::Html => true,
            Space::Svg => top.holds_html,
            Space::Math if top.name == b"annotation-xml" => top.holds_html || name == b"svg",
            Space::Math => top.holds_html && !matches!(name, b"mglyph" | b"malignmark"),
        })
    }

    pub(super) fn push(&mut self, name: &'a [u8]) -> usize {
        self.push_open(name, Space::Html, false)
    }

    fn push_foreign(&mut self, tag: &Tag<'a>, space: Space) {
        let has = |text: &[u8]| tag.source.windows(text.len()).any(|part| part == text);
        let holds_html = match space {
            Space::Svg => matches!(tag.name, b"foreignobject" | b"desc" | b"title"),
            Space::Math if tag.name == b"annotation-xml" => {
                has(b"text/html") || has(b"application/xhtml+xml")
            }
            Space::Math => matches!(tag.name, b"mi" | b"mo" | b"mn" | b"ms" | b"mtext"),
            Space::Html => false,
        };
        self.push_open(tag.name, space, holds_html);
    }

    fn push_open(&mut self, name: &'a [u8], space: Space, holds_html: bool) -> usize {
        self.ids += 1;
        self.open.push(Open { name, space, holds_html, id: self.ids });
        self.ids
    }

    pub(super) fn pop(&mut self) {
        self.truncate(self.open.len().saturating_sub(1));
    }

    pub(super) fn truncate(&mut self, at: usize) {
        self.open.truncate(at);
        self.doubtful = self.doubtful.filter(|doubtful| *doubtful < at);
        if self.doubtful.is_none() {
            self.doubts = 0;
        }
    }
}

fn is_table_part(open: &Open<'_>) -> bool {
    open.space == Space::Html
        && matches!(open.name, b"table" | b"tbody" | b"thead" | b"tfoot" | b"tr" | b"colgroup")
}
