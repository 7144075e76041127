//! What must be reached once the faults are over: every job done, every page there once, all credit in receipts.

use crate::coordinator_shell::Shell;
use crate::expectation::{self, Ending};
use crate::invariants::Watch;
use crate::liar::Role;
use crate::sites::Sites;
use std::collections::{BTreeMap, BTreeSet};
use sward_coordinator_core::job::{JobState, Replication};
use sward_coordinator_core::record::agent::{Standing, Totals};
use sward_coordinator_core::settlement::AgentResult;
use sward_proto::attestation::{Attestation, Observation};
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::ids::{JobId, PeerId};
use sward_proto::outcome::Outcome;
use sward_proto::quorum::finding::Finding;
use sward_proto::timestamp::Timestamp;

/// Decided pages after which a liar has had its chances.
const CHANCES: u64 = 15;
/// True results of a page that outweigh whatever liars that do not agree can say.
const ENOUGH_TRUTH: usize = 4;

/// Whether every job has ended.
#[must_use]
pub fn is_done(shell: &Shell, jobs: usize) -> bool {
    shell.core.as_ref().is_some_and(|core| {
        let mut ended = core.jobs().filter(|(_, job)| job.progress.state.is_final());
        ended.by_ref().count() >= jobs
    })
}

/// Compares what was reached with what the sites are.
pub fn check(shell: &Shell, sites: &Sites, roles: &[Role], watch: &mut Watch) {
    let Some(core) = &shell.core else { return watch.fail("the coordinator is down".to_owned()) };
    // Two that agree on a lie against one that does not can leave a page contested, and its links unseen; so can one
    // that is believed alone.
    let alone = core.jobs().any(|(_, job)| job.spec.replication == Replication::Audited);
    let conspired = roles.contains(&Role::Conspirator)
        || (alone && roles.iter().any(|role| role.is_contradicted() || *role == Role::Sleeper));
    let mut settled: BTreeMap<(JobId, &CanonicalUrl), Outcome> = BTreeMap::new();
    for kept in shell.archive.settlements.iter().filter(|kept| !kept.settlement.robots) {
        let settlement = &kept.settlement;
        settled.insert((settlement.job, &settlement.url), settlement.outcome);
    }
    for (id, job) in core.jobs() {
        if job.progress.state != JobState::Done {
            watch.fail(format!("job {id} is {}", job.progress.state.code()));
        }
        let ended: u64 = job.progress.counts.outcomes.values().sum();
        if ended != job.progress.counts.discovered || job.progress.counts.queued != 0 {
            watch.fail(format!("job {id} does not add up: {:?}", job.progress.counts));
        }
        let (lost, partial) = (outvoted(shell, id, roles), shell.config().rules.partial);
        for (url, ending) in expectation::endings(&job.spec, sites, &lost, partial) {
            let got = settled.get(&(id, &url)).copied();
            let right = match ending {
                Ending::Settled(outcome) => got == Some(outcome),
                Ending::Forbidden => matches!(got, None | Some(Outcome::Robots)),
                Ending::Any => true,
            };
            if !right && !conspired {
                watch.fail(format!("{url} of job {id} ended as {got:?}, expected {ending:?}"));
            }
        }
    }
    for task in core.tasks().take(3) {
        watch.fail(format!("in hand: {task:?}"));
    }
    for (name, host) in core.frontier().hosts().filter(|(_, host)| !host.queues.is_empty()) {
        let waiting: Vec<_> = host.queues.iter().map(|(job, queue)| (job, queue.len())).collect();
        watch.fail(format!("waiting on {name}: {waiting:?}, {host:?}"));
    }
    check_agents(shell, roles, alone, watch);
    check_lies(shell, watch);
}

