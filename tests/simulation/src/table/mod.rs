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
pub mod goals;
pub mod identity;
pub mod interval;
pub mod lacking;
pub mod optimise;
pub mod page;
pub mod parts;
pub mod play;
pub mod release;
pub mod row;
pub mod search;
pub mod section;
pub mod sight;
pub mod svg;
pub mod tally;
pub mod text;
pub mod waiting;
pub mod world;
