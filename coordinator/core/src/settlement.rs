//! How a task ended: the record that goes into the archive and from which the index can be rebuilt.
//!
//! Decides what is kept of a verdict: everything that a later reader needs to recompute it. Never decides the verdict.

use crate::quorum::Layer;
use crate::record::agent::Totals;
use serde::{Deserialize, Serialize};
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::digest::Digest;
use sward_proto::draw::Draw;
use sward_proto::ids::{JobId, LeaseToken, PeerId, TaskId};
use sward_proto::outcome::Outcome;
use sward_proto::tariff::CreditClass;
use sward_proto::timestamp::Timestamp;

/// A task's end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// The task.
    pub task: TaskId,
    /// Its job.
    pub job: JobId,
    /// What was asked for.
    pub url: CanonicalUrl,
    /// Links between a seed and this.
    pub depth: u16,
    /// A robots.txt.
    pub robots: bool,
    /// When.
    pub settled_at: Timestamp,
    /// How.
    pub outcome: Outcome,
    /// Which comparison decided, where one did.
    pub layer: Option<Layer>,
    /// The accepted page or the agreed redirect, where there is one.
    pub page: Option<PageFacts>,
    /// Each result that was handed in.
    pub results: Vec<AgentResult>,
    /// Which blocks of the accepted page may be published, where the verdict rests on less than equal content.
    pub blocks: Option<PublishedBlocks>,
}

/// What was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageFacts {
    /// Where the redirects within the host ended.
    pub final_url: CanonicalUrl,
    /// HTTP status.
    pub status: u16,
    /// Media type.
    pub media_type: String,
    /// When the kept copy was fetched, by its agent's clock.
    pub fetched_at: Timestamp,
    /// Of the decoded body.
    pub payload: Digest,
    /// Its length.
    pub bytes: u64,
    /// The canonical digest, for HTML.
    pub canonical: Option<Digest>,
    /// A redirect to another host.
    pub redirect_target: Option<CanonicalUrl>,
    /// The links, in order of appearance.
    pub links: Vec<CanonicalUrl>,
    /// For a robots.txt: the rules that apply to us.
    pub robots_rules: Option<String>,
}

/// The blocks of an accepted page of which independent groups saw different versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedBlocks {
    /// All blocks of the kept copy as they travel, in order.
    #[serde(with = "sward_proto::base64_bytes")]
    pub kept: Vec<u8>,
    /// A character for each: `1` where independent groups attest it, `0` where it is not to be published.
    pub attested: String,
}

/// One agent's part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentResult {
    /// Who.
    pub agent: PeerId,
    /// Under which lease.
    pub token: LeaseToken,
    /// How it came by it.
    pub draw: Draw,
    /// The sealed leaf.
    pub leaf: Digest,
    /// What opens it.
    #[serde(with = "sward_proto::base64_bytes")]
    pub salt: [u8; 16],
    /// The attestation's bytes.
    #[serde(with = "sward_proto::base64_bytes")]
    pub attestation: Vec<u8>,
    /// When it was fetched, as it was weighed: as attested, or when it was leased where that cannot be.
    pub fetched_at: Timestamp,
    /// The page's blocks as they travel, where the verdict rests on more than equal canonical digests; else empty.
    #[serde(with = "sward_proto::base64_bytes")]
    pub blocks: Vec<u8>,
    /// What the coordinator makes of it.
    pub finding: Finding,
    /// For what it is credited.
    pub class: Option<CreditClass>,
    /// With what.
    pub credit: Totals,
}

/// What the coordinator makes of one result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// Independent others saw the same.
    Agreed,
    /// No response, or one that a site gives to some and not to others: no blame.
    Neutral,
    /// The same content with scripts or frames that others did not see: its path injects them. No blame.
    Tainted,
    /// A page near that of independent others who fetched it at the same time, but for blocks in which they contradict it.
    Disputed,
    /// A page that independent others contradict who fetched it at the same time.
    Forged,
    /// A page that independent others contradict, and that was seen before as another fetch.
    Replayed,
    /// A page of the beacon site that was shown to another agent, and not to this one.
    Copied,
}
