//! One check in full: what the agent handed in, what the other side saw, and what follows.

use super::attack::{Answer, Attack};
use super::crowd::{CROWD_FLAW, Flaw};
use super::dispute::{self, Said, Split};
use super::page::{self, KINDS, Kind};
use super::parts::Part;
use super::tally::Tally;
use super::world::{World, place};
use sward_coordinator_core::trust::evidence::{self, Check, Excuse, Volatility};
use sward_coordinator_core::trust::outcome;
use sward_coordinator_core::trust::ruling::Ruling;
use sward_proto::timestamp::Timestamp;

/// What an agent handed in, and what is really behind it.
#[derive(Debug, Clone, Copy)]
struct Handed {
    said: Said,
    /// What might excuse it.
    excuse: Excuse,
    /// It is false, on purpose.
    forged: bool,
    /// Nothing was fetched for it.
    unfetched: bool,
    /// Recognised as damage, or as another region's version: no vote, no guilt.
    neutral: bool,
    /// Such a neutral result is still paid.
    paid: bool,
}

impl World {
    /// Checks a page that the agent just handed in. Returns whether its standing changed.
    pub(super) fn check_page(
        &mut self,
        who: usize,
        kind: usize,
        site: usize,
        trusted: bool,
        now: Timestamp,
    ) -> bool {
        let Some(page) = KINDS.get(kind).copied() else { return false };
        let retrial = self.identities.get(who).map(|identity| identity.trust.audited_by());
        let check = if trusted { Check::Concurrent } else { retrial.unwrap_or(Check::Replica) };
        let split = self.draw_split(&page, site);
        // A trusted fetch comes within half a minute, an audit within five.
        let wait = if check == Check::Replica { 1.0 } else { 0.1 };
        let changed = self.draws.happens(page.changes() * wait);
        let handed = self.handed(who, &page, split, changed, trusted);
        let other = match check {
            Check::Concurrent | Check::Beacon => {
                self.tally.trusted_fetches += 1.0;
                split.fetch(&mut self.draws)
            }
            Check::Replica => {
                self.tally.fetches += 1.0 + self.setting.sight.further(&page);
                self.partner(&page, &handed, split)
            }
        };
        self.count_agreement(who, &page, &handed, other, check);
        self.hand_in(who, 1, 0);
        if (handed.forged || handed.unfetched)
            && let Some(identity) = self.identities.get_mut(who)
        {
            identity.cheats();
        }
        if handed.unfetched {
            self.tally.attacker_fetched -= 1.0;
        }
        if handed.neutral {
            // Somebody else's fetch stands in for it.
            self.tally.fetches += 1.0;
            self.withhold(who, u32::from(!handed.paid));
            return false;
        }
        let agrees = handed.said == other;
        if check == Check::Replica && self.setting.parts.has(Part::Allocator) {
            self.allocator.learn(place(who, site), !agrees);
        }
        if agrees {
            self.settle_agreement(who, kind, check, handed.forged, now);
            return false;
        }
        self.dispute(who, kind, check, handed, other, split, now)
    }

    /// A job that checks somebody else's page: the agent cannot know that it does. Its costs are counted with that page.
    pub(super) fn audit_for_another(&mut self, who: usize, now: Timestamp) {
        let allowed = self.identities.get(who).map(|i| i.allowed(now)).unwrap_or_default();
        let kind = page::draw_kind(&mut self.draws);
        let (Some(page), true) = (KINDS.get(kind).copied(), allowed.get(kind) == Some(&true))
        else {
            return;
        };
        let site = self.draws.index(page::SITES);
        let split = self.draw_split(&page, site);
        let mut handed = self.handed(who, &page, split, false, false);
        let first = self.partner(&page, &handed, split);
        let copies = self.setting.attack.is_some_and(|(attack, _)| attack == Attack::Copier);
        if copies && handed.forged && self.draws.happens(self.theirs) {
            // The first fetcher is an accomplice, and tells what it saw; a first fetcher has nobody to copy from.
            handed = Handed { said: first, forged: false, ..handed };
        }
        let Tally { fetches, trusted_fetches, contested, .. } = self.tally;
        self.count_work(who, 1.0);
        let fetched = self.tally.attacker_fetched;
        if let Some(identity) = self.identities.get_mut(who) {
            identity.open.block.deliver(1, 0);
            identity.open.audits += 1;
        }
        let unfetched = f64::from(u8::from(handed.unfetched));
        if handed.neutral {
            self.withhold(who, u32::from(!handed.paid));
        } else if handed.said == first {
            self.settle_agreement(who, kind, Check::Replica, false, now);
        } else {
            self.dispute(who, kind, Check::Replica, handed, first, split, now);
        }
        // Fetches and contested pages belong to the page's own check.
        self.tally.fetches = fetches;
        self.tally.trusted_fetches = trusted_fetches;
        self.tally.contested = contested;
        self.tally.attacker_fetched = fetched - unfetched;
    }

    fn draw_split(&mut self, page: &Kind, site: usize) -> Split {
        let splits = self.draws.happens(self.setting.sight.splits(page) * page::site_noise(site));
        Split(splits.then(|| self.draws.between(0.1, 0.5)))
    }

