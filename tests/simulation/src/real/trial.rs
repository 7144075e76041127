//! One trial: some agents fetch a page, and what they attest is compared as a coordinator compares it.

use anyhow::Result;
use sward_page::fingerprint::fingerprint;
use sward_page::neutral::{Head, neutral};
use sward_proto::attestation::{Attestation, Observation, REQUEST_PROFILE, Response};
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::compare::block::BlockList;
use sward_proto::compare::limits::Limits;
use sward_proto::compare::print::LayerVersions;
use sward_proto::compare::stable::{StableBlocks, contradicts};
use sward_proto::compare::{Comparison, Copy, Verdict, compare};
use sward_proto::timestamp::Timestamp;

/// What one agent attests.
pub struct Fetch {
    /// What it says.
    pub attestation: Attestation,
    /// The blocks of its page.
    pub blocks: BlockList,
}

impl Fetch {
    /// As the comparison takes it.
    #[must_use]
    pub fn copy(&self) -> Copy<'_> {
        Copy { attestation: &self.attestation, blocks: &self.blocks, at: Timestamp::ZERO }
    }

    /// Compares with another fetch, of whose page nothing is known.
    pub fn against(&self, other: &Self) -> Comparison {
        compare(self.copy(), other.copy(), &StableBlocks::unknown(), &Limits::default())
    }

    /// Whether these witnesses together contradict the page.
    pub fn is_contradicted_by(&self, witnesses: &[&Self]) -> bool {
        let copies: Vec<&BlockList> = witnesses.iter().map(|witness| &witness.blocks).collect();
        // Voices counted so that only what all witnesses have leads by two.
        let all = |some: &[usize]| if some.len() == copies.len() { 2 } else { some.len().min(1) };
        contradicts(&self.blocks, &copies, all)
    }
}

/// An honest agent's statement about a page.
pub fn fetch(html: &str) -> Result<Fetch> {
    let url: CanonicalUrl = "https://a.example/page".parse()?;
    let found = fingerprint(html.as_bytes(), Some("text/html; charset=utf-8"), &url, "SwardBot");
    let response = Response {
        final_url: url.clone(),
        hops: Vec::new(),
        status: 200,
        header_names: vec!["content-type".to_owned(), "date".to_owned(), "server".to_owned()],
        media_type: "text/html".to_owned(),
        raw: found.raw,
        raw_bytes: html.len() as u64,
        canonical: found.canonical,
        links: found.links_digest,
        link_count: u32::try_from(found.links.len()).unwrap_or(u32::MAX),
        wire_bytes: html.len() as u64,
        peer_ip: [192, 0, 2, 1].into(),
        certificate: None,
        redirect_target: None,
        retry_after_s: None,
        versions: LayerVersions::CURRENT,
        page: found.page,
        neutral: neutral(Head { status: 200, ..Head::default() }, found.neutral),
    };
    let attestation = Attestation {
        profile: REQUEST_PROFILE,
        url,
        fetched_at: Timestamp::ZERO,
        elapsed_ms: 1,
        developer: false,
        observation: Observation::Response(Box::new(response)),
    };
    Ok(Fetch { attestation, blocks: found.blocks })
}

/// What became of a forged copy beside an honest one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It was taken for equal, or shows in no block.
    Unnoticed,
    /// Near: the changed block is attested by nobody else and is not published.
    Withheld,
    /// Scripts or frames differ.
    Tainted,
    /// Not even near.
    Divergent,
    /// It was not a page to begin with.
    Neutral,
}

/// `forged` is what `before` would have been without its forgery.
pub fn fate(forged: &Fetch, before: &Fetch, honest: &Fetch) -> Fate {
    let verdict = forged.against(honest).verdict;
    match verdict {
        Verdict::Neutral(_) | Verdict::NotComparable(_) => return Fate::Neutral,
        Verdict::Identical | Verdict::Canonical | Verdict::StableEqual | Verdict::Status => {
            return Fate::Unnoticed;
        }
        Verdict::Near | Verdict::Tainted(_) | Verdict::Divergent(_) => {}
    }
    if matches!(verdict, Verdict::Divergent(_)) {
        return Fate::Divergent;
    }
    // Only what the honest copy has too is published, so a changed block is withheld; one that shows in no block is not.
    let is_near = verdict == Verdict::Near;
    if is_near && forged.blocks.counts() == before.blocks.counts() {
        return Fate::Unnoticed;
    }
    if is_near { Fate::Withheld } else { Fate::Tainted }
}
