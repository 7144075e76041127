//! What comparisons see of real pages: which forgeries they find, and which honest loads they take for different ones.
//!
//! Asks the rules by which the coordinator settles a page (`quorum`), with as many honest witnesses as these ask for, and a
//! profile of the page's stable blocks learnt from some earlier loads, or none. Pages are of the half of the sites that nobody looked at while thresholds were
//! chosen. Decides nothing itself.

use super::corpus;
use super::edits::{Chance, Forgery, Noise, forge, load};
use super::source::{Places, edited, places};
use super::trial::{Fetch, fetch};
use crate::table::interval::at_most;
use crate::table::play::in_parallel;
use crate::table::sight::{Seen, Sight};
use anyhow::Result;
use std::path::Path;
use sward_proto::compare::stable::StableBlocks;
use sward_proto::quorum::voice::Voice;
use sward_proto::quorum::{Agreed, Decision, Rules, Vote, decide};
use sward_proto::timestamp::Timestamp;

/// Edits of one block, as indices in [`Forgery::ALL`]: number, link, paragraph, one paragraph more. Whoever knows the code
/// chooses the one that is found least.
const ONE_BLOCK: std::ops::Range<usize> = 0..4;
/// The index of an older copy.
const OLD: usize = Forgery::ALL.len() - 1;
/// The index of what stands for a page that was never fetched: another page.
const INVENTED: usize = Forgery::ALL.len();
/// Kinds of forgery that are tried.
const KINDS: usize = Forgery::ALL.len() + 1;

/// What was measured.
#[derive(Debug)]
pub struct Measured {
    /// The chances that follow.
    pub sight: Sight,
    pages: usize,
    learnt: usize,
    /// Of loads that are equal but for the forgery, and of those that vary.
    forged: [[Count; KINDS]; 2],
    honest: Vec<(&'static str, Count)>,
}

/// What became of some results.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    trials: u32,
    /// Not among those that agree, and contradicted by them.
    found: u32,
    /// What only it says is not published, and nothing follows for its agent.
    withheld: u32,
    /// Results that were asked for beyond two.
    further: u32,
}

/// One page's trials.
#[derive(Debug, Default)]
struct Trials {
    forged: [[Count; KINDS]; 2],
    honest: [Count; 6],
    bytes: usize,
}

/// Honest loads that a result is judged beside.
struct Loads<'a> {
    witnesses: Vec<&'a Fetch>,
    stable: StableBlocks,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Found,
    Withheld,
    Passes,
}

