//! One URL due once, and the leases that were given for it.
//!
//! Decides how a task moves from lease to verdict: collecting results, opening them, asking for the body, settling. Never
//! decides who agrees (quorum) nor when a host may be asked again (frontier).

use crate::group::{Cohort, Ties};
use crate::profile::Known;
use serde::{Deserialize, Serialize};
use sward_proto::attestation::Attestation;
use sward_proto::batch::BatchProof;
use sward_proto::canonical_url::{CanonicalUrl, HostName};
use sward_proto::compare::block::BlockList;
use sward_proto::digest::Digest;
use sward_proto::draw::{AuditDraw, Draw};
use sward_proto::ids::{JobId, LeaseToken, PeerId, TaskId};
use sward_proto::quorum::ruling::Ruling;
use sward_proto::quorum::{Layer, Rules};
use sward_proto::region::Region;
use sward_proto::timestamp::Timestamp;

/// A task in hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Its number.
    pub id: TaskId,
    /// Whose work it is.
    pub job: JobId,
    /// What to fetch.
    pub url: CanonicalUrl,
    /// A robots.txt that other URLs wait for.
    pub robots: bool,
    /// Links between a seed and this.
    pub depth: u16,
    /// How often the URL was tried before.
    pub retries: u8,
    /// What was known of the page when this was opened.
    pub known: Known,
    /// How many results are wanted now.
    pub wanted: usize,
    /// The leases given so far.
    pub attempts: Vec<Attempt>,
    /// From which region the next result should come.
    pub region: Option<Region>,
    /// Whether the one result that was wanted at first is to be checked.
    pub audit: Option<Audit>,
    /// Whether a trusted fetcher was drawn to fetch the page of the first result too.
    pub spot: Option<AuditDraw>,
    /// Fetches by the operator's own fetchers, beside those that are wanted of agents.
    pub trusted: TrustedFetches,
    /// How far it has come.
    pub phase: Phase,
}

/// What is wanted of the operator's own fetchers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TrustedFetches {
    /// How many fetches in all.
    pub wanted: usize,
    /// Until when the newest of them is waited for.
    pub until: Timestamp,
    /// None came in time: the task goes on without.
    pub given_up: bool,
}

/// The draw that follows a single result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// The draw.
    pub draw: AuditDraw,
    /// When its results are asked to be opened, once all are sealed. Never at once: the second of an audit would know by that
    /// what it is, and a first that is not audited that it is none.
    pub opens: Timestamp,
}

/// How far a task has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Results are still wanted or awaited.
    Collecting,
    /// All results are sealed and asked to be opened, until this time.
    Revealing {
        /// The deadline.
        until: Timestamp,
    },
    /// Independent groups agree; whether the body is known is being looked up.
    Agreed(Agreement),
    /// The body is asked of one agreeing agent.
    Uploading {
        /// What they agree on.
        agreement: Agreement,
        /// The lease whose agent was asked.
        token: LeaseToken,
        /// The body is known: only heads and links are asked for.
        head_only: bool,
        /// Everything is computed anew from the body.
        recompute: bool,
        /// The deadline.
        until: Timestamp,
    },
    /// The verdict is on its way into the archive.
    Settling,
}

/// What independent groups agree on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// By which rules.
    pub rules: Rules,
    /// The leases that agree.
    pub members: Vec<LeaseToken>,
    /// On which layer.
    pub layer: Layer,
    /// Those of them whose copy may be kept.
    pub keepers: Vec<LeaseToken>,
    /// Leases that saw the same content with scripts or frames that only they saw.
    pub tainted: Vec<LeaseToken>,
    /// Leases that claim another page, which independent others contradict.
    pub contradicted: Vec<LeaseToken>,
    /// Leases that claim a page which is near, and which others contradict in some blocks.
    pub disputed: Vec<LeaseToken>,
    /// What other regions see.
    pub variants: Vec<RegionVariant>,
    /// Leases that would be contradicted or disputed, were not their region unheard.
    pub regional: Vec<LeaseToken>,
    /// Leases that are outvoted and of which trusted fetches tell whether they are to blame.
    pub rulings: Vec<(LeaseToken, Ruling)>,
}

/// What one region sees in place of the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionVariant {
    /// Which.
    pub region: Region,
    /// The leases that saw it.
    pub members: Vec<LeaseToken>,
    /// On which layer they agree.
    pub layer: Layer,
}

/// One lease and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The lease's token.
    pub token: LeaseToken,
    /// To whom.
    pub agent: PeerId,
    /// What ties that agent to others, as it was then.
    pub ties: Ties,
    /// With whom it joined.
    pub cohort: Cohort,
    /// It is a fetcher of the operator's own.
    pub trusted: bool,
    /// How it was drawn.
    pub draw: Draw,
    /// When it was given.
    pub leased_at: Timestamp,
    /// A result after this is late.
    pub expires: Timestamp,
    /// What came of it.
    pub state: AttemptState,
}

/// What came of a lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttemptState {
    /// Nothing yet.
    Leased,
    /// A sealed result.
    Committed(Sealed),
    /// An opened result.
    Revealed(Revealed),
    /// An opened result that was weighed, and whose body then did not come or was not the attested one.
    Withheld(Revealed),
    /// It expired, or its agent does not know of it.
    Lost,
    /// The opened result was not the sealed one; or it was withheld, and is not weighed any more.
    Void,
}

