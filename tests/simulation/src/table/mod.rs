//! The table: detection, overhead and false penalties, for every attack, beside every baseline.
//!
//! Plays the public protocol (section E of the research on validation) on the very modules that decide in the coordinator:
//! `trust` for whom to check, what it proves and what is held; `quorum` for its margin and cap. Deterministic for a seed.

pub mod allocator;
pub mod attack;
pub mod baseline;
pub mod checking;
pub mod command;
pub mod crowd;
pub mod delivery;
pub mod dispute;
pub mod draw;
pub mod files;
pub mod identity;
pub mod interval;
pub mod optimise;
pub mod page;
pub mod release;
pub mod row;
pub mod section;
pub mod svg;
pub mod tally;
pub mod text;
pub mod world;
