//! Pages of a made-up web: which links stand on them.
//!
//! Shaped after the largest crawl whose figures are public (IRLbot, WWW 2008): 59 links a page. Of these, 45 % were met
//! before, as in the dump that url-frontier is measured with. Most new links stay on one host.

use anyhow::Result;
use sward_proto::canonical_url::{CanonicalUrl, HostName};
use sward_simulation::chance::mix;

/// Links on a page.
pub(crate) const LINKS_A_PAGE: u64 = 59;
/// Of a hundred links, those that were met before.
const REPEATS_PERCENT: u64 = 45;
/// Of a hundred new links, those on the page's own host.
const OWN_HOST_PERCENT: u64 = 80;
/// New links in a row that belong to one page.
const NEW_A_PAGE: u64 = LINKS_A_PAGE * (100 - REPEATS_PERCENT) / 100;

/// A web that is met page by page.
pub(crate) struct Web {
    hosts: u64,
    met: u64,
    state: u64,
}

impl Web {
    /// A web of so many hosts, of which nothing was met.
    pub(crate) const fn new(hosts: u64) -> Self {
        Self { hosts, met: 0, state: 1 }
    }

    /// How many URLs were met.
    pub(crate) const fn met(&self) -> u64 {
        self.met
    }

    /// The links of the next page.
    pub(crate) fn page(&mut self) -> Result<Vec<CanonicalUrl>> {
        let mut links = Vec::new();
        for _ in 0..LINKS_A_PAGE {
            self.state = self.state.wrapping_add(1);
            let chance = mix(self.state);
            let repeats = self.met > 0 && chance % 100 < REPEATS_PERCENT;
            let number = if repeats { (chance >> 8) % self.met } else { self.met };
            self.met += u64::from(!repeats);
            links.push(self.url(number)?);
        }
        Ok(links)
    }

    /// The name of a host.
    pub(crate) fn host(number: u64) -> Result<HostName> {
        Ok(format!("h{number:05}.bench.example").parse()?)
    }

    fn url(&self, number: u64) -> Result<CanonicalUrl> {
        let chance = mix(!number);
        let own = chance % 100 < OWN_HOST_PERCENT;
        let host = mix(if own { number / NEW_A_PAGE } else { number }) % self.hosts;
        let (section, name) = ((chance >> 8) % 20, chance >> 32);
        let url = format!(
            "https://h{host:05}.bench.example/docs/section-{section}/{name:08x}-{number}.html"
        );
        Ok(url.parse()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_shares_are_the_named_ones() {
        let mut web = Web::new(100);
        let mut links = Vec::new();
        for _ in 0..200 {
            links.extend(web.page().expect("urls"));
        }
        let different: BTreeSet<_> = links.iter().map(CanonicalUrl::as_str).collect();
        assert_eq!(different.len() as u64, web.met());
        let repeats = (links.len() - different.len()) * 100 / links.len();
        assert!((40..50).contains(&repeats), "{repeats} %");
        let hosts: BTreeSet<_> = links.iter().map(CanonicalUrl::host).collect();
        assert_eq!(hosts.len(), 100);
    }
}
