//! A page as Markdown.
//!
//! Decides how headings, paragraphs, lists, quotations, code and tables are written in CommonMark with GitHub's
//! tables; links and images are their text alone. What begins a line and would be read as a mark is escaped; marks
//! within a line are left as they are. Never decides which parts matter: navigation is written too.

use crate::document::Page;
use crate::text::{is_block, is_invisible, push_collapsed};
use crate::walk::{NodeRef, Step, Walk, element};
use scraper::node::Element;

impl Page {
    /// The visible parts as Markdown, without a line feed at the end.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut writer = Writer { layout: self.layout_tables(), ..Writer::default() };
        let mut walk = Walk::new(self.root());
        while let Some(step) = walk.next() {
            match step {
                Step::Enter(node) => match element(node) {
                    Some(element) if is_invisible(element) => walk.skip_below(node),
                    Some(element) => writer.enter(element),
                    None => writer.text(node),
                },
                Step::Leave(node) => {
                    if let Some(element) = element(node).filter(|element| !is_invisible(element)) {
                        writer.leave(element);
                    }
                }
            }
        }
        writer.flush();
        writer.out
    }

    /// For each table in document order, whether it holds more than rows of text and so is no table to a reader.
    fn layout_tables(&self) -> Vec<bool> {
        let (mut layout, mut open) = (Vec::new(), Vec::new());
        let mut walk = Walk::new(self.root());
        while let Some(step) = walk.next() {
            match step {
                Step::Enter(node) => {
                    let Some(element) = element(node) else { continue };
                    if is_invisible(element) {
                        walk.skip_below(node);
                        continue;
                    }
                    let is_more = matches!(
                        element.name(),
                        "table"
                            | "ul"
                            | "ol"
                            | "dl"
                            | "pre"
                            | "blockquote"
                            | "h1"
                            | "h2"
                            | "h3"
                            | "h4"
                            | "form"
                    );
                    if let Some(outer) =
                        open.last().filter(|_| is_more).and_then(|at: &usize| layout.get_mut(*at))
                    {
                        *outer = true;
                    }
                    if element.name() == "table" {
                        open.push(layout.len());
                        layout.push(false);
                    }
                }
                Step::Leave(node) => {
                    let is_table =
                        |element: &Element| element.name() == "table" && !is_invisible(element);
                    if element(node).is_some_and(is_table) {
                        open.pop();
                    }
                }
            }
        }
        layout
    }
}

/// What a block stands in.
enum Container {
    Quote,
    List { next: Option<u64> },
    Item { mark: String, is_written: bool },
}

#[derive(Default)]
struct Writer {
    out: String,
    line: String,
    gap: bool,
    heading: usize,
    containers: Vec<Container>,
    /// The text of the open `pre`, kept as it is.
    code: Option<String>,
    code_starts: Vec<usize>,
    layout: Vec<bool>,
    tables: usize,
    rows: Option<Vec<Vec<String>>>,
    after_item: bool,
    opens_quote: bool,
}

