//! Decides when enough independent groups agree on what a URL holds.
//!
//! Compares attestations layer by layer, raw digest then canonical digest, and counts groups, not agents. Margin voting: an
//! answer stands when it leads by [`Rules::margin`] groups (Brun et al., ICDCS 2011). Never decides who fetches, and never
//! counts a failure to fetch as a voice for or against a page.

use crate::group::{Ties, count_groups};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use sward_proto::attestation::{Attestation, Observation, Response};
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::digest::Digest;
use sward_proto::outcome::FailureCode;

/// How many must agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// By how many groups an answer must lead; with no dissent this is how many must agree.
    pub margin: usize,
    /// How many results are asked for before a page is called contested.
    pub most: usize,
}

impl Default for Rules {
    /// Two independent groups, seven results at most: research on validation, section B5.
    fn default() -> Self {
        Self { margin: 2, most: 7 }
    }
}

/// One opened result.
#[derive(Debug, Clone, Copy)]
pub struct Vote<'a> {
    /// Who stands behind it.
    pub ties: &'a Ties,
    /// What it says.
    pub attestation: &'a Attestation,
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
}

/// What the votes say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Not enough yet.
    More,
    /// These votes (by index) agree.
    Agreed {
        /// Who.
        members: Vec<usize>,
        /// On what.
        layer: Layer,
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

/// What makes two responses the same answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Answer {
    Page { url: CanonicalUrl, status: u16, content: Content },
    Other { url: CanonicalUrl, status: u16, target: Option<CanonicalUrl> },
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Content {
    Canonical(Digest),
    Raw(Digest),
}

fn answer(response: &Response) -> Answer {
    let url = response.final_url.clone();
    let status = response.status;
    if !(200..300).contains(&status) {
        return Answer::Other { url, status, target: response.redirect_target.clone() };
    }
    // Equal raw bodies have equal canonical digests, so the canonical answer holds both layers.
    let content = response.canonical.map_or(Content::Raw(response.raw), Content::Canonical);
    Answer::Page { url, status, content }
}

/// Weighs all opened results of a task.
#[must_use]
pub fn decide(votes: &[Vote<'_>], rules: Rules) -> Decision {
    let mut answers: BTreeMap<Answer, Vec<usize>> = BTreeMap::new();
    let mut failures: BTreeMap<FailureCode, Vec<usize>> = BTreeMap::new();
    for (index, vote) in votes.iter().enumerate() {
        match &vote.attestation.observation {
            Observation::Response(response) => {
                answers.entry(answer(response)).or_default().push(index);
            }
            Observation::Failure { code, .. } => failures.entry(*code).or_default().push(index),
        }
    }
    let groups = |members: &[usize]| {
        let ties: Vec<&Ties> =
            members.iter().filter_map(|i| votes.get(*i)).map(|v| v.ties).collect();
        count_groups(&ties)
    };
    let mut ranked: Vec<(usize, Vec<usize>)> =
        answers.into_values().map(|members| (groups(&members), members)).collect();
    ranked.sort_by_key(|(count, members)| (std::cmp::Reverse(*count), members.first().copied()));
    let second = ranked.get(1).map_or(0, |(count, _)| *count);
    if let Some((first, members)) = ranked.into_iter().next() {
        if first >= second + rules.margin {
            let layer = layer_of(votes, &members);
            return Decision::Agreed { members, layer };
        }
        if second > 0 || votes.len() < rules.most {
            let enough = votes.len() >= rules.most;
            return if enough { Decision::Contested } else { Decision::More };
        }
    }
    // No answer, or only one that nobody contradicts and that too few could confirm.
    let common = failures.into_iter().max_by_key(|(_, members)| groups(members));
    match common {
        Some((code, members)) if groups(&members) >= rules.margin || votes.len() >= rules.most => {
            Decision::Failed { members, code }
        }
        Some(_) | None => Decision::More,
    }
}

fn layer_of(votes: &[Vote<'_>], members: &[usize]) -> Layer {
    let mut raw = None;
    for member in members {
        let Some(vote) = votes.get(*member) else { continue };
        let Observation::Response(response) = &vote.attestation.observation else { continue };
        if !(200..300).contains(&response.status) {
            return Layer::Status;
        }
        if raw.is_some_and(|raw| raw != response.raw) {
            return Layer::Canonical;
        }
        raw = Some(response.raw);
    }
    Layer::Identical
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use sward_proto::attestation::REQUEST_PROFILE;
    use sward_proto::timestamp::Timestamp;

    fn ties(n: u8) -> Ties {
        let network = std::net::IpAddr::from([192, 0, n, 1]).into();
        Ties { payee: format!("p{n}").parse().expect("a payee"), network }
    }

    fn seen(status: u16, raw: &str, canonical: Option<&str>) -> Attestation {
        let url: CanonicalUrl = "http://a.example/".parse().expect("a url");
        let response = Response {
            final_url: url.clone(),
            hops: Vec::new(),
            status,
            header_names: Vec::new(),
            media_type: "text/html".into(),
            raw: Digest::of(raw.as_bytes()),
            raw_bytes: 1,
            canonical: canonical.map(|c| Digest::of(c.as_bytes())),
            links: Digest::ZERO,
            link_count: 0,
            wire_bytes: 1,
            peer_ip: Ipv4Addr::LOCALHOST.into(),
            certificate: None,
            redirect_target: None,
            retry_after_s: None,
        };
        attest(Observation::Response(Box::new(response)))
    }

    fn failed(code: FailureCode) -> Attestation {
        attest(Observation::Failure { code, detail: String::new() })
    }

    fn attest(observation: Observation) -> Attestation {
        Attestation {
            profile: REQUEST_PROFILE,
            url: "http://a.example/".parse().expect("a url"),
            fetched_at: Timestamp::ZERO,
            elapsed_ms: 1,
            developer: false,
            observation,
        }
    }

    fn weigh(results: &[(u8, Attestation)]) -> Decision {
        let ties: Vec<Ties> = results.iter().map(|(n, _)| ties(*n)).collect();
        let votes: Vec<Vote<'_>> = ties
            .iter()
            .zip(results)
            .map(|(ties, (_, attestation))| Vote { ties, attestation })
            .collect();
        decide(&votes, Rules::default())
    }

    #[test]
    fn one_group_is_never_enough_however_many_keys_it_has() {
        let page = seen(200, "x", None);
        let same_group = [(1, page.clone()), (1, page.clone()), (1, page.clone())];
        assert_eq!(weigh(&same_group), Decision::More);
        let both = weigh(&[(1, page.clone()), (2, page)]);
        assert_eq!(both, Decision::Agreed { members: vec![0, 1], layer: Layer::Identical });
    }

    #[test]
    fn canonical_agreement_is_named_as_such() {
        let both = weigh(&[(1, seen(200, "x", Some("c"))), (2, seen(200, "y", Some("c")))]);
        assert_eq!(both, Decision::Agreed { members: vec![0, 1], layer: Layer::Canonical });
    }

    #[test]
    fn dissent_raises_the_bar() {
        let (a, b) = (seen(200, "x", None), seen(200, "forged", None));
        assert_eq!(weigh(&[(1, a.clone()), (2, b.clone()), (3, a.clone())]), Decision::More);
        let four = weigh(&[(1, a.clone()), (2, b), (3, a.clone()), (4, a)]);
        assert_eq!(four, Decision::Agreed { members: vec![0, 2, 3], layer: Layer::Identical });
    }

    #[test]
    fn seven_different_answers_are_contested() {
        let all: Vec<(u8, Attestation)> =
            (0..7).map(|n| (n, seen(200, &format!("{n}"), None))).collect();
        assert_eq!(weigh(&all), Decision::Contested);
    }

    #[test]
    fn failures_are_no_voice_against_a_page() {
        let page = seen(200, "x", None);
        let slow = failed(FailureCode::Timeout);
        assert_eq!(weigh(&[(1, slow.clone()), (2, page.clone())]), Decision::More);
        let both = weigh(&[(1, slow.clone()), (2, page.clone()), (3, page)]);
        assert_eq!(both, Decision::Agreed { members: vec![1, 2], layer: Layer::Identical });
        let failed = weigh(&[(1, slow.clone()), (2, slow)]);
        assert_eq!(failed, Decision::Failed { members: vec![0, 1], code: FailureCode::Timeout });
    }

    proptest::proptest! {
        /// However the votes fall, an agreed page has at least two groups, and more than every other answer has.
        #[test]
        fn an_agreed_answer_leads(votes in proptest::collection::vec((0u8..9, 0u8..4), 0..10)) {
            let results: Vec<(u8, Attestation)> =
                votes.iter().map(|(n, page)| (*n, seen(200, &page.to_string(), None))).collect();
            if let Decision::Agreed { members, .. } = weigh(&results) {
                let page = votes[members[0]].1;
                let groups = |wanted: u8| {
                    let mut groups: Vec<u8> =
                        votes.iter().filter(|(_, p)| *p == wanted).map(|(n, _)| *n).collect();
                    groups.sort_unstable();
                    groups.dedup();
                    groups.len()
                };
                proptest::prop_assert!((0..4).filter(|p| *p != page).all(|p| groups(p) + 2 <= groups(page)));
            }
        }
    }
}
