//! What an agent says that it saw.
//!
//! Decides the form of the statement whose bytes lie under a batch's leaf. Never decides whether it is true: quorum does.

use crate::canonical_url::CanonicalUrl;
use crate::compare::block::BlockList;
use crate::compare::print::{LayerVersions, Neutral, PagePrint};
use crate::digest::Digest;
use crate::outcome::FailureCode;
use crate::timestamp::Timestamp;
use crate::wire::bounds::{self, MAX_HEADERS, MAX_HOPS, MAX_TEXT_BYTES, WireError};
use crate::wire::pb;
use prost::Message as _;
use std::net::IpAddr;

/// The request profile that this version sends: honest User-Agent, `Accept-Language: en`, no cookies, gzip.
pub const REQUEST_PROFILE: u16 = 1;

/// One agent's statement about one fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    /// Which request headers were sent.
    pub profile: u16,
    /// What was asked for.
    pub url: CanonicalUrl,
    /// When the fetch began, by the agent's clock.
    pub fetched_at: Timestamp,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u32,
    /// The agent runs in developer mode, in which loopback can be reached.
    pub developer: bool,
    /// What came.
    pub observation: Observation,
}

/// Either a response or the reason why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// A response, boxed because it is large.
    Response(Box<Response>),
    /// None.
    Failure {
        /// Why.
        code: FailureCode,
        /// In words.
        detail: String,
    },
}

/// A response as attested. Digests are over the body after transfer and content decoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Where the redirects within the host ended.
    pub final_url: CanonicalUrl,
    /// The redirects before it.
    pub hops: Vec<Hop>,
    /// HTTP status of the last response.
    pub status: u16,
    /// Lower-case names of its headers, sorted, each once.
    pub header_names: Vec<String>,
    /// Media type without parameters, lower case; empty where none was given.
    pub media_type: String,
    /// Of the decoded body.
    pub raw: Digest,
    /// Length of the decoded body.
    pub raw_bytes: u64,
    /// Of the page without what changes from fetch to fetch; HTML only.
    pub canonical: Option<Digest>,
    /// Of the list of links.
    pub links: Digest,
    /// How many they are.
    pub link_count: u32,
    /// Bytes that came over the wire, heads and coded bodies.
    pub wire_bytes: u64,
    /// The address that answered.
    pub peer_ip: IpAddr,
    /// SHA-256 of the server's certificate, with TLS.
    pub certificate: Option<Digest>,
    /// A redirect to another host, which ends the task.
    pub redirect_target: Option<CanonicalUrl>,
    /// `Retry-After` in seconds.
    pub retry_after_s: Option<u32>,
    /// By which rules what follows, and the canonical digest, were computed.
    pub versions: LayerVersions,
    /// Blocks, sketch and active content of the page; HTML only.
    pub page: Option<Box<PagePrint>>,
    /// Why this is no page for everybody.
    pub neutral: Option<Neutral>,
}

/// One redirect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// What was asked for.
    pub url: CanonicalUrl,
    /// What it answered.
    pub status: u16,
}

impl Attestation {
    /// Whether these are the blocks whose digest is attested, and none where there is no page.
    #[must_use]
    pub fn has_blocks(&self, blocks: &BlockList) -> bool {
        let page = match &self.observation {
            Observation::Response(response) => response.page.as_ref(),
            Observation::Failure { .. } => None,
        };
        page.map_or(blocks.blocks().is_empty(), |page| {
            page.blocks == blocks.digest() && usize::from(page.block_count) == blocks.blocks().len()
        })
    }

    /// The bytes that lie under the leaf.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let (response, failure) = match &self.observation {
            Observation::Response(response) => (Some(response.to_pb()), None),
            Observation::Failure { code, detail } => {
                let code = code.code().to_owned();
                (None, Some(pb::Failure { code, detail: detail.clone() }))
            }
        };
        pb::Attestation {
            profile: self.profile.into(),
            url: self.url.as_str().to_owned(),
            fetched_at_ms: self.fetched_at.as_millis(),
            elapsed_ms: self.elapsed_ms,
            developer: self.developer,
            response,
            failure,
        }
        .encode_to_vec()
    }

    /// Parses revealed bytes.
    ///
    /// # Errors
    /// [`WireError`] for a field that is missing, malformed or out of bounds.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let value = pb::Attestation::decode(bytes).map_err(|error| WireError::Malformed {
            message: "attestation",
            cause: error.to_string(),
        })?;
        let observation = match (value.response, value.failure) {
            (Some(response), None) => Observation::Response(Box::new(Response::from_pb(response)?)),
            (None, Some(failure)) => Observation::Failure {
                code: failure.code.parse().map_err(|e| WireError::invalid("failure.code", e))?,
                detail: bounds::text("failure.detail", failure.detail, MAX_TEXT_BYTES)?,
            },
            (Some(_), Some(_)) | (None, None) => {
                return Err(WireError::invalid("attestation", "either a response or a failure"));
            }
        };
        Ok(Self {
            profile: bounds::small("attestation.profile", value.profile)?,
            url: bounds::url("attestation.url", &value.url)?,
            fetched_at: Timestamp::from_millis(value.fetched_at_ms),
            elapsed_ms: value.elapsed_ms,
            developer: value.developer,
            observation,
        })
    }
}

