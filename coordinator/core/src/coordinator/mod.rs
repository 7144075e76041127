//! The coordinator: frontier, leases, quorum and ledger as one state machine.
//!
//! Decides everything that a coordinator decides. Four doors: [`Coordinator::handle`], [`Coordinator::poll_timeout`],
//! [`Coordinator::handle_timeout`], [`Coordinator::next_output`]. Never reads a clock, a socket or a disk.

mod admit;
mod allocate;
mod appeal;
mod beacon;
mod draw;
mod enrol;
mod epoch;
mod grant;
mod jobs;
mod profiles;
mod reputation;
mod restore;
mod results;
mod retract;
mod retry;
mod settle;
mod single;
mod trusted;
mod upload;
mod verdict;

pub use restore::Restore;
pub use retract::Retractions;

use crate::batch::Batch;
use crate::config::Config;
use crate::frontier::Frontier;
use crate::group::Whereabouts;
use crate::input::{Input, Order};
use crate::job::ScopeRules;
use crate::lookup::{Answer, Lookup};
use crate::meetings::Meetings;
use crate::output::{Event, Output};
use crate::record::invite::InviteRecord;
use crate::record::job::JobRecord;
use crate::record::seen::Fingerprint;
use crate::record::{self, encode};
use crate::roster::{Agent, Roster};
use crate::share::Shares;
use crate::task::Task;
use crate::trust::audit::Forecast;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use sward_proto::digest::Digest;
use sward_proto::draw::Round;
use sward_proto::ids::{JobId, LeaseToken, PeerId, TaskId};
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::refusal::{Refusal, RefusalCode};
use sward_proto::wire::reply::CoordinatorReply;
use sward_proto::wire::request::AgentRequest;

/// A job in memory.
#[derive(Debug)]
struct Job {
    record: JobRecord,
    rules: ScopeRules,
    /// Tasks in hand.
    open: BTreeSet<TaskId>,
    /// Lookups under way that may add URLs.
    admitting: u32,
}

/// What happens at a given time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Lease(LeaseToken),
    Open(TaskId),
    Reveal(TaskId),
    Upload(TaskId),
    Starved(TaskId),
    Widen(TaskId),
    Trusted(TaskId),
    Poll(PeerId),
    Epoch,
    Archive,
}

/// The whole machine.
pub struct Coordinator {
    config: Config,
    rng: ChaCha12Rng,
    jobs: BTreeMap<JobId, Job>,
    frontier: Frontier,
    tasks: BTreeMap<TaskId, Task>,
    leases: BTreeMap<LeaseToken, TaskId>,
    roster: Roster,
    meetings: Meetings,
    shares: Shares,
    fallen: retract::Fallen,
    /// What audits found so far.
    forecast: Forecast,
    /// Numbers the draws. It begins anywhere, so that a restart draws no number again.
    draws: u64,
    /// Peers with an open stream, enrolled or not.
    visitors: BTreeMap<PeerId, (IpAddr, Whereabouts)>,
    invites: BTreeMap<Digest, InviteRecord>,
    /// Verdicts on their way into the archive.
    settling: BTreeMap<TaskId, settle::Settling>,
    /// The archive is full until then.
    archive_full: Option<Timestamp>,
    /// URLs that are being looked up, so that no second lookup admits them.
    admitting: BTreeSet<(JobId, Fingerprint)>,
    lookups: u32,
    refilling: bool,
    timers: BTreeSet<(Timestamp, Timer)>,
    next_task: TaskId,
    /// While a past is being replayed, no job is found done.
    recovering: bool,
    batch: Batch,
    outputs: VecDeque<Output>,
}

impl Coordinator {
    /// A coordinator without a past. Give it one with [`Restore`].
    #[must_use]
    pub fn new(config: Config, now: Timestamp) -> Self {
        let round = config.draw_plan.round(now).unwrap_or(Round(1));
        let mut coordinator = Self {
            rng: ChaCha12Rng::from_seed(config.seed),
            roster: Roster::new(config.draw_chain.seed(round)),
            meetings: Meetings::default(),
            shares: Shares::default(),
            fallen: retract::Fallen::default(),
            forecast: Forecast::default(),
            draws: 0,
            frontier: Frontier::new(config.bounds.hot_hosts),
            config,
            jobs: BTreeMap::new(),
            tasks: BTreeMap::new(),
            leases: BTreeMap::new(),
            visitors: BTreeMap::new(),
            invites: BTreeMap::new(),
            settling: BTreeMap::new(),
            archive_full: None,
            admitting: BTreeSet::new(),
            lookups: 0,
            refilling: false,
            timers: BTreeSet::new(),
            next_task: TaskId(1),
            recovering: false,
            batch: Batch::default(),
            outputs: VecDeque::new(),
        };
        coordinator.draws = coordinator.draw();
        coordinator.arm_epoch(now);
        coordinator
    }

