//! The coordinator's shell: sockets, disk and clock around `sward-coordinator-core`.

pub mod archive;
pub mod beacon;
pub mod cli;
pub mod config;
pub mod export;
pub mod health;
pub mod intake;
pub mod journal;
pub mod keeper;
pub mod keys;
pub mod metrics;
pub mod network;
pub mod operator;
pub mod p2p;
pub mod question;
pub mod recover;
pub mod run;
pub mod store;
pub mod turn;
