//! The archive: every page, request, revisit and verdict, in append-only WARC 1.1 segments (ISO 28500:2017).
//!
//! Decides how a record is laid out on disk, when a segment is full, and what is left of it after a crash. Never
//! decides what is worth keeping, and never changes a record once it is synced. Reads no clock: the dates are the
//! records' own, so the same records give the same bytes.

pub(crate) mod append_file;
mod completed;
mod converted;
mod encode;
mod error;
mod gzip_member;
pub mod http_head;
mod owned_record;
mod record;
mod record_id;
mod records;
mod segment;
mod torn_tail;
mod writer;

pub use append_file::WriteError;
pub use completed::completed;
pub use converted::converted;
pub use error::{ArchiveError, Damage};
pub use gzip_member::{FileRecords, MAX_BLOCK_BYTES, MAX_HEADER_BYTES};
pub use owned_record::OwnedRecord;
pub use record::{Record, Truncated};
pub use record_id::{NotARecordId, RecordId};
pub use records::{Records, read_at, records_from};
pub use segment::{Location, Position};
pub use writer::{Archive, DEFAULT_SEGMENT_BYTES, Opened, Settings, Written};