    /// Takes one event.
    pub fn handle(&mut self, input: Input, now: Timestamp) {
        match input {
            Input::Connected { agent, ip, whereabouts } => self.connected(agent, ip, whereabouts),
            Input::Disconnected { agent } => {
                self.visitors.remove(&agent);
                self.meetings.forget(&agent);
                self.roster.disconnect(&agent, now);
            }
            Input::Request { agent, id, request } => self.request(agent, id, request, now),
            Input::Operator { ticket, order } => {
                let result = match order {
                    Order::Submit(spec) => self.submit(*spec, now),
                    Order::SetState { job, state } => self.set_state(&job, state, now),
                    Order::Invite { fingerprint, expires, trusted } => {
                        Ok(self.invite(fingerprint, expires, trusted))
                    }
                    Order::DecideAppeal { agent, upheld, why } => {
                        self.decide_appeal(agent, upheld, why, now)
                    }
                };
                self.outputs.push_back(Output::Operator { ticket, result });
            }
            Input::Uploaded { token, result } => self.uploaded(token, result, now),
            Input::Archived { task, archived } => self.archived(task, &archived, now),
            Input::ArchiveFull { task: _ } => self.archive_is_full(now),
            Input::Answer(answer) => self.answered(answer, now),
        }
        self.finish_turn(now);
    }

    /// When [`Self::handle_timeout`] wants to be called next.
    #[must_use]
    pub fn poll_timeout(&self, now: Timestamp) -> Option<Timestamp> {
        let timer = self.timers.first().map(|(time, _)| *time);
        let polled = self.roster.is_polled();
        let host = if polled { self.frontier.next_due(now) } else { None };
        let refill = if self.roster.is_polled() { self.frontier.next_refill(now) } else { None };
        [timer, host, refill].into_iter().flatten().min()
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        while let Some((time, timer)) = self.timers.first().cloned() {
            if time > now {
                break;
            }
            self.timers.pop_first();
            match timer {
                Timer::Lease(token) => self.lease_expired(token, now),
                Timer::Open(task) => self.open_rested(task, now),
                Timer::Reveal(task) => self.reveal_expired(task, now),
                Timer::Upload(task) => self.upload_expired(task, now),
                Timer::Starved(task) => self.contest_if_starved(task, now),
                // Whoever waits for work is drawn from again when this turn ends.
                Timer::Widen(_) => {}
                Timer::Trusted(task) => self.trusted_overdue(task, now),
                Timer::Poll(agent) => self.poll_expired(agent, now),
                Timer::Epoch => self.close_epoch(now),
                Timer::Archive => self.archive_again(now),
            }
        }
        self.finish_turn(now);
    }

    /// The next thing that the shell is to do.
    pub fn next_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The jobs, in order of submission.
    pub fn jobs(&self) -> impl Iterator<Item = (JobId, &JobRecord)> {
        self.jobs.iter().map(|(id, job)| (*id, &job.record))
    }

    /// The agents.
    #[must_use]
    pub const fn roster(&self) -> &Roster {
        &self.roster
    }

    /// The frontier, to look at.
    #[must_use]
    pub const fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// The tasks in hand, to look at.
    pub fn tasks(&self) -> impl ExactSizeIterator<Item = &Task> {
        self.tasks.values()
    }

    /// Whether the archive is resting because the disk was full.
    #[must_use]
    pub const fn archive_rests(&self) -> bool {
        self.archive_full.is_some()
    }