impl Writer {
    fn enter(&mut self, element: &Element) {
        let name = element.name();
        if self.code.is_some() {
            return;
        }
        if name == "table" {
            self.flush();
            if self.layout.get(self.tables) == Some(&false) {
                self.rows = Some(Vec::new());
            }
            self.tables += 1;
            return;
        }
        if self.rows.is_some() {
            return self.enter_in_table(name);
        }
        if is_block(name) || matches!(name, "td" | "th") {
            self.break_line(name);
        }
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.heading =
                    name.bytes().last().map_or(0, |digit| usize::from(digit.saturating_sub(b'0')));
            }
            "pre" | "listing" | "xmp" => self.code = Some(String::new()),
            "blockquote" => {
                self.containers.push(Container::Quote);
                self.opens_quote = true;
            }
            "ul" | "menu" | "dir" => self.containers.push(Container::List { next: None }),
            "ol" => {
                let start = element.attr("start").and_then(|start| start.trim().parse().ok());
                self.containers.push(Container::List { next: Some(start.unwrap_or(1)) });
            }
            "li" => self.enter_item(),
            "code" | "kbd" | "samp" => self.start_code(),
            _ => {}
        }
    }

    fn leave(&mut self, element: &Element) {
        let name = element.name();
        if self.code.is_some() {
            if matches!(name, "pre" | "listing" | "xmp") {
                let code = self.code.take().unwrap_or_default();
                self.write(&fenced(code.trim_matches('\n')));
            }
            return;
        }
        if self.rows.is_some() {
            return self.leave_in_table(name);
        }
        match name {
            "code" | "kbd" | "samp" => self.end_code(),
            "br" => {}
            _ if is_block(name) || matches!(name, "td" | "th") => self.flush(),
            _ => {}
        }
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.heading = 0,
            "blockquote" | "ul" | "menu" | "dir" | "ol" | "li" => {
                self.containers.pop();
            }
            _ => {}
        }
    }

    fn enter_item(&mut self) {
        let mark = match self.containers.last_mut() {
            Some(Container::List { next: Some(number) }) => {
                let mark = format!("{number}. ");
                *number = number.saturating_add(1);
                mark
            }
            Some(Container::List { next: None } | Container::Quote | Container::Item { .. })
            | None => "- ".to_owned(),
        };
        self.containers.push(Container::Item { mark, is_written: false });
    }

    fn enter_in_table(&mut self, name: &str) {
        match name {
            "tr" => {
                if let Some(rows) = &mut self.rows {
                    rows.push(Vec::new());
                }
            }
            "code" | "kbd" | "samp" => self.start_code(),
            _ => self.gap |= is_block(name),
        }
    }

    fn leave_in_table(&mut self, name: &str) {
        match name {
            "td" | "th" => {
                let cell = std::mem::take(&mut self.line).replace('|', "\\|");
                self.gap = false;
                if let Some(row) = self.rows.as_mut().and_then(|rows| rows.last_mut()) {
                    row.push(cell);
                }
            }
            "caption" => {
                let caption = std::mem::take(&mut self.line);
                self.write(&escaped(&caption));
            }
            "table" => {
                let rows = self.rows.take().unwrap_or_default();
                self.write(&table(&rows));
            }
            "code" | "kbd" | "samp" => self.end_code(),
            _ => self.gap |= is_block(name),
        }
    }

    fn text(&mut self, node: NodeRef<'_>) {
        let Some(text) = node.value().as_text() else { return };
        match &mut self.code {
            Some(code) => code.push_str(text),
            None => push_collapsed(&mut self.line, text, &mut self.gap),
        }
    }

    fn start_code(&mut self) {
        if self.gap && !self.line.is_empty() && !self.line.ends_with('\n') {
            self.line.push(' ');
        }
        self.gap = false;
        self.code_starts.push(self.line.len());
    }

    fn end_code(&mut self) {
        let Some(start) = self.code_starts.pop() else { return };
        let Some(code) = self.line.get(start..).filter(|code| !code.is_empty()) else { return };
        let fence = "`".repeat(longest_run(code) + 1);
        let pad = if code.starts_with('`') || code.ends_with('`') { " " } else { "" };
        let quoted = format!("{fence}{pad}{code}{pad}{fence}");
        self.line.truncate(start);
        self.line.push_str(&quoted);
    }

    fn break_line(&mut self, name: &str) {
        if name == "br" && self.heading == 0 {
            if !self.line.is_empty() {
                self.line.push('\n');
            }
        } else if name == "br" {
            self.gap = true;
        } else {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.gap = false;
        self.code_starts.clear();
        let line = std::mem::take(&mut self.line);
        let line = line.trim_matches('\n');
        if line.is_empty() {
            return;
        }
        let text = if self.heading > 0 {
            format!("{} {line}", "#".repeat(self.heading))
        } else {
            let lines: Vec<String> = line.split('\n').map(escaped).collect();
            lines.join("  \n")
        };
        self.write(&text);
    }

    /// Writes one block behind the marks of what it stands in.
    fn write(&mut self, block: &str) {
        if block.is_empty() {
            return;
        }
        let opens_item =
            matches!(self.containers.last(), Some(Container::Item { is_written: false, .. }));
        if !self.out.is_empty() {
            self.out.push('\n');
            if !(opens_item && self.after_item) {
                let quotes = if self.opens_quote { String::new() } else { self.prefix(true) };
                self.out.push_str(quotes.trim_end());
                self.out.push('\n');
            }
        }
        let first = self.prefix(false);
        for container in &mut self.containers {
            if let Container::Item { is_written, .. } = container {
                *is_written = true;
            }
        }
        let other = self.prefix(false);
        for (number, line) in block.split('\n').enumerate() {
            if number > 0 {
                self.out.push('\n');
            }
            self.out.push_str(if number == 0 { &first } else { &other });
            self.out.push_str(line);
        }
        self.opens_quote = false;
        self.after_item = self.containers.iter().any(|c| matches!(c, Container::Item { .. }));
    }

    fn prefix(&self, is_blank: bool) -> String {
        let mut prefix = String::new();
        for container in &self.containers {
            match container {
                Container::Quote => prefix.push_str("> "),
                Container::Item { mark, is_written: false } if !is_blank => prefix.push_str(mark),
                Container::Item { mark, .. } => prefix.push_str(&" ".repeat(mark.len())),
                Container::List { .. } => {}
            }
        }
        prefix
    }
}

