//! The verdict anew, from what was opened: by the same functions by which the coordinator decided.

use super::abroad::check_variants;
use super::fault::Faults;
use super::{Case, OpenedResult, Page, PublishedBlocks, needs_blocks};
use crate::attestation::{Attestation, Response};
use crate::compare::block::BlockList;
use crate::compare::limits::LEAST_JACCARD;
use crate::compare::stable::StableBlocks;
use crate::compare::{credible_time, response_of};
use crate::draw::LEAST_AUDITED;
use crate::outcome::Outcome;
use crate::quorum::finding::{Finding, agreed_outcome, is_blaming, kept_out_outcome};
use crate::quorum::referee::{Judged, judge, kept_ruling};
use crate::quorum::voice::Voice;
use crate::quorum::{Agreed, Decision, Layer, Vote, attested_blocks, stands_alone};

/// One result, parsed.
pub(super) struct Read<'a> {
    pub(super) voice: Voice,
    pub(super) result: &'a OpenedResult,
    pub(super) seen: Attestation,
    pub(super) blocks: BlockList,
}

impl Read<'_> {
    fn vote(&self) -> Vote<'_> {
        let origin = &self.result.origin;
        let at = credible_time(self.seen.fetched_at, origin.leased_at, origin.expires);
        Vote { voice: self.voice, attestation: &self.seen, blocks: &self.blocks, at }
    }
}

/// What follows from a decision.
struct Verdict {
    /// How the task may have ended.
    outcomes: Vec<Outcome>,
    layer: Option<Layer>,
    agreed: Agreed,
}

