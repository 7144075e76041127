//! Checks receipts, verdicts and exports offline, for people who trust neither Sward's coordinator nor its
//! agents.
//!
//! Reads the files it is given and nothing else: no network, no clock, no settings. What a receipt
//! or a note is, `sward_proto` decides; this package finds the files and reports on each.

pub mod chain;
pub mod command;
pub mod evidence;
pub mod export;
pub mod jsonl;
pub mod keys;
pub mod note_file;
pub mod receipts;
pub mod report;
pub mod retraction;
pub mod verdict;
pub mod warc;
