//! What those see of a page who are elsewhere.
//!
//! Decides which answers are a region's own, so that who reports one is not taken for a liar, and which region is to be
//! asked once more (research on validation, sections B3 and B7). A region that saw the page has no answer of its own. Without
//! labels of regions it decides nothing.

use super::super::voice::{Voice, count_distant_groups};
use super::super::{Layer, Variant};
use super::{Clusters, pairs};

/// Equal bodies, then equal content: a variant needs one of these. Of pages that are only near, which blocks are stable no
/// single region tells.
const WHOLE: [(usize, Layer); 2] = [(0, Layer::Identical), (1, Layer::Canonical)];
/// The weakest level.
const NEAR: usize = 3;

/// Those of one region.
struct Abroad {
    region: u16,
    votes: Vec<usize>,
}

impl Clusters<'_> {
    /// Whether an answer leads once what other regions see is put aside: asked for only where a page would be contested
    /// otherwise, and only of an answer that more groups saw than any region's own.
    pub(super) fn leads_abroad(&self, first: &[usize], rest: &[usize], level: usize) -> bool {
        if self.votes.len() < self.rules.most {
            return false;
        }
        let variants = self.variants(first);
        let outnumbers = |variant: &Variant| {
            let same = |vote: &usize| variant.members.iter().any(|own| self.agree(*own, *vote, 1));
            let seen: Vec<usize> = self.voiced.iter().copied().filter(same).collect();
            self.groups(first) > self.groups(&seen)
        };
        let apart = |vote: &usize| variants.iter().any(|variant| variant.members.contains(vote));
        let rest: Vec<usize> = rest.iter().copied().filter(|vote| !apart(vote)).collect();
        !variants.is_empty()
            && first.iter().all(|vote| self.claims_page(*vote))
            && variants.iter().all(outnumbers)
            && self.leads(first, &rest, level)
    }

    /// Who, of those that would be blamed, is spared for where it is; with the variants, where the answer is a page.
    pub(super) fn by_region(
        &self,
        content: &[usize],
        pages: bool,
        wrong: Vec<usize>,
    ) -> (Vec<Variant>, Vec<usize>, Vec<usize>) {
        let variants = if pages { self.variants(content) } else { Vec::new() };
        let of_variant =
            |vote: &usize| variants.iter().any(|variant| variant.members.contains(vote));
        let abroad = self.abroad(content);
        let is_abroad = |vote: &usize| abroad.iter().any(|region| region.votes.contains(vote));
        let wrong = wrong.into_iter().filter(|vote| !of_variant(vote));
        let (regional, wrong) = wrong.partition(is_abroad);
        (variants, regional, wrong)
    }

    /// See [`super::super::wanted_region`].
    pub(in super::super) fn wanted_region(&self) -> Option<usize> {
        let differ = |(a, b): (usize, usize)| !self.agree(a, b, NEAR);
        let asked = match self.agreed() {
            Some(super::Decision::Agreed(agreed)) => {
                let spared = |region: &Abroad| {
                    region.votes.iter().any(|vote| agreed.regional.contains(vote))
                };
                let saw_it = [agreed.members.as_slice(), &agreed.tainted].concat();
                self.abroad(&saw_it).into_iter().filter(spared).collect()
            }
            Some(_) | None => {
                let within = |region: &Abroad| pairs(&region.votes).any(differ);
                let all = self.abroad(&[]);
                let placed = all.iter().map(|region| region.votes.len()).sum::<usize>();
                let by_region = placed == self.voiced.len() && !all.iter().any(within);
                if by_region && pairs(&self.voiced).any(differ) { all } else { Vec::new() }
            }
        };
        let open = |region: &Abroad| {
            !pairs(&region.votes).any(differ) && self.distant(&region.votes) < self.rules.margin
        };
        asked.iter().find(|region| open(region))?.votes.first().copied()
    }

    fn variants(&self, content: &[usize]) -> Vec<Variant> {
        let variant = |Abroad { region, votes }: Abroad| {
            let pages = votes.iter().all(|vote| self.claims_page(*vote));
            let enough = pages && self.distant(&votes) >= self.rules.margin.max(2);
            let equal =
                |(level, _): &(usize, Layer)| pairs(&votes).all(|(a, b)| self.agree(a, b, *level));
            let (_, layer) = WHOLE.into_iter().find(equal).filter(|_| enough)?;
            Some(Variant { region, members: votes, layer })
        };
        self.abroad(content).into_iter().filter_map(variant).collect()
    }

    /// The voices of each region of which nobody has this content, in the order in which they were leased.
    fn abroad(&self, content: &[usize]) -> Vec<Abroad> {
        let region = |vote: usize| self.votes.get(vote).and_then(|vote| vote.voice.region);
        let saw_it = |wanted: u16| content.iter().any(|vote| region(*vote) == Some(wanted));
        let mut abroad: Vec<Abroad> = Vec::new();
        for vote in self.voiced.iter().copied() {
            let Some(region) = region(vote).filter(|region| !saw_it(*region)) else { continue };
            match abroad.iter_mut().find(|known| known.region == region) {
                Some(known) => known.votes.push(vote),
                None => abroad.push(Abroad { region, votes: vec![vote] }),
            }
        }
        abroad
    }

    fn distant(&self, members: &[usize]) -> usize {
        let some: Vec<Voice> =
            members.iter().filter_map(|vote| self.votes.get(*vote)).map(|v| v.voice).collect();
        count_distant_groups(&some)
    }
}
