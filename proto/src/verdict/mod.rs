//! A verdict with all that it rests on, so that anyone can recompute it offline.
//!
//! Decides what belongs to the evidence of one task and in which form it is published. What each agent sealed is signed by
//! that agent; for the rest (that no result is missing, who shares a payee or a network, when leases were given, how they
//! were drawn, by which rules it was counted) the coordinator vouches with its own signature. Never decides who is right:
//! [`crate::quorum`] does.

mod abroad;
mod bundle;
mod check;
mod drawn;
mod fault;
mod recompute;

pub use bundle::{Bundle, BundleError, MAX_BUNDLE_BYTES, SCHEMA_VERSION};
pub use check::Checked;
pub use drawn::KnownSeeds;
pub use fault::Fault;

use crate::base64_bytes;
use crate::batch::BatchProof;
use crate::canonical_url::CanonicalUrl;
use crate::digest::Digest;
use crate::draw::{AuditDraw, Draw, DrawPlan, RoundSeed};
use crate::ids::{JobName, LeaseToken, PeerId, TaskId};
use crate::outcome::Outcome;
use crate::quorum::finding::Finding;
use crate::quorum::ruling::Ruling;
use crate::quorum::voice::Voice;
use crate::quorum::{Layer, Rules};
use crate::region::Region;
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// The most results of one task: far beyond what any rules ask for.
pub const MAX_RESULTS: usize = 64;

/// One task, its verdict, and all that this rests on. Times are in milliseconds since 1970, byte strings in base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// The task's number in its coordinator.
    pub task: TaskId,
    /// The job that it is part of.
    pub job: JobName,
    /// What was asked for.
    pub url: CanonicalUrl,
    /// A robots.txt.
    pub robots: bool,
    /// By which rules it was decided.
    pub rules: Rules,
    /// The blocks of this URL that were known beforehand to be stable, as `StableBlocks::to_bytes` has them; empty where
    /// none were.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "base64_bytes")]
    pub stable: Vec<u8>,
    /// What was told of the draws in advance.
    pub plan: DrawPlan,
    /// The seeds of those rounds in which its leases were drawn and that are over. That of a round which lasts is a secret,
    /// and draws of it cannot be checked yet.
    pub seeds: Vec<RoundSeed>,
    /// When it was settled.
    pub settled_at: Timestamp,
    /// How the task ended.
    pub outcome: Outcome,
    /// Which comparison decided, where one did.
    pub layer: Option<Layer>,
    /// What was accepted, where something was.
    pub page: Option<Page>,
    /// Which blocks may be published, where the verdict rests on less than equal content.
    pub published: Option<PublishedBlocks>,
    /// The results that were weighed, in the order of their leases.
    pub results: Vec<OpenedResult>,
    /// Where one result was enough at first: whether it was drawn for an audit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<AuditDraw>,
    /// What other regions see in place of the page.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<Variant>,
    /// Where the operator has fetchers of its own: whether one of them was to fetch the page of the first result too. Where
    /// none came in time, the verdict stands without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spot: Option<AuditDraw>,
}

/// What one region sees in place of an accepted page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// Which. Only here a region is published by its name: results have labels that tell no more than whether two are
    /// equal.
    pub region: Region,
    /// On what its agents agree.
    pub layer: Layer,
    /// What the first of them attests. Its body is not kept.
    pub page: Page,
}

/// A page as an agent attests it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Where the redirects within the host ended.
    pub final_url: CanonicalUrl,
    /// HTTP status.
    pub status: u16,
    /// Media type.
    pub media_type: String,
    /// When the kept copy was fetched, by its agent's clock.
    pub fetched_at: Timestamp,
    /// SHA-256 of the decoded body.
    pub payload: Digest,
    /// Its length.
    pub bytes: u64,
    /// The canonical digest, for HTML.
    pub canonical: Option<Digest>,
    /// A redirect to another host.
    pub redirect_target: Option<CanonicalUrl>,
}

/// The blocks of an accepted page of which independent groups saw different versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedBlocks {
    /// All blocks of the kept copy as they travel, in order.
    #[serde(with = "base64_bytes")]
    pub kept: Vec<u8>,
    /// A character for each: `1` where independent groups attest it, `0` where it is not to be published.
    pub attested: String,
}

/// How a result came in, besides what was in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Who stands behind it, among the results of its task.
    pub voice: Voice,
    /// When its lease was given.
    pub leased_at: Timestamp,
    /// When its lease ended.
    pub expires: Timestamp,
    /// What shows that its agent signed the leaf.
    pub proof: BatchProof,
}

/// One result, as it was sealed, signed and opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedResult {
    /// Who.
    pub agent: PeerId,
    /// Under which lease.
    pub token: LeaseToken,
    /// How it came by it.
    pub draw: Draw,
    /// When, from which group, and in which signed batch.
    #[serde(flatten)]
    pub origin: Origin,
    /// The root that the agent signed.
    pub root: Digest,
    /// The sealed leaf.
    pub leaf: Digest,
    /// What opens it.
    #[serde(with = "base64_bytes")]
    pub salt: [u8; 16],
    /// The attestation: the message of that name in `sward.proto`.
    #[serde(with = "base64_bytes")]
    pub attestation: Vec<u8>,
    /// The page's blocks as they travel; empty where nothing in the verdict hangs on them.
    #[serde(with = "base64_bytes")]
    pub blocks: Vec<u8>,
    /// What the coordinator made of it.
    pub finding: Finding,
    /// It was fetched by the operator's own fetcher: for that the coordinator vouches.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trusted: bool,
    /// Where it is outvoted and trusted fetches could tell: whether it is to blame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ruling: Option<Ruling>,
}

/// Whether a verdict hangs on the blocks of pages: where it rests on less than equal content, or where somebody differs.
#[must_use]
pub fn needs_blocks(layer: Option<Layer>, findings: impl IntoIterator<Item = Finding>) -> bool {
    let agrees = |finding| matches!(finding, Finding::Agreed | Finding::Withheld);
    layer.is_some_and(Layer::is_partial) || !findings.into_iter().all(agrees)
}
