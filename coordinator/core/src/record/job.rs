//! A job and how far it has come.

use super::Kind;
use crate::job::{JobSpec, JobState};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use sward_proto::ids::JobId;
use sward_proto::outcome::Outcome;
use sward_proto::timestamp::Timestamp;

/// A submitted job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRecord {
    /// What was asked for.
    pub spec: JobSpec,
    /// Whether it runs.
    pub state: JobState,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// How far it has come.
    pub counts: JobCounts,
}

/// A job's figures.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct JobCounts {
    /// URLs that were admitted, each once.
    pub discovered: u64,
    /// Of them, URLs that wait.
    pub queued: u64,
    /// URLs that ended, by how.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// Accepted pages, robots.txt files not counted.
    pub pages: u64,
    /// Of them, bodies that were in the archive already.
    pub duplicates: u64,
    /// Decoded bytes of accepted pages.
    pub bytes: u64,
    /// Results handed in by agents, audits included.
    pub fetches: u64,
}

impl JobRecord {
    /// Reads a stored job.
    ///
    /// # Errors
    /// [`StoreError::Damaged`](crate::store::StoreError::Damaged).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, crate::store::StoreError> {
        super::decode("job", bytes)
    }
}

/// Key: kind, number.
#[must_use]
pub fn key(job: JobId) -> Vec<u8> {
    super::key(Kind::Job, &[&job.0.to_be_bytes()])
}
