//! The robots matcher under hostile input, and what must hold for every input.

use proptest::prelude::*;
use sward_proto::robots::{MAX_ROBOTS_BYTES, Robots};

/// With anything worse than one pass over the path for each rule, this would not end.
#[test]
fn a_full_file_of_stars_is_decided() {
    let rule = format!("disallow: /{}b\n", "*a".repeat(1000));
    let text = format!("user-agent: *\n{}", rule.repeat(MAX_ROBOTS_BYTES / rule.len()));
    let robots = Robots::parse(text.as_bytes(), "FooBot");
    assert!(robots.decide(&format!("/{}", "a".repeat(8000))).allowed);
    assert!(!robots.decide(&format!("/{}b", "a".repeat(8000))).allowed);
}

#[test]
fn five_hundred_rules_of_stars_meet_a_long_url() {
    let mut text = String::from("user-agent: *\n");
    for number in 0..500 {
        text += &format!("disallow: /*a*a*{number}*a*b$\n");
    }
    let robots = Robots::parse(text.as_bytes(), "FooBot");
    assert!(robots.decide(&format!("/{}", "a1".repeat(1000))).allowed);
}

#[test]
fn what_lies_beyond_the_cap_is_not_read() {
    let filler = "#".repeat(MAX_ROBOTS_BYTES - 100);
    let robots =
        |rest: &str| Robots::parse(format!("user-agent: *\n{filler}\n{rest}").as_bytes(), "FooBot");
    assert!(!robots("disallow: /a\n").decide("/a").allowed);
    let cut = format!("disallow: /{}\n", "a".repeat(200));
    assert!(
        robots(&cut).decide(&format!("/{}", "a".repeat(200))).allowed,
        "half a rule is no rule"
    );
}

/// Longer than the cap once its octets are percent-encoded, and still read back whole.
#[test]
fn encoding_does_not_push_rules_beyond_the_cap() {
    let mut text = String::from("user-agent: *\n");
    for number in 0..20_000 {
        text += &format!("disallow: /\u{30c4}\u{30c4}{number}$\n");
    }
    let robots = Robots::parse(text.as_bytes(), "FooBot");
    assert!(robots.to_text().len() > MAX_ROBOTS_BYTES);
    assert!(!Robots::from_text(&robots.to_text()).decide("/%E3%83%84%E3%83%840").allowed);
    assert!(!Robots::from_text(&robots.to_text()).decide("/%E3%83%84%E3%83%8417000").allowed);
}

/// Lines that a robots.txt may hold, junk among them.
fn file() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        Just(b"User-agent: *".to_vec()),
        Just(b"useragent: FooBot/2.0".to_vec()),
        Just(b"user-agent: BarBot".to_vec()),
        Just(b"sitemap: /s".to_vec()),
        "crawl-delay: [0-9]{0,6}(\\.[0-9]{0,5})?".prop_map(String::into_bytes),
        "(dis)?allow: [/*]?[ab%*$/.' \u{e9}]{0,6}(%6[12])?[$]?".prop_map(String::into_bytes),
        "allow: /[ab]/index.html".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..12),
    ];
    let end = prop_oneof![Just(b"\n".to_vec()), Just(b"\r\n".to_vec()), Just(b"\r".to_vec())];
    prop::collection::vec((line, end), 0..12)
        .prop_map(|lines| lines.into_iter().flat_map(|(line, end)| [line, end].concat()).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn written_out_and_read_again_decides_the_same(
        file in file(),
        paths in prop::collection::vec("/[ab%*$/.' \u{e9}]{0,8}(%6[12])?", 1..8),
    ) {
        let robots = Robots::parse(&file, "FooBot");
        let text = robots.to_text();
        for again in [Robots::from_text(&text), Robots::parse(text.as_bytes(), "OtherBot")] {
            prop_assert_eq!(again.crawl_delay(), robots.crawl_delay());
            prop_assert_eq!(&again.to_text(), &text);
            for path in &paths {
                let (first, second) = (robots.decide(path), again.decide(path));
                prop_assert_eq!((first.allowed, first.rule), (second.allowed, second.rule), "{} in\n{}", path, text);
            }
        }
    }

    #[test]
    fn any_octets_are_a_file_and_robots_txt_may_always_be_read(
        text in prop::collection::vec(any::<u8>(), 0..400), path in "\\PC{0,40}",
    ) {
        let robots = Robots::parse(&text, "FooBot");
        let decision = robots.decide(&path);
        prop_assert_eq!(decision.allowed, decision.rule.is_none_or(|rule| rule.starts_with("Allow")));
        prop_assert!(robots.decide("/robots.txt").allowed);
    }
}
