//! The guard against the bad addresses that are known to have fooled others, in every spelling, and against every form
//! in which IPv6 carries a special IPv4 address.

use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use sward_agent_core::guard::{Guard, GuardConfig, Refusal};
use sward_proto::address::Prefix;
use sward_proto::canonical_url::CanonicalUrl;

fn url(text: &str) -> CanonicalUrl {
    text.parse().expect(text)
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect(text)
}

fn ips(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| ip(text)).collect()
}

fn guard() -> Guard {
    Guard::new(GuardConfig::default())
}

fn developer() -> Guard {
    Guard::new(GuardConfig { developer_loopback: true, ..GuardConfig::default() })
}

/// What becomes of a URL's text: `malformed` where it is no URL of ours, else the guard's code, else `ok`.
fn outcome(guard: &Guard, text: &str) -> &'static str {
    match text.parse::<CanonicalUrl>() {
        Err(_) => "malformed",
        Ok(url) => guard.check_url(&url).map_or_else(|refusal| refusal.code(), |()| "ok"),
    }
}

#[test]
fn literal_addresses_in_every_spelling() {
    for (number, text, expected) in [
        (1, "http://0x7f.1/", "address"),
        (1, "http://0x7f000001/", "address"),
        (1, "http://0X7F.0x0.0x0.0x1/", "address"),
        (2, "http://2130706433/", "address"),
        (2, "http://3232235777/", "address"),
        (3, "http://0177.0.0.1/", "address"),
        (3, "http://017700000001/", "address"),
        (3, "http://127.1/", "address"),
        (3, "http://127.0.1/", "address"),
        (3, "http://127.0.0.1./", "address"),
        (4, "http://\u{ff11}\u{ff12}\u{ff17}.0.0.1/", "address"),
        (4, "http://\u{2460}\u{2461}\u{2466}.0.0.1/", "address"),
        (4, "http://127\u{3002}0\u{3002}0\u{3002}1/", "address"),
        (5, "http://%31%30.0.0.1/", "address"),
        (5, "http://%31%32%37.0.0.%31/", "address"),
        (6, "http:\\\\10.0.0.1\\x", "address"),
        (6, "http:\\/\\/192.168.0.1/", "address"),
        (6, "http:10.0.0.1/", "address"),
        (6, "http:///10.0.0.1/", "address"),
        (6, "ht\ntp://10.\t0.0.1/", "address"),
        (7, "http://localhost/", "name"),
        (7, "http://localhost./", "name"),
        (7, "http://LOCALHOST/", "name"),
        (7, "http://a.b.localhost./", "name"),
        (7, "http://loc%61lhost/", "name"),
        (7, "http://\u{24db}ocalhost/", "name"),
        (8, "http://0.0.0.0/", "address"),
        (8, "http://0/", "address"),
        (8, "http://[::]/", "address"),
        (9, "http://169.254.169.254/latest/meta-data/", "address"),
        (9, "http://metadata.google.internal/", "name"),
        (9, "http://[fd00:ec2::254]/", "address"),
        (9, "http://168.63.129.16/", "address"),
        (10, "http://100.64.0.1/", "address"),
        (10, "http://100.100.100.200/", "address"),
        (11, "http://[fc00::1]/", "address"),
        (11, "http://[fd12:3456:789a::1]/", "address"),
        (12, "http://[fe80::1]/", "address"),
        (12, "http://[fe80::1%25eth0]/", "malformed"),
        (12, "http://[fe80::1%eth0]/", "malformed"),
        (13, "http://[::ffff:127.0.0.1]/", "address"),
        (13, "http://[::ffff:7f00:1]/", "address"),
        (13, "http://[0:0:0:0:0:ffff:10.0.0.1]/", "address"),
        (14, "http://[::127.0.0.1]/", "address"),
        (14, "http://[::7f00:1]/", "address"),
        (14, "http://[::1]/", "address"),
        (15, "http://[64:ff9b::7f00:1]/", "address"),
        (15, "http://[64:ff9b::10.0.0.1]/", "address"),
        (15, "http://[64:ff9b:1::a00:1]/", "address"),
        (16, "http://[2002:7f00:1::1]/", "address"),
        (16, "http://[2001:0:7f00:1::]/", "address"),
        (16, "http://[2001:0:808:808:0:0:80ff:fffe]/", "address"),
        (16, "http://[2001:4860::5efe:10.0.0.1]/", "address"),
        (16, "http://[2001:4860::200:5efe:c0a8:1]/", "address"),
        (17, "http://224.0.0.1/", "address"),
        (17, "http://239.255.255.250/", "address"),
        (17, "http://255.255.255.255/", "address"),
        (17, "http://240.0.0.1/", "address"),
        (17, "http://[ff02::1]/", "address"),
        (22, "http://user:pw@example.org/", "malformed"),
        (22, "http://example.org@10.0.0.1/", "malformed"),
        (23, "http://example.org:22/", "port"),
        (23, "http://example.org:8080/", "port"),
        (23, "http://example.org:0/", "malformed"),
        (23, "http://example.org:65536/", "malformed"),
        (24, "file:///etc/passwd", "malformed"),
        (24, "data:,hello", "malformed"),
        (24, "gopher://example.org/", "malformed"),
        (24, "ftp://example.org/", "malformed"),
        (0, "http://example.org/", "ok"),
        (0, "https://example.org:443/", "ok"),
        (0, "http://example.org:443/", "ok"),
        (0, "http://93.184.215.14/", "ok"),
        (0, "http://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/", "ok"),
    ] {
        assert_eq!(outcome(&guard(), text), expected, "E {number}: {text}");
    }
    let long = format!("http://example.org/{}", "a".repeat(8192));
    assert_eq!(outcome(&guard(), &long), "malformed", "E 25");
}

