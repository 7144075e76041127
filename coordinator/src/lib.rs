//! Placeholder.

pub mod archive;
pub mod journal;
pub mod store;
