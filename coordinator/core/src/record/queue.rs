//! The head and tail of one job's queue on one host.
//!
//! The head is kept here, so that taking the next URL is a read at a known key and never a scan over what is past.

use super::Kind;
use crate::store::StoreError;
use serde::{Deserialize, Serialize};
use sward_proto::canonical_url::HostName;
use sward_proto::ids::JobId;

/// Where a queue begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct QueueRecord {
    /// The chunk that is being taken from.
    pub head: u64,
    /// How many of its entries are taken.
    pub taken: u16,
    /// The number after the last chunk's.
    pub end: u64,
    /// URLs that wait.
    pub count: u64,
}

/// Key: kind, host, zero byte, job.
#[must_use]
pub fn key(host: &HostName, job: JobId) -> Vec<u8> {
    super::key(Kind::Queue, &[host.as_str().as_bytes(), &[0], &job.0.to_be_bytes()])
}

/// The prefix of a host's queues.
#[must_use]
pub fn prefix(host: &HostName) -> Vec<u8> {
    super::key(Kind::Queue, &[host.as_str().as_bytes(), &[0]])
}

/// The first key after every queue of `host`.
#[must_use]
pub fn after(host: &HostName) -> Vec<u8> {
    super::key(Kind::Queue, &[host.as_str().as_bytes(), &[1]])
}

/// The host and job of a key.
///
/// # Errors
/// [`StoreError::Damaged`] for a key of another form.
pub fn parse_key(key: &[u8]) -> Result<(HostName, JobId), StoreError> {
    let damaged = || StoreError::Damaged("queue: key".to_owned());
    let (host, job) = key.split_last_chunk::<4>().ok_or_else(damaged)?;
    let host = host.get(1..host.len().saturating_sub(1)).ok_or_else(damaged)?;
    let host = std::str::from_utf8(host).map_err(|_| damaged())?;
    Ok((host.parse().map_err(|_| damaged())?, JobId(u32::from_be_bytes(*job))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back_and_hosts_do_not_mix() {
        let host: HostName = "a.example".parse().expect("a host");
        let longer: HostName = "a.example.org".parse().expect("a host");
        assert_eq!(parse_key(&key(&host, JobId(7))), Ok((host.clone(), JobId(7))));
        assert!(!key(&longer, JobId(7)).starts_with(&prefix(&host)));
        assert!(after(&host) > key(&host, JobId(u32::MAX)));
    }
}
