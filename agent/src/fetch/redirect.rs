//! Where a response sends us.
//!
//! Decides whether a response is a redirect and resolves its target. Never decides whether it is followed: the guard
//! does.

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, LOCATION};
use sward_proto::canonical_url::CanonicalUrl;

/// The target of a redirect (RFC 9110 section 15.4; 300 and 304 are none). A Location that is missing, or that is no
/// URL that Sward fetches, leaves a response like any other.
pub(super) fn target(
    from: &CanonicalUrl,
    status: StatusCode,
    headers: &HeaderMap,
) -> Option<CanonicalUrl> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = std::str::from_utf8(headers.get(LOCATION)?.as_bytes()).ok()?;
    let joined = from.as_url().join(location.trim()).ok()?;
    CanonicalUrl::from_url(joined).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(status: u16, location: &str) -> Option<String> {
        let from = "https://a.example/dir/page?q".parse().expect("a url");
        let headers = HeaderMap::from_iter([(LOCATION, location.parse().expect("a value"))]);
        let status = StatusCode::from_u16(status).expect("a status");
        super::target(&from, status, &headers).map(String::from)
    }

    #[test]
    fn locations_are_resolved_against_the_page() {
        assert_eq!(target(301, "/x#part").as_deref(), Some("https://a.example/x"));
        assert_eq!(target(302, "y").as_deref(), Some("https://a.example/dir/y"));
        assert_eq!(target(308, "//b.example").as_deref(), Some("https://b.example/"));
        assert_eq!(target(307, "").as_deref(), Some("https://a.example/dir/page?q"));
    }

    #[test]
    fn what_is_no_redirect_or_no_url_has_no_target() {
        for (status, location) in [
            (200, "/x"),
            (300, "/x"),
            (304, "/x"),
            (301, "ftp://a.example/"),
            (301, "http://u:p@a.example/"),
            (302, "http://"),
            (303, "javascript:x"),
            (301, "http://a.example:0/"),
        ] {
            assert_eq!(target(status, location), None, "{status} {location}");
        }
    }
}
