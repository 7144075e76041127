//! What the index holds: one file for each kind of key.
//!
//! Decides keys and values on disk. The first byte of a key is its kind, pinned for ever; values are postcard; one format
//! number covers them all, and a store with a newer one is refused.

pub mod agent;
pub mod appeal;
pub mod blocks;
pub mod capture;
pub mod chunk;
pub mod host;
pub mod invite;
pub mod job;
pub mod payload;
pub mod pending;
pub mod position;
pub mod profile;
pub mod queue;
pub mod robots;
pub mod seen;
pub mod task;

use crate::store::StoreError;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The format of everything in this module. Raised with every change that an older build would misread.
pub const FORMAT: u32 = 3;

/// The first byte of each key. Its value is persisted: never renumber.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// The format number and the archive position.
    Meta = b'M',
    /// How far a job has come.
    Job = b'J',
    /// What a job asks for.
    JobSpec = b'G',
    /// A host's clock.
    Host = b'H',
    /// The head and tail of one job's queue on one host.
    Queue = b'N',
    /// A chunk of queued URLs.
    Chunk = b'Q',
    /// A URL that a job has met.
    Seen = b'S',
    /// A task in hand.
    Task = b'T',
    /// An agent.
    Agent = b'A',
    /// An invite.
    Invite = b'I',
    /// Credit in its hold window.
    Pending = b'P',
    /// An accepted page.
    Capture = b'C',
    /// A body that is in the archive.
    Payload = b'B',
    /// An origin's robots rules.
    Robots = b'O',
    /// How a host's pages change.
    Profile = b'V',
    /// The stable blocks of a URL.
    Blocks = b'U',
}

/// The key of `kind` with these parts one after the other.
pub(crate) fn key(kind: Kind, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = vec![kind as u8];
    for part in parts {
        key.extend_from_slice(part);
    }
    key
}

/// A value's bytes. Every stored type is plain data, for which postcard has no way to fail; an empty value would be
/// reported as damage by the next reader.
pub(crate) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_allocvec(value).unwrap_or_default()
}

/// The inverse of [`encode`].
pub(crate) fn decode<T: DeserializeOwned>(
    what: &'static str,
    bytes: &[u8],
) -> Result<T, StoreError> {
    postcard::from_bytes(bytes).map_err(|error| StoreError::Damaged(format!("{what}: {error}")))
}

/// The part of a key after its first `skip` bytes, as a fixed number of bytes.
pub(crate) fn tail<const N: usize>(
    what: &'static str,
    key: &[u8],
    skip: usize,
) -> Result<[u8; N], StoreError> {
    key.get(skip..)
        .and_then(|rest| rest.first_chunk::<N>().copied())
        .ok_or_else(|| StoreError::Damaged(format!("{what}: key of {} bytes", key.len())))
}

/// Whether an entry reads as what its key says; the check of a whole index at start.
///
/// # Errors
/// [`StoreError::Damaged`] with the kind.
pub fn check(key: &[u8], value: &[u8]) -> Result<(), StoreError> {
    let kind = key.first().copied().unwrap_or_default();
    match kind {
        b'M' => position::check(key, value),
        b'J' => decode::<job::Progress>("job's progress", value).map(drop),
        b'G' => decode::<(crate::job::JobSpec, sward_proto::timestamp::Timestamp)>("job", value)
            .map(drop),
        b'H' => decode::<host::HostRecord>("host", value).map(drop),
        b'N' => decode::<queue::QueueRecord>("queue", value).map(drop),
        b'Q' => chunk::Chunk::parse(value.to_vec()).map(drop),
        b'S' => Ok(()),
        b'T' => decode::<crate::task::Task>("task", value).map(drop),
        b'A' => decode::<agent::AgentRecord>("agent", value).map(drop),
        b'I' => decode::<invite::InviteRecord>("invite", value).map(drop),
        b'P' => decode::<pending::PendingRecord>("pending credit", value).map(drop),
        b'C' => decode::<capture::CaptureRecord>("capture", value).map(drop),
        b'B' => decode::<payload::PayloadRecord>("payload", value).map(drop),
        b'O' => decode::<robots::RobotsRecord>("robots", value).map(drop),
        b'V' => profile::parse(value).map(drop),
        b'U' => decode::<blocks::BlocksRecord>("stable blocks", value).map(drop),
        other => Err(StoreError::Damaged(format!("key of unknown kind {other:#04x}"))),
    }
}