fn fenced(code: &str) -> String {
    if code.trim().is_empty() {
        return String::new();
    }
    let fence = "`".repeat((longest_run(code) + 1).max(3));
    format!("{fence}\n{code}\n{fence}")
}

fn longest_run(code: &str) -> usize {
    code.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

/// Header row, rule, rows; short rows are filled up.
fn table(rows: &[Vec<String>]) -> String {
    let rows: Vec<&Vec<String>> =
        rows.iter().filter(|row| row.iter().any(|cell| !cell.is_empty())).collect();
    let width = rows.iter().map(|row| row.len()).max().unwrap_or_default();
    let mut lines = Vec::new();
    for row in rows {
        let cells: Vec<&str> =
            (0..width).map(|at| row.get(at).map_or("", String::as_str)).collect();
        lines.push(format!("| {} |", cells.join(" | ")));
        if lines.len() == 1 {
            lines.push(format!("|{}", " --- |".repeat(width)));
        }
    }
    lines.join("\n")
}

/// A line whose beginning would be read as a mark, with a backslash before it.
fn escaped(line: &str) -> String {
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let behind = line.get(digits..).unwrap_or_default();
    if digits > 0 && (behind.starts_with(". ") || behind.starts_with(") ")) {
        let (number, rest) = line.split_at(digits);
        return format!("{number}\\{rest}");
    }
    let is_mark =
        ["# ", "## ", "### ", "- ", "+ ", "* ", "> ", "```", "~~~", "---", "***", "___", "==="]
            .iter()
            .any(|mark| line.starts_with(mark));
    if is_mark || matches!(line, "#" | "-" | "+" | "*" | ">") {
        format!("\\{line}")
    } else {
        line.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn markdown(html: &str) -> String {
        Page::parse(html).expect("a page").markdown()
    }

    #[test]
    fn headings_paragraphs_and_quotations() {
        let html = "<h2>A <a href=x>b</a></h2><p>c<br>d</p>e<blockquote><p>f<p>g</blockquote>
            <p># h</p><p>1. i";
        assert_eq!(markdown(html), "## A b\n\nc  \nd\n\ne\n\n> f\n>\n> g\n\n\\# h\n\n1\\. i");
    }

    #[test]
    fn lists_nest() {
        let html = "<ul><li>a<ol start=3><li>b<p>c</p><li>d</ol><li>e</ul><p>f";
        assert_eq!(markdown(html), "- a\n  3. b\n\n     c\n  4. d\n- e\n\nf");
    }

    #[test]
    fn code_is_fenced_past_its_own_fences() {
        let html = "<p>use <code>a`b</code> x<pre><code>\nlet a;\n\n```\n  b</code></pre>";
        assert_eq!(markdown(html), "use ``a`b`` x\n\n````\nlet a;\n\n```\n  b\n````");
    }

    #[test]
    fn tables_have_pipes_and_layout_tables_do_not() {
        let html = "<table><tr><th>a<th>b|c<tr><td><p>d</p><p>e</p></table>";
        assert_eq!(markdown(html), "| a | b\\|c |\n| --- | --- |\n| d e |  |");
        let layout = "<table><tr><td><h1>x</h1><td>y<table><tr><td>z</table></table>";
        assert_eq!(markdown(layout), "# x\n\ny\n\n| z |\n| --- |");
    }
}
