//! Generated pages that behave like the web: static ones, ones that change in what does not matter, ones that change in what
//! does, redirects, duplicates, a part that robots.txt forbids, a slow page, a missing one, another charset.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The host of plain HTTP.
pub(crate) const PLAIN_HOST: &str = "site.sward.test";
/// The host of HTTPS.
pub(crate) const SECURE_HOST: &str = "secure.sward.test";

const GUIDES: u64 = 240;
const NEWS: u64 = 60;
const ADS: u64 = 24;
const COPIES: u64 = 5;
const MOVED: u64 = 5;
const DOCS: u64 = 90;

/// An answer of the site.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) location: Option<String>,
    pub(super) body: Vec<u8>,
    pub(super) pause: Option<Duration>,
}

impl Answer {
    pub(super) fn html(body: String) -> Self {
        let content_type = "text/html; charset=utf-8".to_owned();
        Self { status: 200, content_type, location: None, body: body.into(), pause: None }
    }

    pub(super) fn missing() -> Self {
        Self { status: 404, ..Self::html(page("Not here", "<p>Nothing is here.</p>")) }
    }

    pub(super) fn redirect(status: u16, location: &str) -> Self {
        let body = page("Moved", "<p>It has moved.</p>");
        Self { status, location: Some(location.to_owned()), ..Self::html(body) }
    }

    pub(super) fn is_html(&self) -> bool {
        self.content_type.starts_with("text/html")
    }

    pub(super) fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let mut response =
            (status, [(header::CONTENT_TYPE, self.content_type)], self.body).into_response();
        if let Some(location) = self.location.and_then(|location| location.parse().ok()) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        response
    }
}

fn page(title: &str, content: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><title>{title}</title></head>\n\
         <body><h1>{title}</h1>\n{content}\n<p><a href=\"/\">Home</a></p></body></html>\n"
    )
}

/// The generated site.
#[derive(Debug)]
pub(super) struct Generated {
    seed: u64,
    http: u16,
    https: u16,
    visits: AtomicU64,
}

impl Generated {
    pub(super) const fn new(seed: u64, http: u16, https: u16) -> Self {
        Self { seed, http, https, visits: AtomicU64::new(0) }
    }

    /// How many URLs an honest crawl accepts: every page that is linked, allowed, there, and not different at each visit.
    pub(super) fn acceptable(&self) -> usize {
        let home_slow_legacy = 3;
        let secure_home = 1;
        let count = home_slow_legacy + GUIDES + NEWS + ADS + COPIES + MOVED + secure_home + DOCS;
        usize::try_from(count).unwrap_or_default()
    }

    pub(super) fn answer(&self, host: &str, path: &str) -> Answer {
        let visit = self.visits.fetch_add(1, Ordering::Relaxed);
        let host = host.split(':').next().unwrap_or_default();
        if path == "/robots.txt" {
            let body = b"User-agent: *\nDisallow: /private/\n".to_vec();
            let content_type = "text/plain".to_owned();
            return Answer { content_type, body, ..Answer::html(String::new()) };
        }
        let (part, number) = split(path);
        if host == SECURE_HOST {
            return self.secure(path, part, number);
        }
        match (part, number) {
            ("", 0) if path == "/" => Answer::html(self.home()),
            ("guide", 1..=GUIDES) => Answer::html(self.guide(number)),
            ("copy", 1..=COPIES) => Answer::html(self.guide(number)),
            ("news", 1..=NEWS) => Answer::html(self.news(number, visit)),
            ("offers", 1..=ADS) => Answer::html(self.offer(number, visit)),
            ("old", 1..=MOVED) => Answer::redirect(301, &format!("/guide/{number}")),
            ("away", 1..=2) => {
                let (host, port) = (SECURE_HOST, self.https);
                Answer::redirect(302, &format!("https://{host}:{port}/doc/{number}"))
            }
            ("private", 1..=5) => Answer::html(page("Private", "<p>Please do not crawl.</p>")),
            ("live", 1..=2) => Answer::html(page("Live", &format!("<p>Visitor {visit}.</p>"))),
            ("slow", 1) => {
                let pause = Some(Duration::from_millis(800));
                Answer { pause, ..Answer::html(page("Slow", "<p>This took a while.</p>")) }
            }
            ("legacy", 1) => legacy(),
            _ => Answer::missing(),
        }
    }

