//! What a page's bytes mean in this world: a text, its links, and noise that differs from fetch to fetch.
//!
//! Stands in for HTML: body, canonical digest and links are one pure function each, as in the real thing.

use sward_proto::attestation;
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::compare::block::{Block, BlockList, MAX_BLOCKS};
use sward_proto::compare::print::{LayerVersions, PagePrint};
use sward_proto::compare::sketch::Sketch;
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

/// The blocks in a body: its lines without noise.
#[must_use]
pub fn blocks(body: &[u8]) -> BlockList {
    let text = String::from_utf8_lossy(body);
    let kept = text.split(NOISE).next().unwrap_or_default();
    let lines = kept.lines().map(|line| Block::of_parts(&[line.as_bytes()]));
    BlockList::new(lines.take(MAX_BLOCKS).collect()).unwrap_or_default()
}

/// What is attested of a body besides. Two pages whose first lines differ are not near.
#[must_use]
pub fn print(body: &[u8]) -> PagePrint {
    let blocks = blocks(body);
    let Block(first) = blocks.blocks().first().copied().unwrap_or(Block([0; 8]));
    let sketch = Sketch { simhash: u64::from_be_bytes(first), ..Sketch::default() };
    let block_count = u16::try_from(blocks.blocks().len()).unwrap_or(u16::MAX);
    PagePrint { blocks: blocks.digest(), block_count, sketch, active: Digest::ZERO }
}

/// The digest of all that is read from a body.
#[must_use]
pub fn reading(body: &[u8], robots: bool) -> Digest {
    let (canonical, print) = (canonical(body), print(body));
    let (canonical, print) = if robots { (None, None) } else { (Some(canonical), Some(&print)) };
    attestation::reading(LayerVersions::CURRENT, canonical, print, None)
}

/// The links in a body.
#[must_use]
pub fn links(body: &[u8]) -> Vec<CanonicalUrl> {
    let text = String::from_utf8_lossy(body);
    let kept = text.split(NOISE).next().unwrap_or_default();
    kept.lines().filter_map(|line| line.strip_prefix("link ")?.parse().ok()).collect()
}

/// The links in those lines that are marked with a `1`.
#[must_use]
pub fn attested_links(body: &[u8], marks: &str) -> Vec<CanonicalUrl> {
    let text = String::from_utf8_lossy(body);
    let kept = text.split(NOISE).next().unwrap_or_default();
    let attested = kept.lines().zip(marks.chars()).filter(|(_, mark)| *mark == '1');
    attested.filter_map(|(line, _)| line.strip_prefix("link ")?.parse().ok()).collect()
}

/// The digest of a list of links.
#[must_use]
pub fn links_digest(links: &[CanonicalUrl]) -> Digest {
    let text: Vec<&str> = links.iter().map(CanonicalUrl::as_str).collect();
    Digest::of(text.join("\n").as_bytes())
}
