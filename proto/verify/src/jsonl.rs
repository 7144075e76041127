//! JSONL files of an export: each line points at the WARC record that it was made from.
//!
//! Decides whether that record is there and has the digest the line states. Never decides whether
//! the rest of a line is a fair account of the record.

use crate::warc::labelled_digest;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::{self, BufRead, Read as _};
use sward_proto::digest::Digest;

/// The longest line. A page's text is a few kilobytes.
const MAX_LINE_BYTES: u64 = 64 << 20;

/// The records of an export by file and offset, each with its payload digest.
pub type Records = BTreeMap<(String, u64), Option<Digest>>;

/// What is wrong with line `line`.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct JsonlError {
    /// Counted from 1.
    pub line: u64,
    /// What is wrong.
    pub fault: Fault,
}

/// What can be wrong with a line.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The operating system refused.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// Longer than any honest line.
    #[error("longer than {MAX_LINE_BYTES} bytes")]
    TooLong,
    /// Not a JSON object with the fields that point at a record.
    #[error("not a json object with warc_file, warc_offset and payload_digest: {0}")]
    Json(#[from] serde_json::Error),
    /// The digest is written in another way.
    #[error("payload_digest {0:?} is no sha256:hex")]
    Digest(String),
    /// No record begins there.
    #[error("no record begins at byte {offset} of {file}")]
    NoRecord {
        /// The file the line names.
        file: String,
        /// The offset it names.
        offset: u64,
    },
    /// The record has another payload.
    #[error("the record at byte {offset} of {file} has another payload digest")]
    OtherPayload {
        /// The file the line names.
        file: String,
        /// The offset it names.
        offset: u64,
    },
}

impl Fault {
    /// Whether the line can be read and only points wrongly.
    #[must_use]
    pub const fn is_mismatch(&self) -> bool {
        matches!(self, Self::NoRecord { .. } | Self::OtherPayload { .. })
    }
}

/// Checks every line against the records and returns how many lines there are.
///
/// # Errors
/// [`JsonlError`] at the first line that is wrong.
pub fn check(mut file: impl BufRead, records: &Records) -> Result<u64, JsonlError> {
    let mut bytes = Vec::new();
    let mut count = 0;
    loop {
        let at = |fault: Fault| JsonlError { line: count + 1, fault };
        bytes.clear();
        let mut line = file.by_ref().take(MAX_LINE_BYTES);
        let length = line.read_until(b'\n', &mut bytes).map_err(|error| at(error.into()))?;
        if length == 0 {
            return Ok(count);
        }
        if length as u64 == MAX_LINE_BYTES {
            return Err(at(Fault::TooLong));
        }
        resolve(&bytes, records).map_err(at)?;
        count += 1;
    }
}

#[derive(Deserialize)]
struct Pointer {
    warc_file: String,
    warc_offset: u64,
    payload_digest: String,
}

fn resolve(line: &[u8], records: &Records) -> Result<(), Fault> {
    let Pointer { warc_file, warc_offset: offset, payload_digest } = serde_json::from_slice(line)?;
    let Some(digest) = labelled_digest(&payload_digest) else {
        return Err(Fault::Digest(payload_digest));
    };
    let place = (warc_file, offset);
    match records.get(&place) {
        Some(found) if *found == Some(digest) => Ok(()),
        Some(_) => Err(Fault::OtherPayload { file: place.0, offset }),
        None => Err(Fault::NoRecord { file: place.0, offset }),
    }
}
