//! Handing in captures: one at a time, a piece at a time. The first piece follows the heads at once, as most pages are of
//! one; each later one waits until the piece before it is answered.

use super::{Asked, Session};
use crate::output::Output;
use crate::sealed::Capture;
use std::collections::VecDeque;
use std::time::Duration;
use sward_proto::ids::LeaseToken;
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::bounds::MAX_CHUNK_BYTES;
use sward_proto::wire::reply::UploadOrder;
use sward_proto::wire::request::{AgentRequest, UploadStart};

/// What is being handed in, and what waits.
#[derive(Debug, Default)]
pub(super) struct Uploads {
    waiting: VecDeque<UploadOrder>,
    current: Option<Current>,
    /// The coordinator takes no capture before this time.
    not_before: Timestamp,
}

#[derive(Debug)]
struct Current {
    order: UploadOrder,
    /// `None` until it is read from the spool.
    capture: Option<Box<Capture>>,
}

impl Uploads {
    pub(super) fn order(&mut self, order: UploadOrder) {
        let current = self.current.as_ref().map(|current| current.order.token);
        let known = self.waiting.iter().any(|waiting| waiting.token == order.token);
        if current != Some(order.token) && !known {
            self.waiting.push_back(order);
        }
    }

    pub(super) fn cancel(&mut self, token: LeaseToken) {
        self.waiting.retain(|order| order.token != token);
        if self.current.as_ref().is_some_and(|current| current.order.token == token) {
            self.current = None;
        }
    }

    /// On a new connection every order is given anew.
    pub(super) fn restart(&mut self) {
        *self = Self::default();
    }

    /// The coordinator takes none now: the order waits. Where it says no for good there is no time to wait for. Where the
    /// heads were refused, so is the piece behind them, and that says nothing new.
    pub(super) fn refused(&mut self, token: LeaseToken, retry_after: Duration, now: Timestamp) {
        let Some(current) = self.current.take_if(|current| current.order.token == token) else {
            return;
        };
        if !retry_after.is_zero() {
            self.waiting.push_front(current.order);
            self.not_before = now + retry_after;
        }
    }

    /// When the next order may be tried, where one waits.
    pub(super) fn timeout(&self) -> Option<Timestamp> {
        (self.current.is_none() && !self.waiting.is_empty()).then_some(self.not_before)
    }
}

impl Session {
    pub(super) fn go_on_uploading(&mut self, now: Timestamp) {
        while self.uploads.current.is_none() && self.uploads.not_before <= now {
            let Some(order) = self.uploads.waiting.pop_front() else { return };
            if self.sealed.contains_key(&order.token) {
                self.uploads.current = Some(Current { order, capture: None });
                self.outputs.push_back(Output::ReadSpool(order.token));
            }
        }
    }

    pub(super) fn spool_read(&mut self, token: LeaseToken, capture: Option<Box<Capture>>) {
        let Some(current) = self.uploads.current.as_mut().filter(|c| c.order.token == token) else {
            return;
        };
        let Some(capture) = capture else {
            return self.uploads.cancel(token);
        };
        let body = if current.order.head_only { &[][..] } else { &capture.body };
        let start = UploadStart {
            token,
            exchanges: capture.exchanges.clone(),
            links: capture.links.clone(),
            body_bytes: body.len() as u64,
        };
        let first = (!body.is_empty()).then(|| piece(token, body, 0));
        current.capture = Some(capture);
        self.ask(
            Asked::UploadStart { token, alone: first.is_none() },
            AgentRequest::UploadStart(start),
        );
        first.into_iter().for_each(|first| self.ask(Asked::Upload(token), first));
    }

    pub(super) fn upload_goes_on(&mut self, token: LeaseToken, next_offset: u64, done: bool) {
        let current = self.uploads.current.as_ref().filter(|c| c.order.token == token);
        let Some(Current { capture: Some(capture), order }) = current else { return };
        let offset = usize::try_from(next_offset).unwrap_or(usize::MAX);
        let rest = capture.body.get(offset..).unwrap_or_default();
        if done || order.head_only || rest.is_empty() {
            return self.uploads.cancel(token);
        }
        let next = piece(token, rest, next_offset);
        self.ask(Asked::Upload(token), next);
    }
}

/// The piece with which `rest` of a body begins.
fn piece(token: LeaseToken, rest: &[u8], offset: u64) -> AgentRequest {
    let data = rest[..rest.len().min(MAX_CHUNK_BYTES)].to_vec();
    AgentRequest::UploadChunk { token, offset, data }
}
