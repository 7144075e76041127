//! Where the index stands against the append-only truth: its format, and how far into archive and journal it has come.
//!
//! Decides how a crash is told from damage. Each turn that writes truth has a number; an index may lack at most the turn
//! that a crash interrupted.

use super::{FORMAT, Kind};
use crate::store::StoreError;
use serde::{Deserialize, Serialize};

/// How far the index has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Position {
    /// The last turn whose truth the index reflects.
    pub turn: u64,
    /// The archive segment.
    pub segment: u32,
    /// The end of what is reflected of it, in bytes.
    pub offset: u64,
    /// The end of what is reflected of the journal, in bytes.
    pub journal: u64,
    /// Where the last turn's settlements begin: their links may not have been admitted yet.
    pub previous: (u32, u64),
}

/// The key of the format number, a big-endian `u32`.
#[must_use]
pub fn format_key() -> Vec<u8> {
    super::key(Kind::Meta, &[b"format"])
}

/// The key of the position.
#[must_use]
pub fn key() -> Vec<u8> {
    super::key(Kind::Meta, &[b"position"])
}

/// The key of the next task's number, so that none is given twice.
#[must_use]
pub fn next_task_key() -> Vec<u8> {
    super::key(Kind::Meta, &[b"task"])
}

/// The key of what all audits found.
#[must_use]
pub fn forecast_key() -> Vec<u8> {
    super::key(Kind::Meta, &[b"audits"])
}

/// The position's bytes.
#[must_use]
pub fn encode(position: &Position) -> Vec<u8> {
    super::encode(position)
}

/// The inverse of [`encode`].
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn decode(bytes: &[u8]) -> Result<Position, StoreError> {
    super::decode("position", bytes)
}

/// Refuses a format that is newer than this build; calls an older one damaged, so that the index is built anew.
///
/// # Errors
/// [`StoreError::Newer`], or [`StoreError::Damaged`] where it is older or no number.
pub fn check_format(bytes: &[u8]) -> Result<(), StoreError> {
    let bytes =
        <[u8; 4]>::try_from(bytes).map_err(|_| StoreError::Damaged("format number".to_owned()))?;
    match u32::from_be_bytes(bytes) {
        found if found > FORMAT => Err(StoreError::Newer { found, known: FORMAT }),
        FORMAT => Ok(()),
        older => {
            Err(StoreError::Damaged(format!("format number {older}, this build has {FORMAT}")))
        }
    }
}

pub(super) fn check(key: &[u8], value: &[u8]) -> Result<(), StoreError> {
    if key == self::key() {
        decode(value).map(drop)
    } else if key == format_key() {
        check_format(value)
    } else {
        Ok(()) // what a store keeps about itself
    }
}
