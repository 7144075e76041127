//! How a command answers: a line for a person or JSON for a program, and an exit code.

use crate::question::{Outcome, Question};
use anyhow::anyhow;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::Write as _;
use std::path::Path;
use sward_control::{Client, NotRunning};

/// A command that did not do what was asked.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// What to say on stderr.
    pub error: anyhow::Error,
}

impl Failure {
    /// Refused by a rule: exit code 4.
    #[must_use]
    pub fn refused(why: impl std::fmt::Display) -> Self {
        Self { code: 4, error: anyhow!("{why}") }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self { code: 1, error }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self { code: 1, error: error.into() }
    }
}

impl From<NotRunning> for Failure {
    fn from(error: NotRunning) -> Self {
        let code = if matches!(error, NotRunning::Absent { .. }) { 3 } else { 1 };
        Self { code, error: anyhow::Error::from(error).context("sward-coordinator serve must run") }
    }
}

/// Prints an answer.
#[derive(Debug, Clone, Copy)]
pub struct Printer {
    /// JSON instead of lines.
    pub json: bool,
}

impl Printer {
    /// Prints a value as JSON with its schema version, or what `text` makes of it.
    ///
    /// # Errors
    /// Where stdout is closed.
    pub fn print<T: Serialize>(
        self,
        name: &str,
        value: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        let line = if self.json {
            serde_json::json!({ "schema_version": 1, name: value }).to_string()
        } else {
            text(value)
        };
        self.line(&line)
    }

    /// Prints one line.
    ///
    /// # Errors
    /// Where stdout is closed.
    pub fn line(self, line: &str) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", line.trim_end_matches('\n'))?;
        out.flush()?;
        Ok(())
    }
}

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
