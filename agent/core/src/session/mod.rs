//! The agent: leases, fetches, sealed results, uploads and receipts as one state machine.
//!
//! Decides what an agent does next within what its owner allows. Four doors: [`Session::handle`],
//! [`Session::poll_timeout`], [`Session::handle_timeout`], [`Session::next_output`]. Never reads a clock, opens a socket or
//! touches a disk.

mod connection;
mod fetching;
mod receipts;
mod results;
mod standing;
mod uploads;
mod view;

pub use view::View;

use crate::input::Input;
use crate::output::{Account, Change, Output};
use crate::owner::{Limits, Usage};
use crate::politeness::Politeness;
use crate::sealed::Sealed;
use crate::tidings::Tidings;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng as _;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use sward_proto::canonical_url::HostName;
use sward_proto::ids::{InviteCode, Lane, LeaseToken, Payee, PeerId};
use sward_proto::note::NoteSigner;
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::lease::Lease;
use sward_proto::wire::reply::CoordinatorReply;
use sward_proto::wire::request::AgentRequest;

/// What an agent is started with.
#[derive(Clone)]
pub struct Config {
    /// Who it is.
    pub peer: PeerId,
    /// Its key: signs batches and receipts.
    pub signer: NoteSigner,
    /// Which installation under this key.
    pub lane: Lane,
    /// Who is paid.
    pub payee: Payee,
    /// Used where the account is empty.
    pub invite: Option<InviteCode>,
    /// What the owner allows.
    pub limits: Limits,
    /// The owner has opened loopback; said in every attestation.
    pub developer: bool,
    /// Name and version of the software.
    pub software: String,
    /// The one source of chance: salts and jitter.
    pub seed: [u8; 32],
}

/// What an agent remembers from before.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// Its standing.
    pub account: Account,
    /// How it stands, and the owner's appeal.
    pub tidings: Tidings,
    /// Bytes used.
    pub usage: Usage,
    /// Sealed results.
    pub sealed: BTreeMap<LeaseToken, Sealed>,
}

/// A lease in hand.
#[derive(Debug, Clone)]
struct Held {
    lease: Lease,
    expires: Timestamp,
}

/// A request that was sent.
#[derive(Debug, Clone)]
enum Asked {
    Enrol,
    Work,
    /// A request for work that a newer one replaces.
    SupersededWork,
    Commit(Vec<LeaseToken>),
    Reveal,
    /// The heads of a capture; `alone` where no piece of the body follows at once.
    UploadStart {
        token: LeaseToken,
        alone: bool,
    },
    /// A piece of its body.
    Upload(LeaseToken),
    Countersign,
    Standing,
    Appeal,
}

/// The whole machine.
pub struct Session {
    config: Config,
    rng: ChaCha12Rng,
    account: Account,
    tidings: Tidings,
    /// When a barred agent asks how it stands.
    ask_standing_at: Timestamp,
    usage: Usage,
    link: connection::Link,
    asked: BTreeMap<u64, Asked>,
    next_id: u64,
    /// Leases that are not fetched yet, by host, in the order in which they came.
    runs: BTreeMap<HostName, VecDeque<Held>>,
    fetching: BTreeMap<u64, fetching::Fetching>,
    sealed: BTreeMap<LeaseToken, Sealed>,
    /// Sealed results that are not sent yet, and since when.
    unsent: Vec<LeaseToken>,
    unsent_since: Option<Timestamp>,
    /// A host's leases are all done since leaves were last sent.
    run_ended: bool,
    spooled: u64,
    uploads: uploads::Uploads,
    politeness: Politeness,
    /// What the coordinator last said of why there is no work.
    notice: String,
    /// Leases that the open request for work has room for.
    last_capacity: usize,
    changes: Vec<Change>,
    outputs: VecDeque<Output>,
}

/// Results of a run are sent together, but none waits longer than this.
const COMMIT_WAIT: Duration = Duration::from_millis(500);
/// Leases in hand at most, for each fetch that may go on at the same time.
const LEASES_A_FETCH: usize = 16;
/// A sealed result that nobody asked for in this time is forgotten.
const SEALED_LIFE: Duration = Duration::from_secs(24 * 3600);

