//! What the rows do not show: honest agents alone, cabals, farms, cheats that want pay, and waiting.

use super::attack::{Attack, Tuning};
use super::baseline::Scheme;
use super::crowd::MEDIAN;
use super::draw::Draws;
use super::interval;
use super::optimise::{self, Aim, play};
use super::row::{self, Row, Size};
use super::tally::Tally;
use super::world::Setting;
use clap::ValueEnum;
use std::time::Duration;
use sward_coordinator_core::trust::hold::{self, Terms};
use sward_coordinator_core::trust::weight::{self, Opinion};

/// All sections.
pub fn all(size: Size, rows: &[Row], say: &mut dyn FnMut(&str)) {
    honest(size, rows, say);
    cabal(size, say);
    farm(size, say);
    profit(size, say);
    waiting(size, say);
}

fn seeds(size: Size) -> impl Iterator<Item = u64> {
    size.from..size.from + size.seeds
}

fn over(size: Size, value: impl Fn(u64) -> f64) -> (f64, f64) {
    let values: Vec<f64> = seeds(size).map(value).collect();
    let (mean, half) = interval::mean(&values);
    (mean, half.unwrap_or(0.0))
}

fn honest(size: Size, rows: &[Row], say: &mut dyn FnMut(&str)) {
    let tallies: Vec<Tally> = seeds(size)
        .map(|seed| play(Scheme::Sward, Setting::honest(seed, size.agents, size.days)))
        .collect();
    let sum = |of: fn(&Tally) -> f64| tallies.iter().map(of).sum::<f64>();
    let (windows, convicted) = (sum(|t| t.honest_windows), sum(|t| t.honest_convicted));
    say("Honest agents alone");
    let agreement = |slot: usize| {
        tallies.iter().map(|t| t.agreed[slot]).sum::<f64>()
            / tallies.iter().map(|t| t.compared[slot]).sum::<f64>()
    };
    say(&format!(
        "  first comparisons that agree: static {:.4}, noisy {:.4}",
        agreement(0),
        agreement(1)
    ));
    say(&format!(
        "  false convictions: {convicted} in {windows} agent windows, {}",
        bound(convicted, windows)
    ));
    let ours =
        || rows.iter().filter(|row| row.scheme == Scheme::Sward).flat_map(|row| &row.tallies);
    let (all, guilty) = ours()
        .fold((windows, convicted), |(w, c), t| (w + t.honest_windows, c + t.honest_convicted));
    say(&format!("  with all rows under attack: {guilty} in {all}, {}", bound(guilty, all)));
    say(&format!(
        "  a window meets {:.3} reviews and {:.3} restrictions, without guilt; contested {:.2e}; fetches per accepted {:.4}",
        sum(|t| t.honest_reviews) / windows,
        sum(|t| t.honest_restricted) / windows,
        sum(|t| t.contested) / sum(|t| t.accepted),
        sum(|t| t.fetches + t.trusted_fetches) / sum(|t| t.accepted),
    ));
    say(&format!(
        "  of their work {:.4} % is paid; fetches by trusted fetchers {:.3} per accepted page\n",
        100.0 * sum(|t| t.honest_paid) / sum(|t| t.honest_pages),
        sum(|t| t.trusted_fetches) / sum(|t| t.accepted)
    ));
}

/// The exact upper 95 % bound where nothing was seen, else the normal one.
fn bound(count: f64, of: f64) -> String {
    let upper = if count > 0.0 { count + 1.96 * count.sqrt() + 2.0 } else { 3.0 };
    format!("with 95 % confidence at most {:.1e} a window", upper / of.max(1.0))
}

fn cabal(size: Size, say: &mut dyn FnMut(&str)) {
    let pay = |seed, share: f64, rate: f64| {
        let tuning = Tuning { rate, ..Tuning::always() };
        let attack = (share > 0.0).then_some((Attack::Denial, tuning));
        let honest = Setting::honest(seed, size.agents, size.days);
        let tally = play(Scheme::Sward, Setting { share, attack, ..honest });
        tally.honest_paid / tally.honest_pages
    };
    say("A cabal of 40 % contradicts honest results with one voice");
    for rate in [0.01, 0.1, 1.0] {
        let (moved, half) =
            over(size, |seed| 100.0 * (pay(seed, 0.4, rate) / pay(seed, 0.0, rate) - 1.0));
        say(&format!(
            "  every time with chance {rate}: honest pay moves by {moved:+.4} % ± {half:.4}"
        ));
    }
    let (moved, half) = over(size, |seed| 100.0 * standing_moved(seed));
    say(&format!(
        "  and, with 40 % of the stake, says zero of every honest group: the clipped standing moves by {moved:+.4} % ± {half:.4}\n"
    ));
}

/// By how much the standing of an honest group falls when a cabal with 40 % of the stake rates it zero.
fn standing_moved(seed: u64) -> f64 {
    let mut draws = Draws::new(seed, "cabal");
    let audits = 200;
    let honest: Vec<Opinion> = (0..60)
        .map(|_| {
            let agreed = draws.binomial(audits, 0.993) as f64 / audits as f64;
            Opinion { stake: 10, agreed: (agreed * 1e6) as u32 }
        })
        .collect();
    let mut with = honest.clone();
    with.extend((0..40).map(|_| Opinion { stake: 10, agreed: 0 }));
    let of = |opinions: &[Opinion]| f64::from(weight::consensus(opinions).unwrap_or(0));
    of(&with) / of(&honest) - 1.0
}

