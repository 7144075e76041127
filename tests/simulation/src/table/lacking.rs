//! What each part of the rules buys: the best attacker against the rules without it.

use super::attack::Attack;
use super::baseline::Scheme;
use super::crowd;
use super::draw::Draws;
use super::optimise::{self, Aim, Choice};
use super::parts::Part;
use super::play::play_all;
use super::row::{self, Row, Size};
use super::tally::Tally;
use super::world::Setting;
use clap::ValueEnum;

/// The rules as they are and without each part, at these shares of attackers. Returns the rows.
pub fn lacking(size: Size, shares: &[f64], say: &mut dyn FnMut(&str)) -> Vec<Row> {
    let mut rows = Vec::new();
    for share in shares {
        say(&format!(
            "What each part buys, at {:.0} %: the best forger of all attacks against the rules without it; honest agents alone beside it",
            share * 100.0
        ));
        say(
            "  without        forged, final        forged, pre-final  fetches  best attack           honest: convicted/window  fetches  paid",
        );
        let parts = Part::value_variants().iter().copied().map(Some);
        for part in std::iter::once(None).chain(parts) {
            rows.extend(without(part, *share, size, say));
        }
        say("");
    }
    rows
}

fn without(part: Option<Part>, share: f64, size: Size, say: &mut dyn FnMut(&str)) -> Option<Row> {
    let size = Size { parts: part.map_or(size.parts, |part| size.parts.without(part)), ..size };
    let (attack, choice) = best_forger(share, size)?;
    let row = row::play_row(Scheme::Sward, Some((attack, choice.tuning)), share, size);
    let honest = play_all(Scheme::Sward, &size.seeds_of(size.honest(0)), size.threads);
    let sum = |of: fn(&Tally) -> f64| honest.iter().map(of).sum::<f64>();
    say(&format!(
        "  {:<13}  {:.2e} ± {:.1e}   {:.2e}           {:.4}   {:<13} {:.4}   {:.1e}                   {:.4}   {:.3} %",
        part.map_or_else(|| "(nothing)".to_owned(), Part::name),
        row.rates.accepted_forgery_rate,
        row.half("accepted_forgery_rate"),
        row.rates.pre_final_forgery_rate,
        row.rates.fetches_per_accepted,
        row.attack,
        choice.tuning.rate,
        sum(|t| t.honest_convicted) / sum(|t| t.honest_windows).max(1.0),
        sum(|t| t.fetches + t.trusted_fetches) / sum(|t| t.accepted).max(1.0),
        100.0 * sum(|t| t.honest_paid) / sum(|t| t.honest_pages).max(1.0),
    ));
    part.map(|part| row.without(part))
}

/// The attack whose forgeries, by its rehearsals, are the largest share of all final pages.
fn best_forger(share: f64, size: Size) -> Option<(Attack, Choice)> {
    let forgers = Attack::value_variants().iter().copied().filter(|a| *a != Attack::Denial);
    let gains = forgers.map(|attack| {
        let setting = Setting { share, ..size.honest(0) };
        let choice = optimise::best(Scheme::Sward, attack, setting, Aim::Harm, size.threads);
        let mut draws = Draws::new(0, "table");
        let capped = size.parts.has(Part::Cap);
        let crowd = crowd::draw(size.agents, share, Some(attack), capped, &mut draws);
        (choice.gain * crowd::work_share(&crowd), attack, choice)
    });
    let best = gains.max_by(|(one, ..), (other, ..)| one.total_cmp(other));
    best.map(|(_, attack, choice)| (attack, choice))
}
