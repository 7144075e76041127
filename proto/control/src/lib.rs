//! What a daemon and its command line share on one machine.
//!
//! Decides the form: one JSON request a connection over a Unix socket that only its owner can open, any number of JSON lines
//! back; how a command answers and ends; how secrets lie on disk. Never decides what a request means.

mod answer;
mod client;
mod interrupt;
mod messages;
mod secret;
mod server;
mod socket_path;
mod toml_text;

pub use answer::{Failure, Printer};
pub use client::{Client, NotRunning};
pub use interrupt::interrupted;
pub use messages::messages_to_stderr;
pub use secret::{check_private, create_secret, read_secret};
pub use server::{Reply, Server};
pub use toml_text::read_toml;

/// The longest line in either direction, in bytes.
pub const MAX_LINE_BYTES: u64 = 16 << 20;
