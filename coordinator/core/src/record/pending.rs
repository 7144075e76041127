//! Credit in its hold window.

use super::Kind;
use crate::record::agent::Totals;
use serde::{Deserialize, Serialize};
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::digest::Digest;
use sward_proto::ids::{JobId, PeerId, TaskId};
use sward_proto::timestamp::Timestamp;

/// One result's credit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingRecord {
    /// What it adds.
    pub amount: Totals,
    /// The leaf under which the receipt will hold it.
    pub leaf: Digest,
    /// The page that it helped to accept, or to contest, where it did.
    pub page: Option<HeldPage>,
}

/// A page whose verdict may still be taken back: until the credit for it is final.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldPage {
    /// Its task.
    pub task: TaskId,
    /// Its job.
    pub job: JobId,
    /// What was asked for.
    pub url: CanonicalUrl,
    /// Links between a seed and it.
    pub depth: u16,
    /// Its length.
    pub bytes: u64,
    /// Its body was known before.
    pub revisit: bool,
    /// When the credit for it turns final.
    pub matures: Timestamp,
    /// It was contested, not accepted.
    pub contested: bool,
    /// Who else agreed; of a contested page, who else saw it.
    pub with: Vec<PeerId>,
}

/// Key: kind, agent, time it turns final, task. An agent's credit is in the order in which it matures.
#[must_use]
pub fn key(agent: &PeerId, matures: Timestamp, task: TaskId) -> Vec<u8> {
    let matures = matures.as_millis().to_be_bytes();
    super::key(Kind::Pending, &[agent.public_key(), &matures, &task.0.to_be_bytes()])
}

/// The prefix of an agent's pending credit.
#[must_use]
pub fn prefix(agent: &PeerId) -> Vec<u8> {
    super::key(Kind::Pending, &[agent.public_key()])
}

/// When the credit under `key` turns final.
///
/// # Errors
/// [`StoreError::Damaged`](crate::store::StoreError::Damaged) for a key of another form.
pub fn matures(key: &[u8]) -> Result<Timestamp, crate::store::StoreError> {
    let bytes = super::tail::<8>("pending credit", key, 33)?;
    Ok(Timestamp::from_millis(u64::from_be_bytes(bytes)))
}
