//! A crowd at work under Sward's rules for a number of days.
//!
//! Between two checks of an agent nothing is decided, so whole runs of unchecked pages are skipped with one geometric draw;
//! every check is played in full by the modules of `trust`.

use super::allocator::{Allocator, Place};
use super::attack::{Attack, Tuning};
use super::crowd::{self, Member};
use super::draw::Draws;
use super::identity::Identity;
use super::page::{self, KINDS};
use super::parts::{Part, Parts};
use super::sight::Sight;
use super::tally::Tally;
use std::time::Duration;
use sward_coordinator_core::trust::hold::{self, Terms};
use sward_coordinator_core::trust::replication::{PROBATION_A_DAY, Stake, TRUSTED};
use sward_proto::timestamp::Timestamp;

/// What is simulated.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Names the run.
    pub seed: u64,
    /// How many agents.
    pub agents: usize,
    /// How many days.
    pub days: u32,
    /// The share of identities that the attacker holds.
    pub share: f64,
    /// What it does with them, and how.
    pub attack: Option<(Attack, Tuning)>,
    /// Plays the attackers alone, as if they were that share: how a tuning is tried.
    pub rehearsal: bool,
    /// How long credit waits.
    pub terms: Terms,
    /// Gives every agent this many pages a day.
    pub volume: Option<u32>,
    /// Which parts of the rules are in force.
    pub parts: Parts,
    /// What comparisons see.
    pub sight: Sight,
}

impl Setting {
    /// A crowd of so many agents for so many days, all of them honest.
    #[must_use]
    pub fn honest(seed: u64, agents: usize, days: u32) -> Self {
        Self {
            seed,
            agents,
            days,
            share: 0.0,
            attack: None,
            rehearsal: false,
            terms: Terms::default(),
            volume: None,
            parts: Parts::ALL,
            sight: Sight::ASSUMED,
        }
    }
}

/// Sites that an agent works on in one day.
const SITES_A_DAY: usize = 4;

/// A run under way.
#[derive(Debug)]
pub struct World {
    pub(super) setting: Setting,
    pub(super) draws: Draws,
    pub(super) members: Vec<Member>,
    pub(super) identities: Vec<Identity>,
    pub(super) allocator: Allocator,
    pub(super) tally: Tally,
    /// The attackers' share of all work, and so the chance that a partner is theirs.
    pub(super) theirs: f64,
    /// Their numbers.
    pub(super) attackers: Vec<usize>,
    /// Jobs that check somebody else's page, for each page of one's own.
    audit_load: f64,
    audits_today: f64,
    pages_today: f64,
    /// Pages of honest agents and of attackers today.
    work_today: [f64; 2],
}

/// An agent's audit rates for the day: by kind, then site, and the largest.
pub(super) struct Rates {
    sites: [usize; SITES_A_DAY],
    by_kind: [[f64; SITES_A_DAY]; KINDS.len()],
    most: f64,
    pub(super) allowed: [bool; KINDS.len()],
}

impl World {
    /// A crowd on its first day.
    #[must_use]
    pub fn new(mut setting: Setting) -> Self {
        let mut draws = Draws::new(setting.seed, "table");
        let attack = setting.attack.map(|(attack, _)| attack);
        let share = if setting.rehearsal { 1.0 } else { setting.share };
        let capped = setting.parts.has(Part::Cap);
        let mut members = crowd::draw(setting.agents, share, attack, capped, &mut draws);
        if !setting.parts.has(Part::Hold) {
            setting.terms.checks = 0;
        }
        if let Some(volume) = setting.volume {
            members.iter_mut().for_each(|member| member.volume = volume);
        }
        let theirs = if setting.rehearsal { setting.share } else { crowd::work_share(&members) };
        let attackers = (0..members.len())
            .filter(|index| members.get(*index).is_some_and(|m| !m.role.is_honest()))
            .collect();
        Self {
            setting,
            draws,
            identities: members
                .iter()
                .map(|_| Identity::new(Timestamp::ZERO, setting.parts))
                .collect(),
            members,
            allocator: Allocator::default(),
            tally: Tally::default(),
            theirs,
            attackers,
            audit_load: 0.08,
            audits_today: 0.0,
            pages_today: 0.0,
            work_today: [0.0; 2],
        }
    }

