//! Bugs that the simulator found, each by name, so that none comes back.

mod agents;
mod coordinators;
