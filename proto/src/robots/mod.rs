//! What a robots.txt lets one crawler fetch (RFC 9309).
//!
//! Decides which rules of a file apply to a product token and which of them wins for a path. Where RFC 9309 and the
//! reference parser (github.com/google/robotstxt) read percent-encoding differently, the reading that fetches less is
//! taken. Never fetches the file, never follows a redirect, never decides how long an answer stays fresh.

mod group;
mod line;
mod pattern;

use pattern::{Pattern, Target};
use std::cmp::Reverse;
use std::fmt::Write as _;
use std::time::Duration;

/// How much of a robots.txt is read, in bytes; RFC 9309 section 2.5 asks for at least 500 KiB.
pub const MAX_ROBOTS_BYTES: usize = 512_000;

/// The longest crawl delay that is obeyed; a file is forgotten after 24 hours (RFC 9309 section 2.4), and so is what
/// it asked for.
pub const MAX_CRAWL_DELAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The rules of one robots.txt that apply to one product token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Robots {
    /// Sorted so that the first rule that matches is the one that decides.
    rules: Vec<Rule>,
    crawl_delay: Option<Duration>,
}

/// Whether a path may be fetched, and which rule said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether the path may be fetched.
    pub allowed: bool,
    /// The rule that decided, percent-encoded, for instance `Disallow: /private/`; none where no rule matched.
    pub rule: Option<String>,
    /// The line of that rule in the file, from 1; none where the rule was not read from a site's file.
    pub line: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    allow: bool,
    pattern: Pattern,
    line: Option<u32>,
    /// Follows from another rule, so it is not written out.
    implied: bool,
}

impl Robots {
    /// The rules in the first [`MAX_ROBOTS_BYTES`] of `text`, whole lines only, for `product_token`: those of all
    /// groups that name it in any case, else those of all `*` groups. No text is malformed: what is not a rule is
    /// passed over.
    #[must_use]
    pub fn parse(text: &[u8], product_token: &str) -> Self {
        let group = group::applying(line::capped(text), product_token);
        Self::new(group.rules, group.crawl_delay)
    }

    /// Reads back what [`Self::to_text`] wrote, however long percent-encoding has made it.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        let mut group = group::applying(text.as_bytes(), "");
        group.rules.iter_mut().for_each(|rule| rule.line = None);
        Self::new(group.rules, group.crawl_delay)
    }

    /// What an answer to the request for /robots.txt means (RFC 9309 section 2.3.1): 2xx is a file; 4xx, and 3xx
    /// after as many redirects as were followed, is "unavailable" and allows all; anything else, 0 included, is
    /// "unreachable" and allows nothing.
    #[must_use]
    pub fn from_status(status: u16, body: &[u8], product_token: &str) -> Self {
        match status {
            200..=299 => Self::parse(body, product_token),
            300..=499 => Self::allow_all(),
            _ => Self::disallow_all(),
        }
    }

    /// No rules: a site without a robots.txt.
    #[must_use]
    pub const fn allow_all() -> Self {
        Self { rules: Vec::new(), crawl_delay: None }
    }

    /// Nothing but /robots.txt itself: a site whose robots.txt could not be reached.
    #[must_use]
    pub fn disallow_all() -> Self {
        let pattern = Pattern::new(b"/");
        Self {
            rules: vec![Rule { allow: false, pattern, line: None, implied: false }],
            crawl_delay: None,
        }
    }

    /// Whether a percent-encoded path with its query may be fetched: the longest pattern that matches decides, an
    /// allowance before a prohibition of the same length (RFC 9309 section 2.2.2). /robots.txt always may.
    ///
    /// Costs at most the number of rules times the length of the path, plus the length of the rules.
    #[must_use]
    pub fn decide(&self, path_and_query: &str) -> Decision {
        let target = Target::new(path_and_query);
        let rule = if target.is_robots_txt() {
            None
        } else {
            self.rules.iter().find(|rule| rule.applies_to(&target))
        };
        Decision {
            allowed: rule.is_none_or(|rule| rule.allow),
            rule: rule.map(Rule::text),
            line: rule.and_then(|rule| rule.line),
        }
    }

    /// How long the site asks to wait between two fetches, at most [`MAX_CRAWL_DELAY`], to the millisecond. Not in
    /// RFC 9309, but widely obeyed. Where merged groups ask for several, the longest.
    #[must_use]
    pub const fn crawl_delay(&self) -> Option<Duration> {
        self.crawl_delay
    }

    /// A robots.txt of one `*` group that decides as this does, for [`Self::from_text`] or any other reader.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::from("User-agent: *\n");
        for rule in self.rules.iter().filter(|rule| !rule.implied) {
            text.push_str(&rule.text());
            text.push('\n');
        }
        if let Some(delay) = self.crawl_delay {
            // A String takes every write.
            let _ = writeln!(text, "Crawl-delay: {}.{:03}", delay.as_secs(), delay.subsec_millis());
        }
        text
    }

    fn new(mut rules: Vec<Rule>, crawl_delay: Option<Duration>) -> Self {
        rules.sort_by_key(|rule| (Reverse(rule.pattern.octets()), !rule.allow));
        Self { rules, crawl_delay }
    }
}

