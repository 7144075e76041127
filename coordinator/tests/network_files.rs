//! The operator's files of autonomous systems and countries: read where they are sound, refused with a reason where not.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::path::{Path, PathBuf};
use sward_coordinator::config::NetworkPart;
use sward_coordinator::network::NetworkFiles;
use sward_coordinator_core::group::{Asn, Whereabouts};

/// A value in an MMDB's data section (MaxMind DB format 2.0).
enum Value {
    Text(&'static str),
    U16(u16),
    U32(u32),
    U64(u64),
    List(Vec<Value>),
    Map(Vec<(&'static str, Value)>),
}

impl Value {
    /// Type and size in one byte, or two for the later types; sizes stay below 29.
    fn write(&self, out: &mut Vec<u8>) {
        let control = |kind: u8, size: usize, out: &mut Vec<u8>| {
            let size = u8::try_from(size).expect("small");
            assert!(size < 29);
            match kind {
                1..8 => out.push(kind << 5 | size),
                _ => out.extend([size, kind - 7]),
            }
        };
        match self {
            Self::Text(text) => {
                control(2, text.len(), out);
                out.extend(text.as_bytes());
            }
            Self::U16(number) => {
                control(5, 2, out);
                out.extend(number.to_be_bytes());
            }
            Self::U32(number) => {
                control(6, 4, out);
                out.extend(number.to_be_bytes());
            }
            Self::U64(number) => {
                control(9, 8, out);
                out.extend(number.to_be_bytes());
            }
            Self::List(items) => {
                control(11, items.len(), out);
                items.iter().for_each(|item| item.write(out));
            }
            Self::Map(fields) => {
                control(7, fields.len(), out);
                for (key, value) in fields {
                    Self::Text(key).write(out);
                    value.write(out);
                }
            }
        }
    }
}

/// What one side of a node leads to.
#[derive(Clone, Copy)]
enum Side {
    Nothing,
    Node(usize),
    Data(usize),
}

/// An IPv6 tree of 24-bit records, in which IPv4 lies below ::/96.
fn mmdb(networks: Vec<(&str, u8, Value)>) -> Vec<u8> {
    let (mut nodes, mut data) = (vec![[Side::Nothing; 2]], Vec::new());
    for (address, length, value) in networks {
        let (bits, length) = match address.parse().expect("an address") {
            IpAddr::V4(v4) => (u128::from(u32::from(v4)), length + 96),
            IpAddr::V6(v6) => (u128::from(v6), length),
        };
        let mut node = 0;
        for depth in 0..length {
            let side = usize::from(bits >> (127 - depth) & 1 == 1);
            if depth + 1 == length {
                nodes[node][side] = Side::Data(data.len());
            } else if let Side::Node(next) = nodes[node][side] {
                node = next;
            } else {
                nodes[node][side] = Side::Node(nodes.len());
                node = nodes.len();
                nodes.push([Side::Nothing; 2]);
            }
        }
        value.write(&mut data);
    }
    let mut file = Vec::new();
    for side in nodes.iter().flatten() {
        let record = match side {
            Side::Nothing => nodes.len(),
            Side::Node(node) => *node,
            Side::Data(at) => nodes.len() + 16 + at,
        };
        file.extend(&u32::try_from(record).expect("small").to_be_bytes()[1..]);
    }
    file.extend([0; 16]);
    file.extend(data);
    file.extend(b"\xab\xcd\xefMaxMind.com");
    let metadata = Value::Map(vec![
        ("node_count", Value::U32(u32::try_from(nodes.len()).expect("small"))),
        ("record_size", Value::U16(24)),
        ("ip_version", Value::U16(6)),
        ("database_type", Value::Text("Tiny")),
        ("languages", Value::List(vec![Value::Text("en")])),
        ("binary_format_major_version", Value::U16(2)),
        ("binary_format_minor_version", Value::U16(0)),
        ("build_epoch", Value::U64(1_767_225_600)),
        ("description", Value::Map(vec![("en", Value::Text("a test's"))])),
    ]);
    metadata.write(&mut file);
    file
}

fn system(number: u32) -> (&'static str, Value) {
    ("autonomous_system_number", Value::U32(number))
}

fn country(code: &'static str) -> (&'static str, Value) {
    ("country", Value::Map(vec![("iso_code", Value::Text(code))]))
}

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
