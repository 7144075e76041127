//! What a disputed result comes to, once replicas have voted.
//!
//! Decides whether trusted fetches are needed to tell, and what the result is found to be. A vote alone never speaks against
//! an agent: a majority may be one cabal, and a page may show different things to different visitors. So the result is
//! looked for by trusted fetchers, as often as [`CONFIRMATIONS`] says, before it counts as seen by nobody. Never decides
//! which content is published ([`super::decide`]), nor what the finding weighs (the coordinator).

use serde::{Deserialize, Serialize};

/// Trusted fetches that must not meet an agent's content before it counts as seen by nobody else. Of a page with variants,
/// the chance that one agent alone met the rarer one is then v(1-v)^14, under 2.5 % for any share v.
pub const CONFIRMATIONS: u32 = 12;

/// A disputed result, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    /// Agents of independent groups that saw the same, itself included.
    pub backers: u32,
    /// Another answer leads by quorum's margin.
    pub outvoted: bool,
    /// Trusted fetches so far.
    pub trusted: u32,
    /// The newest of them saw the same as this result.
    pub met: bool,
    /// The first of them saw what another agent saw.
    pub others_confirmed: bool,
}

/// What is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ruling {
    /// It stands.
    Stands,
    /// Others saw something else, a trusted fetch saw that too, and no trusted fetch saw anything like this.
    Differs,
    /// The page, or the coordinator, may be to blame.
    PageAtFault,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// One more trusted fetch.
    Fetch,
    /// It is decided.
    Ruled(Ruling),
}

/// The next step of a case. A result that several agents share is judged like one that stands alone: whoever shares what no
/// trusted fetch meets shares the finding.
#[must_use]
pub const fn next(case: Case) -> Step {
    match case {
        Case { trusted: 0, .. } => Step::Fetch,
        Case { trusted: 1, met: true, .. } => Step::Ruled(Ruling::Stands),
        Case { met: true, .. } => Step::Ruled(Ruling::PageAtFault),
        Case { trusted, .. } if trusted < CONFIRMATIONS => Step::Fetch,
        Case { others_confirmed: true, .. } => Step::Ruled(Ruling::Differs),
        Case { outvoted: true, backers: ..=1, .. } => Step::Ruled(Ruling::Differs),
        Case { .. } => Step::Ruled(Ruling::PageAtFault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASE: Case =
        Case { backers: 1, outvoted: true, trusted: 0, met: false, others_confirmed: true };

    #[test]
    fn a_vote_alone_convicts_nobody() {
        assert_eq!(next(CASE), Step::Fetch);
        assert_eq!(next(Case { trusted: CONFIRMATIONS - 1, ..CASE }), Step::Fetch);
        let ruled = next(Case { trusted: CONFIRMATIONS, ..CASE });
        assert_eq!(ruled, Step::Ruled(Ruling::Differs));
    }

    #[test]
    fn a_framed_result_stands_when_the_trusted_fetch_saw_it() {
        let framed = Case { trusted: 1, met: true, ..CASE };
        assert_eq!(next(framed), Step::Ruled(Ruling::Stands));
        let variant = Case { trusted: 5, met: true, ..CASE };
        assert_eq!(next(variant), Step::Ruled(Ruling::PageAtFault));
    }

    #[test]
    fn those_who_share_a_lie_share_the_finding_and_an_open_vote_spares_all() {
        let shared = Case { backers: 4, outvoted: false, trusted: CONFIRMATIONS, ..CASE };
        assert_eq!(next(shared), Step::Ruled(Ruling::Differs));
        let open = Case { others_confirmed: false, outvoted: false, ..shared };
        assert_eq!(next(open), Step::Ruled(Ruling::PageAtFault));
    }

    proptest::proptest! {
        /// Every case ends after as many trusted fetches as are allowed, and none ends against an agent before.
        #[test]
        fn it_ends(backers in 1u32..7, outvoted: bool, others_confirmed: bool, met_at in 1u32..20) {
            let mut case = Case { backers, outvoted, trusted: 0, met: false, others_confirmed };
            let ruling = loop {
                match next(case) {
                    Step::Fetch => {
                        case.trusted += 1;
                        case.met = case.trusted == met_at;
                    }
                    Step::Ruled(ruling) => break ruling,
                }
            };
            proptest::prop_assert!((1..=CONFIRMATIONS).contains(&case.trusted));
            if ruling == Ruling::Differs {
                proptest::prop_assert!(met_at > CONFIRMATIONS && case.trusted == CONFIRMATIONS);
            }
        }
    }
}
