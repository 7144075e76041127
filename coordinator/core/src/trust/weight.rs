//! What a group's word weighs, in the eyes of the others.
//!
//! Decides a group's standing as the stake-weighted median of what *other* groups' audits say of it: an opinion above the
//! median is lowered to it and one below is raised to it, so that with less than half of the stake a cabal can neither
//! inflate its own nor sink another's (the clipping of Yuma consensus, Bittensor, at one half). And several keys behind one
//! prefix are given no more work than the median group has. Never
//! decides who belongs to a group (group).

use serde::{Deserialize, Serialize};

/// What one group's audits say of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opinion {
    /// What the speaker weighs: its work that others confirmed.
    pub stake: u64,
    /// The share of their audits that agreed, in millionths.
    pub agreed: u32,
}

/// What one group would be given to do, and how many identities stand behind that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Work that its identities ask for together.
    pub work: u64,
    /// How many they are.
    pub identities: u32,
}

/// The work that each group is given: one identity what it asks for; several together no more than the median of those who
/// are alone, so that more keys behind a prefix earn no more.
#[must_use]
pub fn granted(claims: &[Claim]) -> Vec<u64> {
    let median = median_alone(claims);
    let grant = |claim: &Claim| match median {
        Some(median) if claim.identities > 1 => claim.work.min(median),
        Some(_) | None => claim.work,
    };
    claims.iter().map(grant).collect()
}

/// The median of what groups of one identity ask for; none where there is no such group.
#[must_use]
pub fn median_alone(claims: &[Claim]) -> Option<u64> {
    let alone = claims.iter().filter(|claim| claim.identities == 1 && claim.work > 0);
    let mut sorted: Vec<u64> = alone.map(|claim| claim.work).collect();
    sorted.sort_unstable();
    sorted.get(sorted.len().saturating_sub(1) / 2).copied()
}

/// The lowest rating that groups with at least half of the stake do not exceed; none without stake.
#[must_use]
pub fn consensus(opinions: &[Opinion]) -> Option<u32> {
    let mut sorted = opinions.to_vec();
    sorted.sort_unstable_by_key(|opinion| opinion.agreed);
    let total: u128 = sorted.iter().map(|opinion| u128::from(opinion.stake)).sum();
    let mut below = 0;
    sorted.into_iter().filter(|opinion| opinion.stake > 0).find_map(|opinion| {
        below += u128::from(opinion.stake);
        (2 * below >= total).then_some(opinion.agreed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn says(stake: u64, agreed: u32) -> Opinion {
        Opinion { stake, agreed }
    }

    #[test]
    fn a_cabal_of_forty_per_cent_moves_nothing() {
        let honest = [says(30, 990_000), says(30, 995_000)];
        assert_eq!(consensus(&[honest[0], honest[1], says(40, 0)]), Some(990_000));
        assert_eq!(consensus(&[honest[0], honest[1], says(40, 1_000_000)]), Some(995_000));
        assert_eq!(consensus(&[]), None);
    }

    #[test]
    fn many_keys_behind_a_prefix_get_the_work_of_one_median_group() {
        let claim = |work, identities| Claim { work, identities };
        let claims = [claim(0, 1), claim(10, 3), claim(20, 1), claim(9000, 40), claim(500, 1)];
        assert_eq!(granted(&claims), vec![0, 10, 20, 20, 500]);
        assert!(granted(&[]).is_empty());
    }

    proptest! {
        /// With less than half of the stake, a cabal's word leaves the result among what honest groups say.
        #[test]
        fn the_result_is_within_the_honest_range(
            honest in proptest::collection::vec((1u64..100, 0u32..1_000_000), 1..12),
            cabal in proptest::collection::vec((1u64..100, 0u32..1_000_000), 0..12),
        ) {
            let stake = |group: &[(u64, u32)]| group.iter().map(|(stake, _)| stake).sum::<u64>();
            prop_assume!(2 * stake(&cabal) < stake(&honest) + stake(&cabal));
            let opinions: Vec<Opinion> =
                honest.iter().chain(&cabal).map(|(stake, agreed)| says(*stake, *agreed)).collect();
            let result = consensus(&opinions).expect("there is stake");
            let low = honest.iter().map(|(_, agreed)| *agreed).min().unwrap_or_default();
            let high = honest.iter().map(|(_, agreed)| *agreed).max().unwrap_or_default();
            prop_assert!((low..=high).contains(&result), "{low} {result} {high}");
        }
    }
}
