//! The index on disk, behind the core's `Store` port.
//!
//! Decides when a commit counts as durable and when a folder is too damaged to be used. Never repairs an index: the
//! truth is in archive and journal, from which a new one is built once the old has been moved aside.

mod aside;
mod block;
mod contained;
mod durable;
mod redo;
mod sled;
mod summary;
mod tree;
mod witness;

pub use aside::move_aside;
pub use sled::{DEFAULT_CACHE_BYTES, IndexLimits, SledStore};
