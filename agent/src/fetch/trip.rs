//! The requests of one fetch, from the first URL to where the redirects end.
//!
//! Decides before each request whether it is sent and after each head whether it is followed, and records what came on
//! the way, so that a fetch which fails or runs out of time still accounts for it. Never judges a page.

use super::failure::Failure;
use super::resolver::asking;
use super::{FetchRequest, Fetcher, body, current, head, redirect};
use reqwest::header::HeaderMap;
use reqwest::tls::TlsInfo;
use reqwest::{Response, StatusCode, Version};
use std::net::IpAddr;
use sward_agent_core::guard::RedirectDecision;
use sward_proto::attestation::Hop;
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::digest::Digest;
use sward_proto::outcome::FailureCode;
use sward_proto::wire::exchange::Exchange;

/// What came so far.
#[derive(Debug, Default)]
pub(super) struct Trip {
    pub(super) hops: Vec<Hop>,
    pub(super) exchanges: Vec<Exchange>,
    pub(super) wire_bytes: u64,
}

/// The last response.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) url: CanonicalUrl,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) peer_ip: IpAddr,
    pub(super) certificate: Option<Digest>,
    pub(super) redirect_target: Option<CanonicalUrl>,
    /// The decoded body; none where its media type is not wanted and it was not read.
    pub(super) body: Option<Vec<u8>>,
}

impl Trip {
    /// Asks for the request's URL and follows its redirects.
    pub(super) async fn travel(
        &mut self,
        fetcher: &Fetcher,
        request: &FetchRequest,
        may_fetch: &impl Fn(&CanonicalUrl) -> Result<(), (FailureCode, String)>,
    ) -> Result<Arrival, Failure> {
        let mut url = request.url.clone();
        let mut earlier = Vec::new();
        current(&fetcher.guard).check_url(&url)?;
        loop {
            may_fetch(&url)?;
            let sent = fetcher.client.get(url.as_url().clone()).send();
            let sent = asking(&url, sent).await;
            let mut response = sent.map_err(|error| Failure::sending(&error))?;
            let peer_ip = self.record(&url, &response, &fetcher.user_agent)?;
            let target = redirect::target(&url, response.status(), response.headers());
            if let Some(target) = &target {
                let decision = current(&fetcher.guard).check_redirect(&earlier, &url, target)?;
                if decision == RedirectDecision::Follow {
                    self.leave(&url, &mut response).await;
                    earlier.push(std::mem::replace(&mut url, target.clone()));
                    continue;
                }
            }
            return self.arrive(url, response, peer_ip, target, request).await;
        }
    }

    /// Records a request and the head of its response; says who answered.
    fn record(
        &mut self,
        url: &CanonicalUrl,
        response: &Response,
        user_agent: &str,
    ) -> Result<IpAddr, Failure> {
        let response_head = head::response_head(response)?;
        self.wire_bytes = self.wire_bytes.saturating_add(response_head.len() as u64);
        let unknown = || Failure::new(FailureCode::Http, "nobody knows which address answered");
        let peer_ip = response.remote_addr().ok_or_else(unknown)?.ip();
        let is_http2 = response.version() == Version::HTTP_2;
        self.exchanges.push(Exchange {
            url: url.clone(),
            request_head: head::request_head(url, user_agent),
            response_head,
            body: Vec::new(),
            body_truncated: false,
            protocol: if is_http2 { "h2" } else { "http/1.1" }.to_owned(),
            peer_ip,
        });
        Ok(peer_ip)
    }

    /// Takes leave of a redirect that is followed.
    async fn leave(&mut self, url: &CanonicalUrl, response: &mut Response) {
        self.hops.push(Hop { url: url.clone(), status: response.status().as_u16() });
        let (body, is_cut) = body::of_hop(response, &mut self.wire_bytes).await;
        if let Some(exchange) = self.exchanges.last_mut() {
            (exchange.body, exchange.body_truncated) = (body, is_cut);
        }
    }

    async fn arrive(
        &mut self,
        url: CanonicalUrl,
        mut response: Response,
        peer_ip: IpAddr,
        redirect_target: Option<CanonicalUrl>,
        request: &FetchRequest,
    ) -> Result<Arrival, Failure> {
        let media_type = head::media_type(response.headers());
        let mut wanted = request.media_types.iter();
        let is_wanted = request.media_types.is_empty()
            || wanted.any(|wanted| wanted.eq_ignore_ascii_case(&media_type));
        let body = if is_wanted {
            Some(body::whole(&mut response, request.max_bytes, &mut self.wire_bytes).await?)
        } else {
            None
        };
        let certificate = response.extensions().get::<TlsInfo>();
        let certificate = certificate.and_then(TlsInfo::peer_certificate).map(Digest::of);
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Arrival { url, status, headers, peer_ip, certificate, redirect_target, body })
    }
}
