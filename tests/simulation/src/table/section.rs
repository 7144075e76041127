//! What the rows do not show: honest agents alone, cabals, farms, and cheats that want pay.

use super::attack::{Attack, Tuning};
use super::baseline::Scheme;
use super::crowd::MEDIAN;
use super::draw::Draws;
use super::goals::Goals;
use super::interval;
use super::optimise::Aim;
use super::parts::Part;
use super::play::{in_parallel, play, play_all};
use super::row::{self, Row, Size};
use super::tally::Tally;
use super::world::Setting;
use clap::ValueEnum;
use sward_coordinator_core::trust::weight::{self, Opinion};

fn over(size: Size, value: impl Fn(u64) -> f64 + Sync) -> (f64, f64) {
    let seeds: Vec<u64> = (size.from..size.from + size.seeds).collect();
    let values = in_parallel(&seeds, size.threads, |seed| value(*seed));
    let (mean, half) = interval::mean(&values);
    (mean, half.unwrap_or(0.0))
}

/// Honest agents without any attacker.
pub fn honest(size: Size, rows: &[Row], goals: &mut Goals, say: &mut dyn FnMut(&str)) {
    let tallies = play_all(Scheme::Sward, &size.seeds_of(size.honest(0)), size.threads);
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
    let ours = || {
        let attacked = rows.iter().filter(|row| row.scheme == Scheme::Sward && row.share > 0.0);
        attacked.flat_map(|row| &row.tallies)
    };
    let (all, guilty) = ours()
        .fold((windows, convicted), |(w, c), t| (w + t.honest_windows, c + t.honest_convicted));
    say(&format!("  with all rows under attack: {guilty} in {all}, {}", bound(guilty, all)));
    let known = upper(guilty, all);
    goals.note(
        format!("honest agents convicted a window at most 1e-5: {guilty} in {all}, so at most {known:.1e}"),
        known <= 1e-5,
    );
    for (slot, kind, goal) in [(0, "static", 0.995), (1, "noisy", 0.97)] {
        let agreed = agreement(slot);
        goals.note(
            format!("agreement on {kind} pages at least {goal}: {agreed:.4}"),
            agreed >= goal,
        );
    }
    let contested = |t: &Tally| t.rates().contested_rate;
    let most = tallies.iter().chain(ours()).map(contested).fold(0.0, f64::max);
    goals.note(format!("contested at most 0.005: {most:.1e} in the worst run"), most <= 0.005);
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

/// The exact upper end of a one-sided 95 % interval.
fn upper(count: f64, of: f64) -> f64 {
    interval::at_most(count as u32) / of.max(1.0)
}

fn bound(count: f64, of: f64) -> String {
    format!("with 95 % confidence at most {:.1e} a window", upper(count, of))
}

/// A cabal with 40 % of the weight.
pub fn cabal(size: Size, goals: &mut Goals, say: &mut dyn FnMut(&str)) {
    let pays = |share: f64, rate: f64| -> Vec<f64> {
        let tuning = Tuning { rate, ..Tuning::always() };
        let attack = (share > 0.0).then_some((Attack::Denial, tuning));
        let setting = Setting { share, attack, ..size.honest(0) };
        let tallies = play_all(Scheme::Sward, &size.seeds_of(setting), size.threads);
        tallies.iter().map(|tally| tally.honest_paid / tally.honest_pages).collect()
    };
    let before = pays(0.0, 0.0);
    let mut worst: f64 = 0.0;
    say("A cabal of 40 % contradicts honest results with one voice");
    for rate in [0.01, 0.1, 1.0] {
        let pairs = pays(0.4, rate).into_iter().zip(&before);
        let moves: Vec<f64> = pairs.map(|(with, without)| 100.0 * (with / without - 1.0)).collect();
        let (moved, half) = interval::mean(&moves);
        let half = half.unwrap_or(0.0);
        worst = worst.max(moved.abs());
        say(&format!(
            "  every time with chance {rate}: honest pay moves by {moved:+.4} % ± {half:.4}"
        ));
    }
    let (moved, half) = over(size, |seed| 100.0 * standing_moved(seed));
    worst = worst.max(moved.abs());
    goals.note(
        format!("a cabal of 40 % moves honest pay by less than 1 %: {worst:.4} %"),
        worst < 1.0,
    );
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

/// Many identities behind few prefixes.
pub fn farm(size: Size, goals: &mut Goals, say: &mut dyn FnMut(&str)) {
    say(
        "A farm of ten identities behind each prefix, at 10 % of identities, beside an agent of median volume on each prefix",
    );
    let no_cap = Size { parts: size.parts.without(Part::Cap), ..size };
    for (what, rate, size, goal) in [
        ("honest", 0.0, size, true),
        ("forging one page in a hundred", 0.01, size, true),
        ("honest, if work were not capped by prefix", 0.0, no_cap, false),
    ] {
        let tuning = Tuning { rate, ..Tuning::always() };
        let (ratio, half) = over(size, |seed| earned(size, seed, tuning));
        say(&format!("  {what}: earns {ratio:.3} ± {half:.3} of what as many honest agents earn"));
        if goal {
            goals.note(
                format!("a farm, {what}, earns no more than as many honest agents: {ratio:.3} ± {half:.3}"),
                ratio - half <= 1.0,
            );
        }
    }
    say("");
}

/// What a farm earns on each prefix, over an agent of median volume.
fn earned(size: Size, seed: u64, tuning: Tuning) -> f64 {
    let attack = Some((Attack::Farm, tuning));
    let tally = play(Scheme::Sward, Setting { share: 0.1, attack, ..size.honest(seed) });
    let prefixes = size.agents as f64 * 0.1 / 10.0;
    let earned = tally.attacker_profit() * tally.attacker_pages / prefixes;
    // An agent of median volume does its part of the audits of others, too.
    let honest: f64 = crowd_volume(size.agents, seed);
    let pages = tally.honest_pages / honest * f64::from(MEDIAN);
    earned / (pages * tally.honest_profit())
}

/// Pages a day of the honest nine tenths, as the run of this seed draws them.
fn crowd_volume(agents: usize, seed: u64) -> f64 {
    let mut draws = Draws::new(seed, "table");
    let crowd = super::crowd::draw(agents, 0.1, Some(Attack::Farm), true, &mut draws);
    crowd.iter().filter(|m| m.role.is_honest()).map(|m| f64::from(m.volume)).sum()
}

/// Attackers that tune for pay.
pub fn profit(size: Size, goals: &mut Goals, say: &mut dyn FnMut(&str)) {
    say(
        "Attackers that tune for pay, at 10 %: profit a page over what the same agents earn by honest work (pending counts as paid)",
    );
    let honest_work = |attack| {
        let never = Some((attack, Tuning { rate: 0.0, ..Tuning::always() }));
        let setting = Setting { share: 0.1, attack: never, ..size.honest(0) };
        play_all(Scheme::Sward, &size.seeds_of(setting), size.threads)
    };
    let usual = honest_work(Attack::Sleeper);
    for attack in Attack::value_variants() {
        let row = row::measure(Scheme::Sward, Some(*attack), 0.1, size, Aim::Profit);
        // Farms and casual identities have work of their own amount to compare with.
        let own = matches!(attack, Attack::Farm | Attack::Casual).then(|| honest_work(*attack));
        let honest = own.as_ref().unwrap_or(&usual);
        let pairs = row.tallies.iter().zip(honest);
        let ratios: Vec<f64> =
            pairs.map(|(theirs, same)| theirs.attacker_profit() / same.attacker_profit()).collect();
        let (ratio, half) = interval::mean(&ratios);
        let half = half.unwrap_or(0.0);
        say(&format!("  {:<14} {ratio:.4} ± {half:.4}", row.attack));
        goals.note(
            format!("{} earns no more than honest work: {ratio:.4} ± {half:.4}", row.attack),
            ratio - half <= 1.0,
        );
    }
    say("");
}
