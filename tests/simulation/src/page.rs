//! What a page's bytes mean in this world: a text, its links, and noise that differs from fetch to fetch.
//!
//! Stands in for HTML: body, canonical digest and links are one pure function each, as in the real thing.

use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::digest::Digest;

const NOISE: &str = "\n<!--noise ";
const LINK: &str = "\nlink ";

/// A page's body.
#[must_use]
pub fn body(text: &str, links: &[CanonicalUrl], noise: Option<u64>) -> Vec<u8> {
    let mut body = text.to_owned();
    for link in links {
        body.push_str(LINK);
        body.push_str(link.as_str());
    }
    if let Some(noise) = noise {
        body.push_str(&format!("{NOISE}{noise}"));
    }
    body.into_bytes()
}

/// The digest of a body without its noise.
#[must_use]
pub fn canonical(body: &[u8]) -> Digest {
    let text = String::from_utf8_lossy(body);
    let kept = text.split(NOISE).next().unwrap_or_default();
    Digest::of_parts(&[b"canonical\n", kept.as_bytes()])
}

/// The links in a body.
#[must_use]
pub fn links(body: &[u8]) -> Vec<CanonicalUrl> {
    let text = String::from_utf8_lossy(body);
    let kept = text.split(NOISE).next().unwrap_or_default();
    kept.lines().filter_map(|line| line.strip_prefix("link ")?.parse().ok()).collect()
}

/// The digest of a list of links.
#[must_use]
pub fn links_digest(links: &[CanonicalUrl]) -> Digest {
    let text: Vec<&str> = links.iter().map(CanonicalUrl::as_str).collect();
    Digest::of(text.join("\n").as_bytes())
}
