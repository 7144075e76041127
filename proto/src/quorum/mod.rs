//! Decides when enough independent groups agree on what a URL holds.
//!
//! Compares attestations layer by layer (`crate::compare`) and counts groups, not agents. Margin voting: an answer
//! stands when it leads by [`Rules::margin`] groups (Brun et al., ICDCS 2011) on the strongest layer on which it does.
//! Never decides who fetches, and never counts a failure to fetch, or a page that was meant for one visitor, as a voice
//! for or against a page.

mod clusters;
pub mod finding;
pub mod referee;
pub mod ruling;
pub mod voice;

use crate::attestation::{Attestation, Observation};
use crate::compare::Copy as Seen;
use crate::compare::block::BlockList;
use crate::compare::limits::Limits;
use crate::compare::stable::{StableBlocks, attested};
use crate::compare::{is_page, response_of};
use crate::outcome::FailureCode;
use crate::timestamp::Timestamp;
use clusters::Clusters;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use voice::{Voice, count_groups};

/// How many must agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// By how many groups an answer must lead; with no dissent this is how many must agree.
    pub margin: usize,
    /// How many results are asked for before a page is called contested.
    pub most: usize,
    /// How near is near enough.
    pub limits: Limits,
    /// Whether a page stands on which groups agree in part: in its stable blocks, or nearly. Only attested blocks of it may
    /// then be published, and content that others lack is no contradiction by itself.
    pub partial: bool,
}

impl Default for Rules {
    /// Two independent groups, seven results at most: research on validation, section B5.
    fn default() -> Self {
        Self { margin: 2, most: 7, limits: Limits::default(), partial: true }
    }
}

/// One opened result.
#[derive(Debug, Clone, Copy)]
pub struct Vote<'a> {
    /// Who stands behind it.
    pub voice: Voice,
    /// What it says.
    pub attestation: &'a Attestation,
    /// The blocks of its page, as they were opened with it.
    pub blocks: &'a BlockList,
    /// When it was fetched, as far as that is credible.
    pub at: Timestamp,
}

impl<'a> Vote<'a> {
    const fn seen(&self) -> Seen<'a> {
        Seen { attestation: self.attestation, blocks: self.blocks, at: self.at }
    }
}

/// Which comparison decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// Equal bodies.
    Identical,
    /// Equal once what changes from fetch to fetch is left out.
    Canonical,
    /// No page: equal status, or equal redirect.
    Status,
    /// Equal in all stable blocks. Only what two groups attest is published.
    Stable,
    /// Near in text and structure. Only what two groups attest is published.
    Near,
    /// The word of one agent that has proved itself, whose result was not drawn for an audit.
    Single,
}

impl Layer {
    /// Whether a verdict on this layer rests on less than equal content, so that a part of the kept copy may be attested
    /// by one group alone.
    #[must_use]
    pub const fn is_partial(self) -> bool {
        match self {
            Self::Identical | Self::Canonical | Self::Status | Self::Single => false,
            Self::Stable | Self::Near => true,
        }
    }
}

/// What the votes say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Not enough yet.
    More,
    /// These votes (by index) agree.
    Agreed(Agreed),
    /// Independent groups were given something in place of the page.
    Neutral {
        /// Who.
        members: Vec<usize>,
    },
    /// Independent groups could not fetch it, for this reason.
    Failed {
        /// Who.
        members: Vec<usize>,
        /// Why.
        code: FailureCode,
    },
    /// Too many different answers.
    Contested,
}

/// Which votes (by index) agree, and what follows for the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreed {
    /// Who agrees.
    pub members: Vec<usize>,
    /// On what.
    pub layer: Layer,
    /// Whose copy may be kept: those among the members that most agree with.
    pub keepers: Vec<usize>,
    /// Who saw the same content with scripts or frames that others, who agree on those too, did not see.
    pub tainted: Vec<usize>,
    /// Who claims another page, which two groups contradict that fetched at the same time.
    pub contradicted: Vec<usize>,
    /// Who claims a page that is near but for blocks in which they contradict it.
    pub disputed: Vec<usize>,
    /// What regions see in which nobody saw the page.
    pub variants: Vec<Variant>,
    /// Who would be contradicted or disputed, were not their region unheard: nobody of it saw the page, and it has no
    /// variant.
    pub regional: Vec<usize>,
}

/// What one region sees in place of the page, by the word of independent groups there and with nobody there against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// The region's label among the votes.
    pub region: u16,
    /// Who saw it.
    pub members: Vec<usize>,
    /// On what they agree: equal bodies or equal content.
    pub layer: Layer,
}