    fn request(&mut self, agent: PeerId, id: u64, request: AgentRequest, now: Timestamp) {
        if let AgentRequest::Enrol { invite, payee, lane, software: _ } = request {
            return self.enrol(agent, id, &invite, payee, lane, now);
        }
        let Some(member) = self.roster.get(&agent) else {
            let hint = "enrol with an invite of this coordinator first";
            return self.refuse(agent, id, RefusalCode::NotEnrolled, hint);
        };
        let is_of_owner = matches!(request, AgentRequest::Standing | AgentRequest::Appeal { .. });
        if let record::agent::Standing::Convicted { reason, .. } = &member.record.standing
            && !is_of_owner
        {
            let reason = reason.clone();
            return self.refuse(agent, id, RefusalCode::Barred, &reason);
        }
        match request {
            AgentRequest::Enrol { .. } => {}
            AgentRequest::WantWork { capacity, wait, holding } => {
                self.want_work(agent, id, capacity.into(), wait, &holding, now);
            }
            AgentRequest::Commit { tokens, leaves, signature } => {
                self.commit(agent, id, &tokens, &leaves, &signature, now);
            }
            AgentRequest::Reveal(leaves) => self.reveal(agent, id, leaves, now),
            AgentRequest::UploadStart(start) => self.upload_start(agent, id, start),
            AgentRequest::UploadChunk { token, offset, data } => {
                self.upload_chunk(agent, id, token, offset, data);
            }
            AgentRequest::Countersign { note } => self.countersigned(agent, id, &note),
            AgentRequest::Receipts { since } => self.receipts(agent, id, since),
            AgentRequest::Standing => self.tell_standing(agent, id, now),
            AgentRequest::Appeal { text } => self.appeal(agent, id, text, now),
        }
    }

    fn answered(&mut self, answer: Answer, now: Timestamp) {
        self.lookups = self.lookups.saturating_sub(1);
        match answer {
            Answer::Admit { job, urls, hosts } => self.admitted(job, urls, hosts, now),
            Answer::Refill { hosts, last } => {
                self.refilling = false;
                let delay = self.longest_delay();
                self.frontier.refilled(hosts, last, delay, now);
                self.drop_queues_of_ended_jobs(now);
            }
            Answer::Chunk { host, job, seq, chunk } => {
                self.frontier.with_host(&host, now, |host| {
                    if let Some(queue) = host.queues.get_mut(&job) {
                        queue.chunk_loaded(seq, chunk);
                    }
                });
            }
            Answer::Payloads { task, known } => self.payloads_known(task, &known, now),
            Answer::Blocks { task, stable } => self.blocks_known(task, stable),
            Answer::Held { agent, held, hosts } => self.held(agent, held, hosts, now),
            Answer::Matured { agent, credits } => self.matured(agent, &credits, now),
        }
    }

    /// After every event: gives out work, keeps memory bounded, and closes the batch.
    fn finish_turn(&mut self, now: Timestamp) {
        self.serve(now);
        if !self.refilling
            && let Some(after) = self.frontier.wants_refill(now)
        {
            self.refilling = true;
            self.look_up(Lookup::Refill { after });
        }
        if self.lookups == 0 {
            self.frontier.evict(now);
        }
        let batch = std::mem::take(&mut self.batch);
        if !batch.is_empty() {
            self.outputs.push_back(Output::Commit(batch));
        }
    }

    fn look_up(&mut self, lookup: Lookup) {
        self.lookups += 1;
        self.outputs.push_back(Output::Lookup(lookup));
    }

    fn send(&mut self, agent: PeerId, reply_to: u64, reply: CoordinatorReply) {
        self.outputs.push_back(Output::Send { agent, reply_to, reply: Box::new(reply) });
    }

    fn refuse(&mut self, agent: PeerId, id: u64, code: RefusalCode, detail: &str) {
        self.send(agent, id, CoordinatorReply::Refusal(Refusal::new(code, detail)));
    }

    fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    fn save_task(&mut self, id: TaskId) {
        if let Some(task) = self.tasks.get(&id) {
            self.batch.put(record::task::key(id), encode(task));
        }
    }

    fn save_agent(&mut self, peer: &PeerId) {
        if let Some(Agent { record, .. }) = self.roster.get(peer) {
            self.batch.put(record::agent::key(peer), encode(record));
        }
    }

    fn save_job(&mut self, id: JobId) {
        if let Some(job) = self.jobs.get(&id) {
            self.batch.put(record::job::key(id), encode(&job.record.progress));
        }
    }

    fn draw(&mut self) -> u64 {
        self.rng.next_u64()
    }

    /// One of `count` things, evenly; zero where there is none.
    fn draw_below(&mut self, count: usize) -> usize {
        let count = count.max(1) as u64;
        usize::try_from(self.draw() % count).unwrap_or_default()
    }
}
