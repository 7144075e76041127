//! What an agent asks.
//!
//! Decides which requests are well formed. Never decides whether they are granted.

use super::bounds::{self, MAX_ATTESTATION_BYTES, MAX_BATCH, MAX_DOCUMENT_BYTES, WireError};
use super::exchange::Exchange;
use super::pb::{self, agent_frame::Body};
use super::standing;
use super::{WIRE_VERSION, bounds::MAX_TEXT_BYTES};
use crate::batch::Salt;
use crate::canonical_url::CanonicalUrl;
use crate::compare::block::BlockList;
use crate::digest::Digest;
use crate::ids::{InviteCode, Lane, LeaseToken, Payee, Seq};
use prost::Message as _;
use std::time::Duration;

/// A request of an agent. Who it is, the connection says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentRequest {
    /// Join, with a single-use invite.
    Enrol {
        /// The invite.
        invite: InviteCode,
        /// Who is paid.
        payee: Payee,
        /// Which installation under this key.
        lane: Lane,
        /// Name and version of the agent's software.
        software: String,
    },
    /// A long poll for leases and orders.
    WantWork {
        /// Leases wanted.
        capacity: u16,
        /// How long the answer may take.
        wait: Duration,
        /// Leases still being worked on; this agent's others are lost.
        holding: Vec<LeaseToken>,
    },
    /// "These are my results, sealed".
    Commit {
        /// The leases.
        tokens: Vec<LeaseToken>,
        /// The salted leaf of each, in the same order.
        leaves: Vec<Digest>,
        /// The agent's signature over the batch statement.
        signature: [u8; 64],
    },
    /// Opens sealed results.
    Reveal(Vec<RevealedLeaf>),
    /// Begins to hand in a capture.
    UploadStart(UploadStart),
    /// Goes on with it.
    UploadChunk {
        /// The lease.
        token: LeaseToken,
        /// Where `data` belongs.
        offset: u64,
        /// The bytes.
        data: Vec<u8>,
    },
    /// Returns a receipt with the agent's signature added.
    Countersign {
        /// The note.
        note: String,
    },
    /// Asks for the receipts after a number.
    Receipts {
        /// The newest that the agent holds; zero for none.
        since: Seq,
    },
    /// Asks how the agent stands; answered also where it is barred.
    Standing,
    /// The owner objects to what was decided; taken also of a barred agent.
    Appeal {
        /// The owner's words.
        text: String,
    },
}

/// An opened leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevealedLeaf {
    /// The lease.
    pub token: LeaseToken,
    /// The salt under the leaf.
    pub salt: Salt,
    /// The attestation's bytes under the leaf.
    pub attestation: Vec<u8>,
    /// The page's blocks, as their attested digest has them.
    pub blocks: BlockList,
}

/// The beginning of a capture: all but the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadStart {
    /// The lease.
    pub token: LeaseToken,
    /// Redirect hops, then the exchange whose body is streamed.
    pub exchanges: Vec<Exchange>,
    /// The page's links, as their attested digest has them.
    pub links: Vec<CanonicalUrl>,
    /// Length of the body to come.
    pub body_bytes: u64,
}

impl AgentRequest {
    /// The frame's bytes.
    #[must_use]
    pub fn encode(&self, id: u64) -> Vec<u8> {
        let raw = |tokens: &[LeaseToken]| tokens.iter().map(|t| t.0.to_vec()).collect();
        let body = match self {
            Self::Enrol { invite, payee, lane, software } => Body::Enrol(pb::Enrol {
                invite: invite.reveal().into(),
                payee: payee.as_str().into(),
                lane: lane.0,
                software: software.clone(),
            }),
            Self::WantWork { capacity, wait, holding } => Body::WantWork(pb::WantWork {
                capacity: (*capacity).into(),
                wait_ms: u32::try_from(wait.as_millis()).unwrap_or(u32::MAX),
                holding: raw(holding),
            }),
            Self::Commit { tokens, leaves, signature } => Body::Commit(pb::Commit {
                tokens: raw(tokens),
                leaves: leaves.iter().map(|leaf| leaf.0.to_vec()).collect(),
                signature: signature.to_vec(),
            }),
            Self::Reveal(leaves) => Body::Reveal(pb::Reveal {
                leaves: leaves.iter().map(RevealedLeaf::to_pb).collect(),
            }),
            Self::UploadStart(start) => Body::UploadStart(start.to_pb()),
            Self::UploadChunk { token, offset, data } => Body::UploadChunk(pb::UploadChunk {
                token: token.0.into(),
                offset: *offset,
                data: data.clone(),
            }),
            Self::Countersign { note } => Body::Countersign(pb::Countersign { note: note.clone() }),
            Self::Receipts { since } => Body::Receipts(pb::Receipts { since_seq: since.0 }),
            Self::Standing => Body::Standing(pb::AskStanding {}),
            Self::Appeal { text } => Body::Appeal(pb::Appeal { text: text.clone() }),
        };
        pb::AgentFrame { version: WIRE_VERSION, id, body: Some(body) }.encode_to_vec()
    }

    /// Parses a frame. The id comes back even with a refusal, so that it can be answered.
    pub fn decode(frame: &[u8]) -> (u64, Result<Self, WireError>) {
        match pb::AgentFrame::decode(frame) {
            Ok(frame) => (frame.id, Self::from_pb(frame)),
            Err(error) => {
                let cause = error.to_string();
                (0, Err(WireError::Malformed { message: "agent frame", cause }))
            }
        }
    }

