//! One spelling for each URL.
//!
//! Decides which URLs Sward can fetch at all (http and https, a host, no user info, at most 8 KiB) and which spellings
//! are the same page: WHATWG parsing lower-cases the host, drops a default port, resolves dot segments; the fragment
//! is dropped here. Query parameters are kept as they are unless the job asks for the tracking list to be stripped.
//! Never decides whether an address may be reached: that is `address` and the guard.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use url::{Host, Url};

/// The longest URL that is accepted, in bytes. RFC 9110 section 4.1 asks for at least 8,000.
pub const MAX_URL_BYTES: usize = 8192;

/// Query parameters that carry a campaign or a click, never a page. Off by default; a job turns them on.
///
/// Only names that their owners document as trackers: Google Analytics (`utm_*`, `gclid`, `dclid`, `gbraid`,
/// `wbraid`), Meta (`fbclid`), Microsoft (`msclkid`), Yandex (`yclid`), Mailchimp (`mc_cid`, `mc_eid`), Instagram
/// (`igshid`), Twitter (`twclid`), HubSpot (`_hsenc`, `_hsmi`).
pub const TRACKING_PARAMETERS: [&str; 18] = [
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "utm_id",
    "gclid",
    "dclid",
    "gbraid",
    "wbraid",
    "fbclid",
    "msclkid",
    "yclid",
    "mc_cid",
    "mc_eid",
    "igshid",
    "_hsenc",
    "_hsmi",
];

/// Why a text is not a URL that Sward fetches.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Longer than [`MAX_URL_BYTES`].
    #[error("url of {0} bytes is longer than {MAX_URL_BYTES}")]
    TooLong(usize),
    /// Not a URL by the WHATWG standard.
    #[error("not a url: {0}")]
    Malformed(String),
    /// Not http or https.
    #[error("scheme {0} is not fetched, only http and https")]
    Scheme(String),
    /// `user:password@`.
    #[error("a url with user info is not fetched")]
    UserInfo,
    /// Port 0, which no server listens on.
    #[error("port 0 is not fetched")]
    PortZero,
}

/// An http or https URL in its one spelling.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CanonicalUrl(Url);

impl CanonicalUrl {
    /// Canonicalises an already parsed URL, for instance a link that was joined to its base.
    ///
    /// # Errors
    /// [`UrlError`] where it is not a URL that Sward fetches.
    pub fn from_url(mut url: Url) -> Result<Self, UrlError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(UrlError::Scheme(url.scheme().chars().take(32).collect()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlError::UserInfo);
        }
        if url.port() == Some(0) {
            return Err(UrlError::PortZero);
        }
        url.set_fragment(None);
        if url.query() == Some("") {
            url.set_query(None);
        }
        if url.as_str().len() > MAX_URL_BYTES {
            return Err(UrlError::TooLong(url.as_str().len()));
        }
        Ok(Self(url))
    }

    /// The parsed URL.
    #[must_use]
    pub const fn as_url(&self) -> &Url {
        &self.0
    }

    /// The one spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The host: the unit of politeness, whatever the scheme and port.
    #[must_use]
    pub fn host(&self) -> HostName {
        HostName(self.0.host_str().unwrap_or_default().to_owned())
    }

    /// Scheme, host and port: the unit of robots.txt (RFC 9309 section 2.3).
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin(self.0[..url::Position::BeforePath].to_owned())
    }

    /// Path and query, percent-encoded, as robots rules are matched against.
    #[must_use]
    pub fn path_and_query(&self) -> &str {
        &self.0[url::Position::BeforePath..]
    }

    /// The same URL without the [`TRACKING_PARAMETERS`].
    #[must_use]
    pub fn without_tracking(&self) -> Self {
        let Some(query) = self.0.query() else { return self.clone() };
        let name = |pair: &str| pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
        let kept: Vec<&str> = query
            .split('&')
            .filter(|pair| !TRACKING_PARAMETERS.contains(&name(pair).as_str()))
            .collect();
        let mut url = self.0.clone();
        url.set_query(if kept.is_empty() { None } else { Some(kept.join("&")) }.as_deref());
        Self(url)
    }

    /// The host as a parsed name or address.
    #[must_use]
    pub fn parsed_host(&self) -> Option<Host<&str>> {
        self.0.host()
    }

    /// The port that is dialled: the written one, or the scheme's default.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or_default()
    }
}

impl FromStr for CanonicalUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        if text.len() > MAX_URL_BYTES {
            return Err(UrlError::TooLong(text.len()));
        }
        Self::from_url(Url::parse(text).map_err(|error| UrlError::Malformed(error.to_string()))?)
    }
}

