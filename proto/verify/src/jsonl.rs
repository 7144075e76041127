//! JSONL files of an export: each line points at the WARC record that it was made from, and at its
//! verdict.
//!
//! Decides whether that record is there and has the digest the line states (or, where only a part of
//! the page is attested, was made from it), and whether the verdict accepts that digest for that URL and so much of the page. Never decides whether the rest of a line is a fair account of
//! the record.

use crate::verdict::Accepted;
use crate::warc::{Holds, labelled_digest};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::{self, BufRead, Read as _};

/// The longest line. A page's text is a few kilobytes.
const MAX_LINE_BYTES: u64 = 64 << 20;

/// The records of an export by file and offset.
pub type Records = BTreeMap<(String, u64), Holds>;

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
    /// The line names no verdict, though the export has them.
    #[error("no url and verdict.task, by which its evidence is found")]
    NoVerdict,
    /// The evidence says nothing of that task.
    #[error("there is no evidence for task {0}")]
    NoEvidence(u64),
    /// The verdict is about another page.
    #[error("the verdict of task {0} accepts another page")]
    OtherPage(u64),
    /// The verdict attests the whole page and the line a part of it, or the other way round.
    #[error("the verdict of task {0} attests more or less of the page than the line says")]
    OtherPart(u64),
}

impl Fault {
    /// Whether the line can be read and only points wrongly.
    #[must_use]
    pub const fn is_mismatch(&self) -> bool {
        matches!(
            self,
            Self::NoRecord { .. }
                | Self::OtherPayload { .. }
                | Self::NoEvidence(_)
                | Self::OtherPage(_)
                | Self::OtherPart(_)
        )
    }
}

/// Checks every line against the records, and against the verdicts where there are any, and returns how many lines
/// there are.
///
/// # Errors
/// [`JsonlError`] at the first line that is wrong.
pub fn check(
    mut file: impl BufRead,
    records: &Records,
    accepted: Option<&Accepted>,
) -> Result<u64, JsonlError> {
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
        resolve(&bytes, records, accepted).map_err(at)?;
        count += 1;
    }
}

#[derive(Deserialize)]
struct Pointer {
    warc_file: String,
    warc_offset: u64,
    payload_digest: String,
    url: Option<String>,
    #[serde(default)]
    attested: Option<String>,
    verdict: Option<VerdictPointer>,
}

#[derive(Deserialize)]
struct VerdictPointer {
    task: Option<u64>,
}

fn resolve(line: &[u8], records: &Records, accepted: Option<&Accepted>) -> Result<(), Fault> {
    let Pointer { warc_file, warc_offset: offset, payload_digest, url, attested, verdict } =
        serde_json::from_slice(line)?;
    let in_part = attested.as_deref() == Some("part");
    let Some(digest) = labelled_digest(&payload_digest) else {
        return Err(Fault::Digest(payload_digest));
    };
    if let Some(accepted) = accepted {
        let task = verdict.and_then(|verdict| verdict.task);
        let (Some(url), Some(task)) = (url, task) else { return Err(Fault::NoVerdict) };
        let page = accepted.page(task).ok_or(Fault::NoEvidence(task))?;
        if page.payload != digest || page.url != url {
            return Err(Fault::OtherPage(task));
        }
        if page.in_part != in_part {
            return Err(Fault::OtherPart(task));
        }
    }
    let place = (warc_file, offset);
    match records.get(&place) {
        Some(Holds::Conversion) if in_part => Ok(()),
        Some(Holds::Payload(found)) if *found == digest && !in_part => Ok(()),
        Some(_) => Err(Fault::OtherPayload { file: place.0, offset }),
        None => Err(Fault::NoRecord { file: place.0, offset }),
    }
}