impl Session {
    /// An agent with its memory.
    #[must_use]
    pub fn new(config: Config, memory: Memory, now: Timestamp) -> Self {
        let Memory { mut account, tidings, usage, sealed } = memory;
        if account.vkey.is_empty() {
            // It never joined: the owner may have corrected the invite.
            account.barred.clear();
        }
        let spooled = sealed.values().filter_map(|sealed| sealed.body_bytes).sum();
        let unsent: Vec<LeaseToken> =
            sealed.iter().filter(|(_, s)| !s.committed).map(|(token, _)| *token).collect();
        Self {
            rng: ChaCha12Rng::from_seed(config.seed),
            config,
            account,
            tidings,
            ask_standing_at: Timestamp::ZERO,
            usage,
            link: connection::Link::new(now),
            asked: BTreeMap::new(),
            next_id: 1,
            runs: BTreeMap::new(),
            fetching: BTreeMap::new(),
            sealed,
            unsent_since: (!unsent.is_empty()).then_some(now),
            unsent,
            run_ended: false,
            spooled,
            uploads: uploads::Uploads::default(),
            politeness: Politeness::default(),
            notice: String::new(),
            last_capacity: 0,
            changes: Vec::new(),
            outputs: VecDeque::new(),
        }
    }

    /// Takes one event.
    pub fn handle(&mut self, input: Input, now: Timestamp) {
        match input {
            Input::Connected => self.connected(),
            Input::Disconnected => self.disconnected(now),
            Input::Reply { id, reply } => self.reply(id, reply, now),
            Input::Fetched { ticket, fetched } => self.fetched(ticket, *fetched, now),
            Input::SpoolRead { token, capture } => self.spool_read(token, capture),
            Input::Pause(paused) => {
                self.account.paused = paused;
                self.changes.push(Change::Account(Box::new(self.account.clone())));
                self.ask_again_with_room(now);
            }
            Input::Appeal(text) => self.owner_appeals(text),
            Input::SetLimits(limits) => self.config.limits = limits,
        }
        self.finish_turn(now);
    }

    /// When [`Self::handle_timeout`] wants to be called next.
    #[must_use]
    pub fn poll_timeout(&self, now: Timestamp) -> Option<Timestamp> {
        let commit = self.unsent_since.filter(|_| self.link.is_open()).map(|at| at + COMMIT_WAIT);
        let upload = self.uploads.timeout().filter(|_| self.link.is_open());
        let times = [
            upload,
            self.next_attention(now),
            self.next_fetch(now),
            commit,
            self.next_expiry(),
            self.next_standing(now),
        ];
        times.into_iter().flatten().min()
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.drop_expired(now);
        self.finish_turn(now);
    }

    /// The next thing that the shell is to do.
    pub fn next_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn reply(&mut self, id: u64, reply: CoordinatorReply, now: Timestamp) {
        let Some(asked) = self.asked.remove(&id) else { return };
        if let CoordinatorReply::Refusal(refusal) = reply {
            return self.refused(asked, &refusal, now);
        }
        match (asked, reply) {
            (Asked::Standing, CoordinatorReply::Standing(standing)) => self.stands(standing),
            (Asked::Appeal, CoordinatorReply::Standing(standing)) => {
                self.appeal_taken(standing, now);
            }
            (Asked::Enrol, CoordinatorReply::Enrolled(terms)) => self.enrolled(terms),
            (Asked::Work | Asked::SupersededWork, CoordinatorReply::Work(work)) => {
                self.take_work(work, now);
            }
            (Asked::Commit(_), CoordinatorReply::Answers(answers)) => self.committed(&answers),
            (Asked::Reveal, CoordinatorReply::Answers(_)) => {}
            (Asked::UploadStart { alone: false, .. }, CoordinatorReply::Upload { .. }) => {}
            (
                Asked::UploadStart { token, .. } | Asked::Upload(token),
                CoordinatorReply::Upload { next_offset, done, .. },
            ) => {
                self.upload_goes_on(token, next_offset, done);
            }
            (Asked::Countersign, CoordinatorReply::Receipts(_)) => {}
            // An answer of another kind than the question: a broken coordinator is left alone for a while.
            (_, _) => self.link.rest(now, Duration::from_secs(60)),
        }
    }

    fn ask(&mut self, asked: Asked, request: AgentRequest) {
        let id = self.next_id;
        self.next_id += 1;
        self.asked.insert(id, asked);
        self.outputs.push_back(Output::Send { id, request });
    }

    /// After every event: starts what can be started, and closes the turn's changes ahead of its messages.
    fn finish_turn(&mut self, now: Timestamp) {
        self.give_back_unwanted(now);
        self.start_fetches(now);
        self.send_commits(now);
        self.send_enrolment();
        self.go_on_uploading(now);
        self.ask_standing(now);
        self.ask_for_work(now);
        self.dial(now);
        let changes = std::mem::take(&mut self.changes);
        if !changes.is_empty() {
            self.outputs.push_front(Output::Store(changes));
        }
    }
}
