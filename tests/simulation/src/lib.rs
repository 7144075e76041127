//! A whole network in one thread: one coordinator, hundreds of agents, sites and a wire, all drawn from a seed.
//!
//! [`world::World`] runs the two pure cores against each other under faults and checks what must always hold. No clock,
//! no socket, no thread: a run depends on its [`plan::Plan`] alone.

mod agent_shell;
pub mod archive;
pub mod assembler;
pub mod chance;
pub mod coordinator_shell;
pub mod event;
pub mod expectation;
mod faults;
pub mod fleet;
pub mod habits;
pub mod invariants;
pub mod liar;
pub mod liveness;
pub mod machine;
pub mod op;
pub mod page;
pub mod plan;
pub mod real;
pub mod recovery;
pub mod regions;
pub mod report;
pub mod sites;
pub mod table;
pub mod turn;
pub mod visits;
pub mod wire;
pub mod world;
