//! Whether a response is a page for everybody, or an answer to this one visitor.
//!
//! Decides, rather too seldom than too often, what is a challenge, a refusal, a question about cookies or a demand to log
//! in, from status, headers, title, marks that the makers of such pages leave in them, and how little else there is. An
//! article about any of these has text of its own and so is none. Never follows a link or runs a script.

use crate::document::Page;
use crate::walk::has_token;
use scraper::node::Element;
use sward_proto::compare::print::Neutral;

/// What the response's head says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head<'a> {
    /// HTTP status.
    pub status: u16,
    /// The header `server`.
    pub server: Option<&'a str>,
    /// The header `cf-mitigated`, which Cloudflare sets on challenges.
    pub cf_mitigated: Option<&'a str>,
}

/// The most text, in characters without white space, of a page that is only a challenge or a refusal.
const SHORT: usize = 1200;

/// The same for questions about cookies and demands to log in, which come with explanations and a choice of languages.
const LONGER: usize = 2500;

/// Titles of challenges, in lower case without what follows a separator.
const CHALLENGES: [&str; 22] = [
    "just a moment...",
    "just a moment",
    "one moment, please...",
    "ddos-guard",
    "ddos protection by cloudflare",
    "attention required! | cloudflare",
    "checking your browser",
    "checking your browser before accessing",
    "verify you are human",
    "verifying you are human",
    "human verification",
    "are you a robot?",
    "are you human?",
    "robot check",
    "bot verification",
    "security check",
    "client challenge",
    "pardon our interruption",
    "nur einen moment...",
    "un instant...",
    "un momento...",
    "один момент…",
];

/// Titles of refusals.
const REFUSALS: [&str; 18] = [
    "access denied",
    "access to this page has been denied",
    "access to this page has been denied.",
    "access restricted",
    "403 forbidden",
    "403 - forbidden",
    "forbidden",
    "blocked",
    "request blocked",
    "request rejected",
    "you have been blocked",
    "the request could not be satisfied",
    "zugriff verweigert",
    "accès refusé",
    "acceso denegado",
    "accesso negato",
    "доступ запрещен",
    "访问被拒绝",
];

/// How titles of questions about cookies begin.
const CONSENTS: [&str; 8] = [
    "before you continue",
    "bevor sie fortfahren",
    "bevor du fortfährst",
    "avant de continuer",
    "antes de continuar",
    "prima di continuare",
    "voordat je verdergaat",
    "zanim przejdziesz",
];

/// Titles of demands to log in, or their first words.
const LOGINS: [&str; 18] = [
    "log in",
    "login",
    "log on",
    "sign in",
    "sign-in",
    "please log in",
    "please sign in",
    "member login",
    "anmelden",
    "anmeldung",
    "einloggen",
    "connexion",
    "se connecter",
    "iniciar sesión",
    "accedi",
    "войти",
    "登录",
    "ログイン",
];

/// Ids, classes and names that only the makers of challenges use.
const CHALLENGE_MARKS: [&str; 9] = [
    "challenge-form",
    "challenge-running",
    "challenge-error-text",
    "cf-challenge-running",
    "cf-please-wait",
    "px-captcha",
    "captcha-interstitial",
    "sec-if-cpt-container",
    "aws-waf-captcha",
];

/// The same of tests that other pages embed too, beside a comment form for instance.
const CAPTCHA_MARKS: [&str; 3] = ["g-recaptcha", "h-captcha", "cf-turnstile"];

/// Where challenges load their programs from.
const CHALLENGE_SOURCES: [&str; 5] = [
    "/cdn-cgi/challenge-platform/",
    "geo.captcha-delivery.com",
    "/_incapsula_resource",
    "captcha.px-cdn.net",
    "token.awswaf.com",
];

/// Where the form of a question about cookies is sent to.
const CONSENT_FORMS: [&str; 4] =
    ["consent.google.", "consent.youtube.com", "consent.yahoo.com", "guce."];

/// Why a response is no page for everybody; `page` is what [`Page::neutral`] found in its body.
///
/// 401 and 407 ask for a login, 403 and 451 refuse (RFC 9110 section 15.5, RFC 7725), 429 limits (RFC 6585 section 4);
/// `cf-mitigated: challenge` is Cloudflare's mark.
#[must_use]
pub fn neutral(head: Head<'_>, page: Option<Neutral>) -> Option<Neutral> {
    let mitigated = head.cf_mitigated.map(str::trim);
    if mitigated.is_some_and(|value| value.eq_ignore_ascii_case("challenge")) {
        return Some(Neutral::Challenge);
    }
    let server = head.server.unwrap_or_default().to_ascii_lowercase();
    match head.status {
        401 | 407 => Some(Neutral::Login),
        403 | 451 => Some(page.unwrap_or(Neutral::Blocked)),
        429 => Some(Neutral::RateLimited),
        503 if server.starts_with("ddos-guard") => Some(Neutral::Challenge),
        _ => page,
    }
}

