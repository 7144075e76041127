//! How a host's pages change: at most [`crate::profile::TEMPLATES`] templates and one for all others, some 5 KiB at most.

use super::{Kind, decode};
use crate::profile::HostProfile;
use crate::store::StoreError;
use sward_proto::canonical_url::HostName;

/// Key: kind, host.
#[must_use]
pub fn key(host: &HostName) -> Vec<u8> {
    super::key(Kind::Profile, &[host.as_str().as_bytes()])
}

/// Reads a host's profile.
///
/// # Errors
/// [`StoreError::Damaged`] for anything else.
pub fn parse(value: &[u8]) -> Result<HostProfile, StoreError> {
    decode("host's profile", value)
}
