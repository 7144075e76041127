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
struct Coded<'a> {
    shared: u16,
    rest: &'a str,
    depth: u16,
    retries: u8,
}

/// URLs in the order in which they are taken, as the index holds them: a count, then each coded against the one before.
/// The frontier keeps thousands in memory, where this form is a sixth of the URLs themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chunk(Vec<u8>);

/// Key: kind, host, zero byte, job, number. A host holds no zero byte, so the hosts' keys do not mix.
#[must_use]
pub fn key(host: &HostName, job: JobId, seq: u64) -> Vec<u8> {
    let host = host.as_str().as_bytes();
    super::key(Kind::Chunk, &[host, &[0], &job.0.to_be_bytes(), &seq.to_be_bytes()])
}

impl Chunk {
    /// Reads a chunk from the index.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where any of its URLs does not read.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, StoreError> {
        let chunk = Self(bytes);
        let mut walk = Walk::of(&chunk.0);
        for number in 0..chunk.len() {
            if walk.next().and_then(|(depth, retries)| walk.entry(depth, retries)).is_none() {
                return Err(StoreError::Damaged(format!("chunk: entry {number} does not read")));
            }
        }
        if chunk.len() > CHUNK_LEN || !walk.bytes.is_empty() {
            return Err(StoreError::Damaged(format!("chunk of {} entries: length", chunk.len())));
        }
        Ok(chunk)
    }

    /// Its bytes for the index.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// How many URLs it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.first().copied().unwrap_or_default().into()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// URL number `at`, from 0.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<Entry> {
        let mut walk = Walk::of(&self.0);
        (0..at).try_for_each(|_| walk.next().map(drop))?;
        let (depth, retries) = walk.next()?;
        walk.entry(depth, retries)
    }

    /// Adds URLs while there is room, and returns how many there was room for.
    pub fn fill(&mut self, entries: &[Entry]) -> usize {
        let mut walk = Walk::of(&self.0);
        while walk.next().is_some() {}
        let mut before = walk.text;
        let room = CHUNK_LEN.saturating_sub(self.len()).min(entries.len());
        if self.0.is_empty() {
            self.0.push(0);
        }
        for entry in entries.iter().take(room) {
            let text = entry.url.as_str();
            let shared = shared_prefix(&before, text);
            self.0.extend(super::encode(&Coded {
                shared: u16::try_from(shared).unwrap_or_default(),
                rest: text.get(shared..).unwrap_or_default(),
                depth: entry.depth,
                retries: entry.retries,
            }));
            text.clone_into(&mut before);
            if let Some(count) = self.0.first_mut() {
                *count += 1;
            }
        }
        room
    }
}

/// A walk through a chunk's entries, of which only those that are asked for are parsed as URLs.
struct Walk<'a> {
    bytes: &'a [u8],
    /// The last URL's text.
    text: String,
}

impl<'a> Walk<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        Self { bytes: bytes.get(1..).unwrap_or_default(), text: String::new() }
    }

    /// Goes to the next URL: its depth and retries.
    fn next(&mut self) -> Option<(u16, u8)> {
        let (coded, rest) = postcard::take_from_bytes::<Coded<'a>>(self.bytes).ok()?;
        self.text.get(..coded.shared.into())?;
        self.text.truncate(coded.shared.into());
        self.text.push_str(coded.rest);
        self.bytes = rest;
        Some((coded.depth, coded.retries))
    }

    fn entry(&self, depth: u16, retries: u8) -> Option<Entry> {
        Some(Entry { url: self.text.parse().ok()?, depth, retries })
    }
}

/// Bytes that both begin with; canonical URLs are ASCII, so any cut is between characters.
fn shared_prefix(a: &str, b: &str) -> usize {
    let equal = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y && x.is_ascii()).count();
    equal.min(usize::from(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(entries: &[Entry]) -> Chunk {
        let mut chunk = Chunk::default();
        assert_eq!(chunk.fill(entries), entries.len().min(CHUNK_LEN));
        chunk
    }

    proptest::proptest! {
        #[test]
        fn chunks_come_back(
            paths in proptest::collection::vec("[a-z/]{0,12}", 0..40),
            first in 0usize..40,
        ) {
            let entries: Vec<Entry> = paths
                .iter()
                .map(|path| Entry {
                    url: format!("http://a.example/{path}").parse().expect("a url"),
                    depth: 3,
                    retries: 1,
                })
                .collect();
            let whole = filled(&entries);
            let (early, late) = entries.split_at(first.min(entries.len()));
            let mut in_two = filled(early);
            in_two.fill(late);
            proptest::prop_assert_eq!(&in_two, &whole);
            let read = Chunk::parse(whole.as_bytes().to_vec()).expect("a chunk");
            for (at, entry) in entries.iter().enumerate() {
                proptest::prop_assert_eq!(read.get(at), (at < CHUNK_LEN).then(|| entry.clone()));
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..60)) {
            let damaged = Chunk::parse(bytes.clone()).is_err();
            proptest::prop_assert!(damaged || bytes.len() < 2 || bytes[0] > 0);
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
        assert!(filled(&entries).as_bytes().len() < 32 * 20);
    }
}