/// Weighs all opened results of a task. `stable` is what is known of the URL's blocks beforehand.
#[must_use]
pub fn decide(votes: &[Vote<'_>], rules: Rules, stable: &StableBlocks) -> Decision {
    conclude(votes, rules, &Clusters::new(votes, rules, stable))
}

fn conclude(votes: &[Vote<'_>], rules: Rules, clusters: &Clusters<'_>) -> Decision {
    if let Some(agreed) = clusters.agreed() {
        return agreed;
    }
    let enough = votes.len() >= rules.most;
    if !clusters.is_empty() {
        if !enough {
            return Decision::More;
        }
        if clusters.is_disputed() {
            return Decision::Contested;
        }
    }
    // No answer, or only one that nobody contradicts and that too few could confirm.
    let mut reasons: BTreeMap<Option<FailureCode>, Vec<usize>> = BTreeMap::new();
    for (index, vote) in votes.iter().enumerate() {
        match &vote.attestation.observation {
            Observation::Failure { code, .. } => {
                reasons.entry(Some(*code)).or_default().push(index)
            }
            Observation::Response(response) if response.neutral.is_some() => {
                reasons.entry(None).or_default().push(index);
            }
            Observation::Response(_) => {}
        }
    }
    let groups = |members: &[usize]| voices(votes, members);
    match reasons.into_iter().max_by_key(|(_, members)| groups(members)) {
        Some((reason, members)) if groups(&members) >= rules.margin || enough => match reason {
            Some(code) => Decision::Failed { members, code },
            None => Decision::Neutral { members },
        },
        Some(_) | None => Decision::More,
    }
}

/// The vote whose region one more result should come from: where an answer was seen in one region only and too few of that
/// region have been asked, more of the same tells a page that differs by region from a lie. `None` where votes do not
/// differ, do not differ by region, or as many were asked for as may be.
#[must_use]
pub fn wanted_region(votes: &[Vote<'_>], rules: Rules, stable: &StableBlocks) -> Option<usize> {
    let placed = votes.iter().any(|vote| vote.voice.region.is_some());
    if !placed || votes.len() >= rules.most {
        return None;
    }
    Clusters::new(votes, rules, stable).wanted_region()
}

/// Whether one agent's word for this may be taken, where it has proved itself: only for a page that was there, as a failure
/// or a refusal is soon asked of another.
#[must_use]
pub fn stands_alone(attestation: &Attestation) -> bool {
    response_of(attestation).is_some_and(|seen| seen.neutral.is_none() && is_page(seen))
}

/// Which blocks of a kept copy the agreeing groups attest.
#[must_use]
pub fn attested_blocks(
    kept: &BlockList,
    members: &[(Voice, &BlockList)],
    rules: Rules,
) -> Vec<bool> {
    let copies: Vec<&BlockList> = members.iter().map(|(_, blocks)| *blocks).collect();
    let voices = |some: &[usize]| {
        let some: Vec<Voice> =
            some.iter().filter_map(|n| members.get(*n)).map(|(voice, _)| *voice).collect();
        count_groups(&some)
    };
    attested(kept, &copies, voices, rules.margin)
}

fn voices(votes: &[Vote<'_>], members: &[usize]) -> usize {
    let some: Vec<Voice> = members.iter().filter_map(|i| votes.get(*i)).map(|v| v.voice).collect();
    count_groups(&some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attestation::{REQUEST_PROFILE, Response};
    use crate::canonical_url::CanonicalUrl;
    use crate::compare::block::Block;
    use crate::compare::print::{LayerVersions, Neutral, PagePrint};
    use crate::compare::sketch::Sketch;
    use crate::digest::Digest;
    use std::net::Ipv4Addr;
    use std::time::Duration;

    /// What was opened: seen by whom, and the page's blocks.
    #[derive(Clone)]
    struct Result(u8, Attestation, BlockList);

    fn voice(n: u8) -> Voice {
        Voice::new(n.into(), n.into())
    }

    fn seen(n: u8, status: u16, raw: &str) -> Result {
        let url: CanonicalUrl = "http://a.example/".parse().expect("a url");
        let response = Response {
            final_url: url,
            hops: Vec::new(),
            status,
            header_names: Vec::new(),
            media_type: "text/html".into(),
            raw: Digest::of(raw.as_bytes()),
            raw_bytes: 1,
            canonical: None,
            links: Digest::ZERO,
            link_count: 0,
            wire_bytes: 1,
            peer_ip: Ipv4Addr::LOCALHOST.into(),
            certificate: None,
            redirect_target: None,
            retry_after_s: None,
            versions: LayerVersions::CURRENT,
            page: None,
            neutral: None,
        };
        result(n, Observation::Response(Box::new(response)))
    }

    /// A page of these blocks; pages are near one another if their text begins with the same letter.
    fn page(n: u8, text: &str, scripts: &str) -> Result {
        let mut result = seen(n, 200, &format!("{text} {scripts} {n}"));
        let blocks = text.bytes().map(|c| Block([c; 8])).collect();
        result.2 = BlockList::new(blocks).expect("short");
        let words = [u16::from(*text.as_bytes().first().expect("a letter")); 128];
        let response = response(&mut result);
        response.canonical = Some(Digest::of(text.as_bytes()));
        let sketch = Sketch { words, text_chars: 100, ..Sketch::default() };
        let (blocks, active) = (Digest::ZERO, Digest::of(scripts.as_bytes()));
        response.page = Some(Box::new(PagePrint { blocks, block_count: 0, sketch, active }));
        result
    }

    fn response(result: &mut Result) -> &mut Response {
        match &mut result.1.observation {
            Observation::Response(response) => response,
            Observation::Failure { .. } => panic!("a failure"),
        }
    }

    fn failed(n: u8, code: FailureCode) -> Result {
        result(n, Observation::Failure { code, detail: String::new() })
    }

    fn kept_out(n: u8, reason: Neutral) -> Result {
        let mut result = seen(n, 200, "hello robot");
        response(&mut result).neutral = Some(reason);
        result
    }

    fn result(n: u8, observation: Observation) -> Result {
        let attestation = Attestation {
            profile: REQUEST_PROFILE,
            url: "http://a.example/".parse().expect("a url"),
            fetched_at: Timestamp::ZERO,
            elapsed_ms: 1,
            developer: false,
            observation,
        };
        Result(n, attestation, BlockList::default())
    }

    fn weigh(results: &[Result]) -> Decision {
        let votes: Vec<Vote<'_>> = results
            .iter()
            .map(|Result(n, attestation, blocks)| Vote {
                voice: voice(*n),
                attestation,
                blocks,
                at: attestation.fetched_at,
            })
            .collect();
        decide(&votes, Rules::default(), &StableBlocks::unknown())
    }

    fn agreed(results: &[Result]) -> Agreed {
        let decision = weigh(results);
        let Decision::Agreed(agreed) = decision else { panic!("{decision:?}") };
        agreed
    }

    fn on(results: &[Result]) -> (Layer, Vec<usize>, Vec<usize>) {
        let Agreed { layer, members, contradicted, disputed, .. } = agreed(results);
        (layer, members, [contradicted, disputed].concat())
    }

    #[test]
    fn one_group_is_never_enough_however_many_keys_it_has() {
        let one = seen(1, 200, "x");
        assert_eq!(weigh(&[one.clone(), one.clone(), one.clone()]), Decision::More);
        assert_eq!(on(&[one, seen(2, 200, "x")]), (Layer::Identical, vec![0, 1], vec![]));
    }

    #[test]
    fn the_strongest_layer_on_which_an_answer_leads_is_named() {
        let two = [page(1, "abc", ""), page(2, "abc", "")];
        assert_eq!(on(&two), (Layer::Canonical, vec![0, 1], vec![]));
        let turned = [page(1, "abc", ""), page(2, "acb", "")];
        assert_eq!(on(&turned), (Layer::Stable, vec![0, 1], vec![]));
        let near = [page(1, "abcx", ""), page(2, "abcy", ""), page(3, "abcz", "")];
        assert_eq!(on(&near), (Layer::Near, vec![0, 1, 2], vec![]));
        assert_eq!(weigh(&near[..2]), Decision::More);
    }

    #[test]
    fn dissent_raises_the_bar() {
        let (a, b) = (|n| seen(n, 200, "x"), seen(2, 200, "forged"));
        assert_eq!(weigh(&[a(1), b.clone(), a(3)]), Decision::More);
        let four = on(&[a(1), b, a(3), a(4)]);
        assert_eq!(four, (Layer::Identical, vec![0, 2, 3], vec![1]));
    }

    #[test]
    fn a_block_that_two_others_share_asks_for_one_more_voice() {
        let (a, forged) = (|n| page(n, "abc", ""), page(2, "abd", ""));
        assert_eq!(weigh(&[a(1), forged.clone()]), Decision::More);
        assert_eq!(weigh(&[a(1), forged.clone(), a(3)]), Decision::More);
        let four = [a(1), forged, a(3), a(4)];
        assert_eq!(on(&four), (Layer::Canonical, vec![0, 2, 3], vec![1]));
        assert_eq!((agreed(&four).disputed, agreed(&four).contradicted), (vec![1], vec![]));
        let put_in = [a(1), page(2, "abxc", ""), a(3), a(4)];
        assert_eq!(agreed(&put_in).disputed, [1]);
        let others = [a(1), page(2, "zyx", ""), a(3), a(4)];
        assert_eq!(agreed(&others).contradicted, [1]);
    }

    #[test]
    fn two_that_collude_publish_nothing_against_two_that_do_not() {
        let votes =
            [page(1, "abc", ""), page(2, "abc", ""), page(3, "abd", ""), page(4, "abd", "")];
        assert_eq!(weigh(&votes), Decision::More);
        let attested = |votes: &[Result]| {
            let members: Vec<_> = votes.iter().map(|vote| (voice(vote.0), &vote.2)).collect();
            attested_blocks(&votes[0].2, &members, Rules::default())
        };
        assert_eq!(attested(&votes), [true, true, false]);
        assert_eq!(attested(&votes[..3]), [true, true, false]);
        assert_eq!(attested(&votes[..2]), [true, true, true]);
    }

    #[test]
    fn who_fetched_at_another_time_is_neither_near_nor_to_blame() {
        let (a, mut late) = (|n| page(n, "abc", ""), page(2, "zyx", ""));
        assert_eq!(on(&[a(1), late.clone(), a(3), a(4)]).2, [1]);
        late.1.fetched_at = Timestamp::ZERO + Duration::from_secs(16 * 60);
        assert_eq!(on(&[a(1), late, a(3), a(4)]).2, Vec::<usize>::new());
        let mut near = page(2, "abd", "");
        near.1.fetched_at = Timestamp::ZERO + Duration::from_secs(16 * 60);
        assert_eq!(weigh(&[a(1), near]), Decision::More);
        let mut same = a(2);
        same.1.fetched_at = Timestamp::ZERO + Duration::from_secs(16 * 60);
        assert_eq!(on(&[a(1), same]).0, Layer::Canonical);
    }

    #[test]
    fn an_injected_script_is_no_forgery_and_no_second_voice() {
        let (clean, tainted) = (|n| page(n, "abc", "s"), page(2, "abc", "s evil"));
        assert_eq!(weigh(&[clean(1), tainted.clone()]), Decision::More);
        let three = agreed(&[clean(1), tainted, clean(3)]);
        assert_eq!((three.members, three.tainted), (vec![0, 2], vec![1]));
        assert_eq!((three.layer, three.contradicted), (Layer::Canonical, vec![]));
        // Where every load brings others, nobody is tainted.
        let all = agreed(&[page(1, "abc", "a"), page(2, "abc", "b"), page(3, "abc", "c")]);
        assert_eq!((all.members, all.tainted), (vec![0, 1, 2], vec![]));
    }

    /// The last so many votes are trusted fetches.
    fn judged(results: &[Result], trusted: usize) -> referee::Judged {
        let votes: Vec<Vote<'_>> = results
            .iter()
            .map(|Result(n, attestation, blocks)| Vote {
                voice: voice(*n),
                attestation,
                blocks,
                at: attestation.fetched_at,
            })
            .collect();
        let trusted: Vec<bool> = (0..results.len()).map(|n| n + trusted >= results.len()).collect();
        referee::judge(&votes, &trusted, Rules::default(), &StableBlocks::unknown())
    }

    #[test]
    fn a_trusted_fetch_and_one_agent_outweigh_a_cabal_that_edits_one_block() {
        let (truth, cabal) = (|n| page(n, "abc", ""), |n| page(n, "abd", ""));
        let votes = [truth(1), cabal(2), cabal(3), cabal(4)];
        assert_eq!(agreed(&votes).disputed, [0]);
        let with_one: Vec<Result> = votes.iter().cloned().chain([truth(9)]).collect();
        let one = judged(&with_one, 1);
        let Decision::Agreed(agreed) = &one.decision else { panic!("{one:?}") };
        assert_eq!((&agreed.members[..], &agreed.disputed[..]), (&[0, 4][..], &[1, 2, 3][..]));
        assert!(one.is_open() && one.ruling(1).is_none());
        let more = (0..12).map(|_| truth(9));
        let all = judged(&votes.iter().cloned().chain(more).collect::<Vec<_>>(), 12);
        assert!((1..4).all(|n| all.ruling(n) == Some(ruling::Ruling::Differs)), "{all:?}");
        assert!(!all.is_open());
    }

    #[test]
    fn who_lacks_what_a_trusted_fetch_lacks_too_is_spared() {
        let (truth, other) = (|n| page(n, "abc", ""), page(2, "abx", ""));
        let votes = [truth(1), other, truth(3), truth(4)];
        for (fetched, ruled) in [
            // Another block in the same place: the page varies there.
            (vec!["abc", "aby"], Some(ruling::Ruling::PageAtFault)),
            (vec!["abx"], Some(ruling::Ruling::Stands)),
            // It varies elsewhere.
            (vec!["abc", "abcd"], None),
        ] {
            let count = fetched.len();
            let fetches = fetched.iter().map(|text| page(9, text, ""));
            let all: Vec<Result> = votes.iter().cloned().chain(fetches).collect();
            let judged = judged(&all, count);
            let Decision::Agreed(agreed) = &judged.decision else { panic!("{judged:?}") };
            if ruled == Some(ruling::Ruling::Stands) {
                // Seen by the trusted fetch and by an agent: that is the page.
                assert_eq!(agreed.members, [1, 4]);
                continue;
            }
            assert_eq!(judged.ruling(1), ruled, "{fetched:?}");
            assert_eq!(agreed.disputed.contains(&1), ruled.is_none());
        }
    }

    #[test]
    fn trusted_fetches_alone_accept_nothing_and_are_never_blamed() {
        let fetches = [seen(8, 200, "x"), seen(9, 200, "x")];
        assert_eq!(judged(&fetches, 2).decision, Decision::More);
        let lies = [seen(1, 200, "y"), seen(2, 200, "y"), seen(3, 200, "y"), seen(9, 200, "x")];
        let judged = judged(&lies, 1);
        let Decision::Agreed(agreed) = &judged.decision else { panic!("{judged:?}") };
        assert_eq!((agreed.contradicted.len(), judged.is_open()), (0, false));
    }

    #[test]
    fn seven_different_answers_are_contested() {
        let all: Vec<Result> = (0..7).map(|n| seen(n, 200, &format!("{n}"))).collect();
        assert_eq!(weigh(&all), Decision::Contested);
    }

    #[test]
    fn failures_and_challenges_are_no_voice_against_a_page() {
        let (a, slow) = (|n| seen(n, 200, "x"), |n| failed(n, FailureCode::Timeout));
        assert_eq!(weigh(&[slow(1), a(2)]), Decision::More);
        assert_eq!(on(&[slow(1), a(2), a(3)]), (Layer::Identical, vec![1, 2], vec![]));
        let code = FailureCode::Timeout;
        assert_eq!(weigh(&[slow(1), slow(2)]), Decision::Failed { members: vec![0, 1], code });
        let robot = |n| kept_out(n, Neutral::Challenge);
        assert_eq!(weigh(&[robot(1), robot(2), a(3)]), Decision::More);
        assert_eq!(on(&[robot(1), robot(2), a(3), a(4)]).1, [2, 3]);
        let limited = kept_out(2, Neutral::RateLimited);
        assert_eq!(weigh(&[robot(1), limited]), Decision::Neutral { members: vec![0, 1] });
    }

    proptest::proptest! {
        /// However the votes fall, an agreed page has at least two groups, and more than every other answer has.
        #[test]
        fn an_agreed_answer_leads(votes in proptest::collection::vec((0u8..9, 0u8..4), 0..10)) {
            let results: Vec<Result> =
                votes.iter().map(|(n, page)| seen(*n, 200, &page.to_string())).collect();
            if let Decision::Agreed(Agreed { members, .. }) = weigh(&results) {
                let page = votes[members[0]].1;
                let groups = |wanted: u8| {
                    let mut groups: Vec<u8> =
                        votes.iter().filter(|(_, p)| *p == wanted).map(|(n, _)| *n).collect();
                    groups.sort_unstable();
                    groups.dedup();
                    groups.len()
                };
                let lead = (0..4).filter(|p| *p != page).all(|p| groups(p) + 2 <= groups(page));
                proptest::prop_assert!(lead);
            }
        }
    }
}
