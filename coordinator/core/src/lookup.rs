//! What the core wants to know from the index, and how a store answers it.
//!
//! Decides which keys a question needs. The core asks by an output and is answered by an input; whoever owns the store calls
//! [`Lookup::answer`] with every change before it applied, so that an answer always reflects what was decided before the
//! question.

use crate::profile::{HostProfile, Slot};
use crate::record::agent::Totals;
use crate::record::blocks::BlocksRecord;
use crate::record::chunk::{self, Chunk, Entry};
use crate::record::host::HostRecord;
use crate::record::payload::PayloadRecord;
use crate::record::pending::{HeldPage, PendingRecord};
use crate::record::queue::QueueRecord;
use crate::record::robots::RobotsRecord;
use crate::record::seen::Fingerprint;
use crate::record::{self, decode};
use crate::store::{Store, StoreError};
use crate::trust::blocks::BlockId;
use std::collections::{BTreeMap, BTreeSet, btree_map};
use sward_proto::canonical_url::HostName;
use sward_proto::digest::Digest;
use sward_proto::ids::{JobId, PeerId, TaskId};
use sward_proto::timestamp::Timestamp;

/// How many hosts one refill brings.
const REFILL_HOSTS: usize = 64;
/// How many credits one receipt covers at most; the rest waits for the next epoch.
const RECEIPT_TASKS: usize = 50_000;

/// How many credits of an agent that was caught are looked through at once.
pub(crate) const HELD_AT_ONCE: usize = 256;

/// A question to the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// Which of these URLs has the job met, and what do their hosts hold?
    Admit {
        /// The job.
        job: JobId,
        /// The URLs, each once.
        urls: Vec<(Entry, Fingerprint)>,
    },
    /// Which hosts have work?
    Refill {
        /// Continue after this host; `None` begins anew.
        after: Option<HostName>,
    },
    /// What is in this chunk?
    Chunk {
        /// The host.
        host: HostName,
        /// The job.
        job: JobId,
        /// The chunk's number.
        seq: u64,
    },
    /// Which of these bodies are in the archive?
    Payloads {
        /// On behalf of this task.
        task: TaskId,
        /// The agreeing bodies first, then those of dissenters.
        digests: Vec<Digest>,
    },
    /// Which blocks of a task's URL are known to be stable?
    Blocks {
        /// The task.
        task: TaskId,
        /// Its host.
        host: HostName,
        /// Where they lie.
        slot: Slot,
        /// Its URL.
        url: Fingerprint,
    },
    /// Which credits of this agent are not final, and for which pages?
    Held {
        /// The agent.
        agent: PeerId,
    },
    /// Which of this agent's credits are in blocks that are final?
    Matured {
        /// The agent.
        agent: PeerId,
        /// The last of these blocks.
        through: BlockId,
        /// The time: what is contested is held until its own window is over.
        now: Timestamp,
    },
}

/// An answer from the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To [`Lookup::Admit`].
    Admit {
        /// The job.
        job: JobId,
        /// Each URL with whether it was met before.
        urls: Vec<(Entry, Fingerprint, bool)>,
        /// What the new URLs' hosts hold.
        hosts: BTreeMap<HostName, HostLoad>,
    },
    /// To [`Lookup::Refill`].
    Refill {
        /// Hosts with queues.
        hosts: BTreeMap<HostName, HostLoad>,
        /// The last of them; `None` where there are no more.
        last: Option<HostName>,
    },
    /// To [`Lookup::Chunk`].
    Chunk {
        /// The host.
        host: HostName,
        /// The job.
        job: JobId,
        /// The chunk's number.
        seq: u64,
        /// What it holds: nothing where there is no such chunk.
        chunk: Chunk,
    },
    /// To [`Lookup::Payloads`].
    Payloads {
        /// The task.
        task: TaskId,
        /// Those that are known.
        known: BTreeMap<Digest, PayloadRecord>,
    },
    /// To [`Lookup::Blocks`].
    Blocks {
        /// The task.
        task: TaskId,
        /// The blocks, as `StableBlocks::to_bytes` has them; empty where others lie there by now.
        stable: Vec<u8>,
    },
    /// To [`Lookup::Held`].
    Held {
        /// The agent.
        agent: PeerId,
        /// Its credits with the pages, in key order.
        held: Vec<(Vec<u8>, Option<HeldPage>)>,
        /// What the pages' hosts hold.
        hosts: BTreeMap<HostName, HostLoad>,
    },
    /// To [`Lookup::Matured`].
    Matured {
        /// The agent.
        agent: PeerId,
        /// The credits, in key order.
        credits: Vec<MaturedCredit>,
    },
}

/// A credit whose hold window is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaturedCredit {
    /// Its key.
    pub key: Vec<u8>,
    /// Its block and task.
    pub place: (BlockId, TaskId),
    /// What it adds.
    pub amount: Totals,
    /// Its leaf.
    pub leaf: Digest,
}

/// What the index holds of a host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HostLoad {
    /// Its clock.
    pub clock: HostRecord,
    /// Its origins' rules.
    pub robots: Vec<RobotsRecord>,
    /// Its queues, each with its head chunk.
    pub queues: BTreeMap<JobId, (QueueRecord, Chunk)>,
    /// How its pages change.
    pub profile: HostProfile,
}

