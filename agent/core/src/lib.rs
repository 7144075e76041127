//! The agent's decisions, without a socket, a disk or a clock.
//!
//! Decides what may be fetched. Never fetches.

pub mod guard;
