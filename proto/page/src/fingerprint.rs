//! All that an agent attests of one body.
//!
//! Decides which digests a body has and what is read from it. The coordinator runs the same function on an uploaded
//! body and must get the same answer. Never compares two fingerprints.

use crate::blocks::Pieces;
use crate::charset::decode;
use crate::document::{Page, RobotsMeta};
use crate::links::links_digest;
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::compare::block::BlockList;
use sward_proto::compare::print::{Neutral, PagePrint};
use sward_proto::digest::Digest;

/// What one body says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// The digest of the bytes as they came, content coding removed.
    pub raw: Digest,
    /// [`Page::canonical_digest`]; none for what is not HTML or too deep to be parsed.
    pub canonical: Option<Digest>,
    /// [`links_digest`] of `links`, also when there are none.
    pub links_digest: Digest,
    /// [`Page::links`]; none for what is not HTML.
    pub links: Vec<CanonicalUrl>,
    /// [`Page::title`].
    pub title: Option<String>,
    /// What the page's `meta` elements ask of robots.
    pub robots: RobotsMeta,
    /// The WHATWG name of the encoding; none for what is not HTML.
    pub encoding: Option<&'static str>,
    /// Whether the page was not parsed because it nests too deeply.
    pub too_deep: bool,
    /// [`Page::pieces`] and [`Page::active_digest`] as they are attested; none for what is not HTML.
    pub page: Option<Box<PagePrint>>,
    /// The blocks that `page` has the digest of.
    pub blocks: BlockList,
    /// [`Page::neutral`].
    pub neutral: Option<Neutral>,
}

/// The fingerprint of a body that was fetched from `final_url`; `content_type` is the header's value.
#[must_use]
pub fn fingerprint(
    body: &[u8],
    content_type: Option<&str>,
    final_url: &CanonicalUrl,
    product_token: &str,
) -> Fingerprint {
    let mut fingerprint = Fingerprint {
        raw: Digest::of(body),
        canonical: None,
        links_digest: links_digest(&[]),
        links: Vec::new(),
        title: None,
        robots: RobotsMeta::default(),
        encoding: None,
        too_deep: false,
        page: None,
        blocks: BlockList::default(),
        neutral: None,
    };
    if !is_html(content_type, body) {
        return fingerprint;
    }
    let decoded = decode(body, content_type);
    fingerprint.encoding = Some(decoded.encoding);
    let Ok(page) = Page::parse(&decoded.text) else {
        fingerprint.too_deep = true;
        return fingerprint;
    };
    fingerprint.canonical = Some(page.canonical_digest());
    fingerprint.links = page.links(final_url, product_token);
    fingerprint.links_digest = links_digest(&fingerprint.links);
    fingerprint.title = page.title();
    fingerprint.robots = page.robots_meta(product_token);
    fingerprint.neutral = page.neutral();
    let Pieces { blocks, sketch } = page.pieces();
    fingerprint.page = Some(Box::new(PagePrint {
        blocks: blocks.digest(),
        block_count: u16::try_from(blocks.blocks().len()).unwrap_or(u16::MAX),
        sketch,
        active: page.active_digest(),
    }));
    fingerprint.blocks = blocks;
    fingerprint
}

/// Whether a body is HTML: its media type says so, or there is none and it begins as HTML does
/// ([MIME Sniffing](https://mimesniff.spec.whatwg.org/#identifying-a-resource-with-an-unknown-mime-type)).
#[must_use]
pub fn is_html(content_type: Option<&str>, body: &[u8]) -> bool {
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if essence.is_empty() || essence == "*/*" || essence.eq_ignore_ascii_case("application/unknown")
    {
        return begins_as_html(body);
    }
    ["text/html", "application/xhtml+xml"].iter().any(|html| essence.eq_ignore_ascii_case(html))
}

fn begins_as_html(body: &[u8]) -> bool {
    const OPENINGS: [&[u8]; 16] = [
        b"<!doctype html",
        b"<html",
        b"<head",
        b"<script",
        b"<iframe",
        b"<h1",
        b"<div",
        b"<font",
        b"<table",
        b"<a",
        b"<style",
        b"<title",
        b"<b",
        b"<body",
        b"<br",
        b"<p",
    ];
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
    body.starts_with(b"<!--")
        || OPENINGS.iter().any(|opening| {
            let tag =
                body.get(..opening.len()).is_some_and(|tag| tag.eq_ignore_ascii_case(opening));
            tag && matches!(body.get(opening.len()), Some(b' ' | b'>'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &[u8], content_type: Option<&str>) -> Fingerprint {
        let url = "https://a.example/".parse().expect("a url");
        fingerprint(body, content_type, &url, "swardbot")
    }

    #[test]
    fn html_is_read_and_other_media_are_only_hashed() {
        let body = b"<title>T</title><a href=/b>text</a>";
        let html = of(body, Some("text/html; charset=utf-8"));
        assert_eq!((html.title.as_deref(), html.links.len()), (Some("T"), 1));
        assert_eq!(html.encoding, Some("UTF-8"));
        let other = of(body, Some("application/pdf"));
        assert_eq!((other.raw, other.canonical, other.links.len()), (html.raw, None, 0));
        assert_eq!(other.links_digest, links_digest(&[]));
    }

    #[test]
    fn the_same_text_in_two_encodings_has_one_canonical_digest() {
        let latin = of(b"<p>caf\xe9", Some("text/html; charset=latin1"));
        let utf = of("<p>café".as_bytes(), Some("text/html"));
        assert_eq!(latin.canonical, utf.canonical);
        assert_ne!(latin.raw, utf.raw);
    }

    #[test]
    fn too_deep_a_page_is_hashed_and_flagged() {
        let deep = of("<ul><li>".repeat(32_000).as_bytes(), Some("text/html"));
        assert!(deep.too_deep && deep.canonical.is_none() && deep.links.is_empty());
    }

    #[test]
    fn html_is_told_from_its_type_or_its_beginning() {
        assert!(is_html(Some("Application/XHTML+xml; q=1"), b""));
        assert!(is_html(None, b"\xef\xbb\xbf \n<!DOCTYPE html>") && is_html(Some(""), b"<!-- x"));
        assert!(
            !is_html(None, b"<htmlx")
                && !is_html(None, b"%PDF-1.7")
                && !is_html(Some("text/plain"), b"<html>")
        );
    }
}
