//! Answers the command line's questions from the machine and the index.

use crate::question::{AgentView, AppealView, CaptureView, HostView, JobView, TemplateView};
use anyhow::{Context as _, Result};
use sward_coordinator_core::coordinator::Coordinator;
use sward_coordinator_core::frontier::Host;
use sward_coordinator_core::group::{Ties, count_groups};
use sward_coordinator_core::job::JobState;
use sward_coordinator_core::profile::{Profile, Template};
use sward_coordinator_core::record::agent::Standing;
use sward_coordinator_core::record::capture::{self, CaptureRecord};
use sward_coordinator_core::roster::Agent;
use sward_coordinator_core::store::Store;
use sward_proto::ids::{JobId, JobName, PeerId, TaskId};
use sward_proto::timestamp::Timestamp;

/// Captures read from the index at a time.
const PAGE: usize = 1000;

/// All jobs.
#[must_use]
pub fn jobs(coordinator: &Coordinator) -> Vec<JobView> {
    let connected: Vec<Ties> = coordinator
        .roster()
        .values()
        .filter(|agent| !agent.record.trusted)
        .filter_map(Agent::ties)
        .collect();
    let groups = count_groups(&connected.iter().collect::<Vec<_>>());
    let waiting = |state: JobState| match (state, coordinator.archive_rests(), groups) {
        (JobState::Running, true, _) => Some("space on the archive's disk".to_owned()),
        (JobState::Running, false, 0 | 1) => Some(format!(
            "independent agents: {groups} of 2 groups are connected (see sward-coordinator invite)"
        )),
        (JobState::Running | JobState::Paused | JobState::Cancelled | JobState::Done, _, _) => None,
    };
    let open = |id: JobId| coordinator.tasks().filter(|task| task.job == id).count();
    coordinator
        .jobs()
        .map(|(id, record)| JobView {
            name: record.spec.name.clone(),
            id,
            state: record.progress.state,
            purpose: record.spec.purpose.clone(),
            submitted_ms: record.submitted_at.as_millis(),
            counts: record.progress.counts.clone(),
            open: open(id),
            waiting_for: waiting(record.progress.state),
        })
        .collect()
}

/// All agents.
#[must_use]
pub fn agents(coordinator: &Coordinator) -> Vec<AgentView> {
    coordinator.roster().iter().map(|(peer, agent)| agent_view(peer, agent)).collect()
}

fn agent_view(peer: &PeerId, agent: &Agent) -> AgentView {
    let record = &agent.record;
    let (standing, reason) = match &record.standing {
        Standing::Good => ("good", None),
        Standing::Convicted { reason, .. } => ("caught", Some(reason.clone())),
    };
    AgentView {
        peer_id: peer.to_string(),
        payee: record.payee.to_string(),
        trusted: record.trusted,
        network: record.network.map(|network| network.to_string()),
        asn: record.whereabouts.asn.map(|asn| asn.0),
        region: record.whereabouts.region.map(|region| region.to_string()),
        connected: agent.connected.is_some(),
        standing: standing.to_owned(),
        reason,
        fetched: record.fetched,
        agreed: record.agreed,
        contradicted: u64::from(record.forged) + u64::from(record.replayed),
        pending: record.pending.credit,
        pending_until_ms: record.blocks.promised().map(Timestamp::as_millis),
        forfeited: record.forfeited.credit,
        receipted: record.receipted.credit,
        receipted_tasks: record.receipted.tasks,
        receipt_seq: record.seq.0,
        countersigned: record.countersigned,
        receipt: record.note.clone(),
    }
}

/// The last appeal of each agent that has appealed.
#[must_use]
pub fn appeals(coordinator: &Coordinator) -> Vec<AppealView> {
    let view = |(peer, agent): (&PeerId, &Agent)| {
        let record = &agent.record;
        let told = record.appeal.as_ref()?.told();
        let standing = match &record.standing {
            Standing::Good => "good".to_owned(),
            Standing::Convicted { reason, .. } => reason.clone(),
        };
        let notices = record.notices.told(Timestamp::MAX);
        Some(AppealView {
            peer_id: peer.to_string(),
            standing,
            at_ms: told.at.as_millis(),
            text: record.appeal.as_ref()?.text.clone(),
            decision: told.decision,
            answer: told.answer,
            tasks: notices.flat_map(|notice| notice.tasks).collect(),
        })
    };
    coordinator.roster().iter().filter_map(view).collect()
}

/// Hosts in memory.
#[must_use]
pub fn hosts(coordinator: &Coordinator, now: Timestamp) -> Vec<HostView> {
    let queued = |host: &Host| host.queues.iter().map(|(job, queue)| (*job, queue.len())).collect();
    coordinator
        .frontier()
        .hosts()
        .map(|(name, host)| HostView {
            host: name.to_string(),
            queued: queued(host),
            open: host.open.len(),
            busy: !host.busy.is_empty(),
            next_allowed_ms: host.next_allowed.max(host.clock.blocked_until).as_millis(),
            failures: host.clock.failures,
            templates: templates(coordinator, host, now),
        })
        .collect()
}

fn templates(coordinator: &Coordinator, host: &Host, now: Timestamp) -> Vec<TemplateView> {
    let is_caught = |agent: &PeerId| {
        let member = coordinator.roster().get(agent);
        member.is_none_or(|member| member.record.standing != Standing::Good)
    };
    let view = |(template, profile): (&Template, &Profile)| TemplateView {
        template: template.as_str().to_owned(),
        volatility: profile.volatility(now, is_caught),
        pages: profile.pages(),
        jaccard: profile.jaccard(now),
    };
    host.profile.templates().map(view).collect()
}

/// The number of a job.
///
/// # Errors
/// Where no job has this name.
pub fn job_id(coordinator: &Coordinator, name: &JobName) -> Result<JobId> {
    let found = coordinator.jobs().find(|(_, record)| record.spec.name == *name);
    found.map(|(id, _)| id).with_context(|| format!("no job is named {name}: see job list"))
}

/// Where a job's accepted pages lie, in order of their tasks.
///
/// # Errors
/// Where the index cannot be read.
pub fn captures(store: &impl Store, job: JobId) -> Result<Vec<CaptureView>> {
    let prefix = capture::prefix(job);
    let mut from = prefix.clone();
    let mut all = Vec::new();
    loop {
        let page = store.scan(&prefix, &from, PAGE)?;
        for (key, value) in &page {
            let task = key.last_chunk::<8>().context("capture key")?;
            let capture = CaptureRecord::from_bytes(value)?;
            all.push(CaptureView { task: TaskId(u64::from_be_bytes(*task)), capture });
        }
        match page.last() {
            Some((last, _)) if page.len() == PAGE => from = [last.as_slice(), &[0]].concat(),
            Some(_) | None => return Ok(all),
        }
    }
}
