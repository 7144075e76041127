//! Where an accepted page lies in the archive.

use super::Kind;
use serde::{Deserialize, Serialize};
use sward_proto::digest::Digest;
use sward_proto::ids::{JobId, TaskId};

/// A record's place in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Location {
    /// The segment's number.
    pub segment: u32,
    /// Where its gzip member begins, in bytes.
    pub offset: u64,
    /// How long the member is, in bytes.
    pub length: u64,
}

/// An accepted page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaptureRecord {
    /// The first record of the capture's group: requests and responses, then the settlement.
    pub group: Location,
    /// The response or revisit record that carries the page.
    pub page: Location,
    /// The settlement.
    pub settlement: Location,
    /// Of the decoded body.
    pub payload: Digest,
    /// Its length.
    pub bytes: u64,
    /// A robots.txt, not a page.
    pub robots: bool,
    /// The body lies in an earlier record.
    pub revisit: bool,
    /// Only some of its blocks are attested: the settlement says which.
    pub in_part: bool,
}

impl CaptureRecord {
    /// Reads a stored capture.
    ///
    /// # Errors
    /// [`StoreError::Damaged`](crate::store::StoreError::Damaged).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, crate::store::StoreError> {
        super::decode("capture", bytes)
    }
}

/// Key: kind, job, task.
#[must_use]
pub fn key(job: JobId, task: TaskId) -> Vec<u8> {
    super::key(Kind::Capture, &[&job.0.to_be_bytes(), &task.0.to_be_bytes()])
}

/// The prefix of a job's captures.
#[must_use]
pub fn prefix(job: JobId) -> Vec<u8> {
    super::key(Kind::Capture, &[&job.0.to_be_bytes()])
}