    /// Plays all days.
    #[must_use]
    pub fn run(mut self) -> Tally {
        for day in 0..self.setting.days {
            for who in 0..self.members.len() {
                self.play_day(who, day);
            }
            self.turn_day();
        }
        let end = day_of(self.setting.days);
        for who in 0..self.members.len() {
            self.release(who, end);
        }
        self.count_pending();
        self.tally.page_bytes = self.setting.sight.bytes;
        self.tally
    }

    /// Partners of tomorrow are drawn by the work of today: newcomers and convicts do little of it.
    fn turn_day(&mut self) {
        self.audit_load = self.audits_today / self.pages_today.max(1.0);
        let work = std::mem::take(&mut self.work_today);
        self.theirs = if self.setting.rehearsal {
            let nominal: f64 = self.members.iter().map(|member| f64::from(member.volume)).sum();
            let theirs = self.setting.share * work[1] / nominal.max(1.0);
            theirs / (theirs + 1.0 - self.setting.share)
        } else {
            work[1] / (work[0] + work[1]).max(1.0)
        };
        (self.audits_today, self.pages_today) = (0.0, 0.0);
    }

    /// An agent's day: first blocks that fall due, then its pages, then its audits of others.
    fn play_day(&mut self, who: usize, day: u32) {
        let now = day_of(day);
        self.release(who, now);
        let Some(member) = self.members.get(who).copied() else { return };
        let mut left = u64::from(member.volume);
        let mut trickle = u64::from(PROBATION_A_DAY);
        while left > 0 {
            let gone = u64::from(member.volume) - left;
            let millis = 86_400_000 * gone / u64::from(member.volume.max(1));
            let at = now + Duration::from_millis(millis);
            let Some(identity) = self.identities.get_mut(who) else { return };
            identity.turn_block(self.setting.terms, at);
            let room =
                u64::from(self.setting.terms.pages.saturating_sub(identity.open.block.pages()))
                    .max(1);
            if !identity.trust.on_probation() {
                left -= self.work(who, left.min(room), at);
            } else if trickle > 0 {
                let done = self.work(who, left.min(room).min(trickle), at);
                (left, trickle) = (left - done, trickle - done);
            } else {
                break;
            }
        }
        let audits = self.draws.binomial(u64::from(member.volume) - left, self.audit_load);
        (0..audits).for_each(|_| self.audit_for_another(who, now));
        let done = f64::from(member.volume) - left as f64;
        self.pages_today += done;
        self.work_today[usize::from(!member.role.is_honest())] += done;
    }

    /// Hands in up to `pages` pages, as long as the audit rates stay what they are. Returns how many.
    fn work(&mut self, who: usize, pages: u64, now: Timestamp) -> u64 {
        let rates = self.rates(who, now);
        let burst = self.burst_left(who);
        let pages = burst.map_or(pages, |left| pages.min(left.max(1)));
        let mut done = 0;
        while done < pages {
            let unseen = self.draws.skip(rates.most).min(pages - done);
            self.deliver_unseen(who, unseen, &rates);
            done += unseen;
            if done >= pages {
                break;
            }
            done += 1;
            let kind = self.draw_allowed(&rates);
            let slot = self.draws.index(SITES_A_DAY);
            let rate = rates.by_kind.get(kind).and_then(|r| r.get(slot)).copied().unwrap_or(1.0);
            let site = rates.sites.get(slot).copied().unwrap_or(0);
            let place = self.draws.unit() * rates.most;
            let trusted = self.trusted();
            let proving = self.identities.get(who).is_some_and(|i| i.trust.is_proving());
            let changed = if place < rate {
                self.audits_today += 1.0;
                self.check_page(who, kind, site, false, now)
            } else if place < rate + trusted {
                self.check_page(who, kind, site, true, now)
            } else {
                self.deliver_one_unseen(who, kind);
                false
            };
            let still = self.identities.get(who).is_some_and(|i| i.trust.is_proving());
            if changed || proving != still {
                break;
            }
        }
        if burst.is_some_and(|left| done >= left) {
            self.leave(who, now);
        }
        done
    }

