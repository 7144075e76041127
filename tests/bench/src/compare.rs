//! Measures the comparison layers on real pages: what they miss, whom they wrong, and what they cost.
//!
//! Pages are put through labelled dynamic edits and labelled forgeries. Honest agents each load the page anew; a forger
//! changes its own load. Figures come from the half of the sites that was not looked at.

mod speed;

use crate::figures::Figures;
use anyhow::Result;
use clap::Args;
use std::collections::BTreeMap;
use std::path::PathBuf;
use sward_proto::compare::{Verdict, response_of};
use sward_simulation::real::corpus;
use sward_simulation::real::edits::{Chance, Forgery, Noise, forge, load};
use sward_simulation::real::source::{Places, edited, places};
use sward_simulation::real::trial::{Fate, Fetch, fate, fetch};

/// Witnesses beside the agent that is judged, at most.
const WITNESSES: usize = 4;

/// What the comparison layers miss, whom they wrong and what they cost, on real pages
#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// The folder with the page collections (scrapinghub, wcxb, trafilatura-eval, readability-pages).
    #[arg(long)]
    data: PathBuf,
    /// Looks at the half of the sites that is not reported otherwise.
    #[arg(long)]
    other_half: bool,
    /// How often each page is put through each edit.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Only edits whose name has this in it, and nothing of what comparing costs.
    #[arg(long)]
    only: Option<String>,
}

impl Compare {
    /// Measures.
    pub(crate) fn run(&self) -> Result<Figures> {
        let mut figures = Figures::new("compare");
        let pages = corpus::load(&self.data)?;
        let all = pages.len();
        let htmls: Vec<String> = pages
            .into_iter()
            .filter(|page| page.reported != self.other_half)
            .map(|page| page.html)
            .collect();
        figures.add("pages", htmls.len() as f64, &format!("of {all}"));
        let pages: Vec<(usize, String, Places)> = htmls
            .into_iter()
            .enumerate()
            .map(|(number, html)| {
                let places = places(&html);
                (number, html, places)
            })
            .collect();
        neutral_pages(&pages, &mut figures)?;
        self.honest(&pages, &mut figures)?;
        self.forged(&pages, &mut figures)?;
        if self.only.is_some() {
            return Ok(figures);
        }
        let pairs: Vec<(String, String)> = pages.iter().map(two_loads).collect();
        speed::measure(&pairs, &mut figures)?;
        Ok(figures)
    }

    fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|part| name.contains(part))
    }

    /// Honest loads against each other.
    fn honest(&self, pages: &[(usize, String, Places)], figures: &mut Figures) -> Result<()> {
        let mut total = Honest::default();
        for (noise, name) in Noise::ALL.into_iter().filter(|(_, name)| self.wants(name)) {
            let mut tally = Honest::default();
            for round in 0..self.rounds {
                for (number, html, places) in pages {
                    tally.judge(noise, (*number, html, places), round)?;
                }
            }
            tally.print(name, figures);
            if noise != Noise::Translation {
                total.add(&tally);
            }
        }
        total.print("all but translation", figures);
        Ok(())
    }

    /// A forger's load against an honest one, with two witnesses.
    fn forged(&self, pages: &[(usize, String, Places)], figures: &mut Figures) -> Result<()> {
        let (mut all, mut missed) = (0, 0);
        for (forgery, name) in Forgery::ALL.into_iter().filter(|(_, name)| self.wants(name)) {
            let mut fates: BTreeMap<Fate, usize> = BTreeMap::new();
            let (mut trials, mut contradicted) = (0, 0);
            for round in 0..self.rounds {
                for (number, html, places) in pages {
                    let Some(tried) = try_forgery(forgery, (*number, html, places), round)? else {
                        continue;
                    };
                    let (fate, caught) = tried;
                    trials += 1;
                    *fates.entry(fate).or_default() += 1;
                    contradicted += usize::from(caught);
                }
            }
            let unnoticed = fates.get(&Fate::Unnoticed).copied().unwrap_or_default();
            let judged = trials - fates.get(&Fate::Neutral).copied().unwrap_or_default();
            figures.add(&format!("forged, {name}: trials"), judged as f64, "");
            let mut say = |what: &str, count| {
                figures.add(&format!("forged, {name}: {what}"), percent(count, judged), "%");
            };
            say("no layer notices", unnoticed);
            for (fate, what) in [
                (Fate::Withheld, "near, change withheld"),
                (Fate::Tainted, "tainted"),
                (Fate::Divergent, "divergent"),
            ] {
                say(what, fates.get(&fate).copied().unwrap_or_default());
            }
            say("contradicted by two witnesses", contradicted);
            all += judged;
            missed += unnoticed;
        }
        figures.add("forged, all: no layer notices (goal 1)", percent(missed, all), "%");
        Ok(())
    }
}

fn neutral_pages(pages: &[(usize, String, Places)], figures: &mut Figures) -> Result<()> {
    let mut neutral = 0;
    for (number, html, _) in pages {
        let seen = fetch(html)?;
        let reason = response_of(&seen.attestation).and_then(|response| response.neutral);
        if let Some(reason) = reason {
            neutral += 1;
            let title: String = title(html).chars().take(60).collect();
            figures.note(&format!("page {number} is taken for {reason}: {title}"));
        }
    }
    figures.add("pages taken for no page", neutral as f64, "");
    Ok(())
}

