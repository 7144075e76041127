//! The agent's decisions, without a socket, a disk or a clock.
//!
//! [`session::Session`] is the machine; the other modules are its parts and its vocabulary. Time and chance are arguments;
//! [`output::Output`] is the only port.

pub mod guard;
pub mod input;
pub mod log;
pub mod output;
pub mod owner;
pub mod politeness;
pub mod reason;
pub mod sealed;
pub mod session;
pub mod tidings;
