//! Takes captures in, piece by piece, and checks them against what is expected.

use crate::page;
use std::collections::BTreeMap;
use sward_coordinator_core::input::{UploadFacts, UploadFault};
use sward_coordinator_core::output::{Expected, UploadPart};
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::digest::Digest;
use sward_proto::ids::LeaseToken;
use sward_proto::wire::refusal::{Refusal, RefusalCode};
use sward_proto::wire::reply::CoordinatorReply;

/// What came of a piece.
pub type Taken = (CoordinatorReply, Option<Result<UploadFacts, UploadFault>>);

#[derive(Debug)]
struct Incoming {
    links: Vec<CanonicalUrl>,
    body: Vec<u8>,
    head_only: bool,
}

/// Captures that are coming in or wait to be archived.
#[derive(Debug, Default)]
pub struct Assembler(BTreeMap<LeaseToken, Incoming>);

impl Assembler {
    /// Takes one piece.
    pub fn receive(&mut self, token: LeaseToken, part: UploadPart, expected: Expected) -> Taken {
        match part {
            UploadPart::Start(start) => {
                let bytes = if expected.head_only { 0 } else { expected.bytes };
                if start.body_bytes != bytes || page::links_digest(&start.links) != expected.links {
                    return self.mismatch(token);
                }
                let (links, body) = (start.links, Vec::new());
                self.0.insert(token, Incoming { links, body, head_only: expected.head_only });
            }
            UploadPart::Chunk { offset, data } => {
                let Some(incoming) = self.0.get_mut(&token) else {
                    return (
                        refusal("this upload did not begin here"),
                        Some(Err(UploadFault::Broken)),
                    );
                };
                if offset != incoming.body.len() as u64
                    || offset + data.len() as u64 > expected.bytes
                {
                    return self.mismatch(token);
                }
                incoming.body.extend_from_slice(&data);
            }
        }
        self.check(token, &expected)
    }

    /// The body that was received; the inner `None` where none was wanted.
    #[must_use]
    pub fn complete(&self, token: LeaseToken) -> Option<Option<&[u8]>> {
        let incoming = self.0.get(&token)?;
        Some((!incoming.head_only).then_some(incoming.body.as_slice()))
    }

    /// Forgets a capture.
    pub fn discard(&mut self, token: LeaseToken) {
        self.0.remove(&token);
    }

    fn check(&mut self, token: LeaseToken, expected: &Expected) -> Taken {
        let Some(incoming) = self.0.get(&token) else { return self.mismatch(token) };
        let next_offset = incoming.body.len() as u64;
        if !expected.head_only && next_offset < expected.bytes {
            return (CoordinatorReply::Upload { token, next_offset, done: false }, None);
        }
        if !expected.head_only && Digest::of(&incoming.body) != expected.raw {
            return self.mismatch(token);
        }
        let mut links = incoming.links.clone();
        if let Some(reading) = expected.reading {
            if page::reading(&incoming.body, expected.robots) != reading {
                return self.mismatch(token);
            }
            links = page::links(&incoming.body);
        }
        if let Some(published) = &expected.published {
            if page::blocks(&incoming.body).to_bytes() != published.kept {
                return self.mismatch(token);
            }
            links = page::attested_links(&incoming.body, &published.attested);
        }
        let robots_body = expected.robots.then(|| incoming.body.clone());
        let facts = UploadFacts { links, robots_body };
        (CoordinatorReply::Upload { token, next_offset, done: true }, Some(Ok(facts)))
    }

    fn mismatch(&mut self, token: LeaseToken) -> Taken {
        self.discard(token);
        (refusal("this is not what was attested"), Some(Err(UploadFault::Mismatch)))
    }
}

fn refusal(why: &str) -> CoordinatorReply {
    CoordinatorReply::Refusal(Refusal::new(RefusalCode::Conflict, why))
}