impl TryFrom<String> for CanonicalUrl {
    type Error = UrlError;

    fn try_from(text: String) -> Result<Self, UrlError> {
        text.parse()
    }
}

impl From<CanonicalUrl> for String {
    fn from(url: CanonicalUrl) -> Self {
        url.0.into()
    }
}

impl fmt::Display for CanonicalUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for CanonicalUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A host as canonical URLs spell it: lower case, IDNA applied, addresses normalised.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HostName(String);

impl HostName {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this host is `domain` or lies under it.
    #[must_use]
    pub fn is_within(&self, domain: &Self) -> bool {
        self == domain
            || self.0.strip_suffix(domain.as_str()).is_some_and(|rest| rest.ends_with('.'))
    }
}

impl FromStr for HostName {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let host = Host::parse(text).map_err(|error| UrlError::Malformed(error.to_string()))?;
        Ok(Self(host.to_string()))
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Scheme, host and port as canonical URLs spell them, for instance `https://example.org:8443`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Origin(String);

impl Origin {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where this origin keeps its robots.txt (RFC 9309 section 2.3).
    ///
    /// # Errors
    /// Never for an origin that was taken from a [`CanonicalUrl`].
    pub fn robots_url(&self) -> Result<CanonicalUrl, UrlError> {
        format!("{}/robots.txt", self.0).parse()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        text.parse::<CanonicalUrl>().expect(text).to_string()
    }

    #[test]
    fn spellings_of_one_page_meet() {
        for text in [
            "HTTP://Example.ORG:80/a/./b/../c#top",
            "http://example.org/a/c",
            "http://example.org/a/c?",
        ] {
            assert_eq!(canonical(text), "http://example.org/a/c", "{text}");
        }
        assert_eq!(canonical("https://bücher.example"), "https://xn--bcher-kva.example/");
        assert_eq!(canonical("http://0x7f.1/"), "http://127.0.0.1/");
    }

    #[test]
    fn what_is_not_fetched_is_refused_with_its_reason() {
        let refuse = |text: &str| text.parse::<CanonicalUrl>().expect_err(text);
        assert_eq!(refuse("file:///etc/passwd"), UrlError::Scheme("file".into()));
        assert_eq!(refuse("gopher://example.org/"), UrlError::Scheme("gopher".into()));
        assert_eq!(refuse("data:,hello"), UrlError::Scheme("data".into()));
        assert_eq!(refuse("http://user:pw@example.org/"), UrlError::UserInfo);
        assert_eq!(refuse("http://user@example.org/"), UrlError::UserInfo);
        assert_eq!(refuse("http://example.org:0/"), UrlError::PortZero);
        assert!(matches!(refuse("http://example.org:65536/"), UrlError::Malformed(_)));
        assert!(matches!(refuse("/relative"), UrlError::Malformed(_)));
        let long = format!("http://example.org/{}", "a".repeat(MAX_URL_BYTES));
        assert_eq!(refuse(&long), UrlError::TooLong(long.len()));
    }

    #[test]
    fn tracking_parameters_go_only_when_asked() {
        let url: CanonicalUrl =
            "http://a.example/p?utm_source=x&id=7&FBCLID=y".parse().expect("a url");
        assert_eq!(url.as_str(), "http://a.example/p?utm_source=x&id=7&FBCLID=y");
        assert_eq!(url.without_tracking().as_str(), "http://a.example/p?id=7");
        let bare: CanonicalUrl = "http://a.example/p?gclid=1".parse().expect("a url");
        assert_eq!(bare.without_tracking().as_str(), "http://a.example/p");
    }

    #[test]
    fn parts() {
        let url: CanonicalUrl = "https://a.example:8443/p?q=1".parse().expect("a url");
        assert_eq!(url.origin().as_str(), "https://a.example:8443");
        assert_eq!(url.path_and_query(), "/p?q=1");
        assert_eq!(
            url.origin().robots_url().map(String::from),
            Ok("https://a.example:8443/robots.txt".into())
        );
        let domain: HostName = "a.example".parse().expect("a host");
        assert!("www.a.example".parse::<HostName>().expect("a host").is_within(&domain));
        assert!(!"ba.example".parse::<HostName>().expect("a host").is_within(&domain));
    }

    proptest::proptest! {
        #[test]
        fn canonicalising_twice_changes_nothing(text in "(http|https|HTTP)://[a-zA-Z0-9.%-]{1,20}(:[0-9]{1,5})?/[ -~]{0,40}") {
            if let Ok(url) = text.parse::<CanonicalUrl>() {
                proptest::prop_assert_eq!(url.as_str().parse::<CanonicalUrl>(), Ok(url));
            }
        }
    }
}