impl Lookup {
    /// Reads the answer.
    ///
    /// # Errors
    /// [`StoreError`] where the index cannot be read or does not make sense.
    pub fn answer(self, store: &impl Store) -> Result<Answer, StoreError> {
        match self {
            Self::Admit { job, urls } => admit(store, job, urls),
            Self::Refill { after } => refill(store, after),
            Self::Chunk { host, job, seq } => {
                let chunk = read_chunk(store, &host, job, seq)?;
                Ok(Answer::Chunk { host, job, seq, chunk })
            }
            Self::Payloads { task, digests } => {
                let mut known = BTreeMap::new();
                for digest in digests {
                    if let Some(value) = store.get(&record::payload::key(&digest))? {
                        known.insert(digest, decode("payload", &value)?);
                    }
                }
                Ok(Answer::Payloads { task, known })
            }
            Self::Blocks { task, host, slot, url } => {
                let value = store.get(&record::blocks::key(&host, slot))?;
                let kept: Option<BlocksRecord> =
                    value.map(|value| decode("stable blocks", &value)).transpose()?;
                let kept = kept.filter(|kept| kept.url == url);
                Ok(Answer::Blocks {
                    task,
                    stable: kept.map(|kept| kept.stable).unwrap_or_default(),
                })
            }
            Self::Held { agent } => held(store, agent),
            Self::Matured { agent, through, now } => matured(store, agent, through, now),
        }
    }
}

fn admit(
    store: &impl Store,
    job: JobId,
    urls: Vec<(Entry, Fingerprint)>,
) -> Result<Answer, StoreError> {
    let mut marked = Vec::with_capacity(urls.len());
    let mut hosts = BTreeMap::new();
    for (entry, fingerprint) in urls {
        let met = store.get(&record::seen::key(job, fingerprint))?.is_some();
        let host = entry.url.host();
        if !met && !hosts.contains_key(&host) {
            let load = load_host(store, &host)?;
            hosts.insert(host, load);
        }
        marked.push((entry, fingerprint, met));
    }
    Ok(Answer::Admit { job, urls: marked, hosts })
}

fn refill(store: &impl Store, after: Option<HostName>) -> Result<Answer, StoreError> {
    let mut from = after.as_ref().map_or_else(Vec::new, record::queue::after);
    let all = record::key(record::Kind::Queue, &[]);
    let mut names: BTreeSet<HostName> = BTreeSet::new();
    while names.len() < REFILL_HOSTS {
        let Some((key, _)) = store.scan(&all, &from, 1)?.into_iter().next() else { break };
        let (host, _) = record::queue::parse_key(&key)?;
        from = record::queue::after(&host);
        names.insert(host);
    }
    let last = if names.len() < REFILL_HOSTS { None } else { names.last().cloned() };
    let mut hosts = BTreeMap::new();
    for name in names {
        let load = load_host(store, &name)?;
        hosts.insert(name, load);
    }
    Ok(Answer::Refill { hosts, last })
}

pub(crate) fn load_host(store: &impl Store, host: &HostName) -> Result<HostLoad, StoreError> {
    let clock = match store.get(&record::host::key(host))? {
        Some(value) => decode("host", &value)?,
        None => HostRecord::default(),
    };
    let robots = store.scan(&record::robots::prefix(host), &[], 16)?;
    let robots = robots.iter().map(|(_, value)| decode("robots", value));
    let profile = match store.get(&record::profile::key(host))? {
        Some(value) => record::profile::parse(&value)?,
        None => HostProfile::default(),
    };
    let (robots, queues) = (robots.collect::<Result<_, _>>()?, BTreeMap::new());
    let mut load = HostLoad { clock, robots, queues, profile };
    for (key, value) in store.scan(&record::queue::prefix(host), &[], 1024)? {
        let (_, job) = record::queue::parse_key(&key)?;
        let queue: QueueRecord = decode("queue", &value)?;
        let head = read_chunk(store, host, job, queue.head)?;
        load.queues.insert(job, (queue, head));
    }
    Ok(load)
}

fn read_chunk(
    store: &impl Store,
    host: &HostName,
    job: JobId,
    seq: u64,
) -> Result<Chunk, StoreError> {
    store.get(&chunk::key(host, job, seq))?.map_or(Ok(Chunk::default()), Chunk::parse)
}

fn held(store: &impl Store, agent: PeerId) -> Result<Answer, StoreError> {
    let (mut held, mut hosts) = (Vec::new(), BTreeMap::new());
    for (key, value) in store.scan(&record::pending::prefix(&agent), &[], HELD_AT_ONCE)? {
        let PendingRecord { page, .. } = decode("pending credit", &value)?;
        let mut page: Option<HeldPage> = page;
        if let Some(held) = &page {
            let (host, capture) = (held.url.host(), record::capture::key(held.job, held.task));
            if !held.contested && store.get(&capture)?.is_none() {
                page = None; // taken back already
            } else if let btree_map::Entry::Vacant(vacant) = hosts.entry(host) {
                let load = load_host(store, vacant.key())?;
                vacant.insert(load);
            }
        }
        held.push((key, page));
    }
    Ok(Answer::Held { agent, held, hosts })
}

fn matured(
    store: &impl Store,
    agent: PeerId,
    through: BlockId,
    now: Timestamp,
) -> Result<Answer, StoreError> {
    let mut credits = Vec::new();
    for (key, value) in store.scan(&record::pending::prefix(&agent), &[], RECEIPT_TASKS)? {
        let place = record::pending::place(&key)?;
        if place.0 > through {
            break;
        }
        let PendingRecord { amount, leaf, page } = decode("pending credit", &value)?;
        let page: Option<HeldPage> = page;
        let is_held = page.is_some_and(|page| page.contested && page.matures > now);
        if !is_held {
            credits.push(MaturedCredit { key, place, amount, leaf });
        }
    }
    Ok(Answer::Matured { agent, credits })
}
