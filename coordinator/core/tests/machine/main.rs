//! The coordinator as a machine: requests in, answers out, the clock in the test's hand.

mod allocate;
mod appeal;
mod beacon;
mod caught;
mod draw;
mod past;
mod regions;
mod share;
mod stage;
mod trusted;
mod unseen;