/// Compares a case with what follows from its results; gives those who agree.
pub(super) fn recompute(case: &Case, read: &[Read<'_>], faults: &mut Faults) -> Vec<usize> {
    if case.outcome == Outcome::Beacon {
        // What each was shown only the coordinator knows, whose page it was. Nothing is published of it.
        if case.page.is_some() || case.published.is_some() {
            faults.add("case.page", "nothing was accepted");
        }
        return Vec::new();
    }
    check_blocks(case, read, faults);
    if case.rules.limits.jaccard < LEAST_JACCARD {
        let why = format!("{}, never less than {LEAST_JACCARD}", case.rules.limits.jaccard);
        faults.add("case.rules.limits.jaccard", why);
    }
    let stable = StableBlocks::from_bytes(&case.stable).unwrap_or_else(|error| {
        faults.add("case.stable", error);
        StableBlocks::unknown()
    });
    let votes: Vec<Vote<'_>> = read.iter().map(Read::vote).collect();
    let trusted: Vec<bool> = case.results.iter().map(|result| result.trusted).collect();
    let mut judged = judge(&votes, &trusted, case.rules, &stable);
    if case.layer == Some(Layer::Single) {
        let only = check_single(case, read, faults);
        judged = Judged { decision: alone(only), steps: Vec::new() };
    }
    check_spot(case, faults);
    check_rulings(case, &judged, faults);
    let verdict = follow(judged.decision, read);
    if !verdict.outcomes.contains(&case.outcome) {
        let words: Vec<&str> = verdict.outcomes.iter().map(|outcome| outcome.code()).collect();
        let why = format!("{} is stated, {} follows", case.outcome, words.join(" or "));
        faults.add("case.outcome", why);
        return Vec::new();
    }
    faults.unequal("case.layer", &case.layer, &verdict.layer);
    check_findings(case, &verdict.agreed, faults);
    check_variants(case, read, &verdict.agreed, faults);
    check_page(case, read, &verdict, faults);
    verdict.agreed.members
}

/// What one result that stands alone decides.
fn alone(only: usize) -> Decision {
    let none = Vec::new;
    let (tainted, contradicted, disputed, regional) = (none(), none(), none(), none());
    let (members, keepers) = (vec![only], vec![only]);
    Decision::Agreed(Agreed {
        members,
        layer: Layer::Single,
        keepers,
        tainted,
        contradicted,
        disputed,
        variants: Vec::new(),
        regional,
    })
}

/// One result is enough only where it claims a page, and an audit was possible and not drawn. Whether its agent had proved
/// itself is known to the coordinator alone, which vouches for it. A trusted fetcher that the site kept out
/// changes nothing. Gives the place of the result.
fn check_single(case: &Case, read: &[Read<'_>], faults: &mut Faults) -> usize {
    let said = |read: &Read<'_>| {
        response_of(&read.seen).is_some_and(|response| response.neutral.is_none())
    };
    let counts = |(_, read): &(usize, &Read<'_>)| !read.result.trusted || said(read);
    let mut counted = read.iter().enumerate().filter(counts);
    let (Some((place, only)), None) = (counted.next(), counted.next()) else {
        let why = format!("one result stands alone, {} are given", read.len());
        faults.add("case.results", why);
        return 0;
    };
    if only.result.trusted {
        faults.add("case.results", "a trusted fetch alone is no verdict");
    }
    if case.robots || !stands_alone(&only.seen) {
        faults.add("case.layer", "one agent's word is not taken for this");
    }
    match case.audit {
        None => faults.add("case.audit", "is missing"),
        Some(audit) if audit.drawn => {
            faults.add("case.audit", "was drawn, and is not among the results")
        }
        Some(audit) if audit.leaf != only.result.leaf => {
            faults.add("case.audit.leaf", "is not that of the result");
        }
        Some(audit) if audit.per_million < LEAST_AUDITED => {
            let why = format!("{} in a million, {LEAST_AUDITED} at least", audit.per_million);
            faults.add("case.audit.per_million", why);
        }
        Some(_) => {}
    }
    place
}

/// A spot check is drawn for the first result of an agent.
fn check_spot(case: &Case, faults: &mut Faults) {
    let mut leaves = case.results.iter().filter(|result| !result.trusted).map(|r| r.leaf);
    if case.spot.is_some_and(|spot| !leaves.any(|leaf| leaf == spot.leaf)) {
        faults.add("case.spot.leaf", "is not that of a result");
    }
}

/// Who is outvoted is spared or blamed as the trusted fetches say.
fn check_rulings(case: &Case, judged: &Judged, faults: &mut Faults) {
    for (index, result) in case.results.iter().enumerate() {
        let ruling = kept_ruling(judged.ruling(index), case.outcome);
        if result.ruling != ruling {
            let why = format!("{:?} is stated, {ruling:?} follows", result.ruling);
            faults.of_result(index, "ruling", why);
        }
    }
}

fn follow(decision: Decision, read: &[Read<'_>]) -> Verdict {
    let status = |members: &[usize]| {
        let first = members.first().and_then(|member| read.get(*member));
        first.and_then(|read| response_of(&read.seen)).map_or(0, |response| response.status)
    };
    let only = |members: Vec<usize>, layer| Agreed {
        members,
        layer,
        keepers: Vec::new(),
        tainted: Vec::new(),
        contradicted: Vec::new(),
        disputed: Vec::new(),
        variants: Vec::new(),
        regional: Vec::new(),
    };
    match decision {
        Decision::Agreed(agreed) => {
            let outcome = agreed_outcome(status(&agreed.members));
            // Which media types a job wants is its own affair.
            let unwanted = (outcome == Outcome::Ok).then_some(Outcome::Policy);
            let outcomes = [outcome].into_iter().chain(unwanted).collect();
            Verdict { layer: layer_of(outcome, agreed.layer), outcomes, agreed }
        }
        Decision::Neutral { members } => {
            let outcome = kept_out_outcome(status(&members));
            let layer = layer_of(outcome, Layer::Status);
            Verdict { outcomes: vec![outcome], layer, agreed: only(members, Layer::Status) }
        }
        Decision::Failed { members, code } => {
            let outcomes = vec![Outcome::from(code)];
            Verdict { outcomes, layer: None, agreed: only(members, Layer::Status) }
        }
        // Contested; or open, and nobody was left who could tell.
        Decision::Contested | Decision::More => {
            let outcomes = vec![Outcome::Disagree, Outcome::AgentLost];
            Verdict { outcomes, layer: None, agreed: only(Vec::new(), Layer::Status) }
        }
    }
}

/// A site that asks for patience has no page to compare.
const fn layer_of(outcome: Outcome, layer: Layer) -> Option<Layer> {
    if matches!(outcome, Outcome::Http429 | Outcome::Http5xx) { None } else { Some(layer) }
}

/// Blocks are those that were attested; they may be left out of all results where nothing hangs on them.
fn check_blocks(case: &Case, read: &[Read<'_>], faults: &mut Faults) {
    let needed = needs_blocks(case.layer, case.results.iter().map(|result| result.finding));
    let left_out = !needed && read.iter().all(|read| read.blocks.blocks().is_empty());
    for (index, read) in read.iter().enumerate() {
        if !left_out && !read.seen.has_blocks(&read.blocks) {
            faults.of_result(index, "blocks", "are not those that are attested");
        }
    }
}

fn check_findings(case: &Case, agreed: &Agreed, faults: &mut Faults) {
    let blaming = is_blaming(case.outcome);
    for (index, result) in case.results.iter().enumerate() {
        let among = |some: &[usize]| some.contains(&index);
        let in_variant = agreed.variants.iter().any(|variant| among(&variant.members));
        let possible: &[Finding] = match () {
            () if among(&agreed.members) && case.outcome == Outcome::Ok => {
                &[Finding::Agreed, Finding::Withheld]
            }
            () if among(&agreed.members) => &[Finding::Agreed],
            () if in_variant && case.outcome == Outcome::Ok => &[Finding::Variant],
            () if !blaming => &[Finding::Neutral],
            () if in_variant || among(&agreed.regional) => &[Finding::Regional],
            // Whether a body was in the archive before, only the archive can tell.
            () if among(&agreed.contradicted) => &[Finding::Forged, Finding::Replayed],
            () if among(&agreed.disputed) => &[Finding::Disputed, Finding::Replayed],
            () if among(&agreed.tainted) => &[Finding::Tainted],
            () => &[Finding::Neutral],
        };
        if !possible.contains(&result.finding) {
            let why = format!("{:?} is stated, {possible:?} follows", result.finding);
            faults.of_result(index, "finding", why);
        }
    }
}

/// What was accepted is what one of those attests whose copy may be kept.
fn check_page(case: &Case, read: &[Read<'_>], verdict: &Verdict, faults: &mut Faults) {
    let Agreed { members, keepers, .. } = &verdict.agreed;
    let accepted = case.outcome == Outcome::Ok;
    let has_page = matches!(
        case.outcome,
        Outcome::Ok | Outcome::Policy | Outcome::Redirect | Outcome::Http4xx
    );
    let page = match (&case.page, has_page) {
        (Some(page), true) => page,
        (None, false) => {
            if case.published.is_some() {
                faults.add("case.published", "nothing was accepted");
            }
            return;
        }
        (Some(_), false) => return faults.add("case.page", "nothing was accepted"),
        (None, true) => return faults.add("case.page", "is missing"),
    };
    let from = if accepted { keepers } else { members };
    let may_be_kept = |read: &&Read<'_>| !accepted || read.result.finding == Finding::Agreed;
    let mut copies: Vec<&Read<'_>> =
        from.iter().filter_map(|n| read.get(*n)).filter(may_be_kept).collect();
    copies.retain(|read| {
        response_of(&read.seen).is_some_and(|response| {
            (!accepted || page.fetched_at == read.seen.fetched_at) && is_of(page, response)
        })
    });
    if copies.is_empty() {
        let why = "no agreeing result whose copy may be kept attests it";
        return faults.add("case.page", why);
    }
    let is_partial = accepted && case.layer.is_some_and(Layer::is_partial);
    match &case.published {
        None if !is_partial => {}
        Some(_) if !is_partial => faults.add("case.published", "the whole page is attested"),
        None => faults.add("case.published", "is missing"),
        Some(published) => {
            let lists: Vec<(Voice, &BlockList)> = members
                .iter()
                .filter_map(|n| read.get(*n))
                .map(|read| (read.voice, &read.blocks))
                .collect();
            let follows = |copy: &&Read<'_>| {
                let attested = attested_blocks(&copy.blocks, &lists, case.rules);
                PublishedBlocks::new(&copy.blocks, &attested) == *published
            };
            if !copies.iter().any(follows) {
                faults.add("case.published", "is not what follows for the accepted copy");
            }
        }
    }
}

pub(super) fn is_of(page: &Page, response: &Response) -> bool {
    page.final_url == response.final_url
        && page.status == response.status
        && page.media_type == response.media_type
        && page.payload == response.raw
        && page.bytes == response.raw_bytes
        && page.canonical == response.canonical
        && page.redirect_target == response.redirect_target
}

impl PublishedBlocks {
    /// The blocks of a kept copy, each with whether it is attested.
    #[must_use]
    pub fn new(kept: &BlockList, attested: &[bool]) -> Self {
        let mark = |attested: &bool| if *attested { '1' } else { '0' };
        Self { kept: kept.to_bytes(), attested: attested.iter().map(mark).collect() }
    }
}
