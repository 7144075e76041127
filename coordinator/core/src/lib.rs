//! The coordinator's decisions, without a socket, a disk or a clock.
//!
//! [`coordinator::Coordinator`] is the machine; the other modules are its parts and its vocabulary. Time and chance are
//! arguments; [`output::Output`] is the only port.

pub mod batch;
pub mod beacon;
pub mod config;
pub mod coordinator;
pub mod evidence;
pub mod frontier;
pub mod group;
pub mod input;
pub mod job;
pub mod journal;
pub mod lookup;
mod meetings;
pub mod output;
pub mod profile;
pub mod record;
pub mod roster;
pub mod settlement;
mod share;
pub mod store;
pub mod task;
pub mod trust;
