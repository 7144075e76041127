//! What a coordinator answers.
//!
//! Decides which answers are well formed; an agent checks its coordinator as strictly as the other way round.

use super::WIRE_VERSION;
use super::answer::{self, Answer};
use super::bounds::{self, MAX_BATCH, MAX_DOCUMENT_BYTES, MAX_TEXT_BYTES, WireError};
use super::lease::Lease;
use super::pb::{self, coordinator_frame::Body};
use super::refusal::Refusal;
use super::standing::Standing;
use crate::draw::{Anchor, DrawPlan};
use crate::ids::LeaseToken;
use crate::timestamp::Timestamp;
use prost::Message as _;
use std::time::Duration;

/// An answer of the coordinator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CoordinatorReply {
    /// No, and why.
    Refusal(Refusal),
    /// Joined.
    Enrolled(Terms),
    /// Leases and orders; may be empty when the poll ran out.
    Work(Work),
    /// To a commit or a reveal, one answer for each lease.
    Answers(Vec<Answer>),
    /// How far an upload has come.
    Upload {
        /// The lease.
        token: LeaseToken,
        /// Where the next chunk belongs.
        next_offset: u64,
        /// The capture is complete and right.
        done: bool,
    },
    /// Receipts, oldest first.
    Receipts(Vec<String>),
    /// How the agent stands.
    Standing(Standing),
}

/// What an agent and a coordinator agree on at enrolment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Who runs the coordinator.
    pub operator: String,
    /// The page that the User-Agent names.
    pub contact: String,
    /// The name of the receipt log.
    pub log: String,
    /// The key that signs receipts.
    pub vkey: String,
    /// The tariff document.
    pub tariff: String,
    /// Whether developer-mode agents are taken.
    pub developer: bool,
    /// How leases are drawn, so that the agent holds the coordinator to it.
    pub draws: DrawPlan,
}

/// What an agent is to do next.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Work {
    /// Pages to fetch.
    pub leases: Vec<Lease>,
    /// Results to open.
    pub reveal: Vec<LeaseToken>,
    /// Captures to hand in.
    pub upload: Vec<UploadOrder>,
    /// Leases that are settled: what is spooled for them may go.
    pub release: Vec<LeaseToken>,
    /// A receipt to check and countersign.
    pub receipt: Option<String>,
    /// Not before this much time has passed.
    pub retry_after: Duration,
    /// Why there is no work, or empty.
    pub notice: String,
    /// How the agent stands, where that has changed.
    pub standing: Option<Standing>,
}

/// A capture that is asked of one agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadOrder {
    /// The lease.
    pub token: LeaseToken,
    /// The body is in the archive already: only heads and links are wanted.
    pub head_only: bool,
}

impl CoordinatorReply {
    /// The frame's bytes.
    #[must_use]
    pub fn encode(&self, reply_to: u64) -> Vec<u8> {
        let body = match self {
            Self::Refusal(refusal) => Body::Refusal(refusal.to_pb()),
            Self::Enrolled(terms) => Body::Enrolled(terms.to_pb()),
            Self::Work(work) => Body::Work(work.to_pb()),
            Self::Answers(answers) => Body::Answers(answer::to_pb(answers)),
            Self::Upload { token, next_offset, done } => Body::Upload(pb::UploadState {
                token: token.0.into(),
                next_offset: *next_offset,
                done: *done,
            }),
            Self::Receipts(notes) => Body::Receipts(pb::ReceiptNotes { notes: notes.clone() }),
            Self::Standing(standing) => Body::Standing(standing.to_pb()),
        };
        pb::CoordinatorFrame { version: WIRE_VERSION, reply_to, body: Some(body) }.encode_to_vec()
    }

    /// Parses a frame: the request it answers, and the answer.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn decode(frame: &[u8]) -> Result<(u64, Self), WireError> {
        let frame = pb::CoordinatorFrame::decode(frame).map_err(|error| WireError::Malformed {
            message: "coordinator frame",
            cause: error.to_string(),
        })?;
        if frame.version != WIRE_VERSION {
            return Err(WireError::Version { got: frame.version });
        }
        let reply = match frame.body.ok_or(WireError::UnknownRequest)? {
            Body::Refusal(refusal) => Self::Refusal(Refusal::from_pb(refusal)?),
            Body::Enrolled(terms) => Self::Enrolled(Terms::from_pb(terms)?),
            Body::Work(work) => Self::Work(Work::from_pb(work)?),
            Body::Answers(answers) => Self::Answers(answer::from_pb(&answers)?),
            Body::Upload(state) => Self::Upload {
                token: bounds::token("upload.token", &state.token)?,
                next_offset: state.next_offset,
                done: state.done,
            },
            Body::Standing(standing) => Self::Standing(Standing::from_pb(standing)?),
            Body::Receipts(list) => {
                bounds::at_most("receipts.notes", list.notes.len(), MAX_BATCH)?;
                let note = |text| bounds::text("receipts.notes", text, MAX_DOCUMENT_BYTES);
                Self::Receipts(list.notes.into_iter().map(note).collect::<Result<_, _>>()?)
            }
        };
        Ok((frame.reply_to, reply))
    }
}