fn title(html: &str) -> String {
    sward_page::Page::parse(html).ok().and_then(|page| page.title()).unwrap_or_default()
}

/// What became of honest agents.
#[derive(Debug, Default)]
struct Honest {
    trials: usize,
    verdicts: BTreeMap<&'static str, usize>,
    /// Divergent from the first witness, and contradicted by two, three or four.
    forged: [usize; WITNESSES - 1],
    /// Contradicted, whatever the verdict is.
    contradicted: [usize; WITNESSES - 1],
}

impl Honest {
    fn judge(
        &mut self,
        noise: Noise,
        (number, html, places): (usize, &str, &Places),
        round: usize,
    ) -> Result<()> {
        let copy = |who: usize| {
            let mut chance = Chance::new(&[number, round, who, 1]);
            // Whoever is in another region sees the other language; the witnesses are in one region.
            let plain = noise == Noise::Translation && who > 0;
            let edits = load(noise, places, html, number, &mut chance);
            fetch(&edited(html, if plain { &[] } else { &edits }))
        };
        let judged = copy(0)?;
        let witnesses: Vec<Fetch> = (1..=WITNESSES).map(copy).collect::<Result<_>>()?;
        let witnesses: Vec<&Fetch> = witnesses.iter().collect();
        let Some(first) = witnesses.first() else { return Ok(()) };
        let verdict = judged.against(first).verdict;
        let name = match verdict {
            Verdict::Neutral(_) | Verdict::NotComparable(_) | Verdict::Status => return Ok(()),
            Verdict::Identical => "identical",
            Verdict::Canonical => "canonical",
            Verdict::StableEqual => "stable-equal",
            Verdict::Near => "near",
            Verdict::Tainted(_) => "tainted",
            Verdict::Divergent(_) => "divergent",
        };
        self.trials += 1;
        *self.verdicts.entry(name).or_default() += 1;
        let divergent = matches!(verdict, Verdict::Divergent(_));
        let counts = self.forged.iter_mut().zip(&mut self.contradicted);
        for (count, (forged, all)) in (2..).zip(counts) {
            let some = witnesses.get(..count).unwrap_or_default();
            let contradicted = judged.is_contradicted_by(some);
            *all += usize::from(contradicted);
            *forged += usize::from(contradicted && divergent);
        }
        Ok(())
    }

    fn add(&mut self, other: &Self) {
        self.trials += other.trials;
        for (verdict, count) in &other.verdicts {
            *self.verdicts.entry(verdict).or_default() += count;
        }
        let ours = self.forged.iter_mut().chain(&mut self.contradicted);
        for (ours, theirs) in ours.zip(other.forged.iter().chain(&other.contradicted)) {
            *ours += theirs;
        }
    }

    fn print(&self, name: &str, figures: &mut Figures) {
        figures.add(&format!("honest, {name}: trials"), self.trials as f64, "");
        for (verdict, count) in &self.verdicts {
            figures.add(&format!("honest, {name}: {verdict}"), percent(*count, self.trials), "%");
        }
        for (witnesses, (forged, all)) in (2..).zip(self.forged.iter().zip(&self.contradicted)) {
            let goal = if witnesses == 2 { " (goal 0.1)" } else { "" };
            let said = format!("honest, {name}: divergent, contradicted by {witnesses}{goal}");
            figures.add(&said, percent(*forged, self.trials), "%");
            let said = format!("honest, {name}: near or not, contradicted by {witnesses}");
            figures.add(&said, percent(*all, self.trials), "%");
        }
    }
}

/// What became of a forgery, and whether two witnesses contradict it; `None` where the page has nothing to forge.
fn try_forgery(
    forgery: Forgery,
    (number, html, places): (usize, &str, &Places),
    round: usize,
) -> Result<Option<(Fate, bool)>> {
    let edits = forge(forgery, places, html, &mut Chance::new(&[number, round, 99]));
    if edits.is_empty() {
        return Ok(None);
    }
    let noise = Noise::ALL.get((number + round) % (Noise::ALL.len() - 1));
    let noise = noise.map_or(Noise::Seconds, |(noise, _)| *noise);
    let dynamic =
        |who: usize| load(noise, places, html, number, &mut Chance::new(&[number, round, who, 2]));
    let own = dynamic(0);
    let forged = fetch(&edited(html, &[edits, own.clone()].concat()))?;
    let before = fetch(&edited(html, &own))?;
    let (honest, witness) =
        (fetch(&edited(html, &dynamic(1)))?, fetch(&edited(html, &dynamic(2)))?);
    let caught = forged.is_contradicted_by(&[&honest, &witness]);
    Ok(Some((fate(&forged, &before, &honest), caught)))
}

/// Two loads of a page that differ in a time and an advertisement, for the comparison to go through all layers.
fn two_loads((number, html, places): &(usize, String, Places)) -> (String, String) {
    let one = |who: usize| {
        let mut chance = Chance::new(&[*number, who, 3]);
        edited(html, &load(Noise::Seconds, places, html, *number, &mut chance))
    };
    (one(0), one(1))
}

fn percent(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}
