//! A revisit with its body put back: the response that it stands for.
//!
//! Decides which header lines change with it. Its id, date and target stay, as it is the same capture.

use super::encode::member;
use super::error::ArchiveError;
use super::owned_record::OwnedRecord;
use sward_proto::digest::Digest;

/// The lines of a revisit that a response has not, or has with another value.
const CHANGED: [&str; 7] = [
    "WARC-Type",
    "WARC-Profile",
    "WARC-Refers-To",
    "WARC-Refers-To-Target-URI",
    "WARC-Refers-To-Date",
    "WARC-Block-Digest",
    "Content-Length",
];

/// The gzip member of the response that `revisit` stands for, whose body is `body`.
///
/// # Errors
/// [`ArchiveError::TooLarge`], as when a record is first written.
pub fn completed(revisit: &OwnedRecord, body: &[u8]) -> Result<Vec<u8>, ArchiveError> {
    let mut header = String::from("WARC/1.1\r\nWARC-Type: response\r\n");
    let kept = revisit
        .fields
        .iter()
        .filter(|(name, _)| !CHANGED.iter().any(|changed| name.eq_ignore_ascii_case(changed)));
    for (name, value) in kept {
        header.extend([name, ": ", value, "\r\n"]);
    }
    let block = [&revisit.block[..], body].concat();
    let digest = Digest::of(&block);
    header.push_str(&format!(
        "WARC-Block-Digest: sha256:{digest}\r\nContent-Length: {}\r\n\r\n",
        block.len()
    ));
    let mut out = Vec::new();
    member(&header, &[&block], &mut out)?;
    Ok(out)
}