impl Terms {
    fn to_pb(&self) -> pb::Enrolled {
        pb::Enrolled {
            operator: self.operator.clone(),
            contact: self.contact.clone(),
            log: self.log.clone(),
            vkey: self.vkey.clone(),
            tariff: self.tariff.clone(),
            developer: self.developer,
            draws: Some(pb::DrawPlan {
                anchor: self.draws.anchor.0.0.into(),
                began_ms: self.draws.began.as_millis(),
                round_seconds: self.draws.round_seconds,
            }),
        }
    }

    fn from_pb(value: pb::Enrolled) -> Result<Self, WireError> {
        let draws = value.draws.ok_or(WireError::invalid("terms.draws", "none"))?;
        Ok(Self {
            operator: bounds::text("terms.operator", value.operator, MAX_TEXT_BYTES)?,
            contact: bounds::text("terms.contact", value.contact, MAX_TEXT_BYTES)?,
            log: bounds::text("terms.log", value.log, MAX_TEXT_BYTES)?,
            vkey: bounds::text("terms.vkey", value.vkey, MAX_TEXT_BYTES)?,
            tariff: bounds::text("terms.tariff", value.tariff, MAX_DOCUMENT_BYTES)?,
            developer: value.developer,
            draws: DrawPlan {
                anchor: Anchor(bounds::digest("terms.draws.anchor", &draws.anchor)?),
                began: Timestamp::from_millis(draws.began_ms),
                round_seconds: draws.round_seconds,
            },
        })
    }
}

impl Work {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.leases.is_empty()
            && self.reveal.is_empty()
            && self.upload.is_empty()
            && self.release.is_empty()
            && self.receipt.is_none()
            && self.standing.is_none()
    }

    fn to_pb(&self) -> pb::Work {
        let raw = |tokens: &[LeaseToken]| tokens.iter().map(|t| t.0.to_vec()).collect();
        let order =
            |o: &UploadOrder| pb::UploadOrder { token: o.token.0.into(), head_only: o.head_only };
        pb::Work {
            leases: self.leases.iter().map(Lease::to_pb).collect(),
            reveal: raw(&self.reveal),
            upload: self.upload.iter().map(order).collect(),
            release: raw(&self.release),
            receipt: self.receipt.clone().unwrap_or_default(),
            retry_after_ms: u32::try_from(self.retry_after.as_millis()).unwrap_or(u32::MAX),
            notice: self.notice.clone(),
            standing: self.standing.as_ref().map(Standing::to_pb),
        }
    }

    fn from_pb(value: pb::Work) -> Result<Self, WireError> {
        bounds::at_most("work.leases", value.leases.len(), MAX_BATCH)?;
        bounds::at_most("work.upload", value.upload.len(), MAX_BATCH)?;
        let order = |o: &pb::UploadOrder| {
            let token = bounds::token("work.upload", &o.token)?;
            Ok::<_, WireError>(UploadOrder { token, head_only: o.head_only })
        };
        let receipt = bounds::text("work.receipt", value.receipt, MAX_DOCUMENT_BYTES)?;
        Ok(Self {
            leases: value.leases.into_iter().map(Lease::from_pb).collect::<Result<_, _>>()?,
            reveal: bounds::tokens("work.reveal", &value.reveal)?,
            upload: value.upload.iter().map(order).collect::<Result<_, _>>()?,
            release: bounds::tokens("work.release", &value.release)?,
            receipt: Some(receipt).filter(|text| !text.is_empty()),
            retry_after: Duration::from_millis(value.retry_after_ms.into()),
            notice: bounds::text("work.notice", value.notice, MAX_TEXT_BYTES)?,
            standing: value.standing.map(Standing::from_pb).transpose()?,
        })
    }
}