    /// The share of pages that a trusted fetcher checks.
    fn trusted(&self) -> f64 {
        if self.setting.parts.has(Part::Trusted) { TRUSTED.fraction() } else { 0.0 }
    }

    fn rates(&mut self, who: usize, now: Timestamp) -> Rates {
        let sites = [(); SITES_A_DAY].map(|()| self.draws.index(page::SITES));
        let mut by_kind = [[0.0; SITES_A_DAY]; KINDS.len()];
        let mut allowed = [true; KINDS.len()];
        if let (Some(identity), Some(member)) = (self.identities.get(who), self.members.get(who)) {
            let need = hold::need(self.setting.terms, member.volume);
            let boosts = sites.map(|site| self.allocator.boost(place(who, site)));
            for (rates, kind) in by_kind.iter_mut().zip(&KINDS) {
                for (rate, boost) in rates.iter_mut().zip(boosts) {
                    let stake = kind.stake();
                    let novelty = stake.novelty.saturating_mul(boost) / 1000;
                    let stake = Stake { novelty, ..stake };
                    *rate = self.setting.parts.rate(&identity.trust, stake, need).fraction();
                }
            }
            allowed = identity.allowed(now);
        }
        let most = by_kind.as_flattened().iter().copied().fold(0.0, f64::max);
        Rates { sites, by_kind, most: (most + self.trusted()).min(1.0), allowed }
    }

    pub(super) fn draw_allowed(&mut self, rates: &Rates) -> usize {
        loop {
            let kind = page::draw_kind(&mut self.draws);
            if rates.allowed.get(kind).copied().unwrap_or(true) {
                return kind;
            }
        }
    }
}

pub(super) fn place(who: usize, site: usize) -> Place {
    Place { agent: who as u64, site: site as u64, region: who as u64 % 5 }
}

/// The beginning of a day.
pub(super) fn day_of(day: u32) -> Timestamp {
    Timestamp::ZERO + Duration::from_hours(24) * day
}

#[cfg(test)]
mod tests {
    use super::*;

    fn played(seed: u64, attack: Option<(Attack, Tuning)>) -> Tally {
        let share = if attack.is_some() { 0.2 } else { 0.0 };
        World::new(Setting { share, attack, ..Setting::honest(seed, 100, 9) }).run()
    }

    #[test]
    fn a_seed_names_a_run() {
        let sleeper = Some((Attack::Sleeper, Tuning { rate: 0.01, ..Tuning::always() }));
        assert_eq!(played(1, sleeper), played(1, sleeper));
        assert_ne!(played(1, sleeper), played(2, sleeper));
    }

    #[test]
    fn whoever_always_forges_is_convicted_before_a_forgery_is_final() {
        let tally = played(3, Some((Attack::Sleeper, Tuning::always())));
        assert!(tally.attackers_convicted >= 20.0, "{}", tally.attackers_convicted);
        assert_eq!((tally.forged_final, tally.honest_convicted), (0.0, 0.0));
        assert!(tally.finals > 0.0 && tally.forged_served > 0.0);
    }

    #[test]
    fn honest_agents_alone_are_paid_and_nobody_is_convicted() {
        let tally = played(4, None);
        assert_eq!((tally.honest_convicted, tally.forged_served), (0.0, 0.0));
        assert!(tally.honest_paid > 0.995 * tally.honest_pages);
        assert!(tally.honest_paid < tally.honest_pages);
        let rates = tally.rates();
        assert!((1.05..1.2).contains(&rates.fetches_per_accepted), "{rates:?}");
    }
}
