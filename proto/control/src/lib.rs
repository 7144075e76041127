//! How a command line talks to the daemon of the same user.
//!
//! Decides the form: one JSON request a connection, any number of JSON lines back, over a Unix socket that only its owner can
//! open. Never decides what a request means.

mod client;
mod server;

pub use client::{Client, NotRunning};
pub use server::{Reply, Server};

/// The longest line in either direction, in bytes.
pub const MAX_LINE_BYTES: u64 = 16 << 20;
