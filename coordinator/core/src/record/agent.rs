//! An agent as the index holds it.

use super::Kind;
use super::appeal::{AppealRecord, Reinstated};
use crate::group::{Network, Whereabouts};
use crate::trust::audit::Tally;
use crate::trust::blocks::{Blocks, Calendar};
use crate::trust::evidence::Evidence;
use crate::trust::notices::Notices;
use crate::trust::outcome::Limits;
use crate::trust::replication::Trust;
use serde::{Deserialize, Serialize};
use sward_proto::digest::Digest;
use sward_proto::ids::{Lane, Payee, PeerId, Seq};
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::standing::{self, MAX_PENDING};

/// Cumulative work: pages, bytes, micro-units of credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Totals {
    /// Results that agreed.
    pub tasks: u64,
    /// Their decoded bytes, by the coordinator's count.
    pub bytes: u64,
    /// Micro-units of the tariff.
    pub credit: u64,
}

impl Totals {
    /// The sum, or `None` past 2^64.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        Some(Self {
            tasks: self.tasks.checked_add(other.tasks)?,
            bytes: self.bytes.checked_add(other.bytes)?,
            credit: self.credit.checked_add(other.credit)?,
        })
    }

    /// The difference, at least zero in each part.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self {
            tasks: self.tasks.saturating_sub(other.tasks),
            bytes: self.bytes.saturating_sub(other.bytes),
            credit: self.credit.saturating_sub(other.credit),
        }
    }
}

/// Whether an agent is given work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// It is.
    Good,
    /// It was caught; it is given none, and what was pending is not issued.
    Convicted {
        /// When.
        at: Timestamp,
        /// The reason code.
        reason: String,
    },
}

/// An enrolled agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentRecord {
    /// Who is paid.
    pub payee: Payee,
    /// Which installation.
    pub lane: Lane,
    /// A fetcher of the operator's own, by its invite: it checks what others fetched, and nobody checks it.
    pub trusted: bool,
    /// When it joined.
    pub enrolled_at: Timestamp,
    /// Where it last dialled from.
    pub network: Option<Network>,
    /// What was known of that place.
    pub whereabouts: Whereabouts,
    /// Whether it is given work.
    pub standing: Standing,
    /// Credit in the hold window.
    pub pending: Totals,
    /// What its newest receipt says.
    pub receipted: Totals,
    /// The number of its newest receipt; zero for none.
    pub seq: Seq,
    /// The digest of that receipt's text.
    pub prev: Digest,
    /// That receipt's note, with the agent's signature once it came.
    pub note: String,
    /// Whether the agent has signed it.
    pub countersigned: bool,
    /// Results handed in.
    pub fetched: u64,
    /// Results that agreed with independent others.
    pub agreed: u64,
    /// Results that independent others contradicted: content never seen elsewhere.
    pub forged: u32,
    /// Results that independent others contradicted: content that belongs to another fetch.
    pub replayed: u32,
    /// Pages of the beacon site that it handed in and that were shown to another agent.
    pub copied: u32,
    /// How much of its work is done twice. Shown to nobody.
    pub trust: Trust,
    /// What its checks say against it.
    pub evidence: Evidence,
    /// What audits of its pages found.
    pub audits: Tally,
    /// Kinds of page that may not rest on its word for a while.
    pub limits: Limits,
    /// The blocks in which its pending credit waits.
    pub blocks: Blocks,
    /// Credit that was pending and is not issued.
    pub forfeited: Totals,
    /// Results of which that is still to be taken, out of what turns final next.
    pub forfeit: u32,
    /// Since when it is under review, where it is.
    pub review: Option<Timestamp>,
    /// What its owner is told of all this.
    pub notices: Notices,
    /// Its owner's last appeal.
    pub appeal: Option<AppealRecord>,
    /// Since when it works again, where it was barred and appealed.
    pub reinstated: Option<Reinstated>,
}

impl AgentRecord {
    /// A newcomer, with so many audited agreements to come before one result of it may be enough.
    #[must_use]
    pub fn new(payee: Payee, lane: Lane, enrolled_at: Timestamp, probation: u32) -> Self {
        Self {
            payee,
            lane,
            trusted: false,
            enrolled_at,
            network: None,
            whereabouts: Whereabouts { asn: None, region: None },
            standing: Standing::Good,
            pending: Totals { tasks: 0, bytes: 0, credit: 0 },
            receipted: Totals { tasks: 0, bytes: 0, credit: 0 },
            seq: Seq(0),
            prev: Digest::ZERO,
            note: String::new(),
            countersigned: false,
            fetched: 0,
            agreed: 0,
            forged: 0,
            replayed: 0,
            copied: 0,
            trust: Trust::new(enrolled_at, probation),
            evidence: Evidence::new(enrolled_at),
            audits: Tally::ZERO,
            limits: Limits::default(),
            blocks: Blocks::default(),
            forfeited: Totals::default(),
            forfeit: 0,
            review: None,
            notices: Notices::default(),
            appeal: None,
            reinstated: None,
        }
    }

    /// Whether what was settled then counts: nothing of while it was barred does, and nothing of before. Credit that joined a
    /// block (`placed`) did so while its agent was in good standing.
    #[must_use]
    pub fn credits(&self, settled: Timestamp, placed: bool) -> bool {
        let since = |past: Reinstated| if placed { past.barred } else { past.at };
        self.standing == Standing::Good && self.reinstated.is_none_or(|past| settled > since(past))
    }

    /// Whether there is anything to tell its owner.
    #[must_use]
    pub const fn has_history(&self) -> bool {
        self.fetched > 0 || self.appeal.is_some()
    }

    /// What its owner may read now.
    #[must_use]
    pub fn told(&self, calendar: Calendar, now: Timestamp) -> standing::Standing {
        let barred = match &self.standing {
            Standing::Good => String::new(),
            Standing::Convicted { reason, .. } => reason.clone(),
        };
        standing::Standing {
            pending: self.blocks.lines(calendar, MAX_PENDING),
            notices: self.notices.told(now).collect(),
            appeal: self.appeal.as_ref().map(AppealRecord::told),
            barred,
        }
    }
}

/// Key: kind, public key.
#[must_use]
pub fn key(agent: &PeerId) -> Vec<u8> {
    super::key(Kind::Agent, &[agent.public_key()])
}
