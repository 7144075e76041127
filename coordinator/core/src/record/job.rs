//! A job and how far it has come.

use super::Kind;
use crate::job::{JobSpec, JobState};
use crate::store::{Store, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use sward_proto::ids::JobId;
use sward_proto::outcome::Outcome;
use sward_proto::timestamp::Timestamp;

/// A submitted job. It is stored in two parts, since its figures change with every page and its seeds never.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRecord {
    /// What was asked for.
    pub spec: JobSpec,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// How far it has come.
    pub progress: Progress,
}

/// How far a job has come: the part that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Whether it runs.
    pub state: JobState,
    /// In figures.
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
    /// Of them, pages that rest on the word of one agent.
    #[serde(default)]
    pub single: u64,
    /// Decoded bytes of accepted pages.
    pub bytes: u64,
    /// Results handed in by agents, audits included.
    pub fetches: u64,
    /// Of those whose pages ended, results of the operator's own fetchers.
    #[serde(default)]
    pub trusted: u64,
    /// Pages that were accepted and taken back; their URLs are fetched again.
    pub retracted: u64,
}

impl JobRecord {
    /// Reads a stored job.
    ///
    /// # Errors
    /// [`StoreError`], also where one part is there without the other.
    pub fn read(store: &impl Store, job: JobId) -> Result<Option<Self>, StoreError> {
        match (store.get(&spec_key(job))?, store.get(&key(job))?) {
            (Some(given), Some(progress)) => {
                let (spec, submitted_at) = super::decode("job", &given)?;
                let progress = super::decode("job's progress", &progress)?;
                Ok(Some(Self { spec, submitted_at, progress }))
            }
            (None, None) => Ok(None),
            (Some(_), None) | (None, Some(_)) => {
                Err(StoreError::Damaged(format!("job {job}: half of it is missing")))
            }
        }
    }

    /// The bytes of the part that never changes.
    #[must_use]
    pub fn encode_given(&self) -> Vec<u8> {
        super::encode(&(&self.spec, self.submitted_at))
    }
}

/// Key of the figures: kind, number.
#[must_use]
pub fn key(job: JobId) -> Vec<u8> {
    super::key(Kind::Job, &[&job.0.to_be_bytes()])
}

/// Key of what was asked for: kind, number.
#[must_use]
pub fn spec_key(job: JobId) -> Vec<u8> {
    super::key(Kind::JobSpec, &[&job.0.to_be_bytes()])
}
