//! The schemes that Sward is measured against, on the same crowd, pages and attackers.
//!
//! Assignments are even, as in the research's own calculation, and every participant's state is kept. These schemes know no
//! hold window: what they accept is final at once.

use super::attack::{Answer, Attack, Tuning};
use super::crowd::{self, CROWD_FLAW, Member, Role};
use super::dispute::{Said, Split};
use super::draw::Draws;
use super::page::{self, KINDS};
use super::tally::Tally;
use super::world::Setting;
use clap::ValueEnum;
use serde::Serialize;

/// What checks results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// The rules of `trust`.
    Sward,
    /// Nothing.
    NoCheck,
    /// Two that agree.
    Quorum2,
    /// Two of three that agree.
    Quorum3,
    /// One answer leads by two, of seven at most.
    Margin2,
    /// BOINC's adaptive replication: `sched_send.cpp`, commit c5c6cb7.
    Boinc,
    /// Credibility with spot checks and blacklisting (Sarmenta, CCGrid 2001).
    Sarmenta,
}

/// Consecutive valid results from which BOINC trusts a host alone.
const BOINC_TRUSTED: u32 = 10;
/// Results of one page at most.
const MOST: usize = 7;
/// Sarmenta's spot checks, and the credibility at which a result is accepted (as in the research, section A).
const SPOT_CHECKS: f64 = 0.05;
const ENOUGH: f64 = 0.999;
/// Pages that stand for one hold window where a scheme has none.
const WINDOW: f64 = 5000.0;

struct Bench {
    scheme: Scheme,
    setting: Setting,
    draws: Draws,
    members: Vec<Member>,
    /// Consecutive valid results (BOINC), or spot checks passed (Sarmenta).
    valid: Vec<u32>,
    tally: Tally,
}

struct Vote {
    who: usize,
    said: Said,
    fetched: bool,
    /// False on purpose.
    forged: bool,
}

/// Plays `pages` pages for each agent.
#[must_use]
pub fn run(scheme: Scheme, setting: Setting, pages: usize) -> Tally {
    let mut draws = Draws::new(setting.seed, "table");
    let attack = setting.attack.map(|(attack, _)| attack);
    let members = crowd::draw(setting.agents, setting.share, attack, true, &mut draws);
    let valid = vec![0; members.len()];
    let mut bench = Bench { scheme, setting, draws, members, valid, tally: Tally::default() };
    for _ in 0..pages * setting.agents {
        bench.page();
    }
    bench.tally.served = bench.tally.accepted;
    bench.tally.forged_served = bench.tally.forged_final;
    bench.tally.finals = bench.tally.accepted;
    bench.tally.honest_windows = bench.tally.honest_pages / WINDOW;
    bench.tally.page_bytes = setting.sight.bytes;
    bench.tally
}

impl Bench {
    fn page(&mut self) {
        let kind = page::draw_kind(&mut self.draws);
        let site = self.draws.index(page::SITES);
        let Some(page) = KINDS.get(kind) else { return };
        let splits = self.draws.happens(self.setting.sight.splits(page) * page::site_noise(site));
        let split = Split(splits.then(|| self.draws.between(0.1, 0.5)));
        let mut votes: Vec<Vote> = Vec::with_capacity(MOST);
        let mut accepted = None;
        while votes.len() < MOST && accepted.is_none() {
            let vote = self.vote(page, split, votes.is_empty(), votes.len());
            self.tally.fetches += 1.0;
            votes.push(vote);
            accepted = self.decide(&votes);
        }
        match accepted {
            Some(said) => {
                self.tally.accepted += 1.0;
                let forged = votes.iter().any(|vote| vote.said == said && vote.forged);
                self.tally.forged_final += f64::from(u8::from(forged));
            }
            None => self.tally.contested += 1.0,
        }
        self.settle(&votes, accepted, split);
    }

    fn vote(&mut self, page: &page::Kind, split: Split, first: bool, place: usize) -> Vote {
        let who = self.draws.index(self.members.len());
        let honest = self.members.get(who).is_some_and(|member| member.role.is_honest());
        let truth = split.fetch(&mut self.draws);
        let alone = Said::Alone(u8::try_from(place).unwrap_or(u8::MAX));
        let Some((attack, tuning)) = self.setting.attack.filter(|_| !honest) else {
            let flawed = self.draws.happens(CROWD_FLAW);
            return Vote {
                who,
                said: if flawed { alone } else { truth },
                fetched: true,
                forged: false,
            };
        };
        if !self.cheats(who, page, attack, tuning, first) {
            return Vote { who, said: truth, fetched: true, forged: false };
        }
        let fetched = attack.fetches_what_it_forges();
        let said = match attack.cheat(page, false, &mut self.draws) {
            Answer::True => truth,
            Answer::Forged | Answer::Old if attack.shares() => Said::Lie,
            Answer::Forged | Answer::Old => alone,
        };
        Vote { who, said, fetched, forged: said != truth }
    }