fn farm(size: Size, say: &mut dyn FnMut(&str)) {
    say(
        "A farm of ten identities behind each prefix, at 10 % of identities, beside an agent of median volume on each prefix",
    );
    for (what, rate) in [("honest", 0.0), ("forging one page in a hundred", 0.01)] {
        let tuning = Tuning { rate, ..Tuning::always() };
        let (ratio, half) = over(size, |seed| {
            let honest = Setting::honest(seed, size.agents, size.days);
            let attack = Some((Attack::Farm, tuning));
            let tally = play(Scheme::Sward, Setting { share: 0.1, attack, ..honest });
            let prefixes = size.agents as f64 * 0.1 / 10.0;
            let earned = tally.attacker_profit() * tally.attacker_pages / prefixes;
            // An agent of median volume does its part of the audits of others, too.
            let honest: f64 = crowd_volume(size.agents, seed);
            let pages = tally.honest_pages / honest * f64::from(MEDIAN);
            earned / (pages * tally.honest_profit())
        });
        say(&format!("  {what}: earns {ratio:.3} ± {half:.3} of what as many honest agents earn"));
    }
    say("");
}

/// Pages a day of the honest nine tenths, as the run of this seed draws them.
fn crowd_volume(agents: usize, seed: u64) -> f64 {
    let mut draws = Draws::new(seed, "table");
    let crowd = super::crowd::draw(agents, 0.1, Some(Attack::Farm), &mut draws);
    crowd.iter().filter(|m| m.role.is_honest()).map(|m| f64::from(m.volume)).sum()
}

fn profit(size: Size, say: &mut dyn FnMut(&str)) {
    say(
        "Attackers that tune for pay, at 10 %: profit a page over what the same agents earn by honest work (pending counts as paid)",
    );
    let never = Some((Attack::Sleeper, Tuning { rate: 0.0, ..Tuning::always() }));
    let honest = Setting::honest(0, size.agents, size.days);
    let honest_work: Vec<f64> = seeds(size)
        .map(|seed| play(Scheme::Sward, Setting { seed, share: 0.1, attack: never, ..honest }))
        .map(|tally| tally.attacker_profit())
        .collect();
    for attack in Attack::value_variants() {
        let row = row::measure(Scheme::Sward, Some(*attack), 0.1, size, Aim::Profit);
        let profits = row.tallies.iter().map(Tally::attacker_profit);
        let ratios: Vec<f64> = profits.zip(&honest_work).map(|(p, honest)| p / honest).collect();
        let (ratio, half) = interval::mean(&ratios);
        say(&format!("  {:<13} {ratio:.4} ± {:.4}", row.attack, half.unwrap_or(0.0)));
    }
    say("");
}

fn waiting(size: Size, say: &mut dyn FnMut(&str)) {
    const DAY: Duration = Duration::from_hours(24);
    say(
        "Agents of 100 pages a day: days that a page waits at most, against forgeries by sleepers at 10 %",
    );
    say("  days  audited  forged, final         fetches/accepted (honest)");
    for gather in [1, 2, 3, 5, 8, 12] {
        let terms = Terms { gather: DAY * gather, ..Terms::default() };
        volume_row(size, terms, 100, say);
    }
    say("The rules as they are, by volume: pages a day in front");
    for volume in [20, 50, 100, 300, 800, 2000, 8000] {
        say(&format!("  {volume} pages a day"));
        volume_row(size, Terms::default(), volume, say);
    }
}

fn volume_row(size: Size, terms: Terms, volume: u32, say: &mut dyn FnMut(&str)) {
    // Small worlds: agents of one volume need no large crowd, and must fill two windows.
    let gather_days = u32::try_from(terms.gather.as_secs() / 86_400).unwrap_or(1);
    let agents = (400_000 / volume.max(1) as usize).clamp(100, 2000).min(size.agents);
    let days = (2 * (gather_days + 2)).max(14);
    let base = Setting { terms, volume: Some(volume), ..Setting::honest(0, agents, days) };
    let sly = Setting { share: 0.1, ..base };
    let tuning = optimise::best(Scheme::Sward, Attack::Sleeper, sly, Aim::Harm);
    let attack = Some((Attack::Sleeper, tuning));
    let (forged, half) = over(size, |seed| {
        play(Scheme::Sward, Setting { seed, attack, ..sly }).rates().accepted_forgery_rate
    });
    let (fetches, _) = over(size, |seed| {
        play(Scheme::Sward, Setting { seed, ..base }).rates().fetches_per_accepted
    });
    let filled = f64::from(terms.pages) / f64::from(volume);
    let wait = filled.min(f64::from(gather_days)) + terms.rest.as_secs_f64() / 86_400.0;
    let audited = 100.0 * hold::need(terms, volume).fraction().max(0.05);
    say(&format!("  {wait:>4.1}  {audited:>5.1} %  {forged:.2e} ± {half:.1e}   {fetches:.3}"));
}
