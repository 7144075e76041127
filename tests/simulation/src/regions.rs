//! Regions of the world: where agents are, what they see of pages that differ by region, and what must hold of these.

use crate::liar::Role;
use crate::plan::Plan;
use crate::sites::{Kind, Sites};
use std::collections::{BTreeMap, BTreeSet};
use sward_coordinator_core::group::{Asn, Whereabouts};
use sward_coordinator_core::settlement::Settlement;
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::ids::PeerId;
use sward_proto::quorum::finding::Finding;
use sward_proto::region::Region;

/// The first of them is shown pages of its own.
const REGIONS: [&str; 4] = ["AA", "BB", "CC", "DD"];
/// Systems of a region.
const SYSTEMS: usize = 6;

/// Where an agent is, and from which of its region's autonomous systems it dials.
#[must_use]
pub fn whereabouts(plan: &Plan, agent: usize) -> Whereabouts {
    let among = plan.regions.min(REGIONS.len());
    let Some(place) = agent.checked_rem(among) else { return Whereabouts::default() };
    let region = REGIONS.get(place).and_then(|code| code.parse().ok());
    let system = place * SYSTEMS + agent / among % SYSTEMS;
    Whereabouts { asn: u32::try_from(system).ok().map(Asn), region }
}

/// What a page that differs by region says to who is there: its first line differs, so that the two are not near.
#[must_use]
pub fn seen_from(region: Option<Region>, text: &str) -> String {
    let own = region.is_some_and(|region| Some(region) == REGIONS[0].parse().ok());
    if own { format!("here only, {text}") } else { text.to_owned() }
}

/// The pages that differ by region.
#[must_use]
pub fn geo_pages(sites: &Sites) -> BTreeSet<CanonicalUrl> {
    let pages = sites.sites.values().flat_map(|site| &site.pages);
    pages.filter(|(_, page)| page.kind == Kind::Geo).map(|(url, _)| url.clone()).collect()
}

/// Nobody honest is blamed for what its region is shown.
///
/// # Errors
/// Which agent was.
pub fn check(
    settlement: &Settlement,
    geo: &BTreeSet<CanonicalUrl>,
    roles: &BTreeMap<PeerId, Role>,
) -> Result<(), String> {
    if !geo.contains(&settlement.url) {
        return Ok(());
    }
    let honest = |agent: &PeerId| roles.get(agent).is_some_and(|role| role.is_honest());
    let blamed = settlement.results.iter().find(|result| {
        honest(&result.agent)
            && matches!(
                result.finding,
                Finding::Forged | Finding::Replayed | Finding::Disputed | Finding::Copied
            )
    });
    match blamed {
        Some(result) => Err(format!("{} is blamed for its region's page", result.agent)),
        None => Ok(()),
    }
}