    /// What the agent hands in.
    fn handed(
        &mut self,
        who: usize,
        page: &Kind,
        split: Split,
        changed: bool,
        ringer: bool,
    ) -> Handed {
        let honest = Handed {
            said: if changed { Said::Alone(0) } else { split.fetch(&mut self.draws) },
            excuse: page.excuse(),
            forged: false,
            unfetched: false,
            neutral: false,
            paid: true,
        };
        let Some(member) = self.members.get(who).copied() else { return honest };
        if let Some((attack, tuning)) = self.setting.attack.filter(|_| self.cheats_now(who)) {
            if !self.draws.happens(attack.rate_on(page, tuning)) {
                return honest;
            }
            let unfetched = !attack.fetches_what_it_forges();
            let answer = attack.cheat(page, ringer, &mut self.draws);
            let seen = self.setting.sight.of(attack, page);
            let place = self.draws.unit();
            return match answer {
                Answer::True => Handed { unfetched, ..honest },
                _ if (seen.found..seen.found + seen.withheld).contains(&place) => {
                    Handed { unfetched, ..honest }
                }
                _ if place >= seen.found => Handed { forged: true, unfetched, ..honest },
                Answer::Old => {
                    let excuse = honest.excuse.max(Excuse::OldCopy);
                    Handed { said: Said::Alone(0), excuse, forged: true, unfetched, ..honest }
                }
                Answer::Forged => {
                    let said = if attack.shares() { Said::Lie } else { Said::Alone(0) };
                    Handed { said, forged: true, unfetched, ..honest }
                }
            };
        }
        match member.role.flaw(page, &mut self.draws) {
            None => honest,
            Some(Flaw::Recognised) => Handed { neutral: true, paid: false, ..honest },
            Some(Flaw::OtherRegion) => Handed { neutral: true, ..honest },
            Some(Flaw::Stale) => {
                let excuse = honest.excuse.max(Excuse::OldCopy);
                Handed { said: Said::Alone(0), excuse, ..honest }
            }
            Some(Flaw::Altered | Flaw::UnknownRegion) => Handed { said: Said::Alone(0), ..honest },
        }
    }

    /// What an independent agent drawn by its work says of the page.
    fn partner(&mut self, page: &Kind, handed: &Handed, split: Split) -> Said {
        if self.draws.happens(self.theirs)
            && let Some((attack, tuning)) = self.setting.attack
        {
            if handed.said == Said::Lie {
                return Said::Lie;
            }
            let rate = attack.rate_as_partner(page, tuning);
            if self.draws.happens(rate) {
                return if attack.shares() { Said::Lie } else { Said::Alone(1) };
            }
        }
        if self.draws.happens(CROWD_FLAW) { Said::Alone(1) } else { split.fetch(&mut self.draws) }
    }

    fn settle_agreement(
        &mut self,
        who: usize,
        kind: usize,
        check: Check,
        forged: bool,
        now: Timestamp,
    ) {
        if let Some(identity) = self.identities.get_mut(who) {
            identity.agreed(kind, check, now);
            identity.open.backed += u32::from(forged);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one dispute, as it stands")]
    fn dispute(
        &mut self,
        who: usize,
        kind: usize,
        check: Check,
        handed: Handed,
        other: Said,
        split: Split,
        now: Timestamp,
    ) -> bool {
        let Some(page) = KINDS.get(kind).copied() else { return false };
        let theirs = self.theirs;
        let lie = handed.said == Said::Lie || other == Said::Lie;
        let sure = self.setting.parts.has(Part::Confirmations);
        let ended = dispute::settle(handed.said, other, split, sure, &mut self.draws, |draws| {
            if lie && draws.happens(theirs) { Said::Lie } else { split.fetch(draws) }
        });
        self.tally.fetches += f64::from(ended.replicas);
        self.tally.trusted_fetches += f64::from(ended.trusted);
        if ended.contested {
            self.tally.contested += 1.0;
            self.tally.accepted -= 1.0;
        }
        if other == Said::Lie || handed.said == Said::Lie {
            self.blame_liars(ended.liars, &page, now);
        }
        match ended.ruling {
            Ruling::Stands => {
                self.settle_agreement(who, kind, check, handed.forged, now);
                false
            }
            Ruling::PageAtFault => false,
            Ruling::Differs => {
                let cause = evidence::weight(page.volatility, check, handed.excuse);
                let forfeit =
                    if self.setting.parts.has(Part::Hold) { outcome::forfeit(cause) } else { 0 };
                self.withhold(who, 1 + forfeit);
                self.blame(who, &page, check, handed.excuse, now)
            }
        }
    }

    /// Attackers who told the lie as tie-breakers are found with it.
    fn blame_liars(&mut self, liars: u32, page: &Kind, now: Timestamp) {
        for _ in 0..liars {
            let index = self.draws.index(self.attackers.len());
            if let Some(who) = self.attackers.get(index).copied() {
                self.blame(who, page, Check::Replica, page.excuse(), now);
            }
        }
    }

    /// A result of the agent differs. Returns true: its standing changed.
    fn blame(
        &mut self,
        who: usize,
        page: &Kind,
        check: Check,
        excuse: Excuse,
        now: Timestamp,
    ) -> bool {
        let honest = self.is_honest(who);
        let Some(identity) = self.identities.get_mut(who) else { return false };
        let consequence = identity.differed(page.volatility, check, excuse, now);
        if honest {
            self.tally.honest_reviews += 1.0;
        }
        if consequence.convicted {
            self.convict(who, now);
        } else if consequence.restricted {
            self.tally.honest_restricted += f64::from(u8::from(honest));
        }
        true
    }

    /// Honest results that agree, for static and for noisy pages; personalised ones have nothing to agree on.
    fn count_agreement(
        &mut self,
        who: usize,
        page: &Kind,
        handed: &Handed,
        other: Said,
        check: Check,
    ) {
        let slot = match page.volatility {
            Volatility::Static => 0,
            Volatility::Noisy => 1,
            Volatility::Rolling | Volatility::Geo | Volatility::Personalised => return,
        };
        if self.is_honest(who) && other != Said::Lie && check == Check::Replica {
            self.tally.compared[slot] += 1.0;
            let agrees = handed.said == other && !handed.neutral;
            self.tally.agreed[slot] += f64::from(u8::from(agrees));
        }
    }
}
