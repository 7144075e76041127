//! The agent's shell: sockets, disk and clock around `sward_agent_core`.

pub mod fetch;
