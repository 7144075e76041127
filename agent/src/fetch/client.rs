//! The HTTP client under the fetcher.
//!
//! Decides connections, pooling and what the client may do of its own accord: nothing. Redirects, decoding, cookies,
//! proxies and retries are off, so one task is one request a hop. Never decides what is fetched.

use super::resolver::GuardedResolver;
use super::{FetchSettings, current, head};
use reqwest::{Certificate, Client, redirect, retry};
use std::time::Duration;
use sward_agent_core::guard::Guard;
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::wire::bounds::{MAX_HEAD_BYTES, MAX_HEADERS};

/// How long one TCP and TLS handshake may take; a machine that does not answer must not cost the whole deadline.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an idle connection is kept: as long as a robots.txt and its first page are apart.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Connections kept for a host; there is only one fetch in flight a host.
const IDLE_PER_HOST: usize = 1;
/// The header list at which HTTP/2 gives up, in bytes as RFC 9113 section 6.5.2 counts. Wider than what is accepted, so
/// that a head somewhat too large is read and called so, whichever protocol brings it.
const HTTP2_LIST_BYTES: u32 = 4 * MAX_HEAD_BYTES as u32;

/// Settings that no fetcher can be made of.
#[derive(Debug, thiserror::Error)]
pub enum FetcherError {
    /// No TLS implementation was chosen for the process.
    #[error("no crypto provider is installed, install rustls' ring provider before anything else")]
    NoCryptoProvider,
    /// A User-Agent that is no header value.
    #[error("user agent {0:?} is not a header value, use visible ascii")]
    UserAgent(String),
    /// Roots or names outside of developer mode.
    #[error("{0} is for developer mode only, remove it or switch developer mode on")]
    DeveloperOnly(&'static str),
    /// Something that the client cannot use: a root certificate, the system's roots.
    #[error("cannot set up the http client: {0}")]
    Client(#[source] reqwest::Error),
}

pub(super) fn build(settings: &FetchSettings) -> Result<Client, FetcherError> {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        return Err(FetcherError::NoCryptoProvider);
    }
    if !is_developer(&current(&settings.guard)) {
        let given = [
            ("extra_roots", settings.extra_roots.is_empty()),
            ("names", settings.names.is_empty()),
        ];
        if let Some((name, _)) = given.into_iter().find(|(_, is_empty)| !is_empty) {
            return Err(FetcherError::DeveloperOnly(name));
        }
    }
    let headers = head::request_headers(&settings.user_agent)
        .map_err(|_| FetcherError::UserAgent(settings.user_agent.clone()))?;
    let resolver = GuardedResolver::new(settings.names.clone(), settings.guard.clone());
    let mut builder = Client::builder()
        .default_headers(headers)
        .dns_resolver(resolver)
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .no_proxy()
        .referer(false)
        .tls_info(true)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(IDLE_PER_HOST)
        .http1_max_headers(MAX_HEADERS)
        .http2_max_header_list_size(HTTP2_LIST_BYTES)
        .local_address(settings.local_address);
    if !settings.extra_roots.is_empty() {
        builder = builder.tls_certs_merge(roots(&settings.extra_roots)?);
    }
    builder.build().map_err(FetcherError::Client)
}

/// Whether the guard lets loopback in, which is what developer mode means.
fn is_developer(guard: &Guard) -> bool {
    let loopback = "http://127.0.0.1:1/".parse::<CanonicalUrl>();
    loopback.is_ok_and(|url| guard.check_url(&url).is_ok())
}

fn roots(given: &[Vec<u8>]) -> Result<Vec<Certificate>, FetcherError> {
    let mut roots = Vec::new();
    for bytes in given {
        if bytes.trim_ascii_start().starts_with(b"-----BEGIN") {
            roots.extend(Certificate::from_pem_bundle(bytes).map_err(FetcherError::Client)?);
        } else {
            roots.push(Certificate::from_der(bytes).map_err(FetcherError::Client)?);
        }
    }
    Ok(roots)
}