    fn from_pb(frame: pb::AgentFrame) -> Result<Self, WireError> {
        if frame.version != WIRE_VERSION {
            return Err(WireError::Version { got: frame.version });
        }
        match frame.body.ok_or(WireError::UnknownRequest)? {
            Body::Enrol(enrol) => parse_enrol(enrol),
            Body::WantWork(want) => Ok(Self::WantWork {
                capacity: bounds::small("want_work.capacity", want.capacity)?,
                wait: Duration::from_millis(want.wait_ms.into()),
                holding: bounds::tokens("want_work.holding", &want.holding)?,
            }),
            Body::Commit(commit) => parse_commit(&commit),
            Body::Reveal(reveal) => {
                bounds::at_most("reveal.leaves", reveal.leaves.len(), MAX_BATCH)?;
                let leaves = reveal.leaves.into_iter().map(RevealedLeaf::from_pb);
                Ok(Self::Reveal(leaves.collect::<Result<_, _>>()?))
            }
            Body::UploadStart(start) => UploadStart::from_pb(start).map(Self::UploadStart),
            Body::UploadChunk(chunk) => {
                bounds::at_most("upload_chunk.data", chunk.data.len(), bounds::MAX_CHUNK_BYTES)?;
                Ok(Self::UploadChunk {
                    token: bounds::token("upload_chunk.token", &chunk.token)?,
                    offset: chunk.offset,
                    data: chunk.data,
                })
            }
            Body::Countersign(sign) => Ok(Self::Countersign {
                note: bounds::text("countersign.note", sign.note, MAX_DOCUMENT_BYTES)?,
            }),
            Body::Receipts(receipts) => Ok(Self::Receipts { since: Seq(receipts.since_seq) }),
            Body::Standing(pb::AskStanding {}) => Ok(Self::Standing),
            Body::Appeal(appeal) => {
                Ok(Self::Appeal { text: standing::words("appeal.text", appeal.text)? })
            }
        }
    }
}

fn parse_enrol(enrol: pb::Enrol) -> Result<AgentRequest, WireError> {
    Ok(AgentRequest::Enrol {
        invite: enrol.invite.parse().map_err(|e| WireError::invalid("enrol.invite", e))?,
        payee: enrol.payee.parse().map_err(|e| WireError::invalid("enrol.payee", e))?,
        lane: Lane(enrol.lane),
        software: bounds::text("enrol.software", enrol.software, MAX_TEXT_BYTES)?,
    })
}

fn parse_commit(commit: &pb::Commit) -> Result<AgentRequest, WireError> {
    let tokens = bounds::tokens("commit.tokens", &commit.tokens)?;
    bounds::at_most("commit.leaves", commit.leaves.len(), MAX_BATCH)?;
    if tokens.is_empty() || commit.leaves.len() != tokens.len() {
        return Err(WireError::invalid("commit.leaves", "one leaf for each token"));
    }
    let leaves = commit.leaves.iter().map(|leaf| bounds::digest("commit.leaves", leaf));
    let signature = commit.signature.as_slice().try_into();
    Ok(AgentRequest::Commit {
        tokens,
        leaves: leaves.collect::<Result<_, _>>()?,
        signature: signature.map_err(|_| WireError::invalid("commit.signature", "not 64 bytes"))?,
    })
}

impl RevealedLeaf {
    fn to_pb(&self) -> pb::RevealedLeaf {
        pb::RevealedLeaf {
            token: self.token.0.into(),
            salt: self.salt.0.into(),
            attestation: self.attestation.clone(),
            blocks: self.blocks.to_bytes(),
        }
    }

    fn from_pb(value: pb::RevealedLeaf) -> Result<Self, WireError> {
        bounds::at_most("reveal.attestation", value.attestation.len(), MAX_ATTESTATION_BYTES)?;
        let salt = value.salt.as_slice().try_into();
        Ok(Self {
            token: bounds::token("reveal.token", &value.token)?,
            salt: Salt(salt.map_err(|_| WireError::invalid("reveal.salt", "not 16 bytes"))?),
            attestation: value.attestation,
            blocks: BlockList::from_bytes(&value.blocks)?,
        })
    }
}

impl UploadStart {
    fn to_pb(&self) -> pb::UploadStart {
        pb::UploadStart {
            token: self.token.0.into(),
            exchanges: self.exchanges.iter().map(Exchange::to_pb).collect(),
            links: self.links.iter().map(|link| link.as_str().to_owned()).collect(),
            body_bytes: self.body_bytes,
        }
    }

    fn from_pb(value: pb::UploadStart) -> Result<Self, WireError> {
        bounds::at_most("upload.exchanges", value.exchanges.len(), bounds::MAX_HOPS + 1)?;
        bounds::at_most("upload.links", value.links.len(), bounds::MAX_LINKS)?;
        let links_bytes = value.links.iter().map(String::len).sum();
        bounds::at_most("upload.links", links_bytes, bounds::MAX_LINKS_BYTES)?;
        if value.exchanges.is_empty() {
            return Err(WireError::invalid("upload.exchanges", "none"));
        }
        let exchanges = value.exchanges.into_iter().map(Exchange::from_pb);
        let links = value.links.iter().map(|link| bounds::url("upload.links", link));
        Ok(Self {
            token: bounds::token("upload.token", &value.token)?,
            exchanges: exchanges.collect::<Result<_, _>>()?,
            links: links.collect::<Result<_, _>>()?,
            body_bytes: value.body_bytes,
        })
    }
}
