//! One page, fetched under the agent's own rules.
//!
//! Decides how a URL becomes an [`Observation`]: which request is sent, which redirects are followed, when reading
//! stops, and which word a failure gets. Every URL and every address goes past the guard before it is dialled, and past
//! the caller's `may_fetch` (robots.txt, the owner's vetoes) before it is asked for. Never takes headers or a body from
//! the wire to send on, keeps no cookies, knows no proxy, and never works around a certificate that is not trusted.

mod body;
mod client;
mod decode;
mod failure;
mod head;
mod redirect;
mod resolver;
mod retry_after;
mod statement;
mod trip;

pub use client::FetcherError;

use failure::Failure;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};
use sward_agent_core::guard::Guard;
use sward_proto::attestation::Observation;
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::compare::block::BlockList;
use sward_proto::outcome::FailureCode;
use sward_proto::wire::exchange::Exchange;
use trip::Trip;

/// How long one fetch may take with all its redirects, unless the settings say otherwise.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(30);

/// What is the same for all fetches.
#[derive(Debug, Clone)]
pub struct FetchSettings {
    /// The User-Agent header: product, version and a page to turn to.
    pub user_agent: String,
    /// How long one fetch may take, from the first name lookup to the last byte of the last body.
    pub deadline: Duration,
    /// The local address that connections go out from, where the owner chose one.
    pub local_address: Option<IpAddr>,
    /// Certificate authorities to trust besides the system's, in DER or PEM. Developer mode only.
    pub extra_roots: Vec<Vec<u8>>,
    /// Answers for host names that are used instead of DNS, and checked like DNS's. Developer mode only.
    pub names: BTreeMap<String, Vec<IpAddr>>,
    /// The rules, shared with whoever updates them when the machine's network changes.
    pub guard: Arc<RwLock<Guard>>,
}

impl FetchSettings {
    /// The settings of an ordinary agent.
    #[must_use]
    pub fn new(user_agent: String, guard: Arc<RwLock<Guard>>) -> Self {
        Self {
            user_agent,
            deadline: DEFAULT_DEADLINE,
            local_address: None,
            extra_roots: Vec::new(),
            names: BTreeMap::new(),
            guard,
        }
    }
}

/// One page to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchRequest {
    /// What.
    pub url: CanonicalUrl,
    /// The largest decoded body, in bytes.
    pub max_bytes: u64,
    /// Media types whose body is read, without parameters; any where empty.
    pub media_types: Vec<String>,
}

/// How a fetch ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// What is attested.
    pub observation: Observation,
    /// From the first name lookup to the last byte, in milliseconds.
    pub elapsed_ms: u32,
    /// Bytes that came: heads in HTTP/1.1 form and bodies as they were coded, also where the fetch failed. Framing,
    /// TLS and DNS are not among them.
    pub wire_bytes: u64,
    /// Every request that was answered, redirects first; also those before a failure.
    pub exchanges: Vec<Exchange>,
    /// The links that the observation's digest is over.
    pub links: Vec<CanonicalUrl>,
    /// The page's title.
    pub title: Option<String>,
    /// The blocks that the observation has the digest of.
    pub blocks: BlockList,
    /// The decoded body that the observation's digest is over; empty where it was not read.
    pub body: Vec<u8>,
}

/// Fetches pages. Clones share connections and settings.
#[derive(Debug, Clone)]
pub struct Fetcher {
    client: reqwest::Client,
    guard: Arc<RwLock<Guard>>,
    user_agent: Arc<str>,
    deadline: Duration,
}

impl Fetcher {
    /// A fetcher with these settings. A process-wide [`rustls::crypto::CryptoProvider`] must be installed before.
    ///
    /// # Errors
    /// [`FetcherError`] for a setting that cannot be used.
    pub fn new(settings: FetchSettings) -> Result<Self, FetcherError> {
        let client = client::build(&settings)?;
        let FetchSettings { user_agent, deadline, guard, .. } = settings;
        Ok(Self { client, guard, user_agent: user_agent.into(), deadline })
    }

    /// Fetches one page. `may_fetch` is asked before each request, the first and those after redirects; what it
    /// refuses is not asked for, and its code and words are the observation.
    pub async fn fetch(
        &self,
        request: FetchRequest,
        may_fetch: impl Fn(&CanonicalUrl) -> Result<(), (FailureCode, String)>,
    ) -> Fetched {
        let begun = Instant::now();
        let mut trip = Trip::default();
        let travel = trip.travel(self, &request, &may_fetch);
        let arrival = tokio::time::timeout(self.deadline, travel).await;
        let elapsed_ms = u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX);
        let arrival = arrival.unwrap_or_else(|_| Err(Failure::deadline(self.deadline)));
        statement::conclude(request.url, trip, arrival, elapsed_ms).await
    }
}

/// The rules of this moment. A panic elsewhere leaves them readable.
fn current(guard: &RwLock<Guard>) -> RwLockReadGuard<'_, Guard> {
    guard.read().unwrap_or_else(PoisonError::into_inner)
}
