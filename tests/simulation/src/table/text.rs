//! The rows for people.

use super::baseline::Scheme;
use super::files::name;
use super::optimise::BASELINE_PAGES;
use super::row::{Row, Size};

/// What is promised at a share: fetches per accepted page and accepted forgeries, at most.
pub const GOALS: [(f64, f64, f64); 5] = [
    (0.01, 1.12, 3e-5),
    (0.05, 1.15, 1.5e-4),
    (0.10, 1.20, 3e-4),
    (0.20, 1.30, 7e-4),
    (0.33, 1.45, 1.5e-3),
];

/// What is played, what is scaled down, and the heading.
pub fn preamble(size: Size, say: &mut dyn FnMut(&str)) {
    let Size { seeds, from, agents, days } = size;
    say(&format!("{agents} agents, {days} days, seeds {from} to {}", from + seeds.max(1) - 1));
    for line in [
        "Scaled down: 2,000 agents (by default) where the protocol has 10,000, and volumes by Zipf's law capped at twenty times",
        "the median of 800 pages a day, so that the median agent fills two hold windows of seven days in fourteen. Pages that",
        "nobody checks are drawn by the run, not one by one; every check is played in full by the rules themselves. An agent",
        "works on four sites a day, of 200. Rates of honest flaws and of splitting pages are assumed (page.rs, crowd.rs).",
        "Jobs that fail (5 %) are given again under every scheme alike, and no fetch of a page; they are left out.",
        "Fetches count first fetches, probation, audits, trusted checks, ringers, tie-breaks, confirmations and re-fetches.",
        "Forgeries that turned final are counted even where a later conviction retracts them.",
    ] {
        say(line);
    }
    say(&format!(
        "Baselines: {BASELINE_PAGES} pages an agent, assigned evenly; what they accept is final at once."
    ));
    say("");
    say(
        "share  scheme    attack        fetches/accepted   forged, final        forged, pre-final  false convictions contested  profit",
    );
}

/// One row.
#[must_use]
pub fn line(row: &Row) -> String {
    let half = |name: &str, value: f64| row.ci95.get(name).map_or(0.0, |[_, high]| high - value);
    let rates = &row.rates;
    let tuning = row.tuning.map_or_else(String::new, |tuning| {
        let burst =
            if tuning.burst > 0 { format!(", bursts of {}", tuning.burst) } else { String::new() };
        format!("  rate {:.4} of {:?}{burst}", tuning.rate, tuning.aim)
    });
    format!(
        "{:>4.0} %  {:<9} {:<13} {:.4} ± {:.4}    {:.2e} ± {:.1e}   {:.2e}           {:.1e}           {:.1e}   {:>7.3}{tuning}",
        row.share * 100.0,
        name(row.scheme),
        row.attack,
        rates.fetches_per_accepted,
        half("fetches_per_accepted", rates.fetches_per_accepted),
        rates.accepted_forgery_rate,
        half("accepted_forgery_rate", rates.accepted_forgery_rate),
        rates.pre_final_forgery_rate,
        rates.false_conviction_rate,
        rates.contested_rate,
        rates.attacker_profit_ratio,
    )
}

/// Whether the promises of a share hold for the worst attack.
pub fn verdict(share: f64, rows: &[Row], say: &mut dyn FnMut(&str)) {
    let ours = || rows.iter().filter(|row| row.share == share && row.scheme == Scheme::Sward);
    let Some((_, fetches, forged)) = GOALS.into_iter().find(|goal| (goal.0 - share).abs() < 1e-9)
    else {
        return say("");
    };
    let by = |value: fn(&Row) -> f64| ours().max_by(|a, b| value(a).total_cmp(&value(b)));
    let dearest = by(|row| row.rates.fetches_per_accepted);
    let worst = by(|row| row.rates.accepted_forgery_rate);
    if let (Some(dearest), Some(worst)) = (dearest, worst) {
        let held = |held: bool| if held { "holds" } else { "DOES NOT HOLD" };
        say(&format!(
            "       goals at {:.0} %: fetches at most {fetches}: {:.4} ({}), {}; forged at most {forged:.1e}: {:.2e} ({}), {}",
            share * 100.0,
            dearest.rates.fetches_per_accepted,
            dearest.attack,
            held(dearest.rates.fetches_per_accepted <= fetches),
            worst.rates.accepted_forgery_rate,
            worst.attack,
            held(worst.rates.accepted_forgery_rate <= forged),
        ));
    }
    say("");
}