impl Page {
    /// What the page itself says, whatever its status is.
    #[must_use]
    pub fn neutral(&self) -> Option<Neutral> {
        let title = self.title().unwrap_or_default().to_lowercase();
        let signs = self.signs();
        let titled = |titles: &[&str]| titles.contains(&title.as_str());
        let begins = |titles: &[&str]| {
            titles.iter().any(|begin| title.strip_prefix(begin).is_some_and(ends_a_word))
        };
        let suspect = if titled(&CHALLENGES) || signs.challenge {
            Some((Neutral::Challenge, SHORT))
        } else if titled(&REFUSALS) {
            Some((Neutral::Blocked, SHORT))
        } else if begins(&CONSENTS) || signs.consent_form {
            Some((Neutral::Consent, LONGER))
        } else if signs.password && begins(&LOGINS) {
            Some((Neutral::Login, LONGER))
        } else if signs.captcha && !signs.password {
            // Beside so little text it is not there for a comment form.
            Some((Neutral::Challenge, SHORT / 4))
        } else {
            None
        };
        let (reason, most) = suspect?;
        let text = self.text();
        let length = text.chars().filter(|c| !c.is_whitespace()).take(most + 1).count();
        (length <= most && !signs.article).then_some(reason)
    }

    fn signs(&self) -> Signs {
        let mut signs = Signs::default();
        for element in self.elements() {
            signs.note(element);
        }
        signs
    }
}

#[derive(Debug, Default)]
struct Signs {
    challenge: bool,
    captcha: bool,
    consent_form: bool,
    password: bool,
    article: bool,
}

impl Signs {
    fn note(&mut self, element: &Element) {
        let marked = |marks: &[&str]| marks.iter().any(|mark| is_marked(element, mark));
        self.challenge |= marked(&CHALLENGE_MARKS);
        self.captcha |= marked(&CAPTCHA_MARKS);
        match element.name() {
            "script" | "iframe" => {
                let source = element.attr("src").unwrap_or_default().to_ascii_lowercase();
                let loads = CHALLENGE_SOURCES.iter().any(|place| source.contains(place));
                // Cloudflare also loads a silent check from its first place into ordinary pages.
                self.challenge |= loads && !source.contains("/scripts/jsd/");
            }
            "form" => {
                let action = element.attr("action").unwrap_or_default();
                self.consent_form |= CONSENT_FORMS.iter().any(|place| action.contains(place));
            }
            "input" => {
                let kind = element.attr("type").unwrap_or_default();
                self.password |= kind.trim().eq_ignore_ascii_case("password");
            }
            "article" => self.article = true,
            "meta" => {
                let is_type = element.attr("property") == Some("og:type");
                self.article |= is_type && element.attr("content") == Some("article");
            }
            _ => {}
        }
    }
}

fn is_marked(element: &Element, mark: &str) -> bool {
    ["id", "class"].iter().any(|attribute| has_token(element, attribute, mark))
}

fn ends_a_word(rest: &str) -> bool {
    !rest.starts_with(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(html: &str) -> Option<Neutral> {
        Page::parse(html).expect("a page").neutral()
    }

    #[test]
    fn what_stands_in_place_of_a_page_is_named() {
        for (html, reason) in [
            ("<title>Just a moment...</title><noscript>Enable JavaScript", Neutral::Challenge),
            ("<title>x</title><form id=challenge-form></form>", Neutral::Challenge),
            ("<script src='https://geo.captcha-delivery.com/c.js'></script>", Neutral::Challenge),
            ("<title>shop</title><div class='g-recaptcha'></div>", Neutral::Challenge),
            ("<title>Access Denied</title><h1>Access Denied</h1>", Neutral::Blocked),
            ("<title>Zugriff verweigert</title>", Neutral::Blocked),
            ("<title>Bevor Sie fortfahren</title><form>", Neutral::Consent),
            ("<form action=https://consent.youtube.com/save>", Neutral::Consent),
            ("<title>Log in - Forum</title><input type=password>", Neutral::Login),
            ("<title>ログイン</title><input type=password>", Neutral::Login),
        ] {
            assert_eq!(of(html), Some(reason), "{html}");
        }
    }

    #[test]
    fn a_page_about_such_things_is_a_page() {
        let long = "<p>Every word of this article is about captchas. ".repeat(80);
        for html in [
            format!("<title>Access denied</title>{long}"),
            format!("<title>Just a moment...</title>{long}"),
            format!("<title>x</title>{long}<div class=g-recaptcha></div>"),
            format!("<title>Login</title><input type=password>{long}"),
            "<title>Are you a robot? Captchas explained</title><p>short".to_owned(),
            "<title>Blocked</title><article>A film review.</article>".to_owned(),
            "<title>Login</title><p>What the word means.".to_owned(),
            "<title>Loginson family</title><input type=password>".to_owned(),
            "<script src=/cdn-cgi/challenge-platform/scripts/jsd/main.js></script><p>hi".to_owned(),
        ] {
            assert_eq!(of(&html), None, "{html}");
        }
    }

    #[test]
    fn status_and_headers_speak_first() {
        let of =
            |status, cf_mitigated, page| neutral(Head { status, server: None, cf_mitigated }, page);
        assert_eq!(of(200, None, None), None);
        assert_eq!(of(404, None, None), None);
        assert_eq!(of(403, None, None), Some(Neutral::Blocked));
        assert_eq!(of(403, Some("challenge"), None), Some(Neutral::Challenge));
        assert_eq!(of(429, None, None), Some(Neutral::RateLimited));
        assert_eq!(of(401, None, None), Some(Neutral::Login));
        assert_eq!(of(200, None, Some(Neutral::Consent)), Some(Neutral::Consent));
    }
}
