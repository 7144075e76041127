//! What was made from a page, as a record of its own: a WARC 1.1 conversion (section 6.8).
//!
//! Decides its header. It names the response that it was made from, which need not be in the same file, and its id
//! follows from that one's.

use super::encode::member;
use super::error::ArchiveError;
use super::owned_record::OwnedRecord;
use super::record_id::RecordId;
use sward_proto::digest::Digest;

/// The lines of a response that a conversion of it has too.
const KEPT: [&str; 3] = ["WARC-Date", "WARC-Target-URI", "WARC-Warcinfo-ID"];

/// The gzip member of a conversion of `response` into `text`.
///
/// # Errors
/// [`ArchiveError::TooLarge`], as when a record is first written.
pub fn converted(response: &OwnedRecord, text: &str) -> Result<Vec<u8>, ArchiveError> {
    let mut fields = String::from("WARC-Type: conversion\r\n");
    for name in KEPT {
        if let Some(value) = response.field(name) {
            fields.extend([name, ": ", value, "\r\n"]);
        }
    }
    let refers_to = response.field("WARC-Record-ID").unwrap_or_default();
    let digest = Digest::of(text.as_bytes());
    fields.push_str(&format!(
        "WARC-Refers-To: {refers_to}\r\nContent-Type: text/plain; charset=utf-8\r\n\
         WARC-Block-Digest: sha256:{digest}\r\nContent-Length: {}\r\n",
        text.len()
    ));
    let id = RecordId::derive("conversion", 0, &fields);
    let header = format!("WARC/1.1\r\nWARC-Record-ID: <{id}>\r\n{fields}\r\n");
    let mut out = Vec::new();
    member(&header, &[text.as_bytes()], &mut out)?;
    Ok(out)
}
