//! What comparisons see of real pages: which forgeries they find, and which honest loads they take for different ones.
//!
//! Measured on the half of the sites that nobody looked at while thresholds were chosen.

use super::corpus;
use super::edits::{Chance, Forgery, Noise, forge, load};
use super::source::{edited, places};
use super::trial::{Fetch, fetch};
use crate::table::interval::at_most;
use crate::table::play::in_parallel;
use crate::table::sight::Sight;
use anyhow::{Context as _, Result};
use std::path::Path;
use sward_proto::compare::Verdict;

/// Edits of one block: whoever knows the code chooses the one that is seen least.
const ONE_BLOCK: [Forgery; 4] =
    [Forgery::Number, Forgery::Link, Forgery::Paragraph, Forgery::Insertion];

/// What was measured.
#[derive(Debug)]
pub struct Measured {
    /// The chances that follow.
    pub sight: Sight,
    pages: u32,
    forgeries: Vec<(String, Count)>,
    honest: Count,
    near: Count,
}

/// How often something happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    happened: u32,
    of: u32,
}

impl Count {
    const fn add(&mut self, happened: bool) {
        self.happened += happened as u32;
        self.of += 1;
    }

    const fn sum(self, other: Self) -> Self {
        Self { happened: self.happened + other.happened, of: self.of + other.of }
    }

    fn share(self) -> f64 {
        f64::from(self.happened) / f64::from(self.of.max(1))
    }
}

/// Of one page: forgeries by kind, an invented page at the end; honest pairs; those that are only near.
#[derive(Debug, Default)]
struct Trials {
    forged: [Count; Forgery::ALL.len()],
    invented: Count,
    honest: Count,
    near: Count,
    bytes: usize,
}

/// Measures on the pages below a folder.
///
/// # Errors
/// If there are none, or one cannot be read.
pub fn measure(folder: &Path, threads: usize) -> Result<Measured> {
    let pages = corpus::load(folder)?;
    let htmls: Vec<String> = pages.into_iter().filter(|p| p.reported).map(|p| p.html).collect();
    let numbered: Vec<(usize, &str, &str)> = htmls
        .iter()
        .zip(htmls.iter().cycle().skip(1))
        .enumerate()
        .map(|(number, (html, other))| (number, html.as_str(), other.as_str()))
        .collect();
    let trials =
        in_parallel(&numbered, threads, |(number, html, other)| try_page(*number, html, other));
    let trials: Vec<Trials> = trials.into_iter().collect::<Result<_>>()?;
    let all = |of: fn(&Trials) -> Count| trials.iter().map(of).fold(Count::default(), Count::sum);
    let mut forgeries: Vec<(String, Count)> = Vec::new();
    for (place, (_, name)) in Forgery::ALL.into_iter().enumerate() {
        let counts = trials.iter().filter_map(|trials| trials.forged.get(place)).copied();
        forgeries.push((name.to_owned(), counts.fold(Count::default(), Count::sum)));
    }
    let seen = |wanted: Forgery| {
        let place = Forgery::ALL.iter().position(|(forgery, _)| *forgery == wanted);
        place.and_then(|place| forgeries.get(place)).map_or(0.0, |(_, count)| count.share())
    };
    let (honest, near) = (all(|t| t.honest), all(|t| t.near));
    let bytes: usize = trials.iter().map(|trials| trials.bytes).sum();
    let sight = Sight {
        invented: all(|t| t.invented).share(),
        block: ONE_BLOCK.map(seen).into_iter().fold(1.0, f64::min),
        old: seen(Forgery::OldCopy),
        noise: at_most(honest.happened) / f64::from(honest.of.max(1)),
        near: near.share(),
        bytes: bytes as f64 / trials.len().max(1) as f64,
    };
    forgeries.push(("a page never fetched".to_owned(), all(|t| t.invented)));
    let pages = u32::try_from(trials.len()).context("so many pages")?;
    Ok(Measured { sight, pages, forgeries, honest, near })
}

impl Measured {
    /// What was measured, for people.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "What comparisons see is measured on {} real pages (mean {:.0} bytes), each loaded anew by two honest witnesses:",
            self.pages, self.sight.bytes
        )];
        for (name, count) in &self.forgeries {
            lines.push(format!(
                "  forged, {name}: {:.2} % of {} contradicted",
                count.share() * 100.0,
                count.of
            ));
        }
        let Count { happened, of } = self.honest;
        lines.push(format!(
            "  honest loads with labelled dynamic edits: {happened} of {of} contradicted, {:.2} % only near and so fetched once more",
            self.near.share() * 100.0
        ));
        lines.push(format!(
            "One-block editors are taken to know the edit that is seen least ({:.4}), and whatever is not contradicted passes for",
            self.sight.block
        ));
        lines.push(format!(
            "accepted; replayers are seen with {:.4}, those that invent with {:.4}. Honest noise is put at the upper 95 % bound, {:.1e},",
            self.sight.old, self.sight.invented, self.sight.noise
        ));
        lines.push("beside the assumed chance that a page shows two versions. Baselines are taken to see every difference.".to_owned());
        lines
    }
}

fn try_page(number: usize, html: &str, other: &str) -> Result<Trials> {
    let places = places(html);
    let mut trials = Trials { bytes: html.len(), ..Trials::default() };
    let six = Noise::ALL.into_iter().filter(|(noise, _)| *noise != Noise::Translation);
    for (round, (noise, _)) in six.enumerate() {
        let dynamic = |who: usize| {
            load(noise, &places, html, number, &mut Chance::new(&[number, round, who, 4]))
        };
        let copy = |who: usize| fetch(&edited(html, &dynamic(who)));
        let (judged, one, two) = (copy(0)?, copy(1)?, copy(2)?);
        let Some((differs, near)) = judge(&judged, &one, &two) else { continue };
        trials.honest.add(differs);
        trials.near.add(near);
        // Each page's forgeries stand among the dynamic edits of one kind.
        if round != number % 6 {
            continue;
        }
        for (count, (forgery, _)) in trials.forged.iter_mut().zip(Forgery::ALL) {
            let edits = forge(forgery, &places, html, &mut Chance::new(&[number, 98]));
            if edits.is_empty() {
                continue;
            }
            let forged = fetch(&edited(html, &[edits, dynamic(0)].concat()))?;
            if let Some((differs, _)) = judge(&forged, &one, &two) {
                count.add(differs);
            }
        }
        if let Some((differs, _)) = judge(&fetch(other)?, &one, &two) {
            trials.invented.add(differs);
        }
    }
    Ok(trials)
}

/// Whether a result differs from one witness or is contradicted by both, and whether it is only near the first; `None` where
/// it says nothing.
fn judge(judged: &Fetch, one: &Fetch, two: &Fetch) -> Option<(bool, bool)> {
    let verdict = judged.against(one).verdict;
    let differs = match verdict {
        Verdict::Neutral(_) | Verdict::NotComparable(_) | Verdict::Status => return None,
        Verdict::Identical | Verdict::Canonical => false,
        Verdict::StableEqual | Verdict::Near => judged.is_contradicted_by(&[one, two]),
        Verdict::Tainted(_) | Verdict::Divergent(_) => true,
    };
    Some((differs, verdict == Verdict::Near))
}
