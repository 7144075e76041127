//! Whether two agents saw the same page.
//!
//! Decides layer by layer, the first that decides ends it (research on validation, section B1): comparable at all; status
//! class, final URL, media type, headers; body; canonical digest; stable blocks; nearness in text and structure
//! together. A function of what was attested and of nothing else, so that anyone can recompute a verdict offline. Never
//! decides how many must agree, who is independent, or who is to blame.

pub mod block;
pub mod limits;
pub mod print;
pub mod sketch;
pub mod stable;

use crate::attestation::{Attestation, Observation, Response};
use crate::timestamp::Timestamp;
use block::BlockList;
use limits::Limits;
use print::{Neutral, PagePrint};
use stable::StableBlocks;

/// Response headers that say what a page is or may be used for. The others tell of servers and caches on the way, and
/// differ between two honest fetches of the same bytes.
pub const TELLING_HEADERS: [&str; 8] = [
    "content-disposition",
    "content-language",
    "content-type",
    "refresh",
    "tdm-policy",
    "tdm-reservation",
    "www-authenticate",
    "x-robots-tag",
];

/// One of two copies that are compared.
#[derive(Debug, Clone, Copy)]
pub struct Copy<'a> {
    /// What was attested.
    pub attestation: &'a Attestation,
    /// The page's blocks, as their attested digest has them; empty where it has none.
    pub blocks: &'a BlockList,
    /// When it was fetched: as attested, or as the coordinator knows better ([`credible_time`]).
    pub at: Timestamp,
}

/// Why two statements cannot be held against each other: layer 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Incomparable {
    /// One of them has no response.
    NoResponse,
    /// Different URLs were asked for.
    Url,
    /// Different request headers were sent.
    Profile,
    /// Fetched too far apart.
    Time,
    /// Computed by different versions of a layer's rules.
    Versions,
}

/// On what two copies agree, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Content {
    /// Layer 3: equal once what changes from fetch to fetch is left out.
    Canonical,
    /// Layer 4: all stable blocks are equal.
    Stable,
    /// Layer 5: near in text and structure.
    Near,
}

/// In what two copies differ: layer 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// Class of the status.
    Status,
    /// Where the redirects end, or lead to.
    FinalUrl,
    /// Media type.
    MediaType,
    /// Which of [`TELLING_HEADERS`] there are.
    Headers,
    /// The content.
    Content,
}

/// What comparing two copies says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Layer 0.
    NotComparable(Incomparable),
    /// Layer 1: one of them is no page; no voice for or against.
    Neutral(Neutral),
    /// Layer 1: neither has a page, and status and redirect are equal.
    Status,
    /// Layer 2: equal bodies.
    Identical,
    /// Layer 3.
    Canonical,
    /// Layer 4.
    StableEqual,
    /// Layer 5.
    Near,
    /// The content agrees on this layer, but scripts, frames or handlers do not: one of them came by a path that
    /// injects, or the page changes them at each load. No forgery of what it says.
    Tainted(Content),
    /// Layer 6.
    Divergent(Difference),
}

/// What layer 5 measured. Ratios are in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// Estimated Jaccard index of the word 5-grams.
    pub jaccard: u16,
    /// Bits in which the SimHashes differ.
    pub hamming: u32,
    /// Shorter text by longer.
    pub length_ratio: u16,
    /// Weighted Jaccard index of the tag paths.
    pub path_similarity: u16,
}

/// A verdict and what led to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comparison {
    /// The verdict.
    pub verdict: Verdict,
    /// What layer 5 measured, where it was reached.
    pub figures: Option<Figures>,
    /// Whether the stable blocks differ between the two; `None` where none are known or the layer was not reached.
    /// Where they do, a verdict of near is not the end of it (section B7).
    pub stable_differ: Option<bool>,
}

impl Comparison {
    const fn of(verdict: Verdict) -> Self {
        Self { verdict, figures: None, stable_differ: None }
    }
}

impl Verdict {
    /// On which layer two pages agree, tainted or not; `None` where they do not.
    #[must_use]
    pub const fn content(self) -> Option<Content> {
        match self {
            Self::Identical | Self::Canonical => Some(Content::Canonical),
            Self::StableEqual => Some(Content::Stable),
            Self::Near => Some(Content::Near),
            Self::Tainted(content) => Some(content),
            Self::NotComparable(_) | Self::Neutral(_) | Self::Status | Self::Divergent(_) => None,
        }
    }
}

