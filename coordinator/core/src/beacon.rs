//! The coordinator's own pages, which say something else to every address: who hands in another's has not fetched it.
//!
//! Decides what such a page says and where it is. To an agent it is a page like others: its lease, its size and its pay say
//! nothing. Never decides whether anybody has copied ([`crate::coordinator`]).

use std::net::IpAddr;
use std::num::NonZeroU32;
use sward_proto::canonical_url::{CanonicalUrl, Origin};
use sward_proto::compare::block::{Block, BlockList};
use sward_proto::digest::Digest;

/// The beacon site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beacon {
    /// Keys everything that its pages say.
    pub key: [u8; 32],
    /// Where it is. There is at least one.
    pub origins: Vec<Origin>,
    /// One lease in so many is followed by a page of it.
    pub every: NonZeroU32,
}

/// What its pages are about.
const WORDS: [&str; 32] = [
    "anchor", "barley", "candle", "drawer", "engine", "fabric", "garden", "hammer", "island",
    "jacket", "kettle", "ladder", "market", "needle", "orchard", "pencil", "quarry", "ribbon",
    "saddle", "timber", "umbrella", "valley", "window", "yarn", "bridge", "copper", "forest",
    "granite", "harbour", "meadow", "pigeon", "river",
];

impl Beacon {
    /// Whether a URL is one of its pages.
    #[must_use]
    pub fn has(&self, url: &CanonicalUrl) -> bool {
        self.origins.contains(&url.origin())
    }

    /// The page of a number; each number has one of its own.
    #[must_use]
    pub fn url(&self, number: u64) -> Option<CanonicalUrl> {
        let at = usize::try_from(number % self.origins.len().max(1) as u64).unwrap_or_default();
        let origin = self.origins.get(at)?.as_str();
        let digest = self.keyed(&[b"url", &number.to_be_bytes()]);
        let word = word(&digest, 0);
        format!("{origin}/{word}/{}", hex(&digest, 6)).parse().ok()
    }

    /// What a page says to who fetches it from this address. All of it hangs on the URL, but for one number that hangs on
    /// the address too.
    #[must_use]
    pub fn page(&self, url: &CanonicalUrl, address: IpAddr) -> String {
        let text = self.keyed(&[b"text", url.as_str().as_bytes()]);
        let title = format!("The {} and the {}", word(&text, 0), word(&text, 1));
        let line = |n: usize| {
            let [a, b, c] = [n, n + 1, n + 2].map(|n| word(&text, n));
            format!("<p>Behind the {a} lies a {b}, and whoever looks for the {c} finds both.</p>\n")
        };
        let lines: String = (2..10).map(line).collect();
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><title>{title}</title></head>\n<body><h1>{title}</h1>\n{lines}\
             <p>{}</p></body></html>\n",
            self.mark(url, address)
        )
    }

    /// Whether a body with this digest, or a page of these blocks, was shown to this address. Who copies a page and changes
    /// something else in it is known by its mark all the same.
    #[must_use]
    pub fn was_shown(
        &self,
        url: &CanonicalUrl,
        address: IpAddr,
        body: Digest,
        page: &BlockList,
    ) -> bool {
        if page.blocks().is_empty() {
            return Digest::of(self.page(url, address).as_bytes()) == body;
        }
        let mark = format!("\"{}\n", self.mark(url, address));
        page.blocks().contains(&Block::of_piece("p", &mark))
    }

    /// The one line that hangs on the address.
    fn mark(&self, url: &CanonicalUrl, address: IpAddr) -> String {
        let address = address.to_canonical().to_string();
        let nonce = self.keyed(&[b"nonce", address.as_bytes(), b" ", url.as_str().as_bytes()]);
        format!("Catalogue number {}.", hex(&nonce, 12))
    }

    /// A hash under the key. What is shown of it is cut short, so that nothing can be appended to what was hashed.
    fn keyed(&self, parts: &[&[u8]]) -> [u8; 32] {
        let named = [&[&self.key[..], b"sward/beacon/v1 "], parts].concat();
        Digest::of_parts(&named).0
    }
}

fn word(digest: &[u8; 32], n: usize) -> &'static str {
    let byte = digest.get(n % digest.len()).copied().unwrap_or_default();
    WORDS.get(usize::from(byte) % WORDS.len()).copied().unwrap_or_default()
}

fn hex(digest: &[u8; 32], bytes: usize) -> String {
    digest.iter().take(bytes).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_differs_by_key_url_and_address_in_one_line() {
        let origins = vec!["http://pages.example".parse::<CanonicalUrl>().expect("a url").origin()];
        let beacon = Beacon { key: [1; 32], origins, every: NonZeroU32::MIN };
        let other_key = Beacon { key: [2; 32], ..beacon.clone() };
        let (one, two) = (beacon.url(1).expect("a url"), beacon.url(2).expect("a url"));
        let [a, b, mapped] = ["192.0.2.1", "192.0.2.2", "::ffff:192.0.2.1"]
            .map(|ip| ip.parse::<IpAddr>().expect("an address"));
        assert!(beacon.has(&one) && beacon.has(&two) && one != two);
        assert!(!beacon.has(&"http://other.example/".parse().expect("a url")));
        assert_eq!(beacon.page(&one, a), beacon.page(&one, mapped));
        let differing = |left: String, right: String| {
            left.lines().zip(right.lines()).filter(|(left, right)| left != right).count()
        };
        assert_eq!(differing(beacon.page(&one, a), beacon.page(&one, b)), 1);
        assert!(differing(beacon.page(&one, a), beacon.page(&two, a)) > 5);
        assert_ne!(beacon.page(&one, a), other_key.page(&one, a));
        assert_eq!(beacon.page(&one, a).len(), beacon.page(&one, b).len());
    }
}