/// A lie stays only where one of those who told it was not caught, or too late.
fn check_lies(shell: &Shell, watch: &mut Watch) {
    let Some(core) = &shell.core else { return };
    // A block may close just after a page joins it: the least that a page is held is the rest.
    let hold = shell.config().bounds.hold.rest;
    let caught_in_time = |agent: &PeerId, settled: Timestamp| {
        let standing = core.roster().get(agent).map(|agent| &agent.record.standing);
        matches!(standing, Some(Standing::Convicted { at, .. }) if *at < settled + hold)
    };
    let settlements = shell.archive.settlements.iter().map(|kept| &kept.settlement);
    let stay: Vec<String> = settlements
        .filter(|settlement| watch.lies.contains(&settlement.task))
        .filter(|settlement| {
            let mut told = settlement.results.iter().filter(|r| r.finding == Finding::Agreed);
            told.all(|result| caught_in_time(&result.agent, settlement.settled_at))
        })
        .map(|settlement| format!("a lie about {} stays though all were caught", settlement.url))
        .collect();
    watch.violations.extend(stay);
}

/// Pages that too few told the truth of: liars and paused agents had most of the results that are asked for at most.
fn outvoted(shell: &Shell, job: JobId, roles: &[Role]) -> BTreeSet<CanonicalUrl> {
    let contested = shell.archive.settlements.iter().map(|kept| &kept.settlement);
    let contested = contested.filter(|kept| kept.job == job && kept.outcome == Outcome::Disagree);
    let told_truth = |result: &&AgentResult| {
        let role = shell.number(&result.agent).and_then(|number| roles.get(number));
        let seen = Attestation::decode(&result.attestation);
        role.is_some_and(|role| !role.is_contradicted())
            && seen.is_ok_and(|seen| matches!(seen.observation, Observation::Response(_)))
    };
    contested
        .filter(|kept| kept.results.iter().filter(told_truth).count() < ENOUGH_TRUTH)
        .map(|kept| kept.url.clone())
        .collect()
}

fn check_agents(shell: &Shell, roles: &[Role], alone: bool, watch: &mut Watch) {
    let Some(core) = &shell.core else { return };
    let pages = decided_pages(shell);
    for ((number, role), (peer, _)) in roles.iter().enumerate().zip(&shell.agents) {
        let Some(agent) = core.roster().get(peer) else {
            watch.fail(format!("agent {number} never enrolled"));
            continue;
        };
        let record = &agent.record;
        let pages = pages.get(peer).copied().unwrap_or_default();
        let caught = u64::from(record.forged) + u64::from(record.replayed);
        match &record.standing {
            // It lies of two URLs in three at least; by chance it may have been given more of the third.
            Standing::Good
                if role.is_contradicted() && !alone && pages >= CHANCES && caught * 5 < pages =>
            {
                watch.fail(format!(
                    "agent {number}, a {role:?}, was contradicted {caught} times in {pages} pages"
                ));
            }
            Standing::Good if record.pending != Totals::default() => {
                watch.fail(format!(
                    "agent {number} waits: connected {:?}, {record:?}",
                    agent.connected
                ));
            }
            Standing::Good
                if record.receipted.plus(record.forfeited) != Some(watch.earned(peer)) =>
            {
                watch.fail(format!("agent {number} earned {:?}", watch.earned(peer)));
            }
            Standing::Good | Standing::Convicted { .. } => {}
        }
    }
}

/// How many decided pages each agent claimed to have seen.
fn decided_pages(shell: &Shell) -> BTreeMap<PeerId, u64> {
    let mut pages = BTreeMap::new();
    for kept in &shell.archive.settlements {
        let decided =
            matches!(kept.settlement.outcome, Outcome::Ok | Outcome::Http4xx | Outcome::Redirect);
        if decided && !kept.settlement.robots {
            let told = kept
                .settlement
                .results
                .iter()
                .filter(|r| !matches!(r.finding, Finding::Neutral | Finding::Regional));
            for result in told {
                *pages.entry(result.agent).or_default() += 1;
            }
        }
    }
    pages
}
