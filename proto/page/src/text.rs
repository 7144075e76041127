//! The words of a page, in lines.
//!
//! Decides what is visible without scripts or style sheets, and where a line ends: at each block element and `br`;
//! table cells are parted by a space. Never decides which lines matter: that is `main_text`.

use crate::document::Page;
use crate::walk::{NodeRef, Step, Walk, element};
use scraper::node::Element;

/// One line of text and where it stands.
#[derive(Debug, Default)]
pub(crate) struct Line {
    pub(crate) text: String,
    /// The bytes of `text` that are inside links.
    pub(crate) linked: usize,
    pub(crate) place: Place,
}

/// What a line is inside of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Place {
    pub(crate) in_main: bool,
    pub(crate) in_article: bool,
    pub(crate) in_furniture: bool,
    pub(crate) in_heading: bool,
}

impl Page {
    /// All visible text: one line for each block, white space collapsed; without scripts, styles, `noscript`,
    /// `template`, drawings and elements that are marked `hidden`.
    #[must_use]
    pub fn text(&self) -> String {
        let lines = self.lines(|_| Place::default());
        let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        texts.join("\n")
    }

    /// The lines in order; `place` says what one element contributes to the place of the lines below it.
    pub(crate) fn lines(&self, place: impl Fn(&Element) -> Place) -> Vec<Line> {
        let mut lines = Lines::default();
        let mut walk = Walk::new(self.root());
        while let Some(step) = walk.next() {
            match step {
                Step::Enter(node) => match element(node) {
                    Some(element) if is_invisible(element) => walk.skip_below(node),
                    Some(element) => lines.enter(element, place(element)),
                    None => lines.text(node),
                },
                Step::Leave(node) => {
                    if let Some(element) = element(node).filter(|element| !is_invisible(element)) {
                        lines.leave(element);
                    }
                }
            }
        }
        lines.flush();
        lines.done
    }
}

#[derive(Default)]
struct Lines {
    done: Vec<Line>,
    line: Line,
    /// Whether a space is due before the next word.
    gap: bool,
    links: usize,
    places: Vec<Place>,
}

impl Lines {
    fn enter(&mut self, element: &Element, place: Place) {
        self.bound(element);
        let outer = self.places.last().copied().unwrap_or_default();
        self.places.push(Place {
            in_main: outer.in_main || place.in_main,
            in_article: outer.in_article || place.in_article,
            in_furniture: outer.in_furniture || place.in_furniture,
            in_heading: outer.in_heading || place.in_heading,
        });
        self.links += usize::from(element.name() == "a");
    }

    fn leave(&mut self, element: &Element) {
        self.bound(element);
        self.places.pop();
        self.links -= usize::from(element.name() == "a");
    }

    fn bound(&mut self, element: &Element) {
        if is_block(element.name()) {
            self.flush();
        } else if matches!(element.name(), "td" | "th") {
            self.gap = true;
        }
    }

    fn text(&mut self, node: NodeRef<'_>) {
        let Some(text) = node.value().as_text() else { return };
        let before = self.line.text.len();
        if self.line.text.is_empty() {
            self.line.place = self.places.last().copied().unwrap_or_default();
        }
        push_collapsed(&mut self.line.text, text, &mut self.gap);
        if self.links > 0 {
            self.line.linked += self.line.text.len() - before;
        }
    }

    fn flush(&mut self) {
        self.gap = false;
        let line = std::mem::take(&mut self.line);
        if !line.text.is_empty() {
            self.done.push(line);
        }
    }
}

/// Appends text with white space collapsed; `gap` says whether a space is due before the next word.
pub(crate) fn push_collapsed(line: &mut String, text: &str, gap: &mut bool) {
    for c in text.chars() {
        if c.is_whitespace() {
            *gap = true;
            continue;
        }
        if *gap && !line.is_empty() && !line.ends_with('\n') {
            line.push(' ');
        }
        *gap = false;
        line.push(c);
    }
}

/// Elements whose content nobody sees without scripts.
pub(crate) fn is_invisible(element: &Element) -> bool {
    matches!(
        element.name(),
        "head"
            | "script"
            | "style"
            | "noscript"
            | "template"
            | "svg"
            | "iframe"
            | "noembed"
            | "noframes"
            | "datalist"
            | "canvas"
            | "audio"
            | "video"
            | "object"
    ) || element.attr("hidden").is_some()
}

/// Elements that begin and end a line.
pub(crate) fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "body"
            | "br"
            | "button"
            | "caption"
            | "center"
            | "dd"
            | "details"
            | "dialog"
            | "dir"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "hgroup"
            | "hr"
            | "html"
            | "legend"
            | "li"
            | "listing"
            | "main"
            | "menu"
            | "nav"
            | "ol"
            | "option"
            | "p"
            | "plaintext"
            | "pre"
            | "search"
            | "section"
            | "select"
            | "summary"
            | "table"
            | "tbody"
            | "textarea"
            | "tfoot"
            | "thead"
            | "tr"
            | "ul"
            | "xmp"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_lines_and_hidden_parts_are_none() {
        let html = "<title>t</title><h1>A\n b</h1><p>c<b>d</b> <i>e</i><br>f<script>x</script></p>
            <table><tr><td>g</td><td>h</td></tr></table><p hidden>i</p><noscript>j</noscript>
            <template><p>k</template><svg><text>l</text></svg><ul><li>m<li> &nbsp; </ul>";
        assert_eq!(Page::parse(html).expect("a page").text(), "A b\ncd e\nf\ng h\nm");
    }
}
