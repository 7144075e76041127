//! Whom to check, what a check proves, and what follows for the agent, its pages and its pay.
//!
//! Each module is a pure rule with its constants and their sources; the simulator's table plays them against attackers that
//! know them. They never decide what two fetches have in common (quorum), nor who is asked (grant).

pub mod audit;
pub mod blocks;
pub mod evidence;
pub mod hold;
pub mod notices;
pub mod outcome;
pub mod rate;
pub mod replication;
pub mod weight;

pub use sward_proto::quorum::ruling;
