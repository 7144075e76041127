//! The heads of requests and responses.
//!
//! Decides the request headers of profile 1, the bytes under which heads are archived, and what an attestation says
//! of a response's head. A head is written in HTTP/1.1 form whatever brought it, header values byte for byte, names in
//! lower case and a repeated name's lines together, as the client keeps them. Never decides on a body.

use super::failure::Failure;
use reqwest::Response;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    InvalidHeaderValue, USER_AGENT,
};
use std::collections::BTreeSet;
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::outcome::FailureCode;
use sward_proto::wire::bounds::{MAX_HEAD_BYTES, MAX_HEADERS, MAX_TEXT_BYTES};
use url::Position;

/// What profile 1 ([`sward_proto::attestation::REQUEST_PROFILE`]) sends besides Host, in the order in which it is sent.
const fn profile(user_agent: &str) -> [(HeaderName, &str); 4] {
    [
        (ACCEPT, "text/html,application/xhtml+xml;q=0.9,*/*;q=0.5"),
        (USER_AGENT, user_agent),
        (ACCEPT_LANGUAGE, "en"),
        (ACCEPT_ENCODING, "gzip"),
    ]
}

/// The headers of every request.
pub(super) fn request_headers(user_agent: &str) -> Result<HeaderMap, InvalidHeaderValue> {
    let headers = profile(user_agent).into_iter();
    headers.map(|(name, value)| Ok((name, HeaderValue::from_str(value)?))).collect()
}

/// The head of the request for `url`, byte for byte as HTTP/1.1 sends it.
pub(super) fn request_head(url: &CanonicalUrl, user_agent: &str) -> Vec<u8> {
    let mut head = format!("GET {} HTTP/1.1\r\n", url.path_and_query());
    for (name, value) in profile(user_agent) {
        for part in [name.as_str(), ": ", value, "\r\n"] {
            head.push_str(part);
        }
    }
    let authority = &url.as_url()[Position::BeforeHost..Position::AfterPort];
    for part in ["host: ", authority, "\r\n\r\n"] {
        head.push_str(part);
    }
    head.into_bytes()
}

/// The head of a response.
pub(super) fn response_head(response: &Response) -> Result<Vec<u8>, Failure> {
    let headers = response.headers();
    if headers.len() > MAX_HEADERS {
        let detail =
            format_args!("head of {} headers, at most {MAX_HEADERS} are read", headers.len());
        return Err(Failure::new(FailureCode::TooLarge, detail));
    }
    let version = if response.version() == reqwest::Version::HTTP_10 { "1.0" } else { "1.1" };
    let status = response.status();
    let reason = status.canonical_reason().unwrap_or_default();
    let mut head = format!("HTTP/{version} {} {reason}\r\n", status.as_str()).into_bytes();
    for (name, value) in headers {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            head.extend_from_slice(part);
        }
    }
    head.extend_from_slice(b"\r\n");
    if head.len() > MAX_HEAD_BYTES {
        let detail =
            format_args!("head of {} bytes, at most {MAX_HEAD_BYTES} are read", head.len());
        return Err(Failure::new(FailureCode::TooLarge, detail));
    }
    Ok(head)
}

/// The names of a head's headers, sorted, each once. A name longer than the wire takes is left out.
pub(super) fn header_names(headers: &HeaderMap) -> Vec<String> {
    let names = headers.keys().map(|name| name.as_str());
    let names: BTreeSet<&str> = names.filter(|name| name.len() <= MAX_TEXT_BYTES).collect();
    names.into_iter().map(str::to_owned).collect()
}

/// The first Content-Type, where it is UTF-8.
pub(super) fn content_type(headers: &HeaderMap) -> Option<&str> {
    std::str::from_utf8(headers.get(CONTENT_TYPE)?.as_bytes()).ok()
}

/// The media type in [`content_type`], lower case and without parameters; empty where there is none, or nothing that
/// reads as one.
pub(super) fn media_type(headers: &HeaderMap) -> String {
    let value = content_type(headers).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim();
    let is_readable =
        essence.len() <= MAX_TEXT_BYTES && essence.chars().all(|c| c.is_ascii_graphic());
    if is_readable { essence.to_ascii_lowercase() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_have_one_spelling() {
        let media_type = |value: &[u8]| {
            let value = HeaderValue::from_bytes(value).expect("a value");
            media_type(&HeaderMap::from_iter([(CONTENT_TYPE, value)]))
        };
        assert_eq!(media_type(b"Text/HTML ; charset=utf-8"), "text/html");
        assert_eq!(media_type(b"; charset=utf-8"), "");
        assert_eq!(media_type(b"text html"), "");
        assert_eq!(media_type(b"text/h\xe9"), "");
        assert_eq!(media_type("a".repeat(257).as_bytes()), "");
    }

    #[test]
    fn header_names_are_sorted_and_fit_the_wire() {
        let mut headers = HeaderMap::new();
        for name in ["x-b", "A", "x-b", &"n".repeat(300)] {
            let name: HeaderName = name.parse().expect("a name");
            headers.append(name, HeaderValue::from_static("1"));
        }
        assert_eq!(header_names(&headers), ["a", "x-b"]);
    }

    #[test]
    fn the_request_head_names_the_port_only_where_it_is_not_the_usual_one() {
        let head = |url: &str| {
            let url = url.parse().expect("a url");
            String::from_utf8(request_head(&url, "SwardBot/1")).expect("ascii")
        };
        assert_eq!(
            head("http://a.example:8080/p?q=1#f"),
            "GET /p?q=1 HTTP/1.1\r\naccept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.5\r\n\
             user-agent: SwardBot/1\r\naccept-language: en\r\naccept-encoding: gzip\r\nhost: a.example:8080\r\n\r\n"
        );
        assert!(head("https://a.example:443/").ends_with("\r\nhost: a.example\r\n\r\n"));
    }
}
