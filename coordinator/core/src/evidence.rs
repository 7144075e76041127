//! What is published of a settlement, so that a stranger can recompute its verdict.
//!
//! Decides which seeds may be given away: those of rounds that are over, never another. Never signs.

use crate::settlement::{AgentResult, PageFacts, Settlement};
use std::collections::BTreeMap;
use sward_proto::draw::{DrawPlan, Round, RoundSeed, SeedChain};
use sward_proto::ids::JobName;
use sward_proto::merkle::MerkleError;
use sward_proto::timestamp::Timestamp;
use sward_proto::verdict::{Case, OpenedResult};

/// The seeds of rounds that are over.
pub struct PastSeeds<'a> {
    plan: DrawPlan,
    chain: &'a SeedChain,
    now: Timestamp,
    known: BTreeMap<Round, RoundSeed>,
}

/// Why there is no evidence for a settlement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// Settled by a build that did not keep signatures and rules.
    #[error("it was settled before signatures were kept with verdicts")]
    NotKept,
    /// What was kept contradicts itself.
    #[error(transparent)]
    Batch(#[from] MerkleError),
}

impl<'a> PastSeeds<'a> {
    /// Those that are over `now`.
    #[must_use]
    pub const fn new(plan: DrawPlan, chain: &'a SeedChain, now: Timestamp) -> Self {
        Self { plan, chain, now, known: BTreeMap::new() }
    }

    /// The seed of a round; `None` while it lasts or is still to come.
    pub fn seed(&mut self, round: Round) -> Option<RoundSeed> {
        if !self.plan.is_over(round, self.now) {
            return None;
        }
        Some(*self.known.entry(round).or_insert_with(|| self.chain.seed(round)))
    }
}

/// The evidence of a settlement.
///
/// # Errors
/// [`EvidenceError`].
pub fn case(
    settlement: &Settlement,
    job: &JobName,
    seeds: &mut PastSeeds<'_>,
) -> Result<Case, EvidenceError> {
    let mut rounds: Vec<Round> =
        settlement.results.iter().map(|result| result.draw.round).collect();
    rounds.extend([settlement.audit, settlement.spot].into_iter().flatten().map(|d| d.round));
    rounds.sort_unstable();
    rounds.dedup();
    Ok(Case {
        task: settlement.task,
        job: job.clone(),
        url: settlement.url.clone(),
        robots: settlement.robots,
        rules: settlement.rules.ok_or(EvidenceError::NotKept)?,
        stable: settlement.stable.clone(),
        plan: seeds.plan,
        seeds: rounds.into_iter().filter_map(|round| seeds.seed(round)).collect(),
        settled_at: settlement.settled_at,
        outcome: settlement.outcome,
        layer: settlement.layer,
        page: settlement.page.as_ref().map(PageFacts::attested),
        published: settlement.blocks.clone(),
        results: settlement.results.iter().map(opened).collect::<Result<_, _>>()?,
        audit: settlement.audit,
        variants: settlement.variants.clone(),
        spot: settlement.spot,
    })
}

fn opened(result: &AgentResult) -> Result<OpenedResult, EvidenceError> {
    let origin = result.origin.clone().ok_or(EvidenceError::NotKept)?;
    Ok(OpenedResult {
        agent: result.agent,
        token: result.token,
        draw: result.draw.clone(),
        root: origin.proof.root(result.token, result.leaf)?,
        origin,
        leaf: result.leaf,
        salt: result.salt,
        attestation: result.attestation.clone(),
        blocks: result.blocks.clone(),
        finding: result.finding,
        trusted: result.trusted,
        ruling: result.ruling,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_of_a_round_that_lasts_is_a_secret() {
        let chain = SeedChain::grow(&[3; 32]);
        let began = Timestamp::from_millis(5_000_000);
        let plan = DrawPlan { anchor: chain.anchor(), began, round_seconds: 60 };
        let at = |seconds: u64, round| {
            let now = Timestamp::from_millis(seconds * 1000);
            PastSeeds::new(plan, &chain, now).seed(Round(round)).is_some()
        };
        assert_eq!((at(5_059, 1), at(5_060, 1), at(5_060, 2)), (false, true, false));
        assert!(!at(0, 1) && !at(4_999, 1));
        let mut past = PastSeeds::new(plan, &chain, Timestamp::MAX);
        assert_eq!(
            [7, 7, 9].map(|n| past.seed(Round(n))),
            [7, 7, 9].map(|n| Some(chain.seed(Round(n))))
        );
    }
}
