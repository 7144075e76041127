//! A chunk of queued URLs of one job on one host.
//!
//! A key for each URL costs a store hundreds of bytes; a chunk of 32 shares one key, and within it each URL says only how it
//! differs from the one before (front coding).

use super::Kind;
use crate::store::StoreError;
use serde::{Deserialize, Serialize};
use sward_proto::canonical_url::{CanonicalUrl, HostName};
use sward_proto::ids::JobId;

/// The most entries of a chunk.
pub const CHUNK_LEN: usize = 32;

/// A URL that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What to fetch.
    pub url: CanonicalUrl,
    /// Links between a seed and this.
    pub depth: u16,
    /// How often it was tried before.
    pub retries: u8,
}

#[derive(Serialize, Deserialize)]
struct Coded {
    shared: u16,
    rest: String,
    depth: u16,
    retries: u8,
}

/// Key: kind, host, zero byte, job, number. A host holds no zero byte, so the hosts' keys do not mix.
#[must_use]
pub fn key(host: &HostName, job: JobId, seq: u64) -> Vec<u8> {
    let host = host.as_str().as_bytes();
    super::key(Kind::Chunk, &[host, &[0], &job.0.to_be_bytes(), &seq.to_be_bytes()])
}

/// A chunk's bytes.
#[must_use]
pub fn encode<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Vec<u8> {
    let mut before = "";
    let mut coded = Vec::new();
    for entry in entries {
        let text = entry.url.as_str();
        let shared = shared_prefix(before, text);
        coded.push(Coded {
            shared: u16::try_from(shared).unwrap_or_default(),
            rest: text.get(shared..).unwrap_or_default().to_owned(),
            depth: entry.depth,
            retries: entry.retries,
        });
        before = text;
    }
    super::encode(&coded)
}

/// The inverse of [`encode`].
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn decode(bytes: &[u8]) -> Result<Vec<Entry>, StoreError> {
    let damaged = |why: &str| StoreError::Damaged(format!("chunk: {why}"));
    let mut before = String::new();
    let mut entries = Vec::new();
    for coded in super::decode::<Vec<Coded>>("chunk", bytes)? {
        let kept = before.get(..coded.shared.into()).ok_or_else(|| damaged("prefix"))?;
        before = format!("{kept}{}", coded.rest);
        let url = before.parse().map_err(|_| damaged("url"))?;
        entries.push(Entry { url, depth: coded.depth, retries: coded.retries });
    }
    Ok(entries)
}

/// Bytes that both begin with; canonical URLs are ASCII, so any cut is between characters.
fn shared_prefix(a: &str, b: &str) -> usize {
    let equal = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y && x.is_ascii()).count();
    equal.min(usize::from(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn chunks_come_back(paths in proptest::collection::vec("[a-z/]{0,12}", 0..40)) {
            let entries: Vec<Entry> = paths
                .iter()
                .map(|path| Entry {
                    url: format!("http://a.example/{path}").parse().expect("a url"),
                    depth: 3,
                    retries: 1,
                })
                .collect();
            proptest::prop_assert_eq!(decode(&encode(&entries)), Ok(entries));
        }
    }

    #[test]
    fn neighbours_share_their_beginning() {
        let entry = |n: u32| Entry {
            url: format!("https://docs.example/reference/module/page-{n}.html")
                .parse()
                .expect("a url"),
            depth: 1,
            retries: 0,
        };
        let entries: Vec<Entry> = (0..32).map(entry).collect();
        assert!(encode(&entries).len() < 32 * 20);
    }
}
