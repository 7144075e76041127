//! What tables and templates do to the stack of open elements.
//!
//! Decides which parts of a table close which (HTML standard, sections 13.2.6.4.9 to 13.2.6.4.16). In a template the
//! rules depend on what came first, so there every tag counts. Never decides what other elements close.

use super::formatting::Format;
use super::names::{DOUBTFUL_TABLE, Kind};
use super::nesting::{Nesting, Open, Space};

impl<'a> Nesting<'a> {
    /// A column opens its group, as a part of the table that it may leave open.
    pub(super) fn start_column(&mut self) {
        let Some(table) = self.table() else { return };
        if self.is_template(table) {
            self.count_all = true;
        } else if self.open.last().is_none_or(|top| top.name != b"colgroup") {
            self.start_table_part(Kind::Section, b"colgroup");
        }
    }

    pub(super) fn start_table(&mut self, name: &'a [u8]) {
        if self.doubtful.is_some() {
            // Ignored or not, as the template goes: it counts and bounds, but takes no rows.
            self.push(DOUBTFUL_TABLE);
            return;
        }
        if self.in_table() {
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

    /// Table parts clear the stack back to the part that may hold them; without a table they are ignored.
    pub(super) fn start_table_part(&mut self, kind: Kind, name: &'a [u8]) {
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

    pub(super) fn end_table_part(&mut self, name: &[u8]) {
        let Some(table) = self.table().filter(|at| !self.is_template(*at)) else { return };
        let found = self.position(|open| open.name == name);
        let Some(at) = found.filter(|at| *at >= table) else { return };
        self.leave_cell(at);
        self.truncate(at);
    }

    /// Whatever is not a column ends a group of columns.
    pub(super) fn leave_columns(&mut self) {
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

    pub(super) fn end_template(&mut self) {
        let Some(at) = self.position(|open| open.name == b"template") else { return };
        if self.doubtful == Some(at) {
            // Its cells may have kept some formatting alive, or a bound that keeps other formatting from closing.
            let before = self.formatting.len();
            let id = self.open.get(at).map(|open| open.id).unwrap_or_default();
            while self.formatting.pop().is_some_and(|entry| entry.id() != id) {}
            self.leftover += before - self.formatting.len();
            self.formatting.push(Format::Marker { id });
        } else {
            self.clear_to_marker();
        }
        self.truncate(at);
    }

    fn table(&self) -> Option<usize> {
        self.position(|open| matches!(open.name, b"table" | b"template"))
    }

    fn cell(&self) -> Option<usize> {
        self.position(|open| matches!(open.name, b"td" | b"th" | b"caption"))
    }

    /// Whether the table's own rules hold: a table is open, and none of its cells or captions.
    pub(super) fn in_table(&self) -> bool {
        let table = self.table().filter(|at| !self.is_template(*at));
        table.is_some_and(|table| self.cell().is_none_or(|cell| cell < table))
    }

    fn is_template(&self, at: usize) -> bool {
        self.open.get(at).is_some_and(|open| open.name == b"template")
    }

    pub(super) fn in_template(&self) -> bool {
        self.position(|open| open.name == b"template").is_some()
    }
}
