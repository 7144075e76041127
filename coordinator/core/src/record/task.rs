//! A task in hand. See [`crate::task::Task`] for the value.

use super::Kind;
use sward_proto::ids::TaskId;

/// Key: kind, number.
#[must_use]
pub fn key(task: TaskId) -> Vec<u8> {
    super::key(Kind::Task, &[&task.0.to_be_bytes()])
}

/// The prefix of all tasks.
#[must_use]
pub fn prefix() -> Vec<u8> {
    super::key(Kind::Task, &[])
}
