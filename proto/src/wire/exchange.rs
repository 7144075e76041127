//! One HTTP request with its answer, as it is archived.
//!
//! Decides the bounds of what an agent may hand in. Never judges it.

use super::bounds::{self, MAX_HEAD_BYTES, MAX_HOP_BODY_BYTES, MAX_TEXT_BYTES, WireError};
use super::pb;
use crate::canonical_url::CanonicalUrl;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// A request and its response, heads as they were on the wire (HTTP/2 heads in HTTP/1.1 form).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// What was asked for.
    pub url: CanonicalUrl,
    /// Request line and header lines, ending with an empty line.
    pub request_head: Vec<u8>,
    /// Status line and header lines, ending with an empty line.
    pub response_head: Vec<u8>,
    /// The body of a redirect hop; empty in the last exchange, whose body is streamed.
    pub body: Vec<u8>,
    /// Whether `body` was cut at [`MAX_HOP_BODY_BYTES`].
    pub body_truncated: bool,
    /// `http/1.1` or `h2`.
    pub protocol: String,
    /// The address that answered.
    pub peer_ip: IpAddr,
}

impl Exchange {
    pub(super) fn to_pb(&self) -> pb::Exchange {
        pb::Exchange {
            url: self.url.as_str().into(),
            request_head: self.request_head.clone(),
            response_head: self.response_head.clone(),
            body: self.body.clone(),
            protocol: self.protocol.clone(),
            peer_ip: self.peer_ip.to_string(),
            body_truncated: self.body_truncated,
        }
    }

    pub(super) fn from_pb(value: pb::Exchange) -> Result<Self, WireError> {
        bounds::at_most("exchange.request_head", value.request_head.len(), MAX_HEAD_BYTES)?;
        bounds::at_most("exchange.response_head", value.response_head.len(), MAX_HEAD_BYTES)?;
        bounds::at_most("exchange.body", value.body.len(), MAX_HOP_BODY_BYTES)?;
        Ok(Self {
            url: bounds::url("exchange.url", &value.url)?,
            request_head: value.request_head,
            response_head: value.response_head,
            body: value.body,
            body_truncated: value.body_truncated,
            protocol: bounds::text("exchange.protocol", value.protocol, MAX_TEXT_BYTES)?,
            peer_ip: value
                .peer_ip
                .parse()
                .map_err(|e| WireError::invalid("exchange.peer_ip", e))?,
        })
    }
}
