//! How long credit waits, against what slips through, by volume and by how long a block may gather.

use super::attack::Attack;
use super::baseline::Scheme;
use super::goals::Goals;
use super::interval;
use super::optimise::{self, Aim};
use super::play::play_all;
use super::row::Size;
use super::tally::Tally;
use super::world::Setting;
use std::time::Duration;
use sward_coordinator_core::trust::hold::{self, Terms};

/// Forgeries at 10 % of attackers, at most: the goal of the table, asked of every volume.
const FORGED: f64 = 3e-4;
/// Days that a casual agent's page waits at most.
const DAYS: f64 = 7.0;

/// The curve, and the rules as they are at every volume.
pub fn waiting(size: Size, goals: &mut Goals, say: &mut dyn FnMut(&str)) {
    const DAY: Duration = Duration::from_hours(24);
    say(
        "Agents of 100 pages a day: days from hand-in until final (median, 95 %, longest), against forgeries by sleepers at 10 %",
    );
    say("  p50   p95   most  audited  forged, final         fetches/accepted (honest)");
    for gather in [1, 2, 3, 5, 8, 12] {
        volume_row(size, Terms { gather: DAY * gather, ..Terms::default() }, 100, say);
    }
    say("The rules as they are, by volume: pages a day in front");
    for volume in [20, 50, 100, 300, 800, 2000, 8000] {
        say(&format!("  {volume} pages a day"));
        let (longest, forged) = volume_row(size, Terms::default(), volume, say);
        goals.note(
            format!("{volume} pages a day: final after at most {longest:.1} days of {DAYS}"),
            longest <= DAYS,
        );
        goals.note(
            format!("{volume} pages a day: forged at most {FORGED:.1e}: {forged:.2e}"),
            forged <= FORGED,
        );
    }
    say("");
}

/// Returns the longest wait in days, and the share of forgeries.
fn volume_row(size: Size, terms: Terms, volume: u32, say: &mut dyn FnMut(&str)) -> (f64, f64) {
    // Small worlds: agents of one volume need no large crowd, and must fill two windows.
    let gather_days = u32::try_from(terms.gather.as_secs() / 86_400).unwrap_or(1);
    let agents = (400_000 / volume.max(1) as usize).clamp(100, 2000).min(size.agents);
    let days = (2 * (gather_days + 2)).max(14);
    let base = Setting { terms, volume: Some(volume), agents, days, ..size.honest(0) };
    let sly = Setting { share: 0.1, ..base };
    let sleeper = Attack::Sleeper;
    let tuning = optimise::best(Scheme::Sward, sleeper, sly, Aim::Harm, size.threads).tuning;
    let attacked = Setting { attack: Some((sleeper, tuning)), ..sly };
    let runs = |setting| play_all(Scheme::Sward, &size.seeds_of(setting), size.threads);
    let mean = |tallies: &[Tally], of: fn(&Tally) -> f64| {
        interval::mean(&tallies.iter().map(of).collect::<Vec<_>>())
    };
    let (attacked, honest) = (runs(attacked), runs(base));
    let (forged, half) = mean(&attacked, |tally| tally.rates().accepted_forgery_rate);
    let (fetches, _) = mean(&honest, |tally| tally.rates().fetches_per_accepted);
    let (half_of_them, _) = mean(&honest, |tally| tally.days_to_final(0.5));
    let (most_of_them, _) = mean(&honest, |tally| tally.days_to_final(0.95));
    let longest = honest.iter().map(Tally::longest_wait).fold(0.0, f64::max);
    let audited = 100.0 * hold::need(terms, volume).fraction().max(0.05);
    say(&format!(
        "  {half_of_them:>4.1}  {most_of_them:>4.1}  {longest:>4.1}  {audited:>5.1} %  {forged:.2e} ± {:.1e}   {fetches:.3}",
        half.unwrap_or(0.0)
    ));
    (longest, forged)
}
