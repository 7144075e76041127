//! Whether the grid that attackers are optimised on is fine enough: a random search beside it.

use super::attack::Attack;
use super::baseline::Scheme;
use super::optimise::{self, Aim};
use super::row::{self, Size};
use super::world::Setting;

/// Attacks with something to tune that matters to forging.
const TUNED: [Attack; 5] = [
    Attack::Sleeper,
    Attack::Colluders,
    Attack::BlockEditor,
    Attack::DropOut,
    Attack::DenyAndForge,
];

/// Plays the best of the grid and the best of a random search on the same seeds, at these shares.
pub fn search(size: Size, shares: &[f64], trials: usize, say: &mut dyn FnMut(&str)) {
    say(&format!(
        "The grid beside a random search of {trials} tunings: forged, final, by the best of each on the table's seeds"
    ));
    for share in shares {
        for attack in TUNED {
            let setting = Setting { share: *share, ..size.honest(0) };
            let grid = optimise::best(Scheme::Sward, attack, setting, Aim::Harm, size.threads);
            let free = optimise::search(attack, setting, trials, size.threads);
            let forged = |tuning| {
                let row = row::play_row(Scheme::Sward, Some((attack, tuning)), *share, size);
                row.rates.accepted_forgery_rate
            };
            let (on_grid, by_search) = (forged(grid.tuning), forged(free.tuning));
            say(&format!(
                "  {:>3.0} %  {:<14} grid {on_grid:.2e} (rate {:.4} of {:?}), search {by_search:.2e} (rate {:.4} of {:?}, burst {}): {:+.1} %",
                share * 100.0,
                attack.name(),
                grid.tuning.rate,
                grid.tuning.aim,
                free.tuning.rate,
                free.tuning.aim,
                free.tuning.burst,
                100.0 * (by_search / on_grid - 1.0),
            ));
        }
    }
    say("");
}
