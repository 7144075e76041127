//! Two results differ: more replicas by margin, then trusted fetches.
//!
//! The margin and the cap are quorum's own, and what is found is ruled by `trust`.

use super::draw::Draws;
use sward_coordinator_core::trust::evidence::CONFIRMATIONS;
use sward_coordinator_core::trust::ruling::{self, Case, Ruling, Step};
use sward_proto::quorum::Rules;

/// What a result says: the page's present version, its other one, the attackers' shared lie, or something nobody shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// The version that most see.
    Common,
    /// The version that a page which splits shows the others.
    Rare,
    /// One lie, told by all who share it.
    Lie,
    /// Content of its own.
    Alone(u8),
}

/// How a page behaves while it is checked.
#[derive(Debug, Clone, Copy)]
pub struct Split(pub Option<f64>);

impl Split {
    /// What an honest fetch of the page shows.
    pub fn fetch(self, draws: &mut Draws) -> Said {
        match self.0 {
            Some(rare) if draws.happens(rare) => Said::Rare,
            Some(_) | None => Said::Common,
        }
    }
}

/// What a dispute came to.
#[derive(Debug, Clone, Copy)]
pub struct Dispute {
    /// For the result that is asked about.
    pub ruling: Ruling,
    /// Whether the page stays without a verdict.
    pub contested: bool,
    /// Fetches by agents beyond the two.
    pub replicas: u32,
    /// Fetches by trusted fetchers.
    pub trusted: u32,
    /// Tie-breakers that told the lie.
    pub liars: u32,
}

/// Votes until one answer leads by the margin, or the cap is reached.
fn vote(
    mut votes: Vec<Said>,
    mut next: impl FnMut() -> Said,
    rules: Rules,
) -> (Option<Said>, Vec<Said>) {
    loop {
        let count = |said: Said| votes.iter().filter(|vote| **vote == said).count();
        let mut ranked: Vec<(usize, Said)> = Vec::with_capacity(votes.len());
        for said in &votes {
            if !ranked.iter().any(|(_, other)| other == said) {
                ranked.push((count(*said), *said));
            }
        }
        ranked.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        let second = ranked.get(1).map_or(0, |(count, _)| *count);
        if let Some((first, said)) = ranked.first()
            && *first >= second + rules.margin
        {
            return (Some(*said), votes);
        }
        if votes.len() >= rules.most {
            return (None, votes);
        }
        votes.push(next());
    }
}

/// Settles a dispute between `asked` and `other`, where `voter` draws what one more agent says. Unless it is to be `sure`, a
/// result that the first trusted fetch does not meet counts as seen by nobody.
pub fn settle(
    asked: Said,
    other: Said,
    split: Split,
    sure: bool,
    draws: &mut Draws,
    mut voter: impl FnMut(&mut Draws) -> Said,
) -> Dispute {
    let (winner, votes) = vote(vec![asked, other], || voter(draws), Rules::default());
    let replicas = u32::try_from(votes.len() - 2).unwrap_or(0);
    let liars = votes.iter().skip(2).filter(|said| **said == Said::Lie).count();
    let seen = |said: Said| votes.iter().filter(|vote| **vote == said).count();
    let first = split.fetch(draws);
    let contested = winner.is_none() && seen(first) < 2;
    let rule = |said: Said, draws: &mut Draws| {
        let mut case = Case {
            backers: u32::try_from(seen(said)).unwrap_or(u32::MAX),
            outvoted: winner.is_some_and(|winner| winner != said),
            trusted: 0,
            met: false,
            others_confirmed: said != first && seen(first) > 0,
        };
        loop {
            let done =
                if case.trusted == 1 && !case.met && !sure { CONFIRMATIONS } else { case.trusted };
            match ruling::next(Case { trusted: done, ..case }) {
                Step::Ruled(ruling) => return (ruling, case.trusted),
                Step::Fetch => {
                    let seen = if case.trusted == 0 { first } else { split.fetch(draws) };
                    case = Case { trusted: case.trusted + 1, met: seen == said, ..case };
                }
            }
        }
    };
    // The other result is ruled on as well, from the same trusted fetches.
    let (ruling, mine) = rule(asked, draws);
    let (_, others) = rule(other, draws);
    let liars = u32::try_from(liars).unwrap_or(0);
    Dispute { ruling, contested, replicas, trusted: mine.max(others), liars }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws() -> Draws {
        Draws::new(7, "dispute")
    }

    #[test]
    fn a_lone_result_that_nobody_confirms_differs() {
        let ended =
            settle(Said::Alone(0), Said::Common, Split(None), true, &mut draws(), |_| Said::Common);
        assert_eq!(ended.ruling, Ruling::Differs);
        assert_eq!((ended.replicas, ended.trusted), (2, CONFIRMATIONS));
        let partner =
            settle(Said::Common, Said::Alone(0), Split(None), true, &mut draws(), |_| Said::Common);
        assert_eq!((partner.ruling, partner.trusted), (Ruling::Stands, CONFIRMATIONS));
    }

    #[test]
    fn a_majority_of_liars_is_overruled_and_told() {
        let framed =
            settle(Said::Common, Said::Lie, Split(None), true, &mut draws(), |_| Said::Lie);
        assert_eq!((framed.ruling, framed.liars), (Ruling::Stands, 2));
        let liar = settle(Said::Lie, Said::Common, Split(None), true, &mut draws(), |_| Said::Lie);
        assert_eq!(liar.ruling, Ruling::Differs);
    }

    #[test]
    fn a_page_that_splits_evenly_costs_nobody() {
        let mut draws = draws();
        for _ in 0..2000 {
            let split = Split(Some(0.5));
            let asked = split.fetch(&mut draws);
            let other = split.fetch(&mut draws);
            let ended = settle(asked, other, split, true, &mut draws, |draws| split.fetch(draws));
            assert_ne!(ended.ruling, Ruling::Differs);
        }
    }
}
