//! What audits found, by agent, site and region of the crowd.

use std::collections::BTreeMap;
use sward_coordinator_core::trust::audit::{Forecast, Tally};

/// What is audited, by whatever numbers the crowd knows them.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The first fetcher.
    pub agent: u64,
    /// The site.
    pub site: u64,
    /// The region that it was fetched from.
    pub region: u64,
}

/// The forecast, and the tallies that it goes by.
#[derive(Debug, Default)]
pub struct Allocator {
    forecast: Forecast,
    agents: BTreeMap<u64, Tally>,
    sites: BTreeMap<u64, Tally>,
    regions: BTreeMap<u64, Tally>,
}

impl Allocator {
    /// By how much to raise the audit rate here, in thousandths.
    #[must_use]
    pub fn boost(&self, place: Place) -> u32 {
        let of = |tallies: &BTreeMap<u64, Tally>, key| tallies.get(&key).copied();
        let places = [
            of(&self.agents, place.agent),
            of(&self.sites, place.site),
            of(&self.regions, place.region),
        ];
        self.forecast.boost(&places.map(Option::unwrap_or_default))
    }

    /// Learns from an audit.
    pub fn learn(&mut self, place: Place, disagreed: bool) {
        let Self { forecast, agents, sites, regions } = self;
        let places = &mut [
            agents.entry(place.agent).or_default(),
            sites.entry(place.site).or_default(),
            regions.entry(place.region).or_default(),
        ];
        forecast.learn(places, disagreed);
    }
}
