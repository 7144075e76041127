//! Sealing results, sending their leaves, opening them when asked.
//!
//! A sealed result is stored before its leaf is sent, and kept until the coordinator lets it go.

use super::{Asked, Held, SEALED_LIFE, Session};
use crate::input::Fetched;
use crate::output::Change;
use crate::sealed::Sealed;
use rand_chacha::rand_core::Rng as _;
use sward_proto::attestation::{Attestation, Observation};
use sward_proto::batch::{self, Salt};
use sward_proto::compare::block::BlockList;
use sward_proto::digest::Digest;
use sward_proto::ids::LeaseToken;
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::answer::{Answer, AnswerCode};
use sward_proto::wire::bounds::{MAX_ATTESTATION_BYTES, MAX_BATCH};
use sward_proto::wire::request::{AgentRequest, RevealedLeaf};

impl Session {
    pub(super) fn seal(&mut self, held: &Held, fetched: Fetched, began: Timestamp) {
        let mut salt = [0; 16];
        self.rng.fill_bytes(&mut salt);
        let body_bytes = match fetched.observation {
            Observation::Response(_) => Some(fetched.capture.body.len() as u64),
            Observation::Failure { .. } => None,
        };
        let attestation = Attestation {
            profile: held.lease.profile,
            url: held.lease.url.clone(),
            fetched_at: began,
            elapsed_ms: fetched.elapsed_ms,
            developer: self.config.developer,
            observation: fetched.observation,
        };
        let (attestation, blocks) = (attestation.encode(), fetched.blocks.to_bytes());
        let sealed = Sealed { salt, attestation, blocks, at: began, committed: false, body_bytes };
        self.spooled += body_bytes.unwrap_or_default();
        let token = held.lease.token;
        self.changes.push(Change::Seal {
            token,
            sealed: Box::new(sealed.clone()),
            capture: body_bytes.map(|_| Box::new(fetched.capture)),
        });
        self.sealed.insert(token, sealed);
        self.unsent.push(token);
        self.unsent_since.get_or_insert(began);
    }

    /// Sends leaves once a host's run is through, so that its next agent need not wait; else once a batch is full or the
    /// oldest has waited long enough.
    pub(super) fn send_commits(&mut self, now: Timestamp) {
        let waited = self.unsent_since.is_some_and(|since| since + super::COMMIT_WAIT <= now);
        let due = waited || std::mem::take(&mut self.run_ended) || self.unsent.len() >= MAX_BATCH;
        if !self.link.is_open() || self.account.vkey.is_empty() || !due {
            return;
        }
        while !self.unsent.is_empty() {
            let rest = self.unsent.split_off(self.unsent.len().min(MAX_BATCH));
            let tokens = std::mem::replace(&mut self.unsent, rest);
            self.send_commit(tokens);
        }
        self.unsent_since = None;
    }

    fn send_commit(&mut self, tokens: Vec<LeaseToken>) {
        let known: Vec<(LeaseToken, Digest)> = tokens
            .into_iter()
            .filter_map(|token| Some((token, self.sealed.get(&token)?.leaf())))
            .collect();
        if known.is_empty() {
            return;
        }
        let (tokens, leaves): (Vec<LeaseToken>, Vec<Digest>) = known.into_iter().unzip();
        let signature =
            self.config.signer.sign_bytes(batch::statement(&tokens, &leaves).as_bytes());
        let request = AgentRequest::Commit { tokens: tokens.clone(), leaves, signature };
        self.ask(Asked::Commit(tokens), request);
    }

    pub(super) fn committed(&mut self, answers: &[Answer]) {
        for Answer { token, code } in answers {
            match code {
                AnswerCode::Taken | AnswerCode::Duplicate => {
                    if let Some(sealed) = self.sealed.get_mut(token) {
                        // A duplicate was taken too, in an answer that never came.
                        self.account.taken += u64::from(!sealed.committed);
                        sealed.committed = true;
                        let sealed = Box::new(sealed.clone());
                        self.changes.push(Change::Seal { token: *token, sealed, capture: None });
                    }
                }
                AnswerCode::Late | AnswerCode::Foreign | AnswerCode::Mismatch => {
                    self.forget(*token);
                }
            }
        }
        self.changes.push(Change::Account(Box::new(self.account.clone())));
    }

    /// Opens what is asked for, as far as one message holds it.
    pub(super) fn reveal(&mut self, tokens: &[LeaseToken]) {
        let mut leaves = Vec::new();
        let mut bytes = 0;
        for token in tokens {
            let Some(Sealed { salt, attestation, blocks, .. }) = self.sealed.get(token).cloned()
            else {
                continue;
            };
            // What this agent stored itself is well formed.
            let Ok(blocks) = BlockList::from_bytes(&blocks) else { continue };
            if bytes + attestation.len() > 8 * MAX_ATTESTATION_BYTES {
                self.ask(Asked::Reveal, AgentRequest::Reveal(std::mem::take(&mut leaves)));
                bytes = 0;
            }
            bytes += attestation.len();
            leaves.push(RevealedLeaf { token: *token, salt: Salt(salt), attestation, blocks });
        }
        if !leaves.is_empty() {
            self.ask(Asked::Reveal, AgentRequest::Reveal(leaves));
        }
    }

    pub(super) fn forget(&mut self, token: LeaseToken) {
        if let Some(sealed) = self.sealed.remove(&token) {
            self.spooled = self.spooled.saturating_sub(sealed.body_bytes.unwrap_or_default());
            self.unsent.retain(|unsent| *unsent != token);
            self.uploads.cancel(token);
            self.changes.push(Change::Forget(token));
        }
    }

    pub(super) fn drop_expired(&mut self, now: Timestamp) {
        let old = self.sealed.iter().filter(|(_, sealed)| sealed.at + SEALED_LIFE <= now);
        let old: Vec<LeaseToken> = old.map(|(token, _)| *token).collect();
        for token in old {
            self.forget(token);
        }
    }

    pub(super) fn next_expiry(&self) -> Option<Timestamp> {
        self.sealed.values().map(|sealed| sealed.at + SEALED_LIFE).min()
    }
}
