//! A small writer of databases in MaxMind's format, for tests: networks and their country or ASN in, bytes
//! out. An IPv6 tree with IPv4 in `::/96`, and the aliases of IPv4 as MaxMind has them; 28 bits a record.
//!
//! Source: <https://maxmind.github.io/MaxMind-DB/>

use std::collections::HashMap;
use std::net::IpAddr;

/// What a network's record says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Said<'a> {
    /// `{ "country": { "iso_code": … }, "registered_country": { "iso_code": "ZZ" } }`
    Country(&'a str),
    /// `{ "country_code": … }`
    Code(&'a str),
    /// `{ "autonomous_system_number": … }`
    Asn(u32),
    /// The same in 16 bits, as some other writers have it.
    ShortAsn(u16),
    /// `{ "registered_country": { "iso_code": … } }`: no country at all.
    Registered(&'a str),
}

/// The bytes of a database. Of networks that overlap the later ones win.
pub(super) fn write(database_type: &str, networks: &[(&str, Said<'_>)]) -> Vec<u8> {
    let mut tree = Tree { nodes: vec![[Slot::Empty; 2]] };
    let (mut data, mut offsets) = (Vec::new(), HashMap::new());
    for (network, said) in networks {
        let (address, bits) = network.split_once('/').unwrap();
        let (address, bits): (IpAddr, u8) = (address.parse().unwrap(), bits.parse().unwrap());
        let offset = *offsets.entry(*said).or_insert_with(|| {
            let offset = data.len();
            encode(*said, &mut data);
            offset
        });
        let (address, bits) = match address {
            IpAddr::V4(address) => (u128::from(address.to_bits()), bits + 96),
            IpAddr::V6(address) => (address.to_bits(), bits),
        };
        tree.insert(address, bits, Slot::Data(offset));
    }
    tree.alias();
    let mut bytes = tree.encode();
    bytes.extend([0; 16]);
    bytes.extend(&data);
    bytes.extend(b"\xab\xcd\xefMaxMind.com");
    metadata(database_type, tree.nodes.len(), &mut bytes);
    bytes
}

#[derive(Clone, Copy)]
enum Slot {
    Empty,
    Node(usize),
    Data(usize),
}

struct Tree {
    nodes: Vec<[Slot; 2]>,
}

impl Tree {
    fn insert(&mut self, address: u128, bits: u8, slot: Slot) {
        let mut node = 0;
        for depth in 0..bits {
            let side = (address >> (127 - depth) & 1) as usize;
            if depth + 1 == bits {
                self.nodes[node][side] = slot;
                return;
            }
            node = match self.nodes[node][side] {
                Slot::Node(next) => next,
                // What was said of the whole is said of both halves.
                said => {
                    self.nodes.push([said; 2]);
                    self.nodes[node][side] = Slot::Node(self.nodes.len() - 1);
                    self.nodes.len() - 1
                }
            };
        }
    }

    /// IPv4 once more as `::ffff:0:0/96`, 6to4 and Teredo.
    fn alias(&mut self) {
        let mut node = 0;
        for _ in 0..96 {
            match self.nodes[node][0] {
                Slot::Node(next) => node = next,
                _ => return,
            }
        }
        let ipv4 = Slot::Node(node);
        self.insert(0xffff << 32, 96, ipv4);
        self.insert(0x2002 << 112, 16, ipv4);
        self.insert(0x2001 << 112, 32, ipv4);
    }

    fn encode(&self) -> Vec<u8> {
        let count = self.nodes.len();
        let value = |slot: Slot| match slot {
            Slot::Empty => count,
            Slot::Node(node) => node,
            Slot::Data(offset) => count + 16 + offset,
        };
        let mut bytes = Vec::with_capacity(count * 7);
        for [left, right] in &self.nodes {
            let (left, right) = (u32::try_from(value(*left)).unwrap(), u32::try_from(value(*right)).unwrap());
            assert!(left.max(right) < 1 << 28);
            bytes.extend(&left.to_be_bytes()[1..]);
            bytes.push(u8::try_from((left >> 24) << 4 | right >> 24).unwrap());
            bytes.extend(&right.to_be_bytes()[1..]);
        }
        bytes
    }
}

const TEXT: u8 = 2;
const U16: u8 = 5;
const U32: u8 = 6;
const MAP: u8 = 7;
const U64: u8 = 9;
const ARRAY: u8 = 11;

fn head(kind: u8, size: usize, bytes: &mut Vec<u8>) {
    assert!(size < 29);
    let size = u8::try_from(size).unwrap();
    if kind < 8 { bytes.push(kind << 5 | size) } else { bytes.extend([size, kind - 7]) }
}

fn text(text: &str, bytes: &mut Vec<u8>) {
    head(TEXT, text.len(), bytes);
    bytes.extend(text.as_bytes());
}

fn number(kind: u8, number: u64, bytes: &mut Vec<u8>) {
    let digits = number.to_be_bytes();
    let digits = &digits[number.leading_zeros() as usize / 8..];
    head(kind, digits.len(), bytes);
    bytes.extend(digits);
}

fn encode(said: Said<'_>, bytes: &mut Vec<u8>) {
    let place = |key: &str, code: &str, bytes: &mut Vec<u8>| {
        text(key, bytes);
        head(MAP, 1, bytes);
        text("iso_code", bytes);
        text(code, bytes);
    };
    match said {
        Said::Country(code) => {
            head(MAP, 2, bytes);
            place("country", code, bytes);
            place("registered_country", "ZZ", bytes);
        }
        Said::Registered(code) => {
            head(MAP, 1, bytes);
            place("registered_country", code, bytes);
        }
        Said::Code(code) => {
            head(MAP, 1, bytes);
            text("country_code", bytes);
            text(code, bytes);
        }
        Said::ShortAsn(asn) => {
            head(MAP, 1, bytes);
            text("autonomous_system_number", bytes);
            number(U16, u64::from(asn), bytes);
        }
        Said::Asn(asn) => {
            head(MAP, 2, bytes);
            text("autonomous_system_number", bytes);
            number(U32, u64::from(asn), bytes);
            text("autonomous_system_org", bytes);
            text("somebody", bytes);
        }
    }
}

fn metadata(database_type: &str, nodes: usize, bytes: &mut Vec<u8>) {
    head(MAP, 9, bytes);
    for (key, kind, value) in [
        ("node_count", U32, nodes as u64),
        ("record_size", U16, 28),
        ("ip_version", U16, 6),
        ("binary_format_major_version", U16, 2),
        ("binary_format_minor_version", U16, 0),
        ("build_epoch", U64, 1_767_225_600),
    ] {
        text(key, bytes);
        number(kind, value, bytes);
    }
    text("database_type", bytes);
    text(database_type, bytes);
    text("languages", bytes);
    head(ARRAY, 1, bytes);
    text("en", bytes);
    text("description", bytes);
    head(MAP, 1, bytes);
    text("en", bytes);
    text("for tests", bytes);
}
