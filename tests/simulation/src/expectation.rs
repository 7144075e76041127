//! Draws the sites and the jobs of a plan, and says how each URL of a job has to end.

use crate::chance::Chance;
use crate::habits;
use crate::plan::Plan;
use crate::sites::{Kind, Page, RobotsFile, Site, Sites};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use sward_coordinator_core::job::{JobSpec, Limits, Replication, Scope};
use sward_proto::canonical_url::{CanonicalUrl, HostName};
use sward_proto::outcome::Outcome;
use sward_proto::timestamp::Timestamp;

/// Least gap between two fetches on one host, in every job.
pub const DELAY: Duration = Duration::from_millis(300);

/// How a URL has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// In the archive, so.
    Settled(Outcome),
    /// Never fetched: robots.txt forbids it.
    Forbidden,
    /// In any way: the site itself does not behave.
    Any,
}

/// The URL of a page.
fn url(host: u64, page: u64, hidden: bool) -> Option<CanonicalUrl> {
    let scheme = if host.is_multiple_of(5) && page % 2 == 1 { "https" } else { "http" };
    let folder = if hidden { "private/" } else { "" };
    format!("{scheme}://h{host:03}.site.org/{folder}p{page}").parse().ok()
}

/// The sites of a plan.
#[must_use]
pub fn draw_sites(plan: &Plan, start: Timestamp) -> BTreeMap<HostName, Site> {
    let mut chance = Chance::new(plan.seed, "sites");
    let mut sites = BTreeMap::new();
    let hosts = plan.hosts as u64;
    // Such a world lasts for many hours.
    let patient = plan.seed % 8 == 5;
    for host in 0..hosts {
        let robots = match chance.below(10) {
            0 if host > 1 => RobotsFile::Failing((patient && host % 3 == 0).then_some(3700)),
            1..4 => RobotsFile::Gone,
            4 => RobotsFile::Text("User-agent: *\nDisallow: /private/\nCrawl-delay: 1\n".into()),
            _ => RobotsFile::Text("User-agent: *\nDisallow: /private/\n".into()),
        };
        let mut site = Site::new(robots);
        let count = chance.between(plan.pages / 2, plan.pages * 3 / 2).max(2);
        for number in 0..count {
            let leaf = 2 * number + 1 >= count;
            let kind = match leaf {
                true if plan.regions > 0 && number % 3 == 0 => Kind::Geo,
                true => draw_leaf(&mut chance, host, hosts, start),
                false => inner(&mut chance),
            };
            let mut links: Vec<CanonicalUrl> = Vec::new();
            if !leaf {
                let children = [2 * number + 1, 2 * number + 2].into_iter().filter(|n| *n < count);
                links.extend(children.filter_map(|n| url(host, n, is_hidden(n, count))));
                links.extend(url(chance.below(hosts), 1, false));
            }
            let long = if chance.one_in(60) { 80_000 } else { 200 };
            // Leaves share a few texts, so that there are duplicates.
            let said = if leaf { chance.below(40) } else { host * 1000 + number };
            let text = format!("text {said} {}", "lorem ".repeat(long / 6));
            if let Some(url) = url(host, number, is_hidden(number, count)) {
                site.pages.insert(url, Page { kind, text, links });
            }
        }
        if let Some(first) = url(host, 0, false) {
            sites.insert(first.host(), site);
        }
    }
    sites.extend(habits::draw_sites(plan));
    sites
}

/// The last pages of a host lie where some hosts' robots.txt forbids them.
const fn is_hidden(number: u64, count: u64) -> bool {
    number > 1 && number + 3 > count
}

fn inner(chance: &mut Chance) -> Kind {
    match chance.below(4) {
        0 => Kind::Noisy,
        _ => Kind::Plain,
    }
}

