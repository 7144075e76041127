//! What crosses a wire or is signed, with its verification.
//!
//! Decides formats, bounds and what a valid signature covers. Never reads a clock, a disk or a socket.

pub mod address;
pub mod attestation;
pub mod base64_bytes;
pub mod batch;
pub mod canonical_url;
pub mod compare;
pub mod digest;
pub mod draw;
pub mod ids;
pub mod merkle;
pub mod note;
pub mod outcome;
pub mod quorum;
pub mod reason;
pub mod receipt;
pub mod region;
pub mod retraction;
pub mod robots;
pub mod tariff;
pub mod timestamp;
pub mod verdict;
mod vocabulary;
pub mod wire;
