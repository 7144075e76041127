//! What can go wrong with an archive.
//!
//! Decides which failures a caller can tell apart. Never decides what to do about them.

use super::append_file::WriteError;
use super::gzip_member::{MAX_BLOCK_BYTES, MAX_HEADER_BYTES};
use std::io;
use std::path::PathBuf;

/// Why the archive cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Appending or syncing failed; [`WriteError::Full`] is the case that more room mends.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The operating system refused a read.
    #[error("could not read {path}: {source}")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Its reason.
        source: io::Error,
    },
    /// A record that cannot be read, and is not just the torn end of the newest segment.
    #[error("damaged record in {path} at byte {offset}: {damage}; restore the file from a backup")]
    Damaged {
        /// The segment's file.
        path: PathBuf,
        /// Where the record begins, in bytes.
        offset: u64,
        /// What is wrong with it.
        damage: Damage,
    },
    /// A location that no whole record occupies.
    #[error("{path} has no record of {length} bytes at byte {offset}")]
    NotThere {
        /// The segment's file.
        path: PathBuf,
        /// Where the record should begin, in bytes.
        offset: u64,
        /// How long its gzip member should be, in bytes.
        length: u64,
    },
    /// A segment is gone although there are later ones.
    #[error("segment {path} is missing although later ones exist; restore it from a backup")]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// A record that the archive could write but would refuse to read.
    #[error(
        "record with {header} bytes of header and {block} of block is over the limits of \
         {MAX_HEADER_BYTES} and {MAX_BLOCK_BYTES}; cut it and say so with WARC-Truncated"
    )]
    TooLarge {
        /// Length of the header, in bytes.
        header: u64,
        /// Length of the block, in bytes.
        block: u64,
    },
    /// A time after the year 9999, which RFC 3339 cannot write.
    #[error("time of {0} ms since 1970 is beyond what a WARC-Date can hold")]
    Date(u64),
    /// Compression into memory failed.
    #[error("could not compress a record: {0}")]
    Compress(io::Error),
}

/// What is wrong with a record that was read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The file ends inside the record.
    #[error("the file ends within it")]
    CutShort,
    /// Not a gzip member, or one whose checksum or contents are wrong.
    #[error("bad gzip member ({0})")]
    Gzip(String),
    /// The first line is neither `WARC/1.0` nor `WARC/1.1`.
    #[error("not a WARC 1.0 or 1.1 record, it begins with {0:?}")]
    Version(String),
    /// The header is longer than [`MAX_HEADER_BYTES`].
    #[error("header of more than {MAX_HEADER_BYTES} bytes")]
    HeaderTooLong,
    /// A header line without a colon.
    #[error("header line without a colon: {0:?}")]
    Field(String),
    /// No `Content-Length`, or one that is not a number.
    #[error("no valid Content-Length")]
    NoLength,
    /// The block is said to be longer than [`MAX_BLOCK_BYTES`].
    #[error("block of {0} bytes, more than {MAX_BLOCK_BYTES}")]
    BlockTooLong(u64),
    /// The block has fewer bytes than `Content-Length` says.
    #[error("block of {actual} bytes where Content-Length says {said}")]
    BlockTooShort {
        /// What the header says, in bytes.
        said: u64,
        /// What is there, in bytes.
        actual: u64,
    },
    /// The block is not followed by two line ends.
    #[error("block not followed by two line ends, as Content-Length {0} has it")]
    NoEnd(u64),
    /// More than one record in one gzip member, so that no record can be addressed by itself.
    #[error("more than one record in its gzip member; compress each record by itself")]
    NotPerRecord,
}
