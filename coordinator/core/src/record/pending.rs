//! Credit in its hold window.

use super::Kind;
use crate::record::agent::Totals;
use crate::trust::blocks::BlockId;
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
    /// Of its decoded body, where one was accepted.
    #[serde(default)]
    pub payload: Option<Digest>,
    /// Its body was known before.
    pub revisit: bool,
    /// When the credit for it turns final at the latest.
    pub matures: Timestamp,
    /// It was contested, not accepted.
    pub contested: bool,
    /// Who else agreed; of a contested page, who else saw it.
    pub with: Vec<PeerId>,
}

/// Key: kind, agent, block, task. Blocks turn final in the order of their numbers; what is contested and earns nothing is in
/// none ([`BlockId::NONE`]).
#[must_use]
pub fn key(agent: &PeerId, block: BlockId, task: TaskId) -> Vec<u8> {
    let (block, task) = (block.0.to_be_bytes(), task.0.to_be_bytes());
    super::key(Kind::Pending, &[agent.public_key(), &block, &task])
}

/// The prefix of an agent's pending credit.
#[must_use]
pub fn prefix(agent: &PeerId) -> Vec<u8> {
    super::key(Kind::Pending, &[agent.public_key()])
}

/// The block and the task of the credit under `key`: its place in the order of the keys.
///
/// # Errors
/// [`StoreError::Damaged`](crate::store::StoreError::Damaged) for a key of another form.
pub fn place(key: &[u8]) -> Result<(BlockId, TaskId), crate::store::StoreError> {
    let number = |skip| super::tail::<8>("pending credit", key, skip).map(u64::from_be_bytes);
    Ok((BlockId(number(33)?), TaskId(number(41)?)))
}
