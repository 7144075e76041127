//! The seen-set: which URLs a job has met.
//!
//! Holds a keyed fingerprint of 96 bits, since links come from strangers: without the key nobody can craft two URLs that
//! collide, and by chance a job of 10^9 URLs loses one with a likelihood of 10^-11.

use super::Kind;
use serde::{Deserialize, Serialize};
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::digest::Digest;
use sward_proto::ids::JobId;

/// The secret under the fingerprints; drawn when a coordinator is made, and kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenKey(pub [u8; 32]);

/// A URL's fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fingerprint([u8; 12]);

impl SeenKey {
    /// The fingerprint of a URL.
    #[must_use]
    pub fn fingerprint(&self, url: &CanonicalUrl) -> Fingerprint {
        let Digest(digest) = Digest::of_parts(&[&self.0, url.as_str().as_bytes()]);
        Fingerprint(digest.first_chunk().copied().unwrap_or_default())
    }
}

/// Key: kind, job, fingerprint. The value is empty: presence says all.
#[must_use]
pub fn key(job: JobId, fingerprint: Fingerprint) -> Vec<u8> {
    super::key(Kind::Seen, &[&job.0.to_be_bytes(), &fingerprint.0])
}
