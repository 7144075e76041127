//! What was measured: names, values and units, in the order in which they were taken.

use anyhow::Result;
use serde::Serialize;
use std::io::Write as _;

/// One figure.
#[derive(Debug, Serialize)]
struct Figure {
    name: String,
    value: f64,
    unit: String,
}

/// The result of one command.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    schema_version: u32,
    bench: &'static str,
    figures: Vec<Figure>,
    /// What a number does not say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

impl Figures {
    /// No figures yet.
    pub(crate) const fn new(bench: &'static str) -> Self {
        Self { schema_version: 1, bench, figures: Vec::new(), notes: Vec::new() }
    }

    /// Adds one, to four digits after the point.
    pub(crate) fn add(&mut self, name: &str, value: f64, unit: &str) {
        let (name, unit) = (name.to_owned(), unit.to_owned());
        self.figures.push(Figure { name, value: (value * 1e4).round() / 1e4, unit });
    }

    /// Adds a line of text.
    pub(crate) fn note(&mut self, line: &str) {
        self.notes.push(line.to_owned());
    }

    /// Prints all.
    pub(crate) fn print(&self, json: bool) -> Result<()> {
        let mut out = std::io::stdout().lock();
        if json {
            serde_json::to_writer_pretty(&mut out, self)?;
            writeln!(out)?;
        } else {
            for Figure { name, value, unit } in &self.figures {
                writeln!(out, "{name:<56} {value:>14} {unit}")?;
            }
            for note in &self.notes {
                writeln!(out, "{note}")?;
            }
        }
        Ok(())
    }
}