impl Rule {
    fn applies_to(&self, target: &Target) -> bool {
        let (as_written, decoded) =
            (self.pattern.matches_as_written(target), self.pattern.matches_decoded(target));
        if self.allow { as_written && decoded } else { as_written || decoded }
    }

    fn text(&self) -> String {
        let verb = if self.allow { "Allow" } else { "Disallow" };
        format!("{verb}: {}", self.pattern.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(text: &str, path: &str) -> bool {
        Robots::parse(text.as_bytes(), "FooBot").decide(path).allowed
    }

    #[test]
    fn the_longest_match_decides_and_names_its_line() {
        let robots = Robots::parse(b"user-agent: *\ndisallow: /a\r\n\rallow: /a/b\n", "FooBot");
        let line = |rule: &str, line| (Some(rule.to_owned()), Some(line));
        let decide = |path| {
            let decision = robots.decide(path);
            (decision.allowed, (decision.rule, decision.line))
        };
        assert_eq!(decide("/a/c"), (false, line("Disallow: /a", 2)));
        assert_eq!(decide("/a/b?c"), (true, line("Allow: /a/b", 4)));
        assert_eq!(decide("/"), (true, (None, None)));
    }

    #[test]
    fn status_means_what_rfc_9309_says() {
        let allows = |status| {
            Robots::from_status(status, b"user-agent: *\ndisallow: /x", "F").decide("/x").allowed
        };
        assert!(!allows(200));
        assert!(allows(301) && allows(404) && allows(403) && allows(429));
        assert!(!allows(500) && !allows(503) && !allows(0) && !allows(100));
        assert!(Robots::disallow_all().decide("/robots.txt").allowed);
    }

    #[test]
    fn percent_encoding_is_read_so_as_to_fetch_less() {
        for rule in ["/b%61z", "/baz", "/%62a%7A"] {
            let text = format!("user-agent: *\ndisallow: {rule}\n");
            assert!(!allowed(&text, "/baz") && !allowed(&text, "/%62a%7a"), "{rule}");
        }
        assert!(!allowed("user-agent: *\ndisallow: /two words\n", "/two%20words"));
        assert!(!allowed("user-agent: *\ndisallow: /\u{30c4}\n", "/%e3%83%84"));
        assert!(!allowed("user-agent: *\ndisallow: /a-%2A.html\n", "/a-*.html"));
        assert!(
            allowed("user-agent: *\ndisallow: /a%2Fb\n", "/a/b"),
            "a reserved character is not its escape"
        );
        assert!(!allowed("user-agent: *\ndisallow: /\nallow: /b%61z\n", "/baz"));
        assert!(allowed("user-agent: *\ndisallow: /\nallow: /b%61z\n", "/b%61z"));
    }

    #[test]
    fn crawl_delay_is_capped_and_the_longest_counts() {
        let delay = |text: &str| Robots::parse(text.as_bytes(), "FooBot").crawl_delay();
        assert_eq!(delay("user-agent: *\ncrawl-delay: 1.5\n"), Some(Duration::from_millis(1500)));
        assert_eq!(
            delay("user-agent: *\ncrawl-delay: 9\nuser-agent: foobot\ncrawl-delay: 2"),
            Some(Duration::from_secs(2))
        );
        assert_eq!(
            delay("user-agent: *\ncrawl-delay: 2\ncrawl-delay: 9\ncrawl-delay: x"),
            Some(Duration::from_secs(9))
        );
        assert_eq!(
            delay("user-agent: *\ncrawl-delay: 999999999999999999999"),
            Some(MAX_CRAWL_DELAY)
        );
        assert_eq!(
            delay("user-agent: *\ncrawl-delay: -1\ncrawl-delay: nan\ncrawl-delay: inf"),
            None
        );
        assert_eq!(delay("crawl-delay: 3\nuser-agent: BarBot\ncrawl-delay: 4"), None);
    }
}