/// A sealed result: a leaf, and what shows that its agent signed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// The leaf.
    pub leaf: Digest,
    /// That its agent signed it.
    pub proof: BatchProof,
}

/// An opened result: the bytes under the leaf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revealed {
    /// The leaf, and that its agent signed it.
    pub sealed: Sealed,
    /// The salt.
    pub salt: [u8; 16],
    /// The attestation's bytes.
    pub attestation: Vec<u8>,
    /// The page's blocks as they travel; the attestation has their digest.
    pub blocks: Vec<u8>,
}

impl Revealed {
    /// The parsed statement; it parsed when it was opened.
    #[must_use]
    pub fn parsed(&self) -> Option<Attestation> {
        Attestation::decode(&self.attestation).ok()
    }

    /// The page's blocks; they parsed when they were opened.
    #[must_use]
    pub fn block_list(&self) -> BlockList {
        BlockList::from_bytes(&self.blocks).unwrap_or_default()
    }
}

impl Attempt {
    /// Whether it still counts: leased, sealed or opened.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        match self.state {
            AttemptState::Leased | AttemptState::Committed(_) | AttemptState::Revealed(_) => true,
            AttemptState::Withheld(_) | AttemptState::Lost | AttemptState::Void => false,
        }
    }
}

impl Task {
    /// Its host.
    #[must_use]
    pub fn host(&self) -> HostName {
        self.url.host()
    }

    /// The attempts that still count.
    pub fn active(&self) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter().filter(|attempt| attempt.is_active())
    }

    /// Those of them that are no trusted fetches: what is wanted of agents is counted by these.
    pub fn replicas(&self) -> impl Iterator<Item = &Attempt> {
        self.active().filter(|attempt| !attempt.trusted)
    }

    /// Whether one more lease is wanted.
    #[must_use]
    pub fn is_needy(&self) -> bool {
        self.phase == Phase::Collecting && self.replicas().count() < self.wanted
    }

    /// How many trusted fetches count so far.
    #[must_use]
    pub fn trusted_fetches(&self) -> usize {
        self.active().filter(|attempt| attempt.trusted).count()
    }

    /// Goes back for so many results of agents. What was wanted of trusted fetchers until now is wanted no more.
    pub fn collect(&mut self, wanted: usize) {
        (self.phase, self.wanted) = (Phase::Collecting, wanted);
        self.trusted.wanted = self.trusted_fetches();
    }

    /// Whether one more trusted fetch is wanted.
    #[must_use]
    pub fn wants_trusted(&self) -> bool {
        self.phase == Phase::Collecting && self.trusted_fetches() < self.trusted.wanted
    }

    /// Whether an agent with these ties would be a further, independent voice. Who handed in a void result is asked no
    /// more; who lost a lease may try again.
    #[must_use]
    pub fn takes(&self, agent: &PeerId, ties: &Ties) -> bool {
        self.attempts.iter().all(|attempt| match attempt.state {
            AttemptState::Leased | AttemptState::Committed(_) | AttemptState::Revealed(_) => {
                attempt.agent != *agent && !attempt.ties.shared_with(ties)
            }
            AttemptState::Withheld(_) | AttemptState::Void => attempt.agent != *agent,
            AttemptState::Lost => true,
        })
    }

    /// The attempt of a token.
    #[must_use]
    pub fn attempt(&self, token: LeaseToken) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.token == token)
    }

    /// The attempt of a token, to be changed.
    pub fn attempt_mut(&mut self, token: LeaseToken) -> Option<&mut Attempt> {
        self.attempts.iter_mut().find(|attempt| attempt.token == token)
    }

    /// Whether its sealed results rest until they are opened.
    #[must_use]
    pub fn rests(&self, now: Timestamp) -> bool {
        self.audit.is_some_and(|audit| now < audit.opens)
    }

    /// Whether every wanted result is sealed or opened.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        self.active().all(|attempt| attempt.state != AttemptState::Leased)
            && self.replicas().count() >= self.wanted
            && self.trusted_fetches() >= self.trusted.wanted
    }

    /// The opened results with their leases.
    pub fn revealed(&self) -> impl Iterator<Item = (&Attempt, &Revealed)> {
        self.attempts.iter().filter_map(|attempt| match &attempt.state {
            AttemptState::Revealed(revealed) => Some((attempt, revealed)),
            AttemptState::Leased
            | AttemptState::Committed(_)
            | AttemptState::Withheld(_)
            | AttemptState::Lost
            | AttemptState::Void => None,
        })
    }

    /// The results that were weighed, with their leases: the opened ones, and those withheld since.
    pub fn weighed(&self) -> impl Iterator<Item = (&Attempt, &Revealed)> {
        self.attempts.iter().filter_map(|attempt| match &attempt.state {
            AttemptState::Revealed(revealed) | AttemptState::Withheld(revealed) => {
                Some((attempt, revealed))
            }
            AttemptState::Leased
            | AttemptState::Committed(_)
            | AttemptState::Lost
            | AttemptState::Void => None,
        })
    }

    /// Before a new weighing: what was withheld has no part in it.
    pub fn drop_withheld(&mut self) {
        for attempt in &mut self.attempts {
            if matches!(attempt.state, AttemptState::Withheld(_)) {
                attempt.state = AttemptState::Void;
            }
        }
    }
}
