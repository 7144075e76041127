//! Sites with pages of one kind each, so many that a coordinator learns which, and whether it did.

use crate::coordinator_shell::Shell;
use crate::invariants::Watch;
use crate::plan::Plan;
use crate::sites::{Kind, Page, RobotsFile, Site};
use std::collections::BTreeMap;
use sward_coordinator_core::job::Replication;
use sward_coordinator_core::record;
use sward_coordinator_core::record::agent::Standing;
use sward_coordinator_core::store::Store as _;
use sward_coordinator_core::trust::evidence::Volatility;
use sward_proto::canonical_url::{CanonicalUrl, HostName};
use sward_proto::ids::PeerId;
use sward_proto::quorum::Layer;
use sward_proto::timestamp::Timestamp;

/// Pages from which on every class is learnt: the static one takes most.
const ENOUGH_PAGES: u64 = 60;

/// The sites: the name of each, its pages' kind and how they begin, and the class that they are.
const SITES: [(&str, Kind, &str, Volatility); 5] = [
    ("same", Kind::Plain, "", Volatility::Static),
    ("noise", Kind::Noisy, "", Volatility::Static),
    ("around", Kind::Rolling, "\none\ntwo\nthree\nfour", Volatility::Noisy),
    ("feed", Kind::Feed, "", Volatility::Rolling),
    ("own", Kind::Dynamic, "", Volatility::Personalised),
];

fn url(name: &str, page: u64) -> Option<CanonicalUrl> {
    let path = if page == 0 { String::new() } else { format!("page/{page}") };
    format!("https://{name}.habit.org/{path}").parse().ok()
}

/// The front pages, where the plan has such sites.
pub fn seeds(plan: &Plan) -> Vec<CanonicalUrl> {
    let sites = SITES.iter().filter(|_| plan.habits > 0);
    sites.filter_map(|(name, ..)| url(name, 0)).collect()
}

/// The sites of a plan.
pub fn draw_sites(plan: &Plan) -> BTreeMap<HostName, Site> {
    let mut sites = BTreeMap::new();
    for (name, kind, text, _) in SITES.iter().filter(|_| plan.habits > 0) {
        let mut site = Site::new(RobotsFile::Gone);
        let links = (1..=plan.habits).filter_map(|page| url(name, page)).collect();
        let front = Page { kind: Kind::Plain, text: format!("front of {name}"), links };
        site.pages.extend(url(name, 0).map(|url| (url, front)));
        for number in 1..=plan.habits {
            let text = format!("{name} {number}{text}");
            let page = Page { kind: kind.clone(), text, links: Vec::new() };
            site.pages.extend(url(name, number).map(|url| (url, page)));
        }
        sites.extend(url(name, 0).map(|url| (url.host(), site)));
    }
    sites
}

/// What was learnt is true: no site is taken for one of another kind. In a world without liars, in which all is fetched
/// twice, and with enough pages, each is known.
pub fn check(shell: &Shell, plan: &Plan, watch: &mut Watch) {
    let Some(core) = &shell.core else { return };
    let is_caught = |agent: &PeerId| {
        core.roster().get(agent).is_none_or(|agent| agent.record.standing != Standing::Good)
    };
    let calm = plan.liars == 0 && plan.conspirators == 0 && plan.replication == Replication::Full;
    for (name, _, _, class) in SITES.iter().filter(|_| plan.habits > 0) {
        let Some(url) = url(name, 1) else { continue };
        let value = shell.store.get(&record::profile::key(&url.host())).ok().flatten();
        let profile = value.and_then(|value| record::profile::parse(&value).ok());
        let known = profile.unwrap_or_default().known(&url, Timestamp::ZERO, is_caught);
        let known = known.volatility;
        let guess = known == Volatility::Noisy && !(calm && plan.habits >= ENOUGH_PAGES);
        if known != *class && !guess {
            watch.fail(format!("pages of {name} are taken for {known:?}, they are {class:?}"));
        }
    }
}

/// How many pages were accepted because blocks agreed that were known beforehand to be stable.
pub fn by_known_blocks(shell: &Shell) -> usize {
    let settlements = shell.archive.settlements.iter().map(|kept| &kept.settlement);
    let by = |layer| layer == Some(Layer::Stable);
    settlements.filter(|kept| by(kept.layer) && !kept.stable.is_empty()).count()
}
