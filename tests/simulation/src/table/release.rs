//! What becomes of held pages: release when due, and the end of an identity.

use super::identity::Identity;
use super::page::KINDS;
use super::parts::Part;
use super::world::World;
use sward_coordinator_core::trust::hold::{self, Aftermath};
use sward_proto::timestamp::Timestamp;

impl World {
    /// Blocks that are due turn final.
    pub(super) fn release(&mut self, who: usize, now: Timestamp) {
        let terms = self.setting.terms;
        let (role, honest) = (self.role(who), self.is_honest(who));
        let Some(identity) = self.identities.get_mut(who) else { return };
        identity.turn_block(terms, now);
        while identity.resting.front().is_some_and(|held| held.block.due(terms) <= now) {
            let Some(held) = identity.resting.pop_front() else { break };
            let all = f64::from(held.block.pages());
            let certified: f64 =
                KINDS.iter().filter(|kind| kind.is_certifiable()).map(|kind| kind.share).sum();
            self.tally.finals += (all - f64::from(held.audits)) * certified;
            self.tally.forged_final += f64::from(held.forgeries());
            let paid = (all - f64::from(held.unpaid)).max(0.0);
            if honest {
                self.tally.honest_paid += paid;
                self.tally.add_class(role, 0.0, paid);
                self.tally.honest_windows += 1.0;
                let due = held.block.due(terms);
                self.tally.add_waits(all, terms.rest, due.since(held.opened));
            } else {
                self.tally.attacker_paid += paid;
            }
        }
    }

    /// The identity ends: what rests on it alone is dropped and fetched again by others, as part of their work.
    pub(super) fn convict(&mut self, who: usize, now: Timestamp) {
        if self.is_honest(who) {
            self.tally.honest_convicted += 1.0;
        } else {
            self.tally.attackers_convicted += 1.0;
        }
        let found = self.identities.get(who).and_then(Identity::pages_to_detection);
        self.tally.detected.extend(found);
        if !self.setting.parts.has(Part::Hold) {
            return self.leave(who, now);
        }
        let Some(identity) = self.identities.get_mut(who) else { return };
        for held in identity.held() {
            let seen = held.block.pages() - held.block.single();
            debug_assert_eq!(hold::aftermath(false, false), Aftermath::FetchedAgain);
            self.tally.accepted -= f64::from(held.block.single());
            self.tally.forged_final += f64::from(held.backed);
            self.tally.finals += f64::from(seen - held.audits.min(seen));
        }
        *identity = Identity::new(now, self.setting.parts);
    }

    /// The owner leaves; a new identity begins. What is held stays, and is paid.
    pub(super) fn leave(&mut self, who: usize, now: Timestamp) {
        let role = self.role(who);
        let Some(identity) = self.identities.get_mut(who) else { return };
        for held in identity.held() {
            self.tally.finals += f64::from(held.block.pages() - held.audits);
            self.tally.forged_final += f64::from(held.forgeries());
            let paid = f64::from(held.block.pages().saturating_sub(held.unpaid));
            if role.is_honest() {
                self.tally.honest_paid += paid;
                self.tally.add_class(role, 0.0, paid);
            } else {
                self.tally.attacker_paid += paid;
            }
        }
        *identity = Identity::new(now, self.setting.parts);
    }

    /// Credit of so many pages is not issued.
    pub(super) fn withhold(&mut self, who: usize, pages: u32) {
        if let Some(identity) = self.identities.get_mut(who) {
            identity.open.unpaid += pages;
        }
    }

    /// What is pending at the end counts as paid at the rate of what was settled: nobody has lost it.
    pub(super) fn count_pending(&mut self) {
        for who in 0..self.members.len() {
            let role = self.role(who);
            let Some(identity) = self.identities.get_mut(who) else { continue };
            let pages: u32 =
                identity.held().map(|h| h.block.pages().saturating_sub(h.unpaid)).sum();
            if role.is_honest() {
                self.tally.honest_paid += f64::from(pages);
                self.tally.add_class(role, 0.0, f64::from(pages));
            } else {
                self.tally.attacker_paid += f64::from(pages);
            }
        }
    }
}
