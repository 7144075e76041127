//! Who takes part: volumes by Zipf's law, honest agents with their flaws, and the attackers among them.

use super::attack::{Attack, CASUAL};
use super::draw::Draws;
use super::page::Kind;
use sward_coordinator_core::trust::evidence::Volatility;
use sward_coordinator_core::trust::weight::{self, Claim};

/// Pages a day of the median agent. With it a hold window lasts seven days, so that fourteen hold two.
pub const MEDIAN: u32 = 800;
/// The most pages a day of any agent.
pub const MOST: u32 = 20 * MEDIAN;

/// What an agent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Honest, on a good path.
    Stable,
    /// Honest; cuts bodies short now and then, and meets stale caches.
    Flaky,
    /// Honest, behind something that changes pages.
    Tampered,
    /// Honest, elsewhere than it says.
    WrongGeo,
    /// Not honest.
    Attacker,
}

/// One agent.
#[derive(Debug, Clone, Copy)]
pub struct Member {
    /// What it is.
    pub role: Role,
    /// Pages a day.
    pub volume: u32,
}

/// How an honest result may go wrong through no fault of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Cut short, a broken certificate, an injected script: recognised, unpaid, no guilt.
    Recognised,
    /// A stale cache's copy.
    Stale,
    /// Changed on an open path.
    Altered,
    /// Another region's version, which is known.
    OtherRegion,
    /// Another region's version, which is not known yet.
    UnknownRegion,
}

impl Role {
    /// Whether it is.
    #[must_use]
    pub const fn is_honest(self) -> bool {
        !matches!(self, Self::Attacker)
    }

    /// Draws what goes wrong with one fetch. Rates are assumed, but for the shares of such agents (section E).
    pub fn flaw(self, kind: &Kind, draws: &mut Draws) -> Option<Flaw> {
        let (chance, flaw) = match self {
            Self::Stable | Self::Attacker => return None,
            Self::Flaky if draws.happens(0.93) => (0.0043, Flaw::Recognised),
            Self::Flaky => (0.0043, Flaw::Stale),
            Self::Tampered if kind.open_path => (0.05, Flaw::Altered),
            Self::Tampered => (0.005, Flaw::Recognised),
            Self::WrongGeo if kind.volatility != Volatility::Geo => return None,
            Self::WrongGeo if draws.happens(0.05) => (1.0, Flaw::UnknownRegion),
            Self::WrongGeo => (1.0, Flaw::OtherRegion),
        };
        draws.happens(chance).then_some(flaw)
    }
}

/// The share of fetches of an agent drawn by its work that go wrong recognisably.
pub const CROWD_FLAW: f64 = 0.2 * 0.004 + 0.05 * 0.005;

fn role(place: usize) -> Role {
    // A stride through a cycle of 200 spreads every role over all volumes.
    match place * 73 % 200 {
        0..40 => Role::Flaky,
        40..50 => Role::Tampered,
        50..53 => Role::WrongGeo,
        _ => Role::Stable,
    }
}

/// Draws a crowd in which a share of the identities, spread over all volumes, is the attacker's; work is `capped` by prefix.
#[must_use]
pub fn draw(
    agents: usize,
    share: f64,
    attack: Option<Attack>,
    capped: bool,
    draws: &mut Draws,
) -> Vec<Member> {
    let shift = draws.index(200);
    let mut due = draws.unit();
    let mut members = Vec::with_capacity(agents);
    for rank in 0..agents {
        let zipf = f64::from(MEDIAN) * agents as f64 / 2.0 / (rank as f64 + 0.5);
        let volume = (zipf as u32).clamp(1, MOST);
        due += share;
        let attacker = due >= 1.0 && attack.is_some();
        if due >= 1.0 {
            due -= 1.0;
        }
        let role = if attacker { Role::Attacker } else { role(rank + shift) };
        let casual = attacker && attack == Some(Attack::Casual);
        members.push(Member { role, volume: if casual { CASUAL } else { volume } });
    }
    if capped {
        share_prefixes(&mut members, attack.map_or(1, Attack::identities_a_group));
    }
    members
}

/// Puts every so many attackers behind one prefix, which is given the work of one group.
fn share_prefixes(members: &mut [Member], size: u32) {
    if size < 2 {
        return;
    }
    let mut claims: Vec<Claim> = Vec::new();
    let mut group = vec![0; members.len()];
    let mut farm = Claim { work: 0, identities: 0 };
    let mut theirs: Vec<usize> = Vec::new();
    for (index, member) in members.iter().enumerate() {
        let work = u64::from(member.volume);
        if member.role.is_honest() {
            claims.push(Claim { work, identities: 1 });
            continue;
        }
        farm = Claim { work: farm.work + work, identities: farm.identities + 1 };
        theirs.push(index);
        if farm.identities == size {
            theirs.drain(..).for_each(|index| group[index] = claims.len());
            claims.push(std::mem::replace(&mut farm, Claim { work: 0, identities: 0 }));
        }
    }
    theirs.drain(..).for_each(|index| group[index] = claims.len());
    claims.push(farm);
    let granted = weight::granted(&claims);
    for (member, group) in members.iter_mut().zip(group).filter(|(m, _)| !m.role.is_honest()) {
        if let (Some(granted), Some(claim)) = (granted.get(group), claims.get(group)) {
            let volume = u64::from(member.volume) * granted / claim.work.max(1);
            member.volume = u32::try_from(volume).unwrap_or(MOST).max(1);
        }
    }
}

/// The attackers' share of all work.
#[must_use]
pub fn work_share(members: &[Member]) -> f64 {
    let sum = |honest: Option<bool>| -> f64 {
        let of = members.iter().filter(|m| honest.is_none_or(|h| m.role.is_honest() == h));
        of.map(|member| f64::from(member.volume)).sum()
    };
    sum(Some(false)) / sum(None).max(1.0)
}
