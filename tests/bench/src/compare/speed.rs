//! What a comparison costs, layer by layer, and what it costs to prepare one.

use crate::figures::Figures;
use anyhow::{Context as _, Result, bail};
use std::hint::black_box;
use std::time::{Duration, Instant};
use sward_page::Page;
use sward_page::fingerprint::fingerprint;
use sward_proto::attestation::Attestation;
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::compare::block::BlockList;
use sward_proto::compare::limits::Limits;
use sward_proto::compare::stable::{StableBlocks, attested};
use sward_proto::compare::{Copy, compare};
use sward_proto::digest::Digest;
use sward_simulation::real::trial::{Fetch, fetch};

/// Pages of about 60 KB, in bytes.
const SIZES: std::ops::Range<usize> = 40_000..80_000;

/// How long each thing is done.
const ENOUGH: Duration = Duration::from_millis(800);

/// Measures on one core; pairs are two loads of one page.
pub(super) fn measure(pages: &[(String, String)], figures: &mut Figures) -> Result<()> {
    let pairs: Vec<&(String, String)> =
        pages.iter().filter(|(one, _)| SIZES.contains(&one.len())).collect();
    if pairs.is_empty() {
        bail!("no page has from {} to {} bytes", SIZES.start, SIZES.end);
    }
    let bytes: usize = pairs.iter().map(|(one, _)| one.len()).sum();
    figures.add("pages of 40 to 80 KB", pairs.len() as f64, "pages");
    figures.add("their mean size", bytes as f64 / pairs.len() as f64, "bytes");
    comparisons(&pairs, figures)?;
    preparations(&pairs, figures)
}

fn comparisons(pairs: &[&(String, String)], figures: &mut Figures) -> Result<()> {
    let mut prepared: Vec<(Fetch, Fetch)> = Vec::new();
    for (one, other) in pairs {
        prepared.push((fetch(one)?, fetch(other)?));
    }
    let limits = Limits::default();
    let (unknown, first) = (StableBlocks::unknown(), prepared.first().context("a pair")?);
    let equal: Vec<(&Fetch, &Fetch)> = prepared.iter().map(|(one, _)| (one, one)).collect();
    let differing: Vec<(&Fetch, &Fetch)> = prepared.iter().map(|(a, b)| (a, b)).collect();
    let known = StableBlocks::shared(&[&first.0.blocks, &first.1.blocks], <[usize]>::len);
    let mut time = |name: &'static str, pairs: &[(&Fetch, &Fetch)], stable: &StableBlocks| {
        let a_second = rate(pairs, |(a, b)| {
            black_box(compare(a.copy(), b.copy(), stable, &limits));
        });
        figures.add(name, a_second, "a second a core");
    };
    time("compare: layers 0 to 2, equal bodies", &equal, &unknown);
    time("compare: layers 0 to 5, differing", &differing, &unknown);
    time("compare: layers 0 to 5, profile known", &differing, &known);
    let a_second = rate(&differing, |(a, b)| {
        let copies = [&a.blocks, &b.blocks];
        black_box(attested(&a.blocks, &copies, <[usize]>::len, 2));
    });
    figures.add("which blocks are attested", a_second, "a second a core");
    let wire: Vec<[(Vec<u8>, Vec<u8>); 2]> = differing
        .iter()
        .map(|(a, b)| [a, b].map(|f| (f.attestation.encode(), f.blocks.to_bytes())))
        .collect();
    let bytes: usize = wire.iter().flatten().map(|(said, blocks)| said.len() + blocks.len()).sum();
    figures.add("attestation and blocks", bytes as f64 / (2 * wire.len()) as f64, "bytes");
    let a_second = rate(&wire, |pair| {
        let [a, b] = pair.each_ref().map(|(said, blocks)| {
            let attestation = Attestation::decode(said);
            let blocks = BlockList::from_bytes(blocks).unwrap_or_default();
            let sound = blocks.digest() != Digest::ZERO;
            (attestation.ok().filter(|_| sound), blocks)
        });
        if let ((Some(said), blocks), (Some(other), others)) = (&a, &b) {
            let one = Copy { attestation: said, blocks, at: said.fetched_at };
            let other = Copy { attestation: other, blocks: others, at: other.fetched_at };
            black_box(compare(one, other, &unknown, &limits));
        }
    });
    figures.add("full comparison from revealed bytes", a_second, "a second a core");
    Ok(())
}

fn preparations(pairs: &[&(String, String)], figures: &mut Figures) -> Result<()> {
    let url: CanonicalUrl = "https://a.example/".parse()?;
    let mut time = |name: &'static str, work: &dyn Fn(&str)| {
        let a_second = rate(pairs, |(one, _)| work(one));
        figures.add(name, 1e3 / a_second, "ms a page");
    };
    time("from html: all that is attested", &|html| {
        black_box(fingerprint(html.as_bytes(), Some("text/html"), &url, "SwardBot"));
    });
    time("from html: raw digest", &|html| {
        black_box(Digest::of(html.as_bytes()));
    });
    time("from html: parsing", &|html| {
        drop(black_box(Page::parse(html)));
    });
    let parsed: Vec<Page> = pairs.iter().filter_map(|(one, _)| Page::parse(one).ok()).collect();
    let mut time = |name: &'static str, work: &dyn Fn(&Page)| {
        let a_second = rate(&parsed, work);
        figures.add(name, 1e3 / a_second, "ms a page");
    };
    time("parsed: canonical digest", &|page| {
        black_box(page.canonical_digest());
    });
    time("parsed: blocks and sketch", &|page| {
        black_box(page.pieces());
    });
    time("parsed: active content", &|page| {
        black_box(page.active_digest());
    });
    time("parsed: neutral pages", &|page| {
        black_box(page.neutral());
    });
    Ok(())
}

/// How often a second something is done with each of these in turn.
fn rate<T>(items: &[T], work: impl Fn(&T)) -> f64 {
    let (begun, mut done) = (Instant::now(), 0_u32);
    while begun.elapsed() < ENOUGH {
        for item in items {
            work(item);
            done += 1;
        }
    }
    f64::from(done) / begun.elapsed().as_secs_f64()
}
