//! The operator's files of autonomous systems and countries: read where they are sound, refused with a reason where not.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use sward_coordinator::config::NetworkPart;
use sward_coordinator::network::NetworkFiles;
use sward_coordinator_core::group::{Asn, Whereabouts};
use sward_system_tests::network::mmdb::{Value, country, mmdb, system};
use sward_system_tests::network::{Agent, Coordinator, Site, wait_for};

/// One file for both.
fn both() -> Vec<u8> {
    mmdb(vec![
        ("192.0.2.0", 24, Value::Map(vec![system(64_500), country("SE")])),
        ("198.51.100.0", 25, Value::Map(vec![country("JP")])),
        ("203.0.113.0", 24, Value::Map(vec![system(64_501), country("Nowhere")])),
        ("2001:db8::", 32, Value::Map(vec![system(64_502), country("BR")])),
    ])
}

/// Files of these names in a folder.
fn folder(files: BTreeMap<&str, Vec<u8>>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).expect("a file");
    }
    folder
}

fn part(asn: Option<&str>, country: Option<&str>) -> NetworkPart {
    NetworkPart { asn: asn.map(PathBuf::from), country: country.map(PathBuf::from) }
}

#[test]
fn one_file_tells_systems_and_countries() {
    let folder = folder(BTreeMap::from([("both.mmdb", both())]));
    let both = part(Some("both.mmdb"), Some("both.mmdb"));
    let files = NetworkFiles::open(folder.path(), &both).expect("sound files");
    let at = |address: &str| files.look_up(address.parse().expect("an address"));
    let known = |asn: Option<u32>, region: Option<&str>| Whereabouts {
        asn: asn.map(Asn),
        region: region.map(|code| code.parse().expect("a region")),
    };
    assert_eq!(at("192.0.2.77"), known(Some(64_500), Some("SE")));
    assert_eq!(at("::ffff:192.0.2.77"), known(Some(64_500), Some("SE")));
    assert_eq!(at("198.51.100.127"), known(None, Some("JP")));
    assert_eq!(at("198.51.100.128"), Whereabouts::default());
    assert_eq!(at("203.0.113.1"), known(Some(64_501), None), "a word that is no country's code");
    assert_eq!(at("2001:db8:7::1"), known(Some(64_502), Some("BR")));
    assert_eq!(files.look_up(Ipv6Addr::LOCALHOST.into()), Whereabouts::default());
}

#[test]
fn without_files_nothing_is_known() {
    let files = NetworkFiles::open(Path::new("/nowhere"), &part(None, None)).expect("none");
    assert_eq!(files.look_up([192, 0, 2, 1].into()), Whereabouts::default());
}

#[test]
fn each_use_has_its_own_file() {
    let countries = mmdb(vec![("192.0.2.0", 24, Value::Map(vec![country("SE")]))]);
    let systems = mmdb(vec![("192.0.2.0", 24, Value::Map(vec![system(1)]))]);
    let folder = folder(BTreeMap::from([("c.mmdb", countries), ("s.mmdb", systems)]));
    let open = |asn, country| NetworkFiles::open(folder.path(), &part(asn, country));
    let files = open(Some("s.mmdb"), Some("c.mmdb")).expect("sound files");
    let found = files.look_up([192, 0, 2, 1].into());
    assert!(found.asn == Some(Asn(1)) && found.region.is_some());
    let only = open(None, Some("c.mmdb")).expect("a sound file").look_up([192, 0, 2, 1].into());
    assert!(only.asn.is_none() && only.region.is_some());
    for (swapped, key) in [
        (open(Some("c.mmdb"), None), "network.asn"),
        (open(None, Some("s.mmdb")), "network.country"),
    ] {
        let error = format!("{:#}", swapped.expect_err("the other's file"));
        assert!(error.contains(key) && error.contains("Tiny"), "{error}");
    }
}

#[test]
fn what_is_no_such_file_is_refused_with_its_name() {
    let mut damaged = both();
    // The first record leads past the end of the data.
    damaged[..3].copy_from_slice(&[0xff; 3]);
    let short = both().into_iter().take(200).collect();
    let folder = folder(BTreeMap::from([
        ("notes.txt", b"not a database".to_vec()),
        ("empty.mmdb", Vec::new()),
        ("short.mmdb", short),
        ("damaged.mmdb", damaged),
    ]));
    for (name, why) in [
        ("absent.mmdb", "cannot read"),
        ("notes.txt", "no MMDB file"),
        ("empty.mmdb", "no MMDB file"),
        ("short.mmdb", "no MMDB file"),
        ("damaged.mmdb", "damaged"),
    ] {
        let opened = NetworkFiles::open(folder.path(), &part(None, Some(name)));
        let error = format!("{:#}", opened.expect_err(name));
        assert!(
            error.contains(why) && error.contains(name) && error.contains("network.country"),
            "{error}"
        );
    }
}

#[test]
fn a_coordinator_starts_with_a_sound_file_alone_and_shows_where_agents_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut coordinator = Coordinator::init(folder.path(), true);
    let file = coordinator.data.join("both.mmdb");
    coordinator.reconfigure(
        "[limits]",
        "[network]\nasn = \"both.mmdb\"\ncountry = \"both.mmdb\"\n\n[limits]",
    );
    std::fs::write(&file, b"not a database").expect("a file");
    let said = coordinator.does(&["serve"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    for part in ["network.asn", "both.mmdb", "no MMDB file"] {
        assert!(said.stderr.contains(part), "no {part:?} in {said:?}");
    }
    assert!(!coordinator.data.join("control.sock").exists(), "nothing listened");
    let known = |n, code| Value::Map(vec![system(n), country(code)]);
    let networks = vec![("127.0.12.0", 24, known(7, "SE")), ("127.0.13.0", 24, known(8, "JP"))];
    std::fs::write(&file, mmdb(networks)).expect("a file");
    coordinator.serve();
    let site = Site::generated(folder.path(), 1);
    let mut agents: Vec<Agent> =
        (1..=3).map(|n| Agent::join(folder.path(), n, &coordinator, &site)).collect();
    agents.iter_mut().for_each(Agent::start);
    let shown = wait_for("three agents", Duration::from_secs(30), || {
        coordinator.agents().filter(|all| all.len() == 3 && all.iter().all(|one| one.connected))
    });
    let mut places: Vec<_> = shown.into_iter().map(|one| (one.asn, one.region)).collect();
    places.sort();
    let place = |asn, code: &str| (Some(asn), Some(code.to_owned()));
    assert_eq!(places, [(None, None), place(7, "SE"), place(8, "JP")]);
    agents.iter_mut().for_each(Agent::end);
    coordinator.end();
}
