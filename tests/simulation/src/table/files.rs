//! The rows for programs: JSON and CSV.

use super::baseline::Scheme;
use super::row::Row;
use super::tally::NAMES;
use clap::ValueEnum;

/// A list of rows.
#[must_use]
pub fn json(rows: &[Row]) -> String {
    serde_json::to_string_pretty(rows).unwrap_or_default()
}

/// The same as lines, with the ends of each interval beside it.
#[must_use]
pub fn csv(rows: &[Row]) -> String {
    let mut text = String::from("share,attack,scheme");
    for name in NAMES {
        text.push_str(&format!(",{name},{name}_low,{name}_high"));
    }
    for row in rows {
        text.push_str(&format!("\n{},{},{}", row.share, row.attack, row.name));
        for (value, name) in row.rates.values().into_iter().zip(NAMES) {
            let [low, high] = row.ci95.get(name).copied().unwrap_or([value; 2]);
            // What is no number is left empty.
            for value in [value, low, high] {
                text.push(',');
                if !value.is_nan() {
                    text.push_str(&value.to_string());
                }
            }
        }
    }
    text.push('\n');
    text
}

/// A scheme's name, as in JSON.
#[must_use]
pub fn name(scheme: Scheme) -> String {
    match scheme.to_possible_value() {
        Some(value) => value.get_name().replace('-', "_"),
        None => String::new(),
    }
}
