//! Which votes agree with which, and on what.
//!
//! Decides the clusters of one weighing and which of them stands. Never weighs failures.

mod regions;

use super::{Agreed, Decision, Layer, Rules, Vote, voices};
use crate::compare::block::BlockList;
use crate::compare::limits::Limits;
use crate::compare::stable::{StableBlocks, contradicts, is_disputed};
use crate::compare::{Content, Verdict, compare, is_page, response_of};
use crate::digest::Digest;
use std::collections::{BTreeMap, BTreeSet};

/// From the strongest to the weakest: status counts among the strongest.
const LEVELS: [Layer; 4] = [Layer::Identical, Layer::Canonical, Layer::Stable, Layer::Near];

/// All that can be said of the votes in pairs.
pub(super) struct Clusters<'a> {
    votes: &'a [Vote<'a>],
    rules: Rules,
    /// The votes that are a voice: a response that is meant for everybody.
    voiced: Vec<usize>,
    /// The strongest level on which two of them agree.
    levels: BTreeMap<(usize, usize), usize>,
    /// Those whose stable blocks, as known beforehand, differ.
    stable_differ: BTreeSet<(usize, usize)>,
    /// The vote of a fetcher that the operator trusts.
    trusted: Option<usize>,
}

impl<'a> Clusters<'a> {
    pub(super) fn new(votes: &'a [Vote<'a>], rules: Rules, stable: &StableBlocks) -> Self {
        let voiced = votes.iter().enumerate().filter(|(_, vote)| {
            response_of(vote.attestation).is_some_and(|response| response.neutral.is_none())
        });
        let voiced: Vec<usize> = voiced.map(|(index, _)| index).collect();
        // Equal content is agreement whenever it was fetched; the time counts for the weaker layers.
        let limits = Limits { window_ms: u32::MAX, ..rules.limits };
        let (mut levels, mut stable_differ) = (BTreeMap::new(), BTreeSet::new());
        for (a, b) in pairs(&voiced) {
            let (Some(one), Some(other)) = (votes.get(a), votes.get(b)) else { continue };
            let comparison = compare(one.seen(), other.seen(), stable, &limits);
            let level = match (comparison.verdict, comparison.verdict.content()) {
                (Verdict::Identical | Verdict::Status, _) => Some(0),
                (_, Some(Content::Canonical)) => Some(1),
                (_, Some(Content::Stable)) => Some(2).filter(|_| at_one_time(one, other, rules)),
                (_, Some(Content::Near)) => Some(3).filter(|_| at_one_time(one, other, rules)),
                (_, None) => None,
            };
            levels.extend(level.map(|level| ((a, b), level)));
            if comparison.stable_differ == Some(true) {
                stable_differ.insert((a, b));
            }
        }
        Self { votes, rules, voiced, levels, stable_differ, trusted: None }
    }

    /// With one vote of a trusted fetcher among them.
    pub(super) fn trusting(self, vote: usize) -> Self {
        Self { trusted: Some(vote), ..self }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.voiced.is_empty()
    }

    /// Whether two voices do not agree on any layer.
    pub(super) fn is_disputed(&self) -> bool {
        pairs(&self.voiced).any(|pair| !self.levels.contains_key(&pair))
    }

    /// What stands, on the strongest layer on which an answer leads; `More` where it still has to be confirmed.
    pub(super) fn agreed(&self) -> Option<Decision> {
        let levels = LEVELS.into_iter().filter(|layer| self.rules.partial || !layer.is_partial());
        let counted = self.beside_trusted().unwrap_or_else(|| self.voiced.clone());
        levels.enumerate().find_map(|(level, layer)| {
            let first = self.largest(&counted, level)?;
            let rest: Vec<usize> =
                counted.iter().copied().filter(|vote| !first.contains(vote)).collect();
            let leads = self.leads(&first, &rest, level) || self.leads_abroad(&first, &rest, level);
            leads.then(|| self.conclude(first, level, layer))
        })
    }

    /// Whether a cluster has the margin over every answer among the rest.
    fn leads(&self, first: &[usize], rest: &[usize], level: usize) -> bool {
        let second = self.largest(rest, level).map_or(0, |members| self.groups(&members));
        self.groups(first) >= second + self.rules.margin
    }

    /// What the trusted fetch saw as well as an independent group, on the strongest layers on which there is one: whoever
    /// saw something else does not count. A majority may be one cabal, the operator is none of it.
    fn beside_trusted(&self) -> Option<Vec<usize>> {
        let trusted = self.trusted.filter(|vote| self.voiced.contains(vote))?;
        let levels: &[usize] = if self.rules.partial { &[2, 3] } else { &[1] };
        levels.iter().copied().find_map(|level| {
            let same = |vote: &usize| self.agree(trusted, *vote, level);
            let same: Vec<usize> = self.voiced.iter().copied().filter(same).collect();
            (self.groups(&same) >= 2).then_some(same)
        })
    }

    /// The cluster of most groups, around the first vote that has one.
    fn largest(&self, among: &[usize], level: usize) -> Option<Vec<usize>> {
        let around = |centre: usize| -> Vec<usize> {
            let near = |vote: &usize| self.agree(centre, *vote, level);
            among.iter().copied().filter(near).collect()
        };
        let clusters = among.iter().map(|centre| around(*centre));
        clusters.rev().max_by_key(|members| self.groups(members))
    }

    fn agree(&self, a: usize, b: usize, level: usize) -> bool {
        let pair = (a.min(b), a.max(b));
        a == b || self.levels.get(&pair).is_some_and(|strongest| *strongest <= level)
    }

    fn groups(&self, members: &[usize]) -> usize {
        voices(self.votes, members)
    }

    fn conclude(&self, content: Vec<usize>, level: usize, layer: Layer) -> Decision {
        let enough = self.votes.len() >= self.rules.most;
        let Some((members, tainted)) = self.untainted(&content, enough) else {
            return Decision::More;
        };
        if layer.is_partial() && !enough && self.is_unsettled(&members, layer) {
            return Decision::More;
        }
        let stronger = (0..level).find_map(|level| {
            self.largest(&members, level).filter(|keepers| self.groups(keepers) >= 2)
        });
        let keepers = stronger.filter(|_| layer.is_partial()).unwrap_or_else(|| members.clone());
        let pages = members.iter().all(|member| self.claims_page(*member));
        let layer = if pages { layer } else { Layer::Status };
        let others = self.voiced.iter().copied().filter(|vote| !content.contains(vote));
        let wrong: Vec<usize> =
            others.filter(|vote| self.is_contradicted(*vote, &members)).collect();
        let (variants, regional, wrong) = self.by_region(&content, pages, wrong);
        let is_near = |vote: &usize| members.iter().any(|member| self.agree(*member, *vote, 3));
        let (disputed, contradicted) = wrong.into_iter().partition(is_near);
        Decision::Agreed(Agreed {
            members,
            layer,
            keepers,
            tainted,
            contradicted,
            disputed,
            variants,
            regional,
        })
    }

    /// Members whose scripts and frames agree too, and those whose do not. Where all of three groups differ, the page
    /// changes them at each load, and nobody is tainted. `None` while that is open.
    fn untainted(&self, content: &[usize], enough: bool) -> Option<(Vec<usize>, Vec<usize>)> {
        let mut by_active: BTreeMap<Option<Digest>, Vec<usize>> = BTreeMap::new();
        for member in content {
            by_active.entry(self.active(*member)).or_default().push(*member);
        }
        if by_active.len() <= 1 {
            return Some((content.to_vec(), Vec::new()));
        }
        let clean = by_active.into_values().max_by_key(|members| self.groups(members));
        let clean = clean.filter(|members| self.groups(members) >= self.rules.margin);
        match clean {
            Some(clean) => {
                let others = content.iter().copied().filter(|member| !clean.contains(member));
                let others = others.collect();
                Some((clean, others))
            }
            None if enough || self.groups(content) > self.rules.margin => {
                Some((content.to_vec(), Vec::new()))
            }
            None => None,
        }
    }

    /// Whether blocks that are known to be stable differ, or two groups have one that others lack: near is not the end of
    /// it then (research on validation, sections B1 and B7). Nor is it where there are but two copies: which of their
    /// blocks are stable only a third can tell.
    fn is_unsettled(&self, members: &[usize], layer: Layer) -> bool {
        if layer == Layer::Near && self.groups(members) <= self.rules.margin {
            return true;
        }
        let known = pairs(members).any(|pair| self.stable_differ.contains(&pair));
        let (copies, groups) = (self.copies(members), self.groups_of(members));
        known || is_disputed(&copies, groups, self.rules.margin)
    }

    /// A vote for another page than the agreed one, fetched at the same time as copies of two groups: blame needs that these
    /// contradict it in its blocks or, where there are no blocks, that the bodies differ.
    fn is_contradicted(&self, vote: usize, members: &[usize]) -> bool {
        let Some(judged) = self.votes.get(vote).filter(|_| self.claims_page(vote)) else {
            return false;
        };
        let then = members.iter().copied().filter(|member| {
            let other = self.votes.get(*member);
            other.is_some_and(|other| at_one_time(judged, other, self.rules))
        });
        let then: Vec<usize> = then.collect();
        if self.groups(&then) < 2 {
            return false;
        }
        if !self.rules.partial {
            return true;
        }
        let have_blocks = then.iter().chain([&vote]).all(|vote| self.active(*vote).is_some());
        !have_blocks || contradicts(judged.blocks, &self.copies(&then), self.groups_of(&then))
    }

    fn copies(&self, members: &[usize]) -> Vec<&'a BlockList> {
        members.iter().filter_map(|member| self.votes.get(*member)).map(|v| v.blocks).collect()
    }

    /// How many groups some of these members make, by their place among them.
    fn groups_of(&self, members: &[usize]) -> impl Fn(&[usize]) -> usize {
        |some| {
            let some: Vec<usize> = some.iter().filter_map(|n| members.get(*n)).copied().collect();
            self.groups(&some)
        }
    }

    fn claims_page(&self, vote: usize) -> bool {
        let response = self.votes.get(vote).and_then(|vote| response_of(vote.attestation));
        response.is_some_and(is_page)
    }

    fn active(&self, vote: usize) -> Option<Digest> {
        let response = self.votes.get(vote).and_then(|vote| response_of(vote.attestation))?;
        response.page.as_ref().map(|page| page.active)
    }
}

fn pairs(votes: &[usize]) -> impl Iterator<Item = (usize, usize)> + '_ {
    let later = |n: usize| votes.get(n + 1..).unwrap_or_default();
    votes.iter().enumerate().flat_map(move |(n, a)| later(n).iter().map(|b| (*a, *b)))
}

fn at_one_time(one: &Vote<'_>, other: &Vote<'_>, rules: Rules) -> bool {
    let apart = one.at.since(other.at).max(other.at.since(one.at));
    apart.as_millis() <= u128::from(rules.limits.window_ms)
}
