//! Whether a case holds: each result is what its agent sealed and signed, each draw follows from its seed, and the verdict
//! follows from both.

use super::drawn::{KnownSeeds, check_draws};
use super::fault::{Faults, each};
use super::recompute::{Read, recompute};
use super::{Case, Fault, MAX_RESULTS, OpenedResult};
use crate::attestation::Attestation;
use crate::batch::{self, Salt};
use crate::compare::block::BlockList;
use crate::ids::PeerId;
use crate::quorum::voice::{Voice, count_groups, labels};
use crate::wire::bounds::MAX_ATTESTATION_BYTES;
use std::collections::BTreeSet;

/// What was found of a case that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// Results that were weighed.
    pub results: usize,
    /// Independent groups among those who agree.
    pub groups: usize,
    /// Draws that follow from their seeds.
    pub draws: usize,
    /// Draws of rounds whose seeds are not published yet.
    pub undrawn: usize,
}

impl Case {
    /// Recomputes everything that can be.
    ///
    /// # Errors
    /// Everything that does not hold, at least one.
    pub fn check(&self, known: &mut KnownSeeds) -> Result<Checked, Vec<Fault>> {
        let mut faults = Faults::default();
        if self.results.len() > MAX_RESULTS {
            let why = format!("{} results, at most {MAX_RESULTS} are read", self.results.len());
            faults.add("case.results", why);
            return Err(faults.into_vec());
        }
        check_each_once(&self.results, &mut faults);
        check_labels(&self.results, &mut faults);
        let read: Vec<Option<Read<'_>>> = (0..)
            .zip(&self.results)
            .map(|(index, result)| self.read(index, result, &mut faults))
            .collect();
        let (draws, undrawn) = check_draws(self, known, &mut faults);
        // A verdict over results of which one cannot be read is another verdict.
        let mut groups = 0;
        if let Some(read) = read.into_iter().collect::<Option<Vec<Read<'_>>>>() {
            let members = recompute(self, &read, &mut faults);
            let voices: Vec<Voice> =
                members.iter().filter_map(|n| read.get(*n)).map(|read| read.voice).collect();
            groups = count_groups(&voices);
        }
        if faults.is_empty() {
            Ok(Checked { results: self.results.len(), groups, draws, undrawn })
        } else {
            Err(faults.into_vec())
        }
    }

    /// One result on its own: opened, signed, and about this URL.
    fn read<'a>(
        &self,
        index: usize,
        result: &'a OpenedResult,
        faults: &mut Faults,
    ) -> Option<Read<'a>> {
        check_seal(index, result, faults);
        let length = result.attestation.len();
        if length > MAX_ATTESTATION_BYTES {
            let why = format!("{length} bytes, at most {MAX_ATTESTATION_BYTES} are read");
            faults.of_result(index, "attestation", why);
            return None;
        }
        let seen = match Attestation::decode(&result.attestation) {
            Ok(seen) => seen,
            Err(error) => {
                faults.of_result(index, "attestation", error);
                return None;
            }
        };
        let blocks = match BlockList::from_bytes(&result.blocks) {
            Ok(blocks) => blocks,
            Err(error) => {
                faults.of_result(index, "blocks", error);
                return None;
            }
        };
        if seen.url != self.url {
            let why = format!("about {} instead of {}", seen.url.as_str(), self.url.as_str());
            faults.of_result(index, "attestation", why);
        }
        Some(Read { voice: result.origin.voice, result, seen, blocks })
    }
}

/// The leaf is that of the attestation, and in a batch that the agent signed for this lease.
fn check_seal(index: usize, result: &OpenedResult, faults: &mut Faults) {
    if batch::leaf(Salt(result.salt), &result.attestation) != result.leaf {
        let why = "is not the hash of salt and attestation";
        faults.of_result(index, "leaf", why);
    }
    let proof = &result.origin.proof;
    match proof.root(result.token, result.leaf) {
        Ok(root) if root != result.root => {
            faults.of_result(index, "root", format!("lease and leaf lead to {root}"));
        }
        Ok(root) if !proof.is_signed(&result.agent, root) => {
            let why = format!("not that of {} over this batch", result.agent);
            faults.of_result(index, "proof.signature", why);
        }
        Ok(_) => {}
        Err(error) => faults.of_result(index, "proof.path", error),
    }
}

/// No agent and no lease speaks twice; all trusted fetches are one voice, so that one fetcher may have made many.
fn check_each_once(results: &[OpenedResult], faults: &mut Faults) {
    let (mut agents, mut tokens) = (BTreeSet::new(), BTreeSet::new());
    let trusted: BTreeSet<PeerId> =
        results.iter().filter(|result| result.trusted).map(|result| result.agent).collect();
    each(results, |index, result| {
        let again = !agents.insert(result.agent) || trusted.contains(&result.agent);
        if again && !result.trusted {
            faults.of_result(index, "agent", format!("{} stands twice", result.agent));
        }
        if !tokens.insert(result.token) {
            faults.of_result(index, "token", format!("{} stands twice", result.token));
        }
    });
}

/// One of a voice's labels, where it has it.
type Label = fn(&Voice) -> Option<u16>;

/// Labels are numbered as they come, so that they can tell nothing else.
fn check_labels(results: &[OpenedResult], faults: &mut Faults) {
    let fields: [(&str, Label); 4] = [
        ("voice.payee", |voice| Some(voice.payee)),
        ("voice.network", |voice| Some(voice.network)),
        ("voice.asn", |voice| voice.asn),
        ("voice.region", |voice| voice.region),
    ];
    for (field, label) in fields {
        let stated = results.iter().enumerate();
        let stated = stated.filter_map(|(n, result)| Some((n, label(&result.origin.voice)?)));
        let (places, stated): (Vec<usize>, Vec<u16>) = stated.unzip();
        let numbered = labels(&stated);
        let wrong = stated.iter().zip(&numbered).position(|(stated, label)| stated != label);
        if let Some(index) = wrong.and_then(|wrong| places.get(wrong)) {
            faults.of_result(*index, field, "labels are not numbered from 0 as they come");
        }
    }
}
