//! Handing pages in: what counts as fetched and accepted, and what an attacker slips in where nobody checks.

use super::attack::{Answer, Attack};
use super::crowd::Role;
use super::page::{KINDS, Kind};
use super::world::{Rates, World};

impl World {
    /// Pages that nobody checks: only an attacker's have to be looked at.
    pub(super) fn deliver_unseen(&mut self, who: usize, pages: u64, rates: &Rates) {
        let count = u32::try_from(pages).unwrap_or(u32::MAX);
        self.hand_in(who, count, count);
        if pages == 0 || !self.cheats_now(who) {
            return;
        }
        let Some((attack, tuning)) = self.setting.attack else { return };
        let shares: f64 = allowed_kinds(rates).map(|(_, kind)| kind.share).sum();
        for (index, kind) in allowed_kinds(rates) {
            let rate = attack.rate_on(kind, tuning) * kind.share / shares.max(1e-9);
            for _ in 0..self.draws.binomial(pages, rate) {
                let answer = attack.cheat(kind, false, &mut self.draws);
                self.note_cheat(who, index, answer, attack);
            }
        }
    }

    pub(super) fn deliver_one_unseen(&mut self, who: usize, kind: usize) {
        self.hand_in(who, 1, 1);
        let (Some((attack, tuning)), Some(page)) = (self.setting.attack, KINDS.get(kind)) else {
            return;
        };
        if self.cheats_now(who) && self.draws.happens(attack.rate_on(page, tuning)) {
            let answer = attack.cheat(page, false, &mut self.draws);
            self.note_cheat(who, kind, answer, attack);
        }
    }

    fn note_cheat(&mut self, who: usize, kind: usize, answer: Answer, attack: Attack) {
        let Some(identity) = self.identities.get_mut(who) else { return };
        identity.cheats();
        if !attack.fetches_what_it_forges() {
            identity.open.unfetched += 1;
            self.tally.attacker_fetched -= 1.0;
        }
        if answer != Answer::True
            && let Some(forged) = identity.open.forged.get_mut(kind)
        {
            *forged += 1;
            self.tally.forged_served += 1.0;
        }
    }

    /// Counts pages as fetched and, for now, accepted.
    pub(super) fn hand_in(&mut self, who: usize, pages: u32, single: u32) {
        let Some(identity) = self.identities.get_mut(who) else { return };
        identity.open.block.deliver(pages, single);
        identity.age += u64::from(pages);
        let pages = f64::from(pages);
        self.tally.fetches += pages;
        self.tally.accepted += pages;
        self.tally.served += pages;
        self.count_work(who, pages);
    }

    pub(super) fn count_work(&mut self, who: usize, pages: f64) {
        let role = self.role(who);
        if role.is_honest() {
            self.tally.honest_pages += pages;
            self.tally.add_class(role, pages, 0.0);
        } else {
            self.tally.attacker_pages += pages;
            self.tally.attacker_fetched += pages;
        }
    }

    pub(super) fn role(&self, who: usize) -> Role {
        self.members.get(who).map_or(Role::Attacker, |member| member.role)
    }

    pub(super) fn is_honest(&self, who: usize) -> bool {
        self.role(who).is_honest()
    }

    /// Whether this agent cheats at its present age.
    pub(super) fn cheats_now(&self, who: usize) -> bool {
        let Some((attack, _)) = self.setting.attack else { return false };
        let proven = self.identities.get(who).is_some_and(|i| !i.trust.on_probation());
        // A cheat knows when a probation of known length is over, and nothing about a review.
        !self.is_honest(who) && (!attack.waits() || proven)
    }

    /// Pages of its burst that an attacker has left, if it cheats in bursts and has begun.
    pub(super) fn burst_left(&self, who: usize) -> Option<u64> {
        let (_, tuning) = self.setting.attack.filter(|(_, tuning)| tuning.burst > 0)?;
        let identity = self.identities.get(who).filter(|_| self.cheats_now(who))?;
        let begun = identity.age.saturating_sub(u64::from(self.setting.parts.probation()));
        Some(u64::from(tuning.burst).saturating_sub(begun))
    }
}

fn allowed_kinds(rates: &Rates) -> impl Iterator<Item = (usize, &'static Kind)> + '_ {
    KINDS.iter().enumerate().filter(|(index, _)| rates.allowed.get(*index).copied().unwrap_or(true))
}
