//! How an attacker chooses: it rehearses its grid against the very rules, and keeps what serves it best.

use super::attack::{Attack, Tuning};
use super::baseline::{self, Scheme};
use super::tally::Tally;
use super::world::{Setting, World};

/// Pages of each agent under a baseline.
pub const BASELINE_PAGES: usize = 200;
/// Agents of a rehearsal.
const REHEARSING: usize = 300;
/// Where seeds of rehearsals begin: none of the table's.
const OTHER_SEEDS: u64 = 1 << 40;

/// One run of any scheme.
#[must_use]
pub fn play(scheme: Scheme, setting: Setting) -> Tally {
    match scheme {
        Scheme::Sward => World::new(setting).run(),
        Scheme::NoCheck
        | Scheme::Quorum2
        | Scheme::Quorum3
        | Scheme::Margin2
        | Scheme::Boinc
        | Scheme::Sarmenta => baseline::run(scheme, setting, BASELINE_PAGES),
    }
}

/// What an attacker is after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// Forgeries that turn final; of a denial, what it costs others.
    Harm,
    /// Pay for less work.
    Profit,
}

/// The tuning of an attack in this setting that serves its aim best.
#[must_use]
pub fn best(scheme: Scheme, attack: Attack, of: Setting, aim: Aim) -> Tuning {
    let scale = 1.0 / f64::from(of.terms.checks);
    let mut best: Option<(f64, Tuning)> = None;
    for tuning in attack.grid(scale, scheme) {
        let setting = Setting {
            seed: OTHER_SEEDS,
            agents: REHEARSING,
            attack: Some((attack, tuning)),
            rehearsal: scheme == Scheme::Sward,
            ..of
        };
        let tally = play(scheme, setting);
        let gain = match aim {
            Aim::Profit => tally.attacker_profit(),
            Aim::Harm if attack == Attack::Denial => tally.rates().fetches_per_accepted,
            Aim::Harm => tally.forged_final / tally.attacker_pages.max(1.0),
        };
        if best.is_none_or(|(most, _)| gain > most) {
            best = Some((gain, tuning));
        }
    }
    best.map_or_else(Tuning::always, |(_, tuning)| tuning)
}