    fn secure(&self, path: &str, part: &str, number: u64) -> Answer {
        match (part, number) {
            ("", 0) if path == "/" => Answer::html(page("Documents", &links("doc", DOCS))),
            ("doc", 1..=DOCS) => {
                let text = format!("<p>Document {number} of series {}.</p>", self.seed);
                Answer::html(page(&format!("Document {number}"), &text))
            }
            _ => Answer::missing(),
        }
    }

    fn home(&self) -> String {
        let parts = [
            ("guide", GUIDES),
            ("news", NEWS),
            ("offers", ADS),
            ("copy", COPIES),
            ("old", MOVED),
            ("away", 2),
            ("private", 5),
            ("live", 2),
            ("slow", 1),
            ("legacy", 1),
            ("missing", 3),
        ];
        let mut content: String = parts.iter().map(|(part, count)| links(part, *count)).collect();
        let (host, port) = (SECURE_HOST, self.https);
        content.push_str(&format!("<p><a href=\"https://{host}:{port}/\">Documents</a></p>"));
        page(&format!("{PLAIN_HOST}:{}", self.http), &content)
    }

    fn guide(&self, number: u64) -> String {
        let next = number % GUIDES + 1;
        let text: String = (1..=8)
            .map(|line| {
                let mixed = self.seed.wrapping_add(number * 31 + line).wrapping_mul(0x9e37_79b9);
                format!("<p>Step {line} of guide {number}: turn dial {}.</p>\n", mixed % 1000)
            })
            .collect();
        let onward = format!("<p><a href=\"/guide/{next}\">Next guide</a></p>");
        page(&format!("Guide {number}"), &(text + &onward))
    }

    /// Differs at each visit in what is not content: a comment, a form's token.
    fn news(&self, number: u64, visit: u64) -> String {
        let text = format!(
            "<!-- rendered for visit {visit} -->\n<p>News item {number} of {}.</p>\n\
             <form><input type=\"hidden\" name=\"csrf_token\" value=\"t{visit}\"></form>\n\
             <script nonce=\"n{visit}\">var v = {visit};</script>",
            self.seed
        );
        page(&format!("News {number}"), &text)
    }

    /// Differs at each visit in its advertisement.
    fn offer(&self, number: u64, visit: u64) -> String {
        let text = format!(
            "<p>Offer {number}: only {} coins.</p>\n<div class=\"ad\"><a href=\"/ad/{visit}\">\
             Buy number {visit} now</a></div>",
            number * 7 + self.seed % 5
        );
        page(&format!("Offer {number}"), &text)
    }
}

/// A page in windows-1251.
fn legacy() -> Answer {
    let text = page("Старая страница", "<p>Эта страница написана в другой кодировке.</p>");
    let (body, _, _) = encoding_rs::WINDOWS_1251.encode(&text);
    let content_type = "text/html; charset=windows-1251".to_owned();
    Answer { content_type, body: body.into_owned(), ..Answer::html(String::new()) }
}

fn links(part: &str, count: u64) -> String {
    let item = |n: u64| format!("<li><a href=\"/{part}/{n}\">{part} {n}</a></li>");
    format!("<ul>{}</ul>\n", (1..=count).map(item).collect::<String>())
}

/// `/part/number`.
fn split(path: &str) -> (&str, u64) {
    let mut parts = path.trim_start_matches('/').splitn(2, '/');
    let part = parts.next().unwrap_or_default();
    (part, parts.next().and_then(|number| number.parse().ok()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_equal_and_news_is_not() {
        let site = Generated::new(1, 80, 443);
        let body = |path: &str| site.answer(PLAIN_HOST, path).body;
        assert_eq!(body("/copy/1"), body("/guide/1"));
        assert_ne!(body("/news/1"), body("/news/1"));
        assert_eq!(site.answer(PLAIN_HOST, "/missing/1").status, 404);
    }
}
