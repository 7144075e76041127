//! What one settlement teaches of its page.
//!
//! Decides it from those who are in the agreement, and so makes nothing of what anybody else handed in; and of a page on
//! which nobody agreed only where several independent groups each saw another, of which no two have anything in common. Who
//! wants a page to look so has to be nearly all of those groups.

use crate::settlement::{AgentResult, Settlement};
use std::collections::BTreeSet;
use sward_proto::attestation::Attestation;
use sward_proto::compare::block::BlockList;
use sward_proto::compare::stable::StableBlocks;
use sward_proto::compare::{self, is_page, response_of};
use sward_proto::digest::Digest;
use sward_proto::ids::PeerId;
use sward_proto::outcome::Outcome;
use sward_proto::quorum::Layer;
use sward_proto::quorum::finding::Finding;
use sward_proto::quorum::voice::{Voice, count_groups};
use sward_proto::timestamp::Timestamp;

/// Independent groups that must each have seen another page.
const APART_GROUPS: usize = 4;
/// Members of an agreement whose figures are taken, so that no page counts for more than a few pairs.
const FIGURED: usize = 3;

/// On what the independent groups agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Equal bodies.
    Identical,
    /// Equal canonical digests.
    Canonical,
    /// All stable blocks.
    Stable,
    /// Near copies.
    Near,
    /// Nothing: each saw another page.
    Apart,
}

/// What one settlement teaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lesson {
    /// On what they agreed.
    pub seen: Seen,
    /// Less than half of the accepted copy's blocks are attested.
    pub moving: bool,
    /// Groups, each by a number, without whose copies all would be equal: one of them may have made its copy differ. None
    /// where several differ.
    pub suspects: Vec<u32>,
    /// The Jaccard index of pairs of agreeing copies, in thousandths, and whose they are.
    pub figures: Vec<(u16, [u32; 2])>,
    /// Agents whose page they contradict.
    pub dissenters: Vec<PeerId>,
}

impl Lesson {
    /// That of a settlement, where it teaches anything: not of a robots.txt, of a page without content, of one that rests
    /// on one agent's word, nor of our own. `group` says whose an agent is, by a number.
    #[must_use]
    pub fn of(settlement: &Settlement, group: impl Fn(&PeerId) -> u32) -> Option<Self> {
        if settlement.robots {
            return None;
        }
        match (settlement.outcome, settlement.layer) {
            (Outcome::Disagree, _) if are_apart(settlement) => {
                let (suspects, figures, dissenters) = (Vec::new(), Vec::new(), Vec::new());
                Some(Self { seen: Seen::Apart, moving: false, suspects, figures, dissenters })
            }
            (Outcome::Ok, Some(layer)) => {
                let seen = match layer {
                    Layer::Identical => Seen::Identical,
                    Layer::Canonical => Seen::Canonical,
                    Layer::Stable => Seen::Stable,
                    Layer::Near => Seen::Near,
                    Layer::Status | Layer::Single => return None,
                };
                let (members, others): (Vec<_>, Vec<_>) =
                    settlement.results.iter().partition(|result| agrees(result));
                let member =
                    |result: &&AgentResult| Member::new(result, layer, group(&result.agent));
                let members: Vec<Member> = members.iter().filter_map(member).collect();
                let contradicted = others.into_iter().filter(|result| is_contradicted(result));
                Some(Self {
                    seen,
                    moving: layer.is_partial() && is_moving(settlement),
                    suspects: suspects(&members, layer),
                    figures: figures(&members),
                    dissenters: contradicted.map(|result| result.agent).collect(),
                })
            }
            (_, _) => None,
        }
    }
}

const fn agrees(result: &AgentResult) -> bool {
    matches!(result.finding, Finding::Agreed | Finding::Withheld)
}

const fn is_contradicted(result: &AgentResult) -> bool {
    matches!(result.finding, Finding::Forged | Finding::Disputed | Finding::Replayed)
}

fn is_moving(settlement: &Settlement) -> bool {
    settlement.blocks.as_ref().is_some_and(|blocks| {
        let attested = blocks.attested.matches('1').count();
        2 * attested < blocks.attested.len()
    })
}

