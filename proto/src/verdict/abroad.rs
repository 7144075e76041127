//! Whether the variants of a case are those that its results lead to.
//!
//! Decides it from labels: which of them are one region. Which region that is, the coordinator alone knows, and vouches for it.

use super::Case;
use super::fault::Faults;
use super::recompute::{Read, is_of};
use crate::compare::response_of;
use crate::outcome::Outcome;
use crate::quorum::{Agreed, Variant};
use std::collections::BTreeSet;

/// Each variant is stated once, and what it shows is what one of those attests who saw it.
pub(super) fn check_variants(case: &Case, read: &[Read<'_>], agreed: &Agreed, faults: &mut Faults) {
    let accepted = case.outcome == Outcome::Ok;
    let found: &[Variant] = if accepted { &agreed.variants } else { &[] };
    faults.unequal("case.variants", &case.variants.len(), &found.len());
    let mut regions = BTreeSet::new();
    for (index, (stated, found)) in case.variants.iter().zip(found).enumerate() {
        let field = |name: &str| format!("case.variants[{index}].{name}");
        if !regions.insert(stated.region) {
            faults.add(field("region"), format!("{} stands twice", stated.region));
        }
        faults.unequal(&field("layer"), &stated.layer, &found.layer);
        let attested = found.members.iter().filter_map(|member| read.get(*member)).any(|read| {
            stated.page.fetched_at == read.seen.fetched_at
                && response_of(&read.seen).is_some_and(|response| is_of(&stated.page, response))
        });
        if !attested {
            faults.add(field("page"), "none of those attests it who saw the variant");
        }
    }
}
