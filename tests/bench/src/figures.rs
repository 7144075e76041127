//! What was measured: names, values and units, in the order in which they were taken.

use anyhow::Result;
use serde::Serialize;
use std::io::Write as _;

/// One figure.
#[derive(Debug, Serialize)]
struct Figure {
    name: &'static str,
    value: f64,
    unit: &'static str,
}

/// The result of one command.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    schema_version: u32,
    bench: &'static str,
    figures: Vec<Figure>,
}

impl Figures {
    /// No figures yet.
    pub(crate) const fn new(bench: &'static str) -> Self {
        Self { schema_version: 1, bench, figures: Vec::new() }
    }

    /// Adds one, to four digits after the point.
    pub(crate) fn add(&mut self, name: &'static str, value: f64, unit: &'static str) {
        self.figures.push(Figure { name, value: (value * 1e4).round() / 1e4, unit });
    }

    /// Prints all.
    pub(crate) fn print(&self, json: bool) -> Result<()> {
        let mut out = std::io::stdout().lock();
        if json {
            serde_json::to_writer_pretty(&mut out, self)?;
            writeln!(out)?;
        } else {
            for Figure { name, value, unit } in &self.figures {
                writeln!(out, "{name:<44} {value:>14} {unit}")?;
            }
        }
        Ok(())
    }
}
