//! What the system tests share: real processes on loopback, and what is true of their books whatever happens.

pub mod network;