/// Each member without whom the canonical digests of the others are equal, where all together are not.
fn suspects(members: &[Member], layer: Layer) -> Vec<u32> {
    if !layer.is_partial() {
        return Vec::new();
    }
    let digest = |member: &Member| {
        member.seen.as_ref().and_then(response_of).and_then(|response| response.canonical)
    };
    let seen: Vec<(u32, Option<Digest>)> =
        members.iter().map(|member| (member.group, digest(member))).collect();
    let explains = |suspect: &u32| {
        let others: BTreeSet<Option<Digest>> =
            seen.iter().filter(|(group, _)| group != suspect).map(|(_, digest)| *digest).collect();
        others.len() <= 1
    };
    let groups: BTreeSet<u32> = seen.iter().map(|(group, _)| *group).collect();
    groups.into_iter().filter(explains).collect()
}

/// The figures of pairs of independent members. Equal content needs no sketch.
fn figures(members: &[Member]) -> Vec<(u16, [u32; 2])> {
    let some = members.get(..FIGURED).unwrap_or(members);
    let pairs = pairs(some).filter(|(a, b)| !a.voice.shared_with(b.voice));
    let figure = |(a, b): (&Member, &Member)| {
        let figure = match (&a.seen, &b.seen) {
            (Some(a), Some(b)) => jaccard(a, b)?,
            (_, _) => 1000,
        };
        Some((figure, [a.group, b.group]))
    };
    pairs.filter_map(figure).collect()
}

struct Member {
    group: u32,
    voice: Voice,
    /// Where content is not equal.
    seen: Option<Attestation>,
}

impl Member {
    fn new(result: &AgentResult, layer: Layer, group: u32) -> Option<Self> {
        let seen = if layer.is_partial() {
            Some(Attestation::decode(&result.attestation).ok()?)
        } else {
            None
        };
        Some(Self { group, voice: result.origin.as_ref()?.voice, seen })
    }
}

fn jaccard(a: &Attestation, b: &Attestation) -> Option<u16> {
    let page = |seen| response_of(seen).and_then(|response| response.page.as_ref());
    Some(page(a)?.sketch.jaccard(&page(b)?.sketch))
}

fn pairs<T>(all: &[T]) -> impl Iterator<Item = (&T, &T)> {
    let later = |n: usize| all.get(n + 1..).unwrap_or_default();
    all.iter().enumerate().flat_map(move |(n, a)| later(n).iter().map(move |b| (a, b)))
}

/// Whether enough groups saw a page, and no two of them the same, nor nearly, whenever they came.
fn are_apart(settlement: &Settlement) -> bool {
    let Some(rules) = settlement.rules else { return false };
    let limits = compare::limits::Limits { window_ms: u32::MAX, ..rules.limits };
    let stable = StableBlocks::from_bytes(&settlement.stable).unwrap_or_default();
    let pages: Vec<Page> = settlement.results.iter().filter_map(Page::new).collect();
    let voices: Vec<Voice> = pages.iter().map(|page| page.voice).collect();
    let agree = |(a, b): (&Page, &Page)| {
        compare::compare(a.copy(), b.copy(), &stable, &limits).verdict.content().is_some()
    };
    count_groups(&voices) >= APART_GROUPS && !pairs(&pages).any(agree)
}

/// One page that somebody saw.
struct Page {
    voice: Voice,
    seen: Attestation,
    blocks: BlockList,
}

impl Page {
    fn new(result: &AgentResult) -> Option<Self> {
        let seen = Attestation::decode(&result.attestation).ok()?;
        response_of(&seen).filter(|seen| seen.neutral.is_none() && is_page(seen))?;
        let blocks = BlockList::from_bytes(&result.blocks).ok()?;
        Some(Self { voice: result.origin.as_ref()?.voice, seen, blocks })
    }

    const fn copy(&self) -> compare::Copy<'_> {
        compare::Copy { attestation: &self.seen, blocks: &self.blocks, at: Timestamp::ZERO }
    }
}
