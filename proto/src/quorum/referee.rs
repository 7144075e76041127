//! What trusted fetches say in a vote, and of who is outvoted in it.
//!
//! Decides a task's verdict where fetchers of the operator's own took part, and for each dissenter whether it is to blame
//! ([`super::ruling`]). All trusted fetches together are one voice, that of the first of them; where an independent agent
//! saw the same, that stands, however many say otherwise (research on validation, sections B5 and B7). A function of
//! what was opened, so that anyone can recompute it. Never decides when a page is fetched again.

use super::clusters::Clusters;
use super::finding::is_blaming;
use super::ruling::{self, Case, Ruling, Step};
use super::voice::count_groups;
use super::{Agreed, Decision, Rules, Variant, Vote, conclude};
use crate::compare::limits::Limits;
use crate::compare::stable::StableBlocks;
use crate::compare::{Content, Verdict, compare, response_of};
use crate::outcome::Outcome;

/// A verdict, and what it means for each vote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// What the votes say. Whom a ruling spares is neither contradicted nor disputed in it.
    pub decision: Decision,
    /// For each vote that is outvoted, whether it is to blame, or one more trusted fetch is to tell.
    pub steps: Vec<Option<Step>>,
}

impl Judged {
    /// The ruling on a vote, where there is one.
    #[must_use]
    pub fn ruling(&self, vote: usize) -> Option<Ruling> {
        match self.steps.get(vote).copied().flatten() {
            Some(Step::Ruled(ruling)) => Some(ruling),
            Some(Step::Fetch) | None => None,
        }
    }

    /// Whether one more trusted fetch would tell more of who is outvoted.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.steps.contains(&Some(Step::Fetch))
    }
}

/// Weighs the opened results of a task, in the order of their leases; `trusted` says which of them are trusted fetches.
#[must_use]
pub fn judge(votes: &[Vote<'_>], trusted: &[bool], rules: Rules, stable: &StableBlocks) -> Judged {
    let is_trusted = |vote: &usize| trusted.get(*vote).copied().unwrap_or_default();
    let first = (0..votes.len()).find(|vote| is_trusted(vote) && is_voice(votes, *vote));
    let seated: Vec<usize> =
        (0..votes.len()).filter(|vote| !is_trusted(vote) || Some(*vote) == first).collect();
    let some: Vec<Vote<'_>> = seated.iter().filter_map(|vote| votes.get(*vote)).copied().collect();
    let mut clusters = Clusters::new(&some, rules, stable);
    if let Some(seat) = first.and_then(|first| seated.iter().position(|vote| *vote == first)) {
        clusters = clusters.trusting(seat);
    }
    let named = |members: Vec<usize>| -> Vec<usize> {
        members.into_iter().filter_map(|seat| seated.get(seat).copied()).collect()
    };
    let blamed = |members: Vec<usize>| -> Vec<usize> {
        named(members).into_iter().filter(|vote| !is_trusted(vote)).collect()
    };
    let variant = |variant: Variant| Variant { members: named(variant.members), ..variant };
    let mut steps = vec![None; votes.len()];
    let decision = match conclude(&some, rules, &clusters) {
        Decision::Agreed(agreed) => {
            let mut agreed = Agreed {
                members: named(agreed.members),
                layer: agreed.layer,
                keepers: named(agreed.keepers),
                tainted: blamed(agreed.tainted),
                contradicted: blamed(agreed.contradicted),
                disputed: blamed(agreed.disputed),
                variants: agreed.variants.into_iter().map(variant).collect(),
                regional: blamed(agreed.regional),
            };
            let bench = Bench { votes, trusted, rules, stable, members: &agreed.members };
            for vote in agreed.contradicted.iter().chain(&agreed.disputed) {
                if let Some(step) = steps.get_mut(*vote) {
                    *step = bench.next(*vote);
                }
            }
            let spared = |vote: &usize| {
                matches!(
                    steps.get(*vote),
                    Some(Some(Step::Ruled(Ruling::Stands | Ruling::PageAtFault)))
                )
            };
            agreed.contradicted.retain(|vote| !spared(vote));
            agreed.disputed.retain(|vote| !spared(vote));
            Decision::Agreed(agreed)
        }
        Decision::Neutral { members } => Decision::Neutral { members: named(members) },
        Decision::Failed { members, code } => Decision::Failed { members: named(members), code },
        open @ (Decision::More | Decision::Contested) => open,
    };
    Judged { decision, steps }
}

/// The ruling that stands with a task's end: none where nobody can be blamed.
#[must_use]
pub fn kept_ruling(ruling: Option<Ruling>, outcome: Outcome) -> Option<Ruling> {
    ruling.filter(|_| is_blaming(outcome))
}

/// Whether a vote has a response that is meant for everybody.
fn is_voice(votes: &[Vote<'_>], vote: usize) -> bool {
    let response = votes.get(vote).and_then(|vote| response_of(vote.attestation));
    response.is_some_and(|response| response.neutral.is_none())
}

/// An agreed verdict, and the trusted fetches beside it.
struct Bench<'a> {
    votes: &'a [Vote<'a>],
    trusted: &'a [bool],
    rules: Rules,
    stable: &'a StableBlocks,
    members: &'a [usize],
}

