//! Asking the running coordinator.

use super::Failure;
use crate::question::{Outcome, Question};
use serde::de::DeserializeOwned;
use std::path::Path;
use sward_control::Client;

/// Asks the daemon for a list.
///
/// # Errors
/// [`Failure`] with code 3 where none runs.
pub(super) fn ask_all<T: DeserializeOwned>(
    socket: &Path,
    question: &Question,
) -> Result<Vec<T>, Failure> {
    let mut client = Client::ask(socket, question)?;
    let mut all = Vec::new();
    while let Some(item) = client.next_line()? {
        all.push(item);
    }
    Ok(all)
}

/// Gives the daemon an order.
///
/// # Errors
/// [`Failure`] with code 3 where none runs, and 4 where it refuses.
pub(super) fn order(socket: &Path, question: &Question) -> Result<String, Failure> {
    match Client::ask(socket, question)?.only()? {
        Outcome::Done(what) => Ok(what),
        Outcome::Refused(why) => Err(Failure::refused(why)),
    }
}