/// Compares two copies. It does not matter which comes first.
#[must_use]
pub fn compare(a: Copy<'_>, b: Copy<'_>, stable: &StableBlocks, limits: &Limits) -> Comparison {
    let (one, other) = match comparable(a, b, limits) {
        Ok(responses) => responses,
        Err(why) => return Comparison::of(Verdict::NotComparable(why)),
    };
    // The lesser of two reasons, so that the order of the copies does not matter.
    if let Some(reason) = [one.neutral, other.neutral].into_iter().flatten().min() {
        return Comparison::of(Verdict::Neutral(reason));
    }
    if let Some(difference) = response_difference(one, other) {
        return Comparison::of(Verdict::Divergent(difference));
    }
    if one.raw == other.raw {
        return Comparison::of(Verdict::Identical);
    }
    if !is_page(one) {
        return Comparison::of(Verdict::Status);
    }
    let (Some(page), Some(other_page)) = (&one.page, &other.page) else {
        return Comparison::of(Verdict::Divergent(Difference::Content));
    };
    let mut comparison = Comparison::of(Verdict::Divergent(Difference::Content));
    let content = if one.canonical.is_some() && one.canonical == other.canonical {
        Some(Content::Canonical)
    } else {
        by_blocks_and_sketch(
            (page, a.blocks),
            (other_page, b.blocks),
            stable,
            limits,
            &mut comparison,
        )
    };
    if let Some(content) = content {
        comparison.verdict = match content {
            _ if page.active != other_page.active => Verdict::Tainted(content),
            Content::Canonical => Verdict::Canonical,
            Content::Stable => Verdict::StableEqual,
            Content::Near => Verdict::Near,
        };
    }
    comparison
}

/// The response of an attestation, where there is one.
#[must_use]
pub fn response_of(attestation: &Attestation) -> Option<&Response> {
    match &attestation.observation {
        Observation::Response(response) => Some(response),
        Observation::Failure { .. } => None,
    }
}

/// Whether a response is one with a page: its status is 2xx.
#[must_use]
pub fn is_page(response: &Response) -> bool {
    (200..300).contains(&response.status)
}

/// When a fetch took place: as its agent says, where that lies in the life of its lease, or else when the lease was given.
/// A wrong clock is no reason not to be compared, and no way around it.
#[must_use]
pub fn credible_time(attested: Timestamp, leased_at: Timestamp, expires: Timestamp) -> Timestamp {
    if leased_at <= attested && attested <= expires { attested } else { leased_at }
}

/// The names among [`TELLING_HEADERS`] that a response has.
pub fn telling_headers(response: &Response) -> impl Iterator<Item = &str> {
    let names = response.header_names.iter().map(String::as_str);
    names.filter(|name| TELLING_HEADERS.contains(name))
}

fn comparable<'a>(
    a: Copy<'a>,
    b: Copy<'a>,
    limits: &Limits,
) -> Result<(&'a Response, &'a Response), Incomparable> {
    let responses = response_of(a.attestation).zip(response_of(b.attestation));
    let (one, other) = responses.ok_or(Incomparable::NoResponse)?;
    if a.attestation.url != b.attestation.url {
        return Err(Incomparable::Url);
    }
    if a.attestation.profile != b.attestation.profile {
        return Err(Incomparable::Profile);
    }
    if a.at.since(b.at).max(b.at.since(a.at)).as_millis() > limits.window_ms.into() {
        return Err(Incomparable::Time);
    }
    if one.versions != other.versions { Err(Incomparable::Versions) } else { Ok((one, other)) }
}

fn response_difference(one: &Response, other: &Response) -> Option<Difference> {
    // Of two pages only the class counts; of two answers without a page every status has a meaning of its own.
    let statuses_differ = if is_page(one) { !is_page(other) } else { one.status != other.status };
    if statuses_differ {
        return Some(Difference::Status);
    }
    if one.final_url != other.final_url || one.redirect_target != other.redirect_target {
        return Some(Difference::FinalUrl);
    }
    if !is_page(one) {
        return None;
    }
    if one.media_type != other.media_type {
        return Some(Difference::MediaType);
    }
    let equal = telling_headers(one).eq(telling_headers(other));
    (!equal).then_some(Difference::Headers)
}

/// Layers 4 and 5.
fn by_blocks_and_sketch(
    (one, blocks): (&PagePrint, &BlockList),
    (other, other_blocks): (&PagePrint, &BlockList),
    stable: &StableBlocks,
    limits: &Limits,
    comparison: &mut Comparison,
) -> Option<Content> {
    let (counts, other_counts) = (blocks.counts(), other_blocks.counts());
    if counts == other_counts && !counts.is_empty() {
        comparison.stable_differ = stable.counts().map(|_| false);
        return Some(Content::Stable);
    }
    if let Some(known) = stable.counts() {
        let count =
            |of: &std::collections::BTreeMap<_, usize>, block| of.get(block).copied().unwrap_or(0);
        let differ = known.keys().any(|block| count(&counts, block) != count(&other_counts, block));
        let present: usize = known.keys().map(|block| count(&counts, block)).sum();
        let most = blocks.blocks().len().max(other_blocks.blocks().len());
        let enough = present * 1000 >= most * usize::from(limits.stable_share);
        comparison.stable_differ = Some(differ);
        if !differ && enough && present > 0 {
            return Some(Content::Stable);
        }
    }
    let (a, b) = (&one.sketch, &other.sketch);
    let figures = Figures {
        jaccard: a.jaccard(b),
        hamming: a.hamming(b),
        length_ratio: a.length_ratio(b),
        path_similarity: a.path_similarity(b),
    };
    comparison.figures = Some(figures);
    limits.are_near(&figures).then_some(Content::Near)
}
