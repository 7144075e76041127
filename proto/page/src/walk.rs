//! A walk over a parsed tree without recursion.
//!
//! Decides the order: a node, its children, the node again. Never follows more than the tree itself, whatever its
//! depth.

use crate::relative_time::without_relative_times;
use scraper::{ElementRef, Node, node::Element};
use std::borrow::Cow;
use std::ops::Deref;

/// A node of scraper's tree.
pub(crate) type NodeRef<'a> = <ElementRef<'a> as Deref>::Target;

/// One step of a [`Walk`].
#[derive(Clone, Copy)]
pub(crate) enum Step<'a> {
    /// A node, before its children.
    Enter(NodeRef<'a>),
    /// The same node, after its children.
    Leave(NodeRef<'a>),
}

/// A walk over one node and all below it.
pub(crate) struct Walk<'a> {
    root: NodeRef<'a>,
    next: Option<Step<'a>>,
}

impl<'a> Walk<'a> {
    pub(crate) const fn new(root: NodeRef<'a>) -> Self {
        Self { root, next: Some(Step::Enter(root)) }
    }

    /// Leaves out what is below `node`, which was entered last; leaving it is still reported.
    pub(crate) const fn skip_below(&mut self, node: NodeRef<'a>) {
        self.next = Some(Step::Leave(node));
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Step<'a>;

    fn next(&mut self) -> Option<Step<'a>> {
        let step = self.next?;
        self.next = match step {
            Step::Enter(node) => Some(node.first_child().map_or(Step::Leave(node), Step::Enter)),
            Step::Leave(node) if node.id() == self.root.id() => None,
            Step::Leave(node) => {
                let up = || node.parent().map(Step::Leave);
                node.next_sibling().map(Step::Enter).or_else(up)
            }
        };
        Some(step)
    }
}

/// The text at a node as copies are compared by it; empty for elements, comments and the like.
pub(crate) fn compared_text(node: NodeRef<'_>) -> Cow<'_, str> {
    let text = node.value().as_text().map(|text| &**text).unwrap_or_default();
    without_relative_times(text)
}

/// The element at a node, or none for text, comments and the like.
pub(crate) fn element<'a>(node: NodeRef<'a>) -> Option<&'a Element> {
    Node::as_element(node.value())
}

/// Whether an attribute that holds a list of tokens holds this one, whatever its case.
pub(crate) fn has_token(element: &Element, attribute: &str, token: &str) -> bool {
    let mut tokens = element.attr(attribute).unwrap_or_default().split_ascii_whitespace();
    tokens.any(|other| other.eq_ignore_ascii_case(token))
}
