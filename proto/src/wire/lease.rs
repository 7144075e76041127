//! A lease as an agent sees it.
//!
//! Decides what an agent is told of a task: never whether it is a first fetch or a second.

use super::bounds::{self, MAX_TEXT_BYTES, WireError};
use super::pb;
use crate::canonical_url::CanonicalUrl;
use crate::ids::{JobName, LeaseToken};
use std::time::Duration;

/// One URL to fetch, once, for one agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Must be presented with the result.
    pub token: LeaseToken,
    /// What to fetch, by GET.
    pub url: CanonicalUrl,
    /// Whose work it is.
    pub job: JobName,
    /// Why, in the submitter's words; shown to the owner.
    pub purpose: String,
    /// The category that the owner may veto.
    pub category: String,
    /// Which request headers are sent; part of the attestation.
    pub profile: u16,
    /// Least gap to the fetch before it on the same host.
    pub delay: Duration,
    /// From its receipt; a result after that is late.
    pub expires_in: Duration,
    /// The largest decoded body, in bytes.
    pub max_bytes: u64,
    /// Media types whose body is read; any where empty.
    pub media_types: Vec<String>,
}

impl Lease {
    pub(super) fn to_pb(&self) -> pb::Lease {
        pb::Lease {
            token: self.token.0.into(),
            url: self.url.as_str().into(),
            job: self.job.as_str().into(),
            purpose: self.purpose.clone(),
            category: self.category.clone(),
            profile: self.profile.into(),
            delay_ms: u32::try_from(self.delay.as_millis()).unwrap_or(u32::MAX),
            expires_in_ms: u32::try_from(self.expires_in.as_millis()).unwrap_or(u32::MAX),
            max_bytes: self.max_bytes,
            media_types: self.media_types.clone(),
        }
    }

    pub(super) fn from_pb(value: pb::Lease) -> Result<Self, WireError> {
        bounds::at_most("lease.media_types", value.media_types.len(), 16)?;
        let media = |text| bounds::text("lease.media_types", text, MAX_TEXT_BYTES);
        Ok(Self {
            token: bounds::token("lease.token", &value.token)?,
            url: bounds::url("lease.url", &value.url)?,
            job: value.job.parse().map_err(|e| WireError::invalid("lease.job", e))?,
            purpose: bounds::text("lease.purpose", value.purpose, MAX_TEXT_BYTES)?,
            category: bounds::text("lease.category", value.category, MAX_TEXT_BYTES)?,
            profile: bounds::small("lease.profile", value.profile)?,
            delay: Duration::from_millis(value.delay_ms.into()),
            expires_in: Duration::from_millis(value.expires_in_ms.into()),
            max_bytes: value.max_bytes,
            media_types: value.media_types.into_iter().map(media).collect::<Result<_, _>>()?,
        })
    }
}
