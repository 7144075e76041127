//! Real processes: three agents tell one lie of every page, one tells the truth, and the operator has a fetcher of its own.

use std::path::Path;
use std::time::Duration;
use sward_coordinator::question::{AgentView, JobView};
use sward_system_tests::network::{Agent, Coordinator, Part, Site, run, say, write_pages};

const JOB: &str = "framed";
const PAGES: usize = 8;
const PATIENCE: Duration = Duration::from_secs(240);

/// A crawl of some pages by one honest agent, the first, and by three that collude.
fn crawl(folder: &Path, site: &Site, trusted: bool) -> (Coordinator, JobView, Vec<AgentView>) {
    let mut coordinator = Coordinator::init(folder, true);
    coordinator.serve();
    let mut parts = vec![Part::Honest, Part::Colluder, Part::Colluder, Part::Colluder];
    parts.extend(trusted.then_some(Part::Trusted));
    let join =
        |(number, part): (u8, &Part)| Agent::join_as(*part, folder, number, &coordinator, site);
    let mut agents: Vec<Agent> = (0..).zip(&parts).map(join).collect();
    agents.iter_mut().for_each(Agent::start);
    let job = ["job", "run", "--detach", "--name", JOB].map(str::to_owned);
    coordinator.does(&[&job, site.job_flags(1).as_slice()].concat()).ok();
    let done = coordinator.wait_until_done(PATIENCE);
    let views = coordinator.agents().expect("agents");
    let view = |agent: &Agent| {
        let mut views = views.iter();
        views.find(|view| view.peer_id == agent.peer.to_string()).expect("its line").clone()
    };
    let views = agents.iter().map(view).collect();
    (coordinator, done, views)
}

#[test]
fn an_agent_that_colluders_contradict_is_cleared_by_a_trusted_fetch() {
    let folder = tempfile::tempdir().expect("a folder");
    let pages = folder.path().join("pages");
    write_pages(&pages, PAGES, 2000);
    let site = Site::of_pages(folder.path(), &pages);

    let alone = tempfile::tempdir().expect("a folder");
    let (_coordinator, _, views) = crawl(alone.path(), &site, false);
    assert!(views[0].contradicted > 0, "nobody frames the honest agent: {views:?}");

    let with = tempfile::tempdir().expect("a folder");
    let (coordinator, job, views) = crawl(with.path(), &site, true);
    let lies: u64 = views[1..4].iter().map(|view| view.contradicted).sum();
    say(&format!(
        "{lies} lies found, {} trusted fetches of {}",
        job.counts.trusted, job.counts.fetches
    ));
    assert_eq!((views[0].contradicted, views[0].standing.as_str()), (0, "good"));
    assert!(lies > 0 && job.counts.trusted > 0, "{views:?}");
    assert!(views[4].trusted && !views[0].trusted);
    assert!(coordinator.does(&["agents"]).ok().contains("trusted"));

    let export = with.path().join("export");
    let to = export.display().to_string();
    coordinator.does(&["export", JOB, "--format", "jsonl", "--out", &to]).ok();
    let evidence = export.join(format!("{JOB}.evidence.jsonl.gz"));
    let text = run("verify", &["verdict", &evidence.display().to_string()]).ok();
    say(&text);
}
