//! What is said of a fetch.
//!
//! Decides the [`Observation`]: which digests a response has and what is read from its page. Only a 2xx response's body
//! is read as a page; that of an error or a redirect is hashed. Never sends anything.

use super::Fetched;
use super::failure::Failure;
use super::trip::{Arrival, Trip};
use super::{head, retry_after};
use std::time::SystemTime;
use sward_agent_core::politeness::PRODUCT_TOKEN;
use sward_page::fingerprint::fingerprint;
use sward_page::links::links_digest;
use sward_page::neutral::{self, neutral};
use sward_proto::attestation::{Attestation, Observation, REQUEST_PROFILE, Response};
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::compare::block::BlockList;
use sward_proto::compare::print::{LayerVersions, Neutral, PagePrint};
use sward_proto::digest::Digest;
use sward_proto::outcome::FailureCode;
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::bounds::MAX_ATTESTATION_BYTES;

/// What a body says.
#[derive(Debug, Default)]
struct Reading {
    body: Vec<u8>,
    raw: Digest,
    canonical: Option<Digest>,
    links: Vec<CanonicalUrl>,
    title: Option<String>,
    page: Option<Box<PagePrint>>,
    blocks: BlockList,
    neutral: Option<Neutral>,
}

/// Says what became of the fetch of `url`.
pub(super) async fn conclude(
    url: CanonicalUrl,
    mut trip: Trip,
    arrival: Result<Arrival, Failure>,
    elapsed_ms: u32,
) -> Fetched {
    let said = match arrival {
        Ok(mut arrival) => {
            let body = arrival.body.take();
            let read = read(body, &arrival).await;
            read.and_then(|reading| Ok((response(&url, &mut trip, arrival, &reading)?, reading)))
        }
        Err(failure) => Err(failure),
    };
    let (observation, reading) = said.unwrap_or_else(|Failure { code, detail }| {
        (Observation::Failure { code, detail }, Reading::default())
    });
    let Trip { exchanges, wire_bytes, .. } = trip;
    let Reading { body, links, title, blocks, .. } = reading;
    Fetched { observation, elapsed_ms, wire_bytes, exchanges, links, title, blocks, body }
}

/// Reads a body on a thread of its own: a large page takes milliseconds, in which the agent's loop must not stand.
async fn read(body: Option<Vec<u8>>, arrival: &Arrival) -> Result<Reading, Failure> {
    let is_page = arrival.status.is_success();
    let content_type = head::content_type(&arrival.headers).map(str::to_owned);
    let url = arrival.url.clone();
    let work = move || {
        let Some(body) = body else {
            return Reading { raw: Digest::of(b""), ..Reading::default() };
        };
        if !is_page {
            return Reading { raw: Digest::of(&body), body, ..Reading::default() };
        }
        let print = fingerprint(&body, content_type.as_deref(), &url, PRODUCT_TOKEN);
        let (raw, canonical, title) = (print.raw, print.canonical, print.title);
        let (page, blocks, neutral) = (print.page, print.blocks, print.neutral);
        Reading { body, raw, canonical, links: print.links, title, page, blocks, neutral }
    };
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Failure::new(FailureCode::Decode, format_args!("page not read: {error}")))
}

fn response(
    asked: &CanonicalUrl,
    trip: &mut Trip,
    arrival: Arrival,
    reading: &Reading,
) -> Result<Observation, Failure> {
    let neutral = neutral(neutral_head(&arrival), reading.neutral);
    let response = Response {
        hops: std::mem::take(&mut trip.hops),
        status: arrival.status.as_u16(),
        header_names: head::header_names(&arrival.headers),
        media_type: head::media_type(&arrival.headers),
        raw: reading.raw,
        raw_bytes: reading.body.len() as u64,
        canonical: reading.canonical,
        links: links_digest(&reading.links),
        link_count: u32::try_from(reading.links.len()).unwrap_or(u32::MAX),
        wire_bytes: trip.wire_bytes,
        peer_ip: arrival.peer_ip,
        certificate: arrival.certificate,
        redirect_target: arrival.redirect_target,
        retry_after_s: retry_after::seconds(&arrival.headers, SystemTime::now()),
        versions: LayerVersions::CURRENT,
        page: reading.page.clone(),
        neutral,
        final_url: arrival.url,
    };
    let observation = Observation::Response(Box::new(response));
    let bytes = attested_bytes(asked, &observation);
    if bytes > MAX_ATTESTATION_BYTES {
        let detail =
            format_args!("attestation of {bytes} bytes, {MAX_ATTESTATION_BYTES} are taken");
        return Err(Failure::new(FailureCode::TooLarge, detail));
    }
    Ok(observation)
}

fn neutral_head(arrival: &Arrival) -> neutral::Head<'_> {
    let value = |name| arrival.headers.get(name).and_then(|value| value.to_str().ok());
    neutral::Head {
        status: arrival.status.as_u16(),
        server: value("server"),
        cf_mitigated: value("cf-mitigated"),
    }
}

/// The most bytes that an attestation of this can have. Redirects through five URLs of 8 KiB, and long header names,
/// can make one that no coordinator takes.
fn attested_bytes(asked: &CanonicalUrl, observation: &Observation) -> usize {
    let attestation = Attestation {
        profile: REQUEST_PROFILE,
        url: asked.clone(),
        fetched_at: Timestamp::MAX,
        elapsed_ms: u32::MAX,
        developer: true,
        observation: observation.clone(),
    };
    attestation.encode().len()
}
