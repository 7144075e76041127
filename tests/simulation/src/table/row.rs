//! One row of the table: a share, an attack, a scheme, and what they came to over all seeds.

use super::attack::{Attack, Tuning};
use super::baseline::Scheme;
use super::interval;
use super::optimise::{self, Aim, play};
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
    /// What checks results.
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
}

/// Plays one row.
#[must_use]
pub fn measure(scheme: Scheme, attack: Option<Attack>, share: f64, size: Size, aim: Aim) -> Row {
    let honest = Setting { share, ..Setting::honest(0, size.agents, size.days) };
    let tuning = attack.map(|attack| optimise::best(scheme, attack, honest, aim));
    let tallies: Vec<Tally> = (size.from..size.from + size.seeds)
        .map(|seed| {
            let honest = Setting::honest(seed, size.agents, size.days);
            play(scheme, Setting { share, attack: attack.zip(tuning), ..honest })
        })
        .collect();
    let all: Vec<[f64; 6]> = tallies.iter().map(|tally| tally.rates().values()).collect();
    let of = |index: usize| -> (f64, Option<f64>) {
        let values: Vec<f64> = all.iter().filter_map(|v| v.get(index)).copied().collect();
        interval::mean(&values)
    };
    let [fetches, accepted, pre_final, convicted, contested, profit] =
        [0, 1, 2, 3, 4, 5].map(|index| of(index).0);
    let ends = NAMES.iter().enumerate().map(|(index, name)| {
        let (mean, half) = of(index);
        (*name, [mean - half.unwrap_or(0.0), mean + half.unwrap_or(0.0)])
    });
    Row {
        share,
        attack: attack.map_or_else(|| "none".into(), Attack::name),
        scheme,
        rates: Rates {
            fetches_per_accepted: fetches,
            accepted_forgery_rate: accepted,
            pre_final_forgery_rate: pre_final,
            false_conviction_rate: convicted,
            contested_rate: contested,
            attacker_profit_ratio: profit,
        },
        ci95: ends.collect(),
        tuning,
        tallies,
    }
}
