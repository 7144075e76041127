//! The rows for people.

use super::baseline::Scheme;
use super::goals::Goals;
use super::parts::Part;
use super::play::BASELINE_PAGES;
use super::row::{Row, Size};
use crate::real::measure::Measured;
use clap::ValueEnum;

/// What is promised at a share: fetches per accepted page and accepted forgeries, at most.
pub const GOALS: [(f64, f64, f64); 5] = [
    (0.01, 1.12, 3e-5),
    (0.05, 1.15, 1.5e-4),
    (0.10, 1.20, 3e-4),
    (0.20, 1.30, 7e-4),
    (0.33, 1.45, 1.5e-3),
];

/// What is played, what is scaled down, and the heading.
pub fn preamble(size: Size, measured: Option<&Measured>, say: &mut dyn FnMut(&str)) {
    let Size { seeds, from, agents, days, .. } = size;
    say(&format!("{agents} agents, {days} days, seeds {from} to {}", from + seeds.max(1) - 1));
    for line in [
        "Scaled down: 2,000 agents (by default) where the protocol has 10,000, and volumes by Zipf's law capped at twenty times",
        "the median of 800 pages a day, so that the median agent fills two hold windows of seven days in fourteen. Pages that",
        "nobody checks are drawn by the run, not one by one; every check is played in full by the rules themselves. An agent",
        "works on four sites a day, of 200. Rates of honest flaws and of pages that show two versions at a time are assumed",
        "(crowd.rs, page.rs), as is the mix of pages.",
        "Jobs that fail (5 %) are given again under every scheme alike, and no fetch of a page; they are left out.",
        "Fetches count first fetches, probation, audits, trusted checks, ringers, tie-breaks, confirmations and re-fetches.",
        "Forgeries that turned final are counted even where a later conviction retracts them.",
    ] {
        say(line);
    }
    say(&format!(
        "Baselines: {BASELINE_PAGES} pages an agent, assigned evenly; what they accept is final at once."
    ));
    match measured {
        Some(measured) => measured.lines().iter().for_each(|line| say(line)),
        None => say(
            "What comparisons see is assumed (sight.rs): --pages FOLDER measures it on real pages.",
        ),
    }
    let lacking = Part::value_variants().iter().filter(|part| !size.parts.has(**part));
    for part in lacking {
        say(&format!("Sward is played without a part of its rules: {}", part.name()));
    }
    say("");
    say(
        "share  scheme    attack         fetches/accepted   forged, final        forged, pre-final  false convictions contested  profit",
    );
}

/// One row.
#[must_use]
pub fn line(row: &Row) -> String {
    let rates = &row.rates;
    let tuning = row.tuning.map_or_else(String::new, |tuning| {
        let burst =
            if tuning.burst > 0 { format!(", bursts of {}", tuning.burst) } else { String::new() };
        let denies =
            if tuning.denies > 0.0 { format!(", denies {}", tuning.denies) } else { String::new() };
        format!("  rate {:.4} of {:?}{burst}{denies}", tuning.rate, tuning.aim)
    });
    format!(
        "{:>4.0} %  {:<9} {:<14} {:.4} ± {:.4}    {:.2e} ± {:.1e}   {:.2e}           {:.1e}           {:.1e}   {:>7.3}{tuning}",
        row.share * 100.0,
        row.name,
        row.attack,
        rates.fetches_per_accepted,
        row.half("fetches_per_accepted"),
        rates.accepted_forgery_rate,
        row.half("accepted_forgery_rate"),
        rates.pre_final_forgery_rate,
        rates.false_conviction_rate,
        rates.contested_rate,
        rates.attacker_profit_ratio,
    )
}

/// What else is reported of Sward's rows of a share.
pub fn more(share: f64, rows: &[Row], say: &mut dyn FnMut(&str)) {
    let ours: Vec<&Row> =
        rows.iter().filter(|row| row.share == share && row.scheme == Scheme::Sward).collect();
    if ours.is_empty() {
        return;
    }
    say(
        "                               KB/accepted  pages to detection  days to final p50, p95  honest work unpaid, %: stable, flaky, tampered, wrong region  gain per forgery",
    );
    for row in ours {
        let rates = &row.rates;
        say(&format!(
            "{:>4.0} %  {:<9} {:<14} {:>9.2}   {:>17}  {:>11.2}, {:>5.2}          {:>12.4}, {:.4}, {:.4}, {:.4}                          {:>9}",
            share * 100.0,
            row.name,
            row.attack,
            rates.bytes_per_accepted / 1000.0,
            number(rates.pages_to_detection, 0),
            rates.final_days_p50,
            rates.final_days_p95,
            rates.lost_reward_stable * 100.0,
            rates.lost_reward_flaky * 100.0,
            rates.lost_reward_tampered * 100.0,
            rates.lost_reward_wrong_region * 100.0,
            number(rates.gain_per_forged, 2),
        ));
    }
}

fn number(value: f64, decimals: usize) -> String {
    if value.is_nan() { "-".into() } else { format!("{value:.decimals$}") }
}

/// Whether the promises of a share hold for the worst attack.
pub fn verdict(share: f64, rows: &[Row], goals: &mut Goals, say: &mut dyn FnMut(&str)) {
    let ours = || rows.iter().filter(|row| row.share == share && row.scheme == Scheme::Sward);
    let by = |value: fn(&Row) -> f64| ours().max_by(|a, b| value(a).total_cmp(&value(b)));
    let goal = GOALS.into_iter().find(|goal| (goal.0 - share).abs() < 1e-9);
    let dearest = by(|row| row.rates.fetches_per_accepted);
    let worst = by(|row| row.rates.accepted_forgery_rate);
    if let (Some((_, fetches, forged)), Some(dearest), Some(worst)) = (goal, dearest, worst) {
        let (spent, slipped) = (&dearest.rates, &worst.rates);
        let per_cent = share * 100.0;
        goals.note(
            format!(
                "{per_cent:.0} % attackers: fetches per accepted page at most {fetches}: {:.4} ({})",
                spent.fetches_per_accepted, dearest.attack
            ),
            spent.fetches_per_accepted <= fetches,
        );
        goals.note(
            format!(
                "{per_cent:.0} % attackers: accepted forgeries at most {forged:.1e}: {:.2e} ({})",
                slipped.accepted_forgery_rate, worst.attack
            ),
            slipped.accepted_forgery_rate <= forged,
        );
    }
    say("");
}
