//! `table`: which rows are played, and where they are written.

use super::attack::Attack;
use super::baseline::Scheme;
use super::files;
use super::goals::Goals;
use super::lacking::lacking;
use super::optimise::Aim;
use super::parts::{Part, Parts};
use super::row::{self, Row, Size};
use super::search::search;
use super::section;
use super::sight::Sight;
use super::svg;
use super::text;
use super::waiting::waiting;
use crate::real::measure;
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

/// The table of detection, overhead and false penalties. Ends with failure where a promise does not hold.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo sim -- table --seeds 20 --pages FOLDER --json table.json --svg table.svg\n  cargo sim -- table --seeds 3 --share 10 --scheme sward --attack sleeper --without hold --no-sections"
)]
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
    /// Runs at the same time; what comes out is the same.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Measures on the real pages below this folder what comparisons see, instead of assuming it.
    #[arg(long)]
    pages: Option<PathBuf>,
    /// With that: how many earlier loads of each page its profile was learnt from; none with fewer than two.
    #[arg(long, default_value_t = 0)]
    learnt: usize,
    /// Plays Sward without these parts of its rules.
    #[arg(long, value_enum, value_delimiter = ',')]
    without: Vec<Part>,
    /// Compares the attackers' grid with a random search of so many tunings.
    #[arg(long, default_value_t = 0)]
    search: usize,
    /// Leaves out the sections on honest agents, cabals, farms, profit, waiting and what each part buys.
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

/// The shares at which parts are taken out and the grid is tried.
const TWO_SHARES: [f64; 2] = [0.1, 0.33];

impl Command {
    /// Plays the table; `say` prints a line. Returns whether every promise held and every file was written.
    pub fn run(&self, say: &mut dyn FnMut(&str)) -> bool {
        let Some(size) = self.size(say) else { return false };
        let (mut rows, mut goals) = (Vec::new(), Goals::default());
        self.shares(size, &mut rows, &mut goals, say);
        if !self.no_sections {
            section::honest(size, &rows, &mut goals, say);
            section::cabal(size, &mut goals, say);
            section::farm(size, &mut goals, say);
            section::profit(size, &mut goals, say);
            waiting(size, &mut goals, say);
            rows.extend(lacking(size, &TWO_SHARES, say));
        }
        if self.search > 0 {
            search(size, &TWO_SHARES, self.search, say);
        }
        let held = goals.conclude(say);
        let mut written = true;
        let mut write = |file: &Option<PathBuf>, text: &dyn Fn() -> String| {
            written &= file.as_ref().is_none_or(|file| save(file, &text(), say));
        };
        write(&self.json, &|| files::json(&rows));
        write(&self.csv, &|| files::csv(&rows));
        write(&self.svg, &|| svg::draw(&rows));
        held && written
    }

    /// What all rows share, said in front of them; nothing where the pages cannot be read.
    fn size(&self, say: &mut dyn FnMut(&str)) -> Option<Size> {
        let measured = match &self.pages {
            None => None,
            Some(folder) => match measure::measure(folder, self.learnt, self.threads) {
                Ok(measured) => Some(measured),
                Err(error) => {
                    say(&format!("cannot measure the pages in {}: {error:#}", folder.display()));
                    return None;
                }
            },
        };
        let size = Size {
            seeds: self.seeds.max(1),
            from: self.from,
            agents: self.agents,
            days: self.days,
            threads: self.threads,
            parts: self.without.iter().fold(Parts::ALL, |parts, part| parts.without(*part)),
            sight: measured.as_ref().map_or(Sight::ASSUMED, |measured| measured.sight),
        };
        text::preamble(size, measured.as_ref(), say);
        Some(size)
    }

    fn shares(
        &self,
        size: Size,
        rows: &mut Vec<Row>,
        goals: &mut Goals,
        say: &mut dyn FnMut(&str),
    ) {
        let (shares, attacks, schemes) = self.wanted();
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
            text::more(*share, rows, say);
            text::verdict(*share, rows, goals, say);
        }
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
