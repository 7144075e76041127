//! The coordinator as a machine: requests in, answers out, the clock in the test's hand.

mod appeal;
mod beacon;
mod caught;
mod draw;
mod stage;
