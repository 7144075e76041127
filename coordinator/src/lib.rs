//! Placeholder.

pub mod archive;
pub mod journal;
