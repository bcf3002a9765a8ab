//! Address ranges: an address, a CIDR block or an inclusive `start-end`; IPv4 or IPv6.
//!
//! IPv4-mapped IPv6 addresses (RFC 4291 §2.5.5.2) are folded to IPv4 here, once, for entries and clients
//! alike. Host bits, zone ids, zero-padded octets, `start > end` and mixed families are refused.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// An inclusive, never empty range of addresses of one family, IPv4-mapped addresses folded to IPv4.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct AddressRange(Bounds);

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
enum Bounds {
    V4 { start: Ipv4Addr, end: Ipv4Addr },
    V6 { start: Ipv6Addr, end: Ipv6Addr },
}
