//! How a command answers: a line for a person or JSON for a program, and an exit code.

use anyhow::anyhow;
use serde::Serialize;
use std::io::Write as _;
use sward_control::NotRunning;

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
    pub(super) fn usage(why: impl std::fmt::Display) -> Self {
        Self { code: 2, error: anyhow!("{why}") }
    }

    /// Refused by a rule: exit code 4.
    pub(super) fn refused(why: impl std::fmt::Display) -> Self {
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
        Self { code, error: anyhow::Error::from(error).context("sward-agent run must be running") }
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
    pub(super) fn print<T: Serialize>(
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
    pub(super) fn line(self, line: &str) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", line.trim_end_matches('\n'))?;
        out.flush()?;
        Ok(())
    }
}

/// A text from elsewhere, safe on a terminal: control and direction-changing characters are shown as their code points.
pub(super) fn escaped(text: &str) -> String {
    let tricky = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().fold(String::new(), |mut safe, c| {
        if tricky(c) {
            safe.extend(c.escape_unicode())
        } else {
            safe.push(c)
        }
        safe
    })
}

/// A date and time in UTC.
pub(super) fn date(at: sward_proto::timestamp::Timestamp) -> String {
    let millis = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
    let date = jiff::Timestamp::from_millisecond(millis);
    date.map_or_else(|_| at.to_string(), |date| date.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_a_terminal_would_obey() {
        assert_eq!(escaped("a\u{1b}[31m\u{202e}b"), "a\\u{1b}[31m\\u{202e}b");
    }
}
