//! How an attacker chooses: it rehearses its grid against the very rules, and keeps what serves it best.

use super::attack::{self, Attack, Tuning};
use super::baseline::Scheme;
use super::draw::Draws;
use super::play::play_all;
use super::tally::Tally;
use super::world::Setting;

/// Agents of a rehearsal.
const REHEARSING: usize = 300;
/// Where seeds of rehearsals begin: none of the table's.
const OTHER_SEEDS: u64 = 1 << 40;

/// What an attacker is after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// Forgeries that turn final; of a denial, what it costs others.
    Harm,
    /// Pay for less work.
    Profit,
}

/// What an attacker found.
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    /// How much of what it is after, for each of its pages.
    pub gain: f64,
    /// By this tuning.
    pub tuning: Tuning,
}

/// The tuning of an attack in this setting that serves its aim best, of its grid.
#[must_use]
pub fn best(scheme: Scheme, attack: Attack, of: Setting, aim: Aim, threads: usize) -> Choice {
    let scale = scale(of);
    rehearse(scheme, attack, attack.grid(scale, scheme), of, aim, threads)
}

/// The same by random search in `trials` tunings over the whole range, of Sward's rules.
#[must_use]
pub fn search(attack: Attack, of: Setting, trials: usize, threads: usize) -> Choice {
    let mut draws = Draws::new(OTHER_SEEDS, "search");
    let tunings = (0..trials).map(|_| attack::random(attack, scale(of), &mut draws)).collect();
    rehearse(Scheme::Sward, attack, tunings, of, Aim::Harm, threads)
}

/// The rate at which about one forgery is checked in a hold window.
fn scale(of: Setting) -> f64 {
    1.0 / f64::from(of.terms.checks)
}

fn rehearse(
    scheme: Scheme,
    attack: Attack,
    tunings: Vec<Tuning>,
    of: Setting,
    aim: Aim,
    threads: usize,
) -> Choice {
    let settings: Vec<Setting> = tunings
        .into_iter()
        .map(|tuning| Setting {
            seed: OTHER_SEEDS,
            agents: REHEARSING,
            attack: Some((attack, tuning)),
            rehearsal: scheme == Scheme::Sward,
            ..of
        })
        .collect();
    let tallies = play_all(scheme, &settings, threads);
    let mut best: Option<Choice> = None;
    for (setting, tally) in settings.into_iter().zip(tallies) {
        let gain = gain(attack, &tally, aim);
        if best.is_none_or(|most| gain > most.gain)
            && let Some((_, tuning)) = setting.attack
        {
            best = Some(Choice { gain, tuning });
        }
    }
    best.unwrap_or(Choice { gain: 0.0, tuning: Tuning::always() })
}

fn gain(attack: Attack, tally: &Tally, aim: Aim) -> f64 {
    match aim {
        Aim::Profit => tally.attacker_profit(),
        Aim::Harm if attack == Attack::Denial => tally.rates().fetches_per_accepted,
        Aim::Harm => tally.forged_final / tally.attacker_pages.max(1.0),
    }
}