#[test]
fn one_bad_answer_condemns_a_name() {
    let (guard, site) = (guard(), url("http://example.org/"));
    let check = |answers: &[&str]| guard.check_answers(&site, &ips(answers));
    let public = ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"];
    assert_eq!(check(&public), Ok(ips(&public)));
    assert_eq!(check(&[]), Err(Refusal::NoAddress));
    for bad in
        ["10.0.0.1", "127.0.0.1", "::1", "::ffff:93.184.215.14", "fe80::1", "100.64.0.1", "0.0.0.0"]
    {
        let code = |answers: &[&str]| check(answers).expect_err(bad).code();
        assert_eq!(code(&[bad]), "address", "E 7, 19: {bad}");
        assert_eq!(code(&[public[0], public[1], bad]), "address", "E 18: {bad}");
    }
}

#[test]
fn canonical_names_must_be_public_too() {
    let code = |guard: &Guard, names: &[&str]| {
        guard.check_canonical_names(names).err().map(|refusal| refusal.code())
    };
    assert_eq!(code(&guard(), &[]), None);
    assert_eq!(code(&guard(), &["cdn.example.net.", "e1.example.net"]), None);
    for bad in ["printer.local", "router", "nas.home.arpa.", "localhost"] {
        assert_eq!(code(&guard(), &["cdn.example.net", bad]), Some("name"), "E 20: {bad}");
    }
    assert_eq!(code(&developer(), &["localhost", "router"]), Some("name"));
}

#[test]
fn this_machines_own_addresses_and_networks_are_out_of_reach() {
    let mut guard = guard();
    let own = ips(&["93.184.215.14", "2606:2800::5"]);
    let check = |guard: &Guard, answer: &str| {
        guard
            .check_answers(&url("http://example.org/"), &ips(&[answer]))
            .err()
            .map(|refusal| refusal.code())
    };
    assert_eq!(check(&guard, "93.184.215.14"), None);
    guard.update_local(
        own,
        vec![Prefix::new(ip("2606:2800::"), 64), Prefix::new(ip("93.184.216.0"), 24)],
    );
    assert_eq!(check(&guard, "93.184.215.14"), Some("own_address"), "E 21");
    assert_eq!(check(&guard, "2606:2800::5"), Some("own_address"));
    assert_eq!(check(&guard, "2606:2800::6"), Some("on_link"));
    assert_eq!(check(&guard, "93.184.216.9"), Some("on_link"));
    assert_eq!(check(&guard, "93.184.217.9"), None);
    assert_eq!(outcome(&guard, "http://93.184.215.14/"), "own_address");
    assert_eq!(outcome(&guard, "http://[2606:2800::7]/"), "on_link");
}

