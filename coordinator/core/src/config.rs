//! What a coordinator is started with.
//!
//! Decides the bounds of memory and patience; their defaults say why.

use crate::beacon::Beacon;
use crate::record::seen::SeenKey;
use crate::trust::hold;
use crate::trust::replication::PROBATION;
use std::time::Duration;
use sward_proto::draw::{DrawPlan, SeedChain};
use sward_proto::note::NoteSigner;
use sward_proto::quorum::Rules;
use sward_proto::receipt::ReceiptSchema;
use sward_proto::tariff::Tariff;
use sward_proto::wire::reply::Terms;

/// A coordinator's configuration.
#[derive(Clone)]
pub struct Config {
    /// What agents are told at enrolment.
    pub terms: Terms,
    /// The prices.
    pub tariff: Tariff,
    /// Signs receipts.
    pub signer: NoteSigner,
    /// The first line of receipts.
    pub schema: ReceiptSchema,
    /// How many must agree.
    pub rules: Rules,
    /// Takes developer-mode agents, and lets jobs name loopback.
    pub developer: bool,
    /// Keys the seen-set's fingerprints.
    pub seen_key: SeenKey,
    /// The one source of chance, but for draws.
    pub seed: [u8; 32],
    /// What was told of the draws in advance.
    pub draw_plan: DrawPlan,
    /// What they are made from.
    pub draw_chain: SeedChain,
    /// The coordinator's own pages, where it has any.
    pub beacon: Option<Beacon>,
    /// Memory and patience.
    pub bounds: Bounds,
}

/// Memory and patience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Hosts in memory, each of up to some 2 KiB, and 5 KiB more where it has many templates.
    pub hot_hosts: usize,
    /// Tasks in hand. One with three opened results takes some 5 KiB, and for each page up to 3 KiB more.
    pub open_tasks: usize,
    /// URLs of one host leased to one agent in a row: they share a connection, and one commit.
    pub run_length: usize,
    /// The least life of a lease.
    pub lease_floor: Duration,
    /// What a fetch may take at worst; lengthens the lease of a run.
    pub fetch_allowance: Duration,
    /// How long the results of a page that may rest on one agent's word rest at most before they are opened.
    pub open_delay: Duration,
    /// Audited agreements before one result of an agent may be enough.
    pub probation: u32,
    /// Checks that an agent's work holds before it turns final: how much of a casual agent's is done twice.
    pub hold: hold::Terms,
    /// How long an agent may take to open a sealed result.
    pub reveal_wait: Duration,
    /// How long an agent may take to hand in a capture.
    pub upload_wait: Duration,
    /// How long a page that every enrolled group has answered without agreeing waits for newcomers.
    pub starvation_wait: Duration,
    /// How long a page waits for an agent of another cohort, and for two that do not meet too often.
    pub widen_wait: Duration,
    /// How long a sealed result that is spot-checked waits for a trusted fetcher to be given the page.
    pub spot_wait: Duration,
    /// How long a disputed page waits so, each time.
    pub trusted_wait: Duration,
    /// Leases of trusted fetchers that are out at once, in all.
    pub trusted_leases: usize,
    /// How often a URL is tried again after a time-out, a server error or lost agents.
    pub retries: u8,
    /// How long rules of robots.txt are used: at most 24 hours by RFC 9309 section 2.4.
    pub robots_life: Duration,
    /// The same where robots.txt could not be reached and everything is disallowed.
    pub robots_retry: Duration,
    /// How long the archive rests after the disk was full.
    pub archive_rest: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            hot_hosts: 2000,
            open_tasks: 4096,
            run_length: 16,
            lease_floor: Duration::from_secs(30),
            fetch_allowance: Duration::from_secs(5),
            open_delay: Duration::from_secs(5),
            probation: PROBATION,
            hold: hold::Terms::default(),
            reveal_wait: Duration::from_secs(60),
            upload_wait: Duration::from_secs(60),
            starvation_wait: Duration::from_secs(600),
            widen_wait: Duration::from_secs(60),
            spot_wait: Duration::from_secs(30),
            trusted_wait: Duration::from_secs(120),
            trusted_leases: 16,
            retries: 3,
            robots_life: Duration::from_secs(24 * 3600),
            robots_retry: Duration::from_secs(3600),
            archive_rest: Duration::from_secs(10),
        }
    }
}