impl Bench<'_> {
    /// What the trusted fetches so far say of a vote that is outvoted; `None` where there are none.
    fn next(&self, accused: usize) -> Option<Step> {
        let judged = self.votes.get(accused)?;
        let fetches = self.votes.iter().zip(self.trusted).enumerate();
        let fetches = fetches.filter(|(n, (_, trusted))| **trusted && is_voice(self.votes, *n));
        // What was fetched at another time tells nothing of then.
        let then = fetches.filter(|(_, (vote, _))| {
            let apart = vote.at.since(judged.at).max(judged.at.since(vote.at));
            apart.as_millis() <= u128::from(self.rules.limits.window_ms)
        });
        let same: Vec<usize> = (0..self.votes.len()).filter(|n| self.agree(accused, *n)).collect();
        let backers = self.groups(&same);
        let outvoted = self.groups(self.members) >= backers + self.rules.margin;
        let mut case = Case {
            backers: u32::try_from(backers).unwrap_or(u32::MAX),
            outvoted,
            trusted: 0,
            met: false,
            others_confirmed: false,
        };
        let mut step = None;
        for (_, (fetch, _)) in then {
            case.trusted += 1;
            case.met = !self.speaks_against(fetch, judged);
            case.others_confirmed |= case.trusted == 1 && !case.met;
            let next = ruling::next(case);
            step = Some(next);
            if next != Step::Fetch {
                break;
            }
        }
        step.or(Some(Step::Fetch))
    }

    /// Whether a trusted fetch shares with those who agree what the accused page lacks. One that is like neither speaks
    /// for a page that shows every visitor something else.
    fn speaks_against(&self, fetch: &Vote<'_>, judged: &Vote<'_>) -> bool {
        if self.is_same(fetch, judged) {
            return false;
        }
        let witnesses: Vec<&Vote<'_>> =
            self.members.iter().filter_map(|member| self.votes.get(*member)).collect();
        let copies: Vec<_> = witnesses.iter().map(|witness| witness.blocks).collect();
        let voices: Vec<_> = witnesses.iter().map(|witness| witness.voice).collect();
        let groups = |some: &[usize]| {
            let some: Vec<_> = some.iter().filter_map(|n| voices.get(*n)).copied().collect();
            count_groups(&some)
        };
        let listed = |vote: &Vote<'_>| !vote.blocks.blocks().is_empty();
        if !listed(fetch) || !listed(judged) || !witnesses.iter().all(|vote| listed(vote)) {
            return witnesses.iter().any(|witness| self.is_same(fetch, witness));
        }
        let (seen, claimed) = (fetch.blocks.counts(), judged.blocks.counts());
        if copies.iter().all(|copy| copy.counts() == seen) {
            return claimed != seen;
        }
        let of = |counts: &std::collections::BTreeMap<_, usize>, block| {
            counts.get(block).copied().unwrap_or_default()
        };
        StableBlocks::shared(&copies, groups).counts().is_some_and(|shared| {
            shared
                .iter()
                .any(|(block, count)| of(&claimed, block) < *count && of(&seen, block) >= *count)
        })
    }

    fn agree(&self, one: usize, other: usize) -> bool {
        let pair = self.votes.get(one).zip(self.votes.get(other));
        one == other || pair.is_some_and(|(one, other)| self.is_same(one, other))
    }

    /// Whether two say the same throughout, whenever they were fetched.
    fn is_same(&self, one: &Vote<'_>, other: &Vote<'_>) -> bool {
        let limits = Limits { window_ms: u32::MAX, ..self.rules.limits };
        let verdict = compare(one.seen(), other.seen(), self.stable, &limits).verdict;
        let content = matches!(verdict.content(), Some(Content::Canonical | Content::Stable));
        content || verdict == Verdict::Status
    }

    fn groups(&self, members: &[usize]) -> usize {
        super::voices(self.votes, members)
    }
}