/// Measures on the pages below a folder, with profiles learnt from so many earlier loads; none with fewer than two.
///
/// # Errors
/// If there are none, or one cannot be read.
pub fn measure(folder: &Path, learnt: usize, threads: usize) -> Result<Measured> {
    let pages = corpus::load(folder)?;
    let htmls: Vec<String> = pages.into_iter().filter(|p| p.reported).map(|p| p.html).collect();
    let pairs = htmls.iter().zip(htmls.iter().cycle().skip(1)).enumerate();
    let pairs: Vec<(usize, (&String, &String))> = pairs.collect();
    let trials = in_parallel(&pairs, threads, |(number, (html, other))| {
        try_page(*number, html, other, learnt)
    });
    let mut sum = Trials::default();
    for trials in trials {
        sum.add(&trials?);
    }
    let names = Noise::ALL.iter().map(|(_, name)| *name);
    let honest: Vec<(&'static str, Count)> = names.zip(sum.honest).collect();
    let (mut all, mut seen) = (Count::default(), [[Seen::ALL; KINDS]; 2]);
    sum.honest.iter().for_each(|count| all.add(*count));
    for (seen, counts) in seen.iter_mut().zip(&sum.forged) {
        for (seen, count) in seen.iter_mut().zip(counts) {
            *seen = count.seen();
        }
    }
    let of = |place: usize| seen.map(|kinds| kinds.get(place).copied().unwrap_or(Seen::ALL));
    let least = |kinds: [Seen; KINDS]| {
        let edits = kinds.get(ONE_BLOCK).unwrap_or_default().iter().copied();
        edits.min_by(|one, other| one.found.total_cmp(&other.found)).unwrap_or(Seen::ALL)
    };
    let trials = f64::from(all.trials.max(1));
    let sight = Sight {
        invented: of(INVENTED),
        block: seen.map(least),
        old: of(OLD),
        noise: at_most(all.found) / trials,
        further: f64::from(all.further) / trials,
        bytes: sum.bytes as f64 / htmls.len().max(1) as f64,
    };
    Ok(Measured { sight, pages: htmls.len(), learnt, forged: sum.forged, honest })
}

impl Measured {
    fn profiles(&self) -> String {
        match self.learnt {
            0 | 1 => "unknown profiles".into(),
            loads => format!("profiles learnt from {loads} earlier loads"),
        }
    }

    /// What was measured, for people.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![
            format!("Measured on {} real pages, of {:.0} bytes on average, by the coordinator's rules with {}:", self.pages, self.sight.bytes, self.profiles()),
            "  forged                  where loads are else equal: found, withheld      where they vary: found, withheld".to_owned(),
        ];
        let names = Forgery::ALL.iter().map(|(_, name)| *name).chain(["a page never fetched"]);
        let [equal, varying] = &self.forged;
        for (name, (equal, varying)) in names.zip(equal.iter().zip(varying)) {
            let say = |count: &Count| {
                let Seen { found, withheld } = count.seen();
                format!(
                    "{:>6.2} % {:>6.2} % of {:<4}",
                    found * 100.0,
                    withheld * 100.0,
                    count.trials
                )
            };
            lines.push(format!(
                "  {name:<23} {}                       {}",
                say(equal),
                say(varying)
            ));
        }
        for (name, count) in &self.honest {
            let further = f64::from(count.further) / f64::from(count.trials.max(1));
            lines.push(format!(
                "  honest, {name:<15} {:>4} of {} taken for different; {further:.2} further results a page",
                count.found, count.trials
            ));
        }
        lines.extend([
            "Found: an agent is held to it. Withheld: a checked page is published without it, and its agent goes free. The rest passes.".to_owned(),
            "Block editors know which edit of one block is found least. Honest differences are put at the upper 95 % bound of all six".to_owned(),
            format!("kinds together, {:.1e}, beside the assumed chance that a page shows two versions. Static pages take the first columns;", self.sight.noise),
            "all others the last ones, and each of their checks the further results. Baselines are taken to see every difference.".to_owned(),
        ]);
        lines
    }
}

impl Trials {
    fn add(&mut self, other: &Self) {
        let ours = self.forged.iter_mut().flatten().chain(&mut self.honest);
        for (count, more) in ours.zip(other.forged.iter().flatten().chain(&other.honest)) {
            count.add(*more);
        }
        self.bytes += other.bytes;
    }
}

impl Count {
    fn add(&mut self, other: Self) {
        self.trials += other.trials;
        self.found += other.found;
        self.withheld += other.withheld;
        self.further += other.further;
    }

    fn note(&mut self, (fate, results): (Fate, usize)) {
        self.trials += 1;
        self.found += u32::from(fate == Fate::Found);
        self.withheld += u32::from(fate == Fate::Withheld);
        self.further += u32::try_from(results.saturating_sub(2)).unwrap_or(0);
    }

    fn seen(self) -> Seen {
        let of = f64::from(self.trials.max(1));
        Seen { found: f64::from(self.found) / of, withheld: f64::from(self.withheld) / of }
    }
}

