//! The stack of open elements, in small.
//!
//! Decides what each tag opens and closes, as the "in body" and table rules of the HTML standard do (section
//! 13.2.6.4), implied end tags, the adoption agency and re-opened formatting included. Never looks at attributes
//! but to tell equal formatting apart.

use super::names::{DOUBTFUL_TABLE, Kind, bounds_scope, breaks_out, ends_by_itself, is_special, kind};
use super::scan::{Content, Tag};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Space {
    #[default]
    Html,
    Svg,
    Math,
}

#[derive(Debug, Clone, Copy)]
struct Open<'a> {
    name: &'a [u8],
    space: Space,
    /// A foreign element whose content is HTML again.
    holds_html: bool,
    /// Ties a formatting element to its entry in the list.
    id: usize,
}

#[derive(Debug, Clone, Copy)]
enum Format<'a> {
    /// The bound that this element sets.
    Marker { id: usize },
    Element { name: &'a [u8], source: &'a [u8], id: usize },
}

impl Format<'_> {
    const fn id(&self) -> usize {
        match self {
            Self::Marker { id } | Self::Element { id, .. } => *id,
        }
    }
}

/// The elements that are open at one place of the page.
#[derive(Debug, Default)]
pub(super) struct Nesting<'a> {
    quirks: bool,
    quirks_matter: bool,
    open: Vec<Open<'a>>,
    formatting: Vec<Format<'a>>,
    form: Option<usize>,
    /// Whether a template may have begun with `col`. The parser then skips tags that open raw text elsewhere, so
    /// from there on every start tag counts and nothing closes.
    columns: bool,
    /// A template that began with a table's part. Which tags it takes then depends on their order, so all count.
    doubtful: Option<usize>,
    /// Formatting that such templates may have left behind.
    leftover: usize,
    ids: usize,
    deepest: usize,
    reopened: usize,
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
        self.open.len() + self.formatting.len() + self.leftover
    }

    /// The greatest number of elements that were open at once.
    pub(super) const fn deepest(&self) -> usize {
        self.deepest
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
        if self.columns {
            self.push(tag.name);
            return Content::Markup;
        }
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
        if self.columns || self.is_foreign() && self.end_foreign(name) {
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
                if let Some(id) = self.form.take() {
                    self.open.retain(|open| open.id != id);
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

    /// A column opens its group, as a part of the table that it may leave open.
    fn start_column(&mut self) {
        let Some(table) = self.table() else { return };
        if self.is_template(table) {
            self.columns = true;
        } else if self.open.last().is_none_or(|top| top.name != b"colgroup") {
            self.start_table_part(Kind::Section, b"colgroup");
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
            Kind::Form => {
                if self.form.is_some() && !self.in_template() {
                    return;
                }
                self.close_paragraph();
                let id = self.push(name);
                if !self.in_template() {
                    self.form = Some(id);
                }
                return;
            }
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

    fn start_table(&mut self, name: &'a [u8]) {
        let table = self.table();
        let in_cell = self.cell().is_some_and(|cell| table.is_none_or(|table| cell > table));
        if self.doubtful.is_some() {
            // Ignored or not, as the template goes: it counts and bounds, but takes no rows.
            self.push(DOUBTFUL_TABLE);
            return;
        }
        if table.is_some_and(|at| !self.is_template(at)) && !in_cell {
            // Outside cells and captions a table cannot hold another.
            self.end_table_part(b"table");
        }
        let before = self.open.len();
        if !self.quirks {
            self.close_paragraph();
        }
        self.quirks_matter |= self.open.len() < before;
        self.push(name);
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

    fn start_formatting(&mut self, tag: &Tag<'a>) {
        let name = tag.name;
        if name == b"a" && self.entry(name).is_some() {
            let entry = self.entry(name);
            self.adopt(name);
            if self.entry(name) == entry {
                self.forget(entry);
            }
        }
        self.reopen();
        if name == b"nobr" && self.in_scope(|open| open.name == name, bounds_scope).is_some() {
            self.adopt(name);
            self.reopen();
        }
        let same = |entry: &&Format<'_>| match entry {
            Format::Element { source, .. } => *source == tag.source,
            Format::Marker { .. } => false,
        };
        // The list keeps three of a kind, so that a thousand <b> do not become a thousand each paragraph.
        let since = self.since_marker();
        let recent = self.formatting.get(since..).unwrap_or_default();
        if recent.iter().filter(same).count() >= 3
            && let Some(first) = recent.iter().position(|entry| same(&entry))
        {
            self.formatting.remove(since + first);
        }
        let id = self.push(name);
        self.formatting.push(Format::Element { name, source: tag.source, id });
    }

    /// Table parts clear the stack back to the part that may hold them; without a table they are ignored.
    fn start_table_part(&mut self, kind: Kind, name: &'a [u8]) {
        let Some(table) = self.table() else { return };
        if self.is_template(table) {
            self.doubtful = self.doubtful.or(Some(table));
            if kind == Kind::Cell || name == b"caption" {
                self.push_marked(name);
            } else {
                self.push(name);
            }
            return;
        }
        self.leave_cell(table);
        let rows = |open: &Open<'_>| matches!(open.name, b"tbody" | b"thead" | b"tfoot");
        if kind == Kind::Section {
            self.truncate(table + 1);
            if name == b"caption" {
                self.push_marked(name);
            } else {
                self.push(name);
            }
            return;
        }
        match self.position(rows).filter(|at| *at > table) {
            Some(at) if kind == Kind::Row => self.truncate(at + 1),
            Some(_) => {}
            None => {
                self.truncate(table + 1);
                self.push(b"tbody");
            }
        }
        if kind == Kind::Row {
            self.push(name);
            return;
        }
        match self.position(|open| open.name == b"tr").filter(|at| *at > table) {
            Some(at) => self.truncate(at + 1),
            None => {
                let body = self.position(rows).unwrap_or(table);
                self.truncate(body + 1);
                self.push(b"tr");
            }
        }
        self.push_marked(name);
    }

    fn end_table_part(&mut self, name: &[u8]) {
        let Some(table) = self.table().filter(|at| !self.is_template(*at)) else { return };
        let found = self.position(|open| open.name == name);
        let Some(at) = found.filter(|at| *at >= table) else { return };
        self.leave_cell(at);
        self.truncate(at);
    }

    /// Whatever is not a column ends a group of columns.
    fn leave_columns(&mut self) {
        if self.open.last().is_some_and(|top| top.name == b"colgroup" && top.space == Space::Html) {
            self.pop();
        }
    }

    /// Closing a cell or caption ends the reach of the formatting that was opened in it.
    fn leave_cell(&mut self, above: usize) {
        if let Some(at) = self.cell().filter(|at| *at >= above) {
            self.truncate(at);
            self.clear_to_marker();
        }
    }

    fn end_template(&mut self) {
        let Some(at) = self.position(|open| open.name == b"template") else { return };
        if self.doubtful == Some(at) {
            // Its cells may have kept some formatting alive; that much may open again from here on.
            let before = self.formatting.len();
            let id = self.open.get(at).map(|open| open.id);
            while self.formatting.pop().is_some_and(|entry| Some(entry.id()) != id) {}
            self.leftover += before - self.formatting.len();
        } else {
            self.clear_to_marker();
        }
        self.truncate(at);
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
    fn end_other(&mut self, name: &[u8]) {
        let stop = |open: &Open<'_>| open.name == name || is_special(open.name);
        let Some(at) = self.position(stop) else { return };
        if self.open.get(at).is_some_and(|open| open.name == name) {
            self.truncate(at);
        }
    }

    /// The adoption agency: closes formatting that ends inside a block it does not hold.
    fn adopt(&mut self, name: &[u8]) {
        let is_listed = |id| self.listed(id).is_some();
        if self
            .open
            .last()
            .is_some_and(|top| top.space == Space::Html && top.name == name && !is_listed(top.id))
        {
            self.pop();
            return;
        }
        for _ in 0..8 {
            let Some(id) = self.entry(name) else { return self.end_other(name) };
            let Some(at) = self.position(|open| open.id == id) else {
                return self.forget(Some(id));
            };
            if self.in_scope(|open| open.id == id, bounds_scope).is_none() {
                return;
            }
            let above = self.open.get(at + 1..).unwrap_or_default();
            let is_block = |open: &Open<'_>| open.space == Space::Html && is_special(open.name);
            let Some(block) = above.iter().position(is_block) else {
                self.truncate(at);
                return self.forget(Some(id));
            };
            self.rehang(at, at + 1 + block);
        }
    }

    /// One turn of the adoption agency: the formatting element at `at` moves into the block at `block`.
    fn rehang(&mut self, at: usize, block: usize) {
        let Some(element) = self.open.get(at).copied() else { return };
        let (mut kept, mut bookmark) = (Vec::new(), None);
        let between = self.open.get(at + 1..block).unwrap_or_default().to_vec();
        for (count, open) in between.iter().rev().enumerate() {
            match self.listed(open.id) {
                Some(_) if count >= 3 => self.forget(Some(open.id)),
                Some(_) => {
                    self.reopened += 1;
                    bookmark = bookmark.or(Some(open.id));
                    kept.push(*open);
                }
                None => {}
            }
        }
        kept.reverse();
        let Some(entry) = self.listed(element.id) else { return };
        let moved = self.formatting.remove(entry);
        let place = bookmark.and_then(|id| self.listed(id)).map_or(entry, |listed| listed + 1);
        self.formatting.insert(place.min(self.formatting.len()), moved);
        let mut tail = self.open.split_off(block);
        tail.insert(1, element);
        self.open.truncate(at);
        self.open.append(&mut kept);
        self.open.append(&mut tail);
        self.reopened += 1;
    }

    /// Opens again the formatting that the end of a block closed.
    fn reopen(&mut self) {
        self.reopened += self.leftover;
        let is_open = |id: usize| self.open.iter().rev().any(|open| open.id == id);
        let closed = self.formatting.iter().rev().take_while(|entry| match entry {
            Format::Marker { .. } => false,
            Format::Element { id, .. } => !is_open(*id),
        });
        let from = self.formatting.len() - closed.count();
        for at in from..self.formatting.len() {
            if let Some(Format::Element { name, source, .. }) = self.formatting.get(at).copied() {
                let id = self.push(name);
                self.reopened += 1;
                if let Some(entry) = self.formatting.get_mut(at) {
                    *entry = Format::Element { name, source, id };
                }
            }
        }
    }

    fn close_paragraph(&mut self) {
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
    fn in_scope(
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

    fn table(&self) -> Option<usize> {
        self.position(|open| matches!(open.name, b"table" | b"template"))
    }

    fn cell(&self) -> Option<usize> {
        self.position(|open| matches!(open.name, b"td" | b"th" | b"caption"))
    }

    fn is_template(&self, at: usize) -> bool {
        self.open.get(at).is_some_and(|open| open.name == b"template")
    }

    fn in_template(&self) -> bool {
        self.position(|open| open.name == b"template").is_some()
    }

    /// The innermost HTML element that `is_it`.
    fn position(&self, is_it: impl Fn(&Open<'_>) -> bool) -> Option<usize> {
        self.open.iter().rposition(|open| open.space == Space::Html && is_it(open))
    }

    fn since_marker(&self) -> usize {
        let marker = |entry: &Format<'_>| matches!(entry, Format::Marker { .. });
        self.formatting.iter().rposition(marker).map_or(0, |at| at + 1)
    }

    /// The identity of the last entry of this name since the last marker.
    fn entry(&self, name: &[u8]) -> Option<usize> {
        let recent = self.formatting.get(self.since_marker()..).unwrap_or_default();
        recent.iter().rev().find_map(|entry| match entry {
            Format::Element { name: other, id, .. } if *other == name => Some(*id),
            Format::Element { .. } | Format::Marker { .. } => None,
        })
    }

    fn listed(&self, wanted: usize) -> Option<usize> {
        self.formatting.iter().rposition(|entry| match entry {
            Format::Element { id, .. } => *id == wanted,
            Format::Marker { .. } => false,
        })
    }

    fn forget(&mut self, id: Option<usize>) {
        if let Some(at) = id.and_then(|id| self.listed(id)) {
            self.formatting.remove(at);
        }
    }

    fn clear_to_marker(&mut self) {
        self.formatting.truncate(self.since_marker().saturating_sub(1));
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

    /// Opens an element that bounds the formatting in it.
    fn push_marked(&mut self, name: &'a [u8]) {
        let id = self.push(name);
        self.formatting.push(Format::Marker { id });
    }

    fn push(&mut self, name: &'a [u8]) -> usize {
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
        self.deepest = self.deepest.max(self.open.len());
        self.ids
    }

    fn pop(&mut self) {
        self.truncate(self.open.len().saturating_sub(1));
    }

    fn truncate(&mut self, at: usize) {
        self.open.truncate(at);
        self.doubtful = self.doubtful.filter(|doubtful| *doubtful < at);
    }
}

fn is_table_part(open: &Open<'_>) -> bool {
    open.space == Space::Html
        && matches!(open.name, b"table" | b"tbody" | b"thead" | b"tfoot" | b"tr" | b"colgroup")
}
