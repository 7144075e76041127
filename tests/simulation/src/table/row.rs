//! One row of the table: a share, an attack, a scheme, and what they came to over all seeds.

use super::attack::{Attack, Tuning};
use super::baseline::Scheme;
use super::files::name;
use super::interval;
use super::optimise::{self, Aim};
use super::parts::{Part, Parts};
use super::play::play_all;
use super::sight::Sight;
use super::tally::{NAMES, Rates, Tally};
use super::world::Setting;
use serde::Serialize;
use std::collections::BTreeMap;

/// A row, as JSON has it.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The attacker's share of identities.
    pub share: f64,
    /// What it does; `none` without an attacker.
    pub attack: String,
    /// What checks results, by name: a scheme's, with `_without_` and a part's where that was left out.
    #[serde(rename = "scheme")]
    pub name: String,
    /// The same.
    #[serde(skip)]
    pub scheme: Scheme,
    /// Means over seeds.
    #[serde(flatten)]
    pub rates: Rates,
    /// 95 % intervals of them: lower and upper end.
    pub ci95: BTreeMap<&'static str, [f64; 2]>,
    /// How the attacker chose.
    #[serde(skip)]
    pub tuning: Option<Tuning>,
    /// All seeds' counts.
    #[serde(skip)]
    pub tallies: Vec<Tally>,
}

/// What all rows share.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// How many seeds.
    pub seeds: u64,
    /// The first of them.
    pub from: u64,
    /// Agents.
    pub agents: usize,
    /// Days.
    pub days: u32,
    /// Runs at the same time.
    pub threads: usize,
    /// The parts of Sward's rules in force.
    pub parts: Parts,
    /// What comparisons see.
    pub sight: Sight,
}

impl Size {
    /// A crowd of this size, all of it honest.
    #[must_use]
    pub fn honest(&self, seed: u64) -> Setting {
        let Self { parts, sight, .. } = *self;
        Setting { parts, sight, ..Setting::honest(seed, self.agents, self.days) }
    }

    /// A setting with every seed.
    #[must_use]
    pub fn seeds_of(&self, setting: Setting) -> Vec<Setting> {
        let seeds = self.from..self.from + self.seeds;
        seeds.map(|seed| Setting { seed, ..setting }).collect()
    }
}

/// Plays one row with the tuning that serves the attacker best.
#[must_use]
pub fn measure(scheme: Scheme, attack: Option<Attack>, share: f64, size: Size, aim: Aim) -> Row {
    let honest = Setting { share, ..size.honest(0) };
    let tuning =
        attack.map(|attack| optimise::best(scheme, attack, honest, aim, size.threads).tuning);
    play_row(scheme, attack.zip(tuning), share, size)
}

/// Plays one row.
#[must_use]
pub fn play_row(scheme: Scheme, attack: Option<(Attack, Tuning)>, share: f64, size: Size) -> Row {
    let setting = Setting { share, attack, ..size.honest(0) };
    let tallies = play_all(scheme, &size.seeds_of(setting), size.threads);
    let all: Vec<[f64; NAMES.len()]> = tallies.iter().map(|tally| tally.rates().values()).collect();
    let of = |index: usize| -> (f64, Option<f64>) {
        let values = all.iter().filter_map(|values| values.get(index)).copied();
        let values: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
        if values.is_empty() { (f64::NAN, None) } else { interval::mean(&values) }
    };
    let ends = NAMES.iter().enumerate().map(|(index, name)| {
        let (mean, half) = of(index);
        (*name, [mean - half.unwrap_or(0.0), mean + half.unwrap_or(0.0)])
    });
    Row {
        share,
        attack: attack.map_or_else(|| "none".into(), |(attack, _)| attack.name()),
        name: name(scheme),
        scheme,
        rates: Rates::of(std::array::from_fn(|index| of(index).0)),
        ci95: ends.collect(),
        tuning: attack.map(|(_, tuning)| tuning),
        tallies,
    }
}

impl Row {
    /// Marks it as played without a part.
    #[must_use]
    pub fn without(self, part: Part) -> Self {
        Self { name: format!("{}_without_{}", self.name, part.name()), ..self }
    }

    /// Half the width of a rate's interval.
    #[must_use]
    pub fn half(&self, name: &str) -> f64 {
        self.ci95.get(name).map_or(0.0, |[low, high]| (high - low) / 2.0)
    }
}
