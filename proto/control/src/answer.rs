//! How a command answers: a line for a person or JSON for a program, and an exit code.
//!
//! Exit codes: 0 ok, 1 failure, 2 usage, 3 not running, 4 refused by policy, 5 verification failed, 75 try later.

use crate::client::NotRunning;
use anyhow::anyhow;
use serde::Serialize;
use std::fmt::Display;
use std::io::Write as _;

/// A command that did not do what was asked.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// What to say on stderr.
    pub error: anyhow::Error,
}

impl Failure {
    /// Wrong usage: exit code 2.
    #[must_use]
    pub fn usage(why: impl Display) -> Self {
        Self { code: 2, error: anyhow!("{why}") }
    }

    /// Refused by a rule: exit code 4.
    #[must_use]
    pub fn refused(why: impl Display) -> Self {
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
        Self { code, error: error.into() }
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
