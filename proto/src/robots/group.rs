//! Which groups of a robots.txt speak to a product token (RFC 9309 section 2.2.1).
//!
//! Decides where groups begin and end, whom they name, and merges those that name the token; `*` is heard only where
//! none does. Never decides which rule wins.

use super::line::{self, Field};
use super::pattern::Pattern;
use super::{MAX_CRAWL_DELAY, Rule};
use std::time::Duration;

/// All groups of a file that name one crawler, merged.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) rules: Vec<Rule>,
    pub(super) crawl_delay: Option<Duration>,
    /// Whether some group named the crawler, be it without a rule.
    named: bool,
    /// Whether the group that is being read names it.
    open: bool,
}

/// The merged group that `product_token` obeys.
pub(super) fn applying(text: &[u8], product_token: &str) -> Group {
    let text = line::as_utf8(text);
    let (mut own, mut everyone) = (Group::default(), Group::default());
    let mut rules_began = false;
    for (number, line) in line::numbered(&text) {
        let (field, value) = line::field(line);
        match field {
            Field::UserAgent => {
                if std::mem::take(&mut rules_began) {
                    (own.open, everyone.open) = (false, false);
                }
                everyone.name_if(names_everyone(value));
                own.name_if(names(value, product_token));
            }
            Field::Allow | Field::Disallow => {
                rules_began = true;
                for group in [&mut own, &mut everyone] {
                    group.add_rule(field == Field::Allow, value, number);
                }
            }
            Field::CrawlDelay => {
                for group in [&mut own, &mut everyone] {
                    group.add_crawl_delay(value);
                }
            }
            // RFC 9309 section 2.2.4: other records must not interfere, so they do not end a group's head either.
            Field::Other => {}
        }
    }
    if own.named { own } else { everyone }
}

impl Group {
    fn name_if(&mut self, named: bool) {
        self.open |= named;
        self.named |= named;
    }

    fn add_rule(&mut self, allow: bool, value: &[u8], line: u32) {
        // A rule before any group speaks to nobody, and an empty one says nothing.
        if !self.open || value.is_empty() {
            return;
        }
        let mut add = |value: &[u8], implied| {
            self.rules.push(Rule {
                allow,
                pattern: Pattern::new(value),
                line: Some(line),
                implied,
            });
        };
        add(value, false);
        if let Some(folder) = index_page_folder(value).filter(|_| allow) {
            add(&[folder, b"$"].concat(), true);
        }
    }

    fn add_crawl_delay(&mut self, value: &[u8]) {
        if self.open {
            self.crawl_delay = self.crawl_delay.max(seconds(value));
        }
    }
}

/// `*`, alone or before white space.
fn names_everyone(value: &[u8]) -> bool {
    matches!(value, [b'*'] | [b'*', b' ' | b'\t', ..])
}

/// Whether a group's `User-agent` value is for `token`: `FooBot`, `foobot/1.0` and `FooBot (comment)` are for FooBot.
///
/// RFC 9309 lets a token hold letters, `-` and `_` only, and the reference parser stops reading at anything else; the
/// whole word counts too, so that a crawler named `Bot2` is not deaf to a group of that name.
fn names(value: &[u8], token: &str) -> bool {
    let up_to = |ends: fn(&u8) -> bool| {
        let length = value.iter().position(ends).unwrap_or(value.len());
        value.get(..length).is_some_and(|name| name.eq_ignore_ascii_case(token.as_bytes()))
    };
    !token.is_empty()
        && (up_to(|octet| !octet.is_ascii_alphabetic() && !matches!(octet, b'-' | b'_'))
            || up_to(|octet| octet.is_ascii_whitespace() || *octet == b'/'))
}

/// The folder whose index page a rule names: the reference parser takes leave to fetch `/a/index.html` as leave to
/// fetch `/a/`.
fn index_page_folder(value: &[u8]) -> Option<&[u8]> {
    let slash = value.iter().rposition(|octet| *octet == b'/')?;
    let (folder, page) = value.split_at_checked(slash + 1)?;
    page.starts_with(b"index.htm").then_some(folder)
}

/// The number that a crawl delay begins with, in whole milliseconds so that writing it out loses nothing.
fn seconds(value: &[u8]) -> Option<Duration> {
    let length = value
        .iter()
        .position(|octet| !octet.is_ascii_digit() && *octet != b'.')
        .unwrap_or(value.len());
    let seconds: f64 = std::str::from_utf8(value.get(..length)?).ok()?.parse().ok()?;
    let capped = seconds.min(MAX_CRAWL_DELAY.as_secs_f64());
    Some(Duration::from_millis((capped * 1000.0).round() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Vec<String> {
        applying(text.as_bytes(), "FooBot").rules.iter().map(Rule::text).collect()
    }

    #[test]
    fn a_group_names_its_crawlers_in_many_ways() {
        for name in ["FooBot", "foobot/1.0", "FOOBOT 2", "FooBot*", "foobot.example"] {
            assert!(names(name.as_bytes(), "FooBot"), "{name}");
        }
        for name in ["FooBotNews", "Foo", "*", "", "1FooBot", "foobot-news"] {
            assert!(!names(name.as_bytes(), "FooBot"), "{name}");
        }
        assert!(names(b"360Spider/2.0", "360spider"));
        assert!(!names(b"123", "") && !names(b"", ""));
    }

    #[test]
    fn groups_merge_and_nothing_but_rules_ends_their_head() {
        let text = "disallow: /early\nuser-agent: FooBot\n\nsitemap: /s\nuser-agent: Bar\ndisallow: /1\n\ndisallow: /2\n\
            user-agent: *\ndisallow: /everyone\nuser-agent: foobot/2.0\ndisallow: /3\n";
        assert_eq!(rules(text), ["Disallow: /1", "Disallow: /2", "Disallow: /3"]);
        assert_eq!(
            rules("user-agent: *\ndisallow: /a\nuser-agent: b\ndisallow: /b"),
            ["Disallow: /a"]
        );
        assert!(
            rules("user-agent: *\ndisallow: /a\nuser-agent: foobot\n").is_empty(),
            "named, without a rule"
        );
    }

    #[test]
    fn utf_16_and_byte_order_marks_are_read() {
        let text = "user-agent: *\ndisallow: /a\n";
        let little: Vec<u8> =
            format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> =
            format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [little, big, format!("\u{feff}{text}").into_bytes()] {
            assert_eq!(applying(&bytes, "FooBot").rules.len(), 1);
        }
    }
}
