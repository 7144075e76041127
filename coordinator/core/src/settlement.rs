//! How a task ended: the record that goes into the archive and from which the index can be rebuilt.
//!
//! Decides what is kept of a verdict: everything that a later reader needs to recompute it. Never decides the verdict.

use crate::record::agent::Totals;
use crate::trust::blocks::Held;
use crate::trust::evidence::Volatility;
use serde::{Deserialize, Serialize};
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::digest::Digest;
use sward_proto::draw::{AuditDraw, Draw};
use sward_proto::ids::{JobId, LeaseToken, PeerId, TaskId};
use sward_proto::outcome::Outcome;
use sward_proto::quorum::finding::Finding;
use sward_proto::quorum::ruling::Ruling;
use sward_proto::quorum::{Layer, Rules};
use sward_proto::tariff::CreditClass;
use sward_proto::timestamp::Timestamp;
use sward_proto::verdict::{Origin, Page, PublishedBlocks, Variant};

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
    /// What was known of the page when its task was opened: the class of its template.
    #[serde(default)]
    pub volatility: Volatility,
    /// And its stable blocks, as `StableBlocks::to_bytes` has them; empty where none were known.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "sward_proto::base64_bytes")]
    pub stable: Vec<u8>,
    /// By which rules it was decided. `None` in settlements of builds that did not keep it.
    pub rules: Option<Rules>,
    /// Which comparison decided, where one did.
    pub layer: Option<Layer>,
    /// The accepted page or the agreed redirect, where there is one.
    pub page: Option<PageFacts>,
    /// Each result that was handed in.
    pub results: Vec<AgentResult>,
    /// Where one result was enough at first: whether it was drawn for an audit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<AuditDraw>,
    /// Where a trusted fetcher was connected: whether it was drawn to fetch the page of the first result too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spot: Option<AuditDraw>,
    /// Which blocks of the accepted page may be published, where the verdict rests on less than equal content.
    pub blocks: Option<PublishedBlocks>,
    /// What other regions see in place of the accepted page.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<Variant>,
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

impl PageFacts {
    /// What of it an agent attests.
    #[must_use]
    pub fn attested(&self) -> Page {
        Page {
            final_url: self.final_url.clone(),
            status: self.status,
            media_type: self.media_type.clone(),
            fetched_at: self.fetched_at,
            payload: self.payload,
            bytes: self.bytes,
            canonical: self.canonical,
            redirect_target: self.redirect_target.clone(),
        }
    }
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
    /// From which group, when, and in which signed batch. `None` in settlements of builds that did not keep it.
    pub origin: Option<Origin>,
    /// The sealed leaf.
    pub leaf: Digest,
    /// What opens it.
    #[serde(with = "sward_proto::base64_bytes")]
    pub salt: [u8; 16],
    /// The attestation's bytes.
    #[serde(with = "sward_proto::base64_bytes")]
    pub attestation: Vec<u8>,
    /// The page's blocks as they travel, where the verdict hangs on them (`sward_proto::verdict::needs_blocks`); else empty.
    #[serde(with = "sward_proto::base64_bytes")]
    pub blocks: Vec<u8>,
    /// What the coordinator makes of it.
    pub finding: Finding,
    /// It was fetched by a fetcher of the operator's own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trusted: bool,
    /// Where it is outvoted and trusted fetches could tell: whether it is to blame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ruling: Option<Ruling>,
    /// For what it is credited.
    pub class: Option<CreditClass>,
    /// With what.
    pub credit: Totals,
    /// In which block that waits, and until when at most. `None` where there is no credit, where its agent is barred, and in
    /// settlements of builds that had no blocks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
}

impl AgentResult {
    /// Leaves out what nothing hangs on: the blocks, and where its agent is.
    pub fn keep_the_least(&mut self) {
        self.blocks = Vec::new();
        if let Some(origin) = &mut self.origin {
            origin.voice = origin.voice.unplaced();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As builds wrote it that kept neither rules nor signatures.
    #[test]
    fn older_settlements_can_be_read() {
        let text = r#"{"task":7,"job":1,"url":"http://a.example/","depth":0,"robots":false,"settled_at":9,
            "outcome":"disagree","layer":null,"page":null,"blocks":null,"results":[{
            "agent":"12D3KooWENTLiCwwoVwYNbKFEfmNdyHG1jxNn9oPB29JeeZXWjAb",
            "token":"abababababababababababababababab","leaf":"0000000000000000000000000000000000000000000000000000000000000000",
            "draw":{"round":1,"number":1,"widened":false,"passed":[]},"salt":"AAAAAAAAAAAAAAAAAAAAAA==",
            "attestation":"","fetched_at":5,"blocks":"","finding":"neutral","class":null,
            "credit":{"tasks":0,"bytes":0,"credit":0}}]}"#;
        let settlement: Settlement = serde_json::from_str(text).expect("a settlement");
        assert_eq!(settlement.volatility, Volatility::Noisy);
        assert!(settlement.rules.is_none() && settlement.results[0].origin.is_none());
    }
}