/// See [`Response::reading`].
#[must_use]
pub fn reading(
    versions: LayerVersions,
    canonical: Option<Digest>,
    page: Option<&PagePrint>,
    neutral: Option<Neutral>,
) -> Digest {
    let read = pb::Response {
        canonical_digest: canonical.map_or_else(Vec::new, |digest| digest.0.to_vec()),
        versions: Some(versions.to_pb()),
        page: page.map(PagePrint::to_pb),
        neutral: neutral.map(|reason| reason.code().to_owned()).unwrap_or_default(),
        ..pb::Response::default()
    };
    Digest::of_parts(&[b"sward/reading/v1\n", &read.encode_to_vec()])
}

impl Response {
    /// The digest of all that was read from the body: what a coordinator that reads it again must find too.
    ///
    /// Hashed are `sward/reading/v1`, a line feed, and the canonical digest, print, versions and reason as they travel.
    #[must_use]
    pub fn reading(&self) -> Digest {
        reading(self.versions, self.canonical, self.page.as_deref(), self.neutral)
    }

    fn to_pb(&self) -> pb::Response {
        let bytes = |digest: Option<Digest>| digest.map_or_else(Vec::new, |d| d.0.to_vec());
        let hop = |h: &Hop| pb::Hop { url: h.url.as_str().into(), status: h.status.into() };
        let target = self.redirect_target.as_ref();
        pb::Response {
            final_url: self.final_url.as_str().into(),
            hops: self.hops.iter().map(hop).collect(),
            status: self.status.into(),
            header_names: self.header_names.clone(),
            media_type: self.media_type.clone(),
            raw_digest: self.raw.0.into(),
            raw_bytes: self.raw_bytes,
            canonical_digest: bytes(self.canonical),
            links_digest: self.links.0.into(),
            link_count: self.link_count,
            wire_bytes: self.wire_bytes,
            peer_ip: self.peer_ip.to_string(),
            certificate_digest: bytes(self.certificate),
            redirect_target: target.map(|url| url.as_str().to_owned()).unwrap_or_default(),
            retry_after_s: self.retry_after_s.unwrap_or_default(),
            versions: Some(self.versions.to_pb()),
            page: self.page.as_ref().map(|page| page.to_pb()),
            neutral: self.neutral.map(|reason| reason.code().to_owned()).unwrap_or_default(),
        }
    }

    fn from_pb(value: pb::Response) -> Result<Self, WireError> {
        bounds::at_most("response.hops", value.hops.len(), MAX_HOPS)?;
        bounds::at_most("response.header_names", value.header_names.len(), MAX_HEADERS)?;
        let hop = |h: &pb::Hop| {
            let url = bounds::url("response.hops", &h.url)?;
            Ok::<_, WireError>(Hop { url, status: bounds::small("response.hops", h.status)? })
        };
        let name = |text| bounds::text("response.header_names", text, MAX_TEXT_BYTES);
        let target = Some(&value.redirect_target).filter(|text| !text.is_empty());
        Ok(Self {
            final_url: bounds::url("response.final_url", &value.final_url)?,
            hops: value.hops.iter().map(hop).collect::<Result<_, _>>()?,
            status: bounds::small("response.status", value.status)?,
            header_names: value.header_names.into_iter().map(name).collect::<Result<_, _>>()?,
            media_type: bounds::text("response.media_type", value.media_type, MAX_TEXT_BYTES)?,
            raw: bounds::digest("response.raw_digest", &value.raw_digest)?,
            raw_bytes: value.raw_bytes,
            canonical: bounds::optional_digest(
                "response.canonical_digest",
                &value.canonical_digest,
            )?,
            links: bounds::digest("response.links_digest", &value.links_digest)?,
            link_count: value.link_count,
            wire_bytes: value.wire_bytes,
            peer_ip: value
                .peer_ip
                .parse()
                .map_err(|e| WireError::invalid("response.peer_ip", e))?,
            certificate: bounds::optional_digest(
                "response.certificate_digest",
                &value.certificate_digest,
            )?,
            redirect_target: target
                .map(|text| bounds::url("response.redirect_target", text))
                .transpose()?,
            retry_after_s: Some(value.retry_after_s).filter(|seconds| *seconds > 0),
            versions: LayerVersions::from_pb(value.versions)?,
            page: value.page.as_ref().map(PagePrint::from_pb).transpose()?.map(Box::new),
            neutral: Some(value.neutral)
                .filter(|word| !word.is_empty())
                .map(|word| word.parse())
                .transpose()
                .map_err(|e: String| WireError::invalid("response.neutral", e))?,
        })
    }
}
