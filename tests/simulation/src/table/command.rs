//! `table`: which rows are played, and where they are written.

use super::attack::Attack;
use super::baseline::Scheme;
use super::files;
use super::optimise::Aim;
use super::row::{self, Row, Size};
use super::section;
use super::svg;
use super::text;
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

/// The table of detection, overhead and false penalties.
#[derive(Debug, Args)]
pub struct Command {
    /// How many seeds.
    #[arg(long, default_value_t = 20)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// How many agents.
    #[arg(long, default_value_t = 2000)]
    agents: usize,
    /// How many days: the median agent's hold window lasts seven.
    #[arg(long, default_value_t = 14)]
    days: u32,
    /// The attacker's shares of identities, in per cent; all of 0, 1, 5, 10, 20, 33 if not given.
    #[arg(long, value_delimiter = ',')]
    share: Vec<f64>,
    /// Which attacks; all if not given.
    #[arg(long, value_enum, value_delimiter = ',')]
    attack: Vec<Attack>,
    /// Which schemes; all if not given.
    #[arg(long, value_enum, value_delimiter = ',')]
    scheme: Vec<Scheme>,
    /// Leaves out the sections on honest agents, cabals, farms, profit and waiting.
    #[arg(long)]
    no_sections: bool,
    /// Writes the rows as JSON to this file.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Writes the rows as CSV to this file.
    #[arg(long)]
    csv: Option<PathBuf>,
    /// Draws detection against overhead into this file.
    #[arg(long)]
    svg: Option<PathBuf>,
}

impl Command {
    /// Plays the table; `say` prints a line. Returns whether every file was written.
    pub fn run(&self, say: &mut dyn FnMut(&str)) -> bool {
        let Self { seeds, from, agents, days, .. } = *self;
        let size = Size { seeds, from, agents, days };
        let (shares, attacks, schemes) = self.wanted();
        text::preamble(size, say);
        let mut rows: Vec<Row> = Vec::new();
        for share in &shares {
            let none = [None];
            let all: Vec<Option<Attack>> = attacks.iter().copied().map(Some).collect();
            let attacks = if *share > 0.0 { all.as_slice() } else { none.as_slice() };
            for scheme in &schemes {
                for attack in attacks {
                    let row = row::measure(*scheme, *attack, *share, size, Aim::Harm);
                    say(&text::line(&row));
                    rows.push(row);
                }
            }
            text::verdict(*share, &rows, say);
        }
        if !self.no_sections {
            section::all(size, &rows, say);
        }
        let mut written = true;
        let mut write = |file: &Option<PathBuf>, text: &dyn Fn() -> String| {
            written &= file.as_ref().is_none_or(|file| save(file, &text(), say));
        };
        write(&self.json, &|| files::json(&rows));
        write(&self.csv, &|| files::csv(&rows));
        write(&self.svg, &|| svg::draw(&rows));
        written
    }

    fn wanted(&self) -> (Vec<f64>, Vec<Attack>, Vec<Scheme>) {
        let shares = if self.share.is_empty() {
            vec![0.0, 0.01, 0.05, 0.1, 0.2, 0.33]
        } else {
            self.share.iter().map(|per_cent| (per_cent / 100.0).clamp(0.0, 0.5)).collect()
        };
        let or_all = |chosen: &[Attack]| {
            if chosen.is_empty() { Attack::value_variants().to_vec() } else { chosen.to_vec() }
        };
        let schemes = if self.scheme.is_empty() {
            Scheme::value_variants().to_vec()
        } else {
            self.scheme.clone()
        };
        (shares, or_all(&self.attack), schemes)
    }
}

fn save(file: &Path, text: &str, say: &mut dyn FnMut(&str)) -> bool {
    match std::fs::write(file, text) {
        Ok(()) => true,
        Err(error) => {
            say(&format!("cannot write {}: {error}", file.display()));
            false
        }
    }
}
