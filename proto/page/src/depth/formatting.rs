//! Formatting elements, which outlive the blocks they are opened in.
//!
//! Decides which formatting is re-opened and what the adoption agency moves (HTML standard, sections 13.2.4.3 and
//! 13.2.6.4.7). Never decides what other elements close.

use super::names::{bounds_scope, is_special};
use super::nesting::{Nesting, Open, Space};
use super::scan::Tag;

/// An entry of the list of active formatting elements.
#[derive(Debug, Clone, Copy)]
pub(super) enum Format<'a> {
    /// The bound that this element sets.
    Marker {
        id: usize,
    },
    Element {
        name: &'a [u8],
        source: &'a [u8],
        id: usize,
    },
}

impl Format<'_> {
    pub(super) const fn id(&self) -> usize {
        match self {
            Self::Marker { id } | Self::Element { id, .. } => *id,
        }
    }
}

impl<'a> Nesting<'a> {
    pub(super) fn start_formatting(&mut self, tag: &Tag<'a>) {
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

    /// The adoption agency: closes formatting that ends inside a block it does not hold.
    pub(super) fn adopt(&mut self, name: &[u8]) {
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
    pub(super) fn reopen(&mut self) {
        if self.leftover > 0 {
            self.reopened += self.leftover + self.formatting.len();
        }
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

    pub(super) fn clear_to_marker(&mut self) {
        self.formatting.truncate(self.since_marker().saturating_sub(1));
    }

    /// Opens an element that bounds the formatting in it.
    pub(super) fn push_marked(&mut self, name: &'a [u8]) {
        let id = self.push(name);
        self.formatting.push(Format::Marker { id });
    }
}
