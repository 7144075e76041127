//! The agent's shell: sockets, disk and clock around `sward_agent_core`.

pub mod cli;
pub mod config;
pub mod dialer;
pub mod fetch;
pub mod identity;
pub mod link;
pub mod question;
pub mod run;
pub mod store;
pub mod surroundings;
