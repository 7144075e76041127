//! Whether the leases of a case were drawn as the plan says that was told in advance.
//!
//! Decides it from the seeds of rounds that are over: each leads to the anchor, and who was passed over lies between the
//! draw's place and the one drawn. Who else asked for work at that moment nobody can tell later, nor whether the reasons for
//! passing somebody over were true: for these the coordinator vouches.

use super::Case;
use super::fault::{Faults, each};
use crate::digest::Digest;
use crate::draw::{AuditDraw, DrawPlan, Round, RoundSeed};
use std::collections::{BTreeMap, BTreeSet};

/// Seeds that were found to lead to their anchors, so that a long chain is hashed once for many cases.
#[derive(Debug, Default)]
pub struct KnownSeeds(BTreeSet<(Digest, Round, Digest)>);

impl KnownSeeds {
    fn holds(&mut self, plan: &DrawPlan, seed: &RoundSeed) -> bool {
        let key = (plan.anchor.0, seed.round, seed.seed);
        let holds = self.0.contains(&key) || plan.anchor.holds(seed);
        if holds {
            self.0.insert(key);
        }
        holds
    }
}

/// How many draws were checked, and how many cannot be yet.
pub(super) fn check_draws(
    case: &Case,
    known: &mut KnownSeeds,
    faults: &mut Faults,
) -> (usize, usize) {
    let leased = case.results.iter().map(|result| result.draw.round);
    let drawn = [case.audit, case.spot].into_iter().flatten().map(|draw| draw.round);
    let used: BTreeSet<Round> = leased.chain(drawn).collect();
    let mut seeds: BTreeMap<Round, RoundSeed> = BTreeMap::new();
    for (index, seed) in case.seeds.iter().enumerate() {
        let field = format!("case.seeds[{index}]");
        if !used.contains(&seed.round) {
            faults.add(field, format!("nothing was drawn in round {}", seed.round.0));
        } else if seeds.insert(seed.round, *seed).is_some() {
            faults.add(field, format!("round {} stands twice", seed.round.0));
        } else if !known.holds(&case.plan, seed) {
            faults.add(field, "does not lead to the anchor that was told in advance");
        }
    }
    let (mut checked, mut open) = (0, 0);
    each(&case.results, |index, result| {
        // As the coordinator has it: outside of the plan's time the first round's seed is used.
        let round = case.plan.round(result.origin.leased_at).unwrap_or(Round(1));
        if result.draw.round != round {
            let why =
                format!("{} instead of {}, in which it was leased", result.draw.round.0, round.0);
            return faults.of_result(index, "draw.round", why);
        }
        match seeds.get(&result.draw.round) {
            Some(seed) => {
                checked += 1;
                if let Err(error) = result.draw.check(seed, &result.agent) {
                    faults.of_result(index, "draw.passed", error);
                }
            }
            None => open += 1,
        }
    });
    for (field, draw, follows) in [
        ("case.audit", case.audit, AuditDraw::follows as fn(&AuditDraw, &RoundSeed) -> bool),
        ("case.spot", case.spot, AuditDraw::follows_spot),
    ] {
        let Some(draw) = draw else { continue };
        match seeds.get(&draw.round) {
            Some(seed) if follows(&draw, seed) => checked += 1,
            Some(_) => faults.add(field, "is not what follows from its round's seed"),
            None => open += 1,
        }
    }
    (checked, open)
}