fn try_page(number: usize, html: &str, other: &str, learnt: usize) -> Result<Trials> {
    let places = places(html);
    let mut trials = Trials { bytes: html.len(), ..Trials::default() };
    let most = Rules::default().most;
    let once = fetch(html)?;
    let plain = Loads { witnesses: vec![&once; most - 1], stable: profile(&vec![&once; learnt]) };
    let [equal, varying] = &mut trials.forged;
    let invented = fetch(other)?;
    try_forgeries(number, html, &places, None, &plain, &invented, equal)?;
    for (place, (count, (noise, _))) in trials.honest.iter_mut().zip(Noise::ALL).enumerate() {
        let copy = |who: usize| fetch(&edited(html, &dynamic(noise, number, who, html, &places)));
        let fetches = (0..most + learnt).map(copy).collect::<Result<Vec<_>>>()?;
        let (now, before) = fetches.split_at_checked(most).unwrap_or((&fetches, &[]));
        let Some((judged, witnesses)) = now.split_first() else { continue };
        let stable = profile(&before.iter().collect::<Vec<_>>());
        let loads = Loads { witnesses: witnesses.iter().collect(), stable };
        if let Some(fate) = judge(judged, &loads) {
            count.note(fate);
        }
        if place == number % 6 {
            try_forgeries(number, html, &places, Some(noise), &loads, &invented, varying)?;
        }
    }
    Ok(trials)
}

fn try_forgeries(
    number: usize,
    html: &str,
    places: &Places,
    noise: Option<Noise>,
    loads: &Loads<'_>,
    invented: &Fetch,
    counts: &mut [Count; KINDS],
) -> Result<()> {
    let own = noise.map(|noise| dynamic(noise, number, 0, html, places)).unwrap_or_default();
    for (count, (forgery, _)) in counts.iter_mut().zip(Forgery::ALL) {
        let edits = forge(forgery, places, html, &mut Chance::new(&[number, 98]));
        if edits.is_empty() {
            continue;
        }
        let forged = fetch(&edited(html, &[edits, own.clone()].concat()))?;
        if let Some(fate) = judge(&forged, loads) {
            count.note(fate);
        }
    }
    if let (Some(fate), Some(count)) = (judge(invented, loads), counts.get_mut(INVENTED)) {
        count.note(fate);
    }
    Ok(())
}

/// The blocks that earlier loads share.
fn profile(loads: &[&Fetch]) -> StableBlocks {
    if loads.len() < 2 {
        return StableBlocks::unknown();
    }
    let blocks: Vec<_> = loads.iter().map(|load| &load.blocks).collect();
    StableBlocks::shared(&blocks, <[usize]>::len)
}

fn dynamic(
    noise: Noise,
    number: usize,
    who: usize,
    html: &str,
    places: &Places,
) -> Vec<super::source::Edit> {
    load(noise, places, html, number, &mut Chance::new(&[number, noise as usize, who, 4]))
}

/// What becomes of a result beside as many of the witnesses as the rules ask for, and how many results that took; `None`
/// where the page is none.
fn judge(judged: &Fetch, loads: &Loads<'_>) -> Option<(Fate, usize)> {
    for count in 1..=loads.witnesses.len() {
        let fetches: Vec<&Fetch> =
            std::iter::once(judged).chain(loads.witnesses.iter().copied().take(count)).collect();
        let votes: Vec<Vote<'_>> = (0..).zip(&fetches).map(|(n, fetch)| vote(n, fetch)).collect();
        match decide(&votes, Rules::default(), &loads.stable) {
            Decision::More => {}
            Decision::Agreed(agreed) => return Some((fate(judged, &fetches, &agreed), count + 1)),
            Decision::Contested => return Some((Fate::Withheld, count + 1)),
            Decision::Neutral { .. } | Decision::Failed { .. } => return None,
        }
    }
    None
}

fn vote(n: u16, fetch: &Fetch) -> Vote<'_> {
    let voice = Voice::new(n, n);
    Vote { voice, attestation: &fetch.attestation, blocks: &fetch.blocks, at: Timestamp::ZERO }
}

fn fate(judged: &Fetch, fetches: &[&Fetch], agreed: &Agreed) -> Fate {
    if agreed.contradicted.contains(&0) || agreed.disputed.contains(&0) {
        return Fate::Found;
    }
    let known = fetches.iter().skip(1).flat_map(|other| other.blocks.blocks());
    let known: std::collections::BTreeSet<_> = known.collect();
    let alone = judged.blocks.blocks().iter().any(|block| !known.contains(block));
    let is_out = !agreed.members.contains(&0);
    if is_out || (agreed.layer.is_partial() && alone) { Fate::Withheld } else { Fate::Passes }
}
