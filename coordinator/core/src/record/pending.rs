//! Credit in its hold window.

use super::Kind;
use crate::record::agent::Totals;
use serde::{Deserialize, Serialize};
use sward_proto::digest::Digest;
use sward_proto::ids::{PeerId, TaskId};
use sward_proto::timestamp::Timestamp;

/// One result's credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingRecord {
    /// What it adds.
    pub amount: Totals,
    /// The leaf under which the receipt will hold it.
    pub leaf: Digest,
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