    fn cheats(
        &mut self,
        who: usize,
        page: &page::Kind,
        attack: Attack,
        tuning: Tuning,
        first: bool,
    ) -> bool {
        let trusted = self.valid.get(who).copied().unwrap_or(0) >= BOINC_TRUSTED;
        match (self.scheme, attack) {
            (_, Attack::Denial) => !first && self.draws.happens(tuning.rate),
            // Replicas are numbered, and the counter is shown: a sleeper knows when it is safe to forge.
            (Scheme::Boinc, _) if attack.waits() => {
                let safe = trusted && (first || attack.shares());
                safe && self.draws.happens(attack.rate_on(page, tuning))
            }
            _ => self.draws.happens(attack.rate_on(page, tuning)),
        }
    }

    fn decide(&mut self, votes: &[Vote]) -> Option<Said> {
        let first = votes.first()?;
        let best = votes.iter().map(|vote| vote.said).max_by_key(|said| {
            (count(votes, *said), std::cmp::Reverse(votes.iter().position(|v| v.said == *said)))
        })?;
        let others = votes.iter().filter(|vote| vote.said != best);
        let second = others.map(|vote| count(votes, vote.said)).max().unwrap_or(0);
        let stands = match self.scheme {
            Scheme::NoCheck | Scheme::Sward => true,
            Scheme::Quorum2 => count(votes, best) >= 2,
            Scheme::Quorum3 => votes.len() >= 3 && count(votes, best) >= 2,
            Scheme::Margin2 => count(votes, best) >= second + 2,
            Scheme::Boinc if votes.len() == 1 => {
                let valid = self.valid.get(first.who).copied().unwrap_or(0);
                valid >= BOINC_TRUSTED && !self.draws.happens(1.0 / f64::from(valid))
            }
            Scheme::Boinc => count(votes, best) >= 2,
            Scheme::Sarmenta => self.credibility(votes, best) >= ENOUGH,
        };
        stands.then_some(best)
    }

    /// The group's credibility: each answer's chance of being the right one, given its workers' passed checks.
    fn credibility(&self, votes: &[Vote], best: Said) -> f64 {
        let share = self.setting.share.clamp(0.001, 0.5);
        let worker = |who: usize| {
            let passed = f64::from(self.valid.get(who).copied().unwrap_or(0));
            let blame = share / (1.0 - share) / (passed * std::f64::consts::E).max(1.0);
            1.0 - blame.min(share)
        };
        let mut answers: Vec<Said> = Vec::new();
        for vote in votes {
            if !answers.contains(&vote.said) {
                answers.push(vote.said);
            }
        }
        let weight = |right: Option<Said>| -> f64 {
            let chance = |said: Said| {
                let of = votes.iter().filter(|vote| vote.said == said);
                if Some(said) == right {
                    of.map(|vote| worker(vote.who)).product::<f64>()
                } else {
                    of.map(|vote| 1.0 - worker(vote.who)).product()
                }
            };
            answers.iter().map(|said| chance(*said)).product()
        };
        let all: f64 = weight(None) + answers.iter().map(|said| weight(Some(*said))).sum::<f64>();
        weight(Some(best)) / all.max(f64::MIN_POSITIVE)
    }

    fn settle(&mut self, votes: &[Vote], accepted: Option<Said>, split: Split) {
        for (place, vote) in votes.iter().enumerate() {
            let role = self.members.get(vote.who).map_or(Role::Stable, |member| member.role);
            let honest = role.is_honest();
            let paid = f64::from(u8::from(Some(vote.said) == accepted));
            if honest {
                self.tally.honest_pages += 1.0;
                self.tally.honest_paid += paid;
                self.tally.add_class(role, 1.0, paid);
            } else {
                self.tally.attacker_pages += 1.0;
                self.tally.attacker_paid += paid;
                self.tally.attacker_fetched += f64::from(u8::from(vote.fetched));
            }
            match self.scheme {
                Scheme::Boinc if votes.len() > 1 => self.count_valid(vote, accepted),
                Scheme::Sarmenta if place == 0 => self.spot_check(vote, split, honest),
                Scheme::Sward
                | Scheme::NoCheck
                | Scheme::Quorum2
                | Scheme::Quorum3
                | Scheme::Margin2
                | Scheme::Boinc
                | Scheme::Sarmenta => {}
            }
        }
    }

    fn count_valid(&mut self, vote: &Vote, accepted: Option<Said>) {
        if let Some(valid) = self.valid.get_mut(vote.who) {
            *valid = if Some(vote.said) == accepted { *valid + 1 } else { 0 };
        }
    }

    /// A page that a trusted fetcher fetches too: one miss, and the worker is struck off and comes back as a newcomer.
    fn spot_check(&mut self, vote: &Vote, split: Split, honest: bool) {
        if !self.draws.happens(SPOT_CHECKS) {
            return;
        }
        self.tally.trusted_fetches += 1.0;
        let passed = vote.said == split.fetch(&mut self.draws);
        if !passed {
            self.tally.honest_convicted += f64::from(u8::from(honest));
            self.tally.attackers_convicted += f64::from(u8::from(!honest));
        }
        if let Some(valid) = self.valid.get_mut(vote.who) {
            *valid = if passed { *valid + 1 } else { 0 };
        }
    }
}

fn count(votes: &[Vote], said: Said) -> usize {
    votes.iter().filter(|vote| vote.said == said).count()
}
