//! Files in MaxMind's DB format, as small as a test needs them.

use std::net::IpAddr;

/// A value in the data section (MaxMind DB format 2.0).
#[derive(Debug)]
pub enum Value {
    /// UTF-8.
    Text(&'static str),
    /// 16 bits.
    U16(u16),
    /// 32 bits.
    U32(u32),
    /// 64 bits.
    U64(u64),
    /// In order.
    List(Vec<Self>),
    /// By name.
    Map(Vec<(&'static str, Self)>),
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

/// A file of these networks, in an IPv6 tree of 24-bit records in which IPv4 lies below ::/96. Its type is `Tiny`.
///
/// # Panics
/// Where an address is none, or something is too long for so small a file.
#[must_use]
pub fn mmdb(networks: Vec<(&str, u8, Value)>) -> Vec<u8> {
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

/// The field of an autonomous system's number.
#[must_use]
pub const fn system(number: u32) -> (&'static str, Value) {
    ("autonomous_system_number", Value::U32(number))
}

/// The field of a country's code.
#[must_use]
pub fn country(code: &'static str) -> (&'static str, Value) {
    ("country", Value::Map(vec![("iso_code", Value::Text(code))]))
}