#[test]
fn developer_mode_lets_loopback_in_and_nothing_else() {
    let guard = developer();
    for text in [
        "http://127.0.0.1:8080/",
        "http://127.9.9.9:1/",
        "http://[::1]:3000/",
        "http://localhost:8080/",
    ] {
        assert_eq!(outcome(&guard, text), "ok", "{text}");
    }
    for text in [
        "http://10.0.0.1:8080/",
        "http://10.0.0.1/",
        "http://192.168.0.1/",
        "http://169.254.169.254/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://0.0.0.0/",
        "http://[fe80::1]/",
        "http://[::]/",
    ] {
        assert_eq!(outcome(&guard, text), "address", "{text}");
    }
    assert_eq!(outcome(&guard, "http://93.184.215.14:8080/"), "port");
    assert_eq!(outcome(&guard, "http://router:8080/"), "name");
    assert_eq!(outcome(&guard, "http://printer.local:8080/"), "name");
    let answers = |text: &str, answer: &str| {
        guard.check_answers(&url(text), &ips(&[answer])).err().map(|refusal| refusal.code())
    };
    assert_eq!(answers("http://site.example:8080/", "127.0.0.1"), None);
    assert_eq!(answers("http://site.example:8080/", "93.184.215.14"), Some("port"));
    assert_eq!(answers("http://site.example:8080/", "10.0.0.1"), Some("address"));
    assert_eq!(answers("http://localhost:22/", "93.184.215.14"), Some("port"));
}

/// The special blocks of IPv4, written out anew rather than taken from the table under test.
fn special_v4() -> impl Strategy<Value = Ipv4Addr> {
    let blocks: [([u8; 4], u32); 17] = [
        ([0, 0, 0, 0], 8),
        ([10, 0, 0, 0], 8),
        ([100, 64, 0, 0], 10),
        ([127, 0, 0, 0], 8),
        ([169, 254, 0, 0], 16),
        ([172, 16, 0, 0], 12),
        ([192, 0, 0, 0], 24),
        ([192, 0, 2, 0], 24),
        ([192, 88, 99, 0], 24),
        ([192, 168, 0, 0], 16),
        ([198, 18, 0, 0], 15),
        ([198, 51, 100, 0], 24),
        ([203, 0, 113, 0], 24),
        ([224, 0, 0, 0], 4),
        ([240, 0, 0, 0], 4),
        ([255, 255, 255, 255], 32),
        ([168, 63, 129, 16], 32),
    ];
    (prop::sample::select(blocks.to_vec()), any::<u32>()).prop_map(|((base, length), bits)| {
        let host = bits.checked_shr(length).unwrap_or_default();
        Ipv4Addr::from_bits(u32::from_be_bytes(base) | host)
    })
}

/// All IPv6 forms that carry `v4`, with noise where a form leaves room.
fn forms(v4: Ipv4Addr, noise: u64) -> Vec<Ipv6Addr> {
    let (wide, noise) = (u128::from(v4.to_bits()), u128::from(noise));
    let inverted = u128::from(!v4.to_bits());
    [
        wide,
        0xffff << 32 | wide,
        0xffff << 48 | wide,
        0x0064_ff9b << 96 | wide,
        0x0064_ff9b_0001 << 80 | (noise & 0xffff_ffff_ffff) << 32 | wide,
        0x0064_ff9b_0001 << 80 | (wide >> 16) << 64 | (wide & 0xffff) << 40,
        0x2002 << 112 | wide << 80 | noise,
        0x2001_0000 << 96 | wide << 64 | noise,
        0x2001_0000 << 96 | (noise << 32 & u128::MAX >> 32) | inverted,
        noise << 64 | 0x5efe << 32 | wide,
        noise << 64 | 0x0200_5efe << 32 | wide,
    ]
    .map(Ipv6Addr::from_bits)
    .to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_special_address_passes_in_any_form(v4 in special_v4(), noise: u64) {
        let site = url("http://example.org/");
        for guard in [guard(), developer()] {
            let lets_in = guard.check_answers(&site, &[IpAddr::V4(v4)]).is_ok();
            prop_assert!(!lets_in || v4.is_loopback(), "{}", v4);
            let as_number = outcome(&guard, &format!("http://{}/", v4.to_bits()));
            prop_assert_eq!(as_number == "ok", lets_in);
            for v6 in forms(v4, noise) {
                // The compatible form of 0.0.0.1 is ::1, which developer mode lets in as itself.
                if v6 != Ipv6Addr::LOCALHOST {
                    prop_assert!(guard.check_answers(&site, &[IpAddr::V6(v6)]).is_err(), "{} in {}", v4, v6);
                    let literal = outcome(&guard, &format!("http://[{v6}]/"));
                    prop_assert_eq!(literal, "address");
                }
            }
        }
        let literal = outcome(&guard(), &format!("http://{v4}/"));
        prop_assert_eq!(literal, "address");
    }

    #[test]
    fn outside_of_global_unicast_no_ipv6_address_passes(bits: u128) {
        let v6 = Ipv6Addr::from_bits(bits);
        if bits >> 125 != 1 {
            prop_assert!(guard().check_answers(&url("http://example.org/"), &[IpAddr::V6(v6)]).is_err(), "{}", v6);
        }
    }
}