fn draw_leaf(chance: &mut Chance, host: u64, hosts: u64, start: Timestamp) -> Kind {
    let moved = url(host, 0, false).map_or(Kind::Gone, Kind::Moved);
    let away = url((host + 1) % hosts, 0, false).map_or(Kind::Gone, Kind::Away);
    match chance.below(24) {
        0 => Kind::Dynamic,
        1 | 2 => Kind::Gone,
        3 => moved,
        4 => away,
        5 => Kind::Flaky,
        6 => Kind::Slow,
        7 if host == 0 => Kind::Changing(start + Duration::from_secs(chance.between(10, 90))),
        8..12 => Kind::Noisy,
        12 => Kind::Rolling,
        _ => Kind::Plain,
    }
}

/// The jobs of a plan: one over every host, one of higher priority over every third.
#[must_use]
pub fn draw_jobs(plan: &Plan) -> Vec<JobSpec> {
    let hosts = plan.hosts as u64;
    let habits = habits::seeds(plan);
    let every = (0..hosts).filter_map(|host| url(host, 0, false)).chain(habits.clone()).collect();
    let some = (0..hosts).step_by(3).filter_map(|host| url(host, 0, false)).chain(habits).collect();
    [("wide", every, 3), ("narrow", some, 7)]
        .into_iter()
        .filter_map(|(name, seeds, priority)| {
            Some(JobSpec {
                name: name.parse().ok()?,
                seeds,
                purpose: "simulation".to_owned(),
                category: "general".to_owned(),
                scope: Scope::default(),
                limits: Limits {
                    delay_ms: u64::try_from(DELAY.as_millis()).unwrap_or_default(),
                    ..Limits::default()
                },
                priority,
                replication: plan.replication,
                strip_tracking: false,
                media_types: vec!["text/html".to_owned()],
            })
        })
        .collect()
}

/// How each URL of a job has to end, by what the sites are and by whether pages stand on which groups agree in part; those in
/// `lost` may end in any way and lead nowhere.
#[must_use]
pub fn endings(
    spec: &JobSpec,
    sites: &Sites,
    lost: &BTreeSet<CanonicalUrl>,
    partial: bool,
) -> BTreeMap<CanonicalUrl, Ending> {
    let mut endings = BTreeMap::new();
    let Ok(rules) = spec.rules() else { return endings };
    let mut waiting = spec.seeds.clone();
    while let Some(url) = waiting.pop() {
        if !rules.admits(&url, 0) || endings.contains_key(&url) {
            continue;
        }
        if lost.contains(&url) {
            endings.insert(url, Ending::Any);
            continue;
        }
        let (mut ending, leads_to) = ending(&url, sites, partial);
        if spec.replication == Replication::Audited && ending == Ending::Settled(Outcome::Disagree)
        {
            // Who fetches it alone cannot see that it changes.
            ending = Ending::Any;
        }
        endings.insert(url, ending);
        waiting.extend(leads_to);
    }
    endings
}

fn ending(url: &CanonicalUrl, sites: &Sites, partial: bool) -> (Ending, Vec<CanonicalUrl>) {
    if !sites.allows(url) {
        return (Ending::Forbidden, Vec::new());
    }
    let site = sites.sites.get(&url.host());
    let Some((site, page)) = site.and_then(|site| Some((site, site.pages.get(url)?))) else {
        return (Ending::Settled(Outcome::Http4xx), Vec::new());
    };
    match &page.kind {
        Kind::Rolling if !partial => (Ending::Settled(Outcome::Disagree), Vec::new()),
        Kind::Plain | Kind::Noisy | Kind::Rolling | Kind::Slow => {
            (Ending::Settled(Outcome::Ok), page.links.clone())
        }
        Kind::Gone => (Ending::Settled(Outcome::Http4xx), Vec::new()),
        Kind::Dynamic => (Ending::Settled(Outcome::Disagree), Vec::new()),
        Kind::Moved(to) => {
            let links = site.pages.get(to).map(|page| page.links.clone());
            (Ending::Settled(Outcome::Ok), links.unwrap_or_default())
        }
        Kind::Away(to) => (Ending::Settled(Outcome::Redirect), vec![to.clone()]),
        // Where regions are as many as each other, nobody can tell which page is the page. Once a feed is known to be rolling,
        // copies of it that are minutes apart are not compared.
        Kind::Flaky | Kind::Changing(_) | Kind::Geo | Kind::Feed => (Ending::Any, Vec::new()),
    }
}
