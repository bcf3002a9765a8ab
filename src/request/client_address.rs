//! The client's address, from the peer and the forwarding header.
//!
//! In: `[client_ip]`, the peer, the header fields. Out: [`ClientAddress`]. The rules of SPEC section 3:
//!
//! 1. The header counts only if the peer is a trusted proxy; else the client is the peer. Where no header counts
//!    (`none`), every peer is a client, and nobody is trusted as a proxy.
//! 2. No header, or nothing but empty elements: the peer. Empty elements between others are skipped. Several
//!    lines are one list, in order.
//! 3. `first`: the first value decides. `rightmost-untrusted`: from the right, the first value that is not a
//!    trusted proxy; the leftmost where all are.
//! 4. A value that is no address, where the selection looks at it, makes the client *undetermined*: there is no
//!    fallback to the peer, which is a proxy and would open doors. Values beyond that one do not matter.
//!
//! `Forwarded` is read by the grammar of RFC 7239 §4 to the letter, without blanks around `;`. What is outside of
//! it is undetermined: as a whole for `rightmost-untrusted`, and where it comes before or in the first element for
//! `first`. An element without `for` is a hop that says nothing of its client, hence a value that is no address.
//!
//! IPv4-mapped addresses are folded here, and only those. Names, zone ids, octal, hexadecimal and integer forms
//! are no addresses. No allocation.

mod forwarded;

use super::{FieldName, Fields};
use crate::config::{ClientIp, ClientIpHeader, ClientIpSelect, TrustedProxies};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Who the client is believed to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub struct ClientAddress {
    /// The address, IPv4-mapped addresses folded; `None` where it cannot be determined.
    pub address: Option<IpAddr>,
    /// Where it comes from.
    pub source: Source,
    /// Whether the peer is a trusted proxy, whose forwarding fields are believed.
    pub peer_trusted: bool,
    /// Whether the header that was believed has more than one value.
    pub chained: bool,
}

/// Where a client's address comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// It is the peer's.
    Peer,
    /// The forwarding header named it, or should have.
    Header,
}

impl Source {
    /// What people call it: `peer`, or the header's name.
    pub fn name(self, settings: &ClientIp) -> &str {
        match (self, &settings.header) {
            (Self::Peer, _) | (Self::Header, ClientIpHeader::None) => "peer",
            (Self::Header, ClientIpHeader::XForwardedFor) => "x-forwarded-for",
            (Self::Header, ClientIpHeader::Forwarded) => "forwarded",
            (Self::Header, ClientIpHeader::Single(name)) => name,
        }
    }
}

/// One element of a forwarding list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Hop {
    /// An address, IPv4-mapped addresses folded.
    Address(IpAddr),
    /// Anything else.
    Unknown,
}

/// Resolves the client's address. Linear in the header's length and the number of trusted ranges.
pub fn resolve(settings: &ClientIp, peer: IpAddr, fields: &Fields) -> ClientAddress {
    let peer = peer.to_canonical();
    let peer_trusted = settings.header != ClientIpHeader::None && settings.trusted_proxies.contain(peer);
    let named = if peer_trusted { from_header(settings, fields) } else { None };
    match named {
        None => ClientAddress { address: Some(peer), source: Source::Peer, peer_trusted, chained: false },
        Some((hop, chained)) => {
            let address = match hop {
                Hop::Address(address) => Some(address),
                Hop::Unknown => None,
            };
            ClientAddress { address, source: Source::Header, peer_trusted, chained }
        }
    }
}

/// Whether the header that would say who the client is has been sent.
pub fn is_sent(settings: &ClientIp, fields: &Fields) -> bool {
    settings.header != ClientIpHeader::None && fields.named(Source::Header.name(settings)).next().is_some()
}

/// What the header says, and whether it has several values; `None` where it is absent or empty.
fn from_header(settings: &ClientIp, fields: &Fields) -> Option<(Hop, bool)> {
    match &settings.header {
        ClientIpHeader::None => None,
        ClientIpHeader::Single(name) => Some((single(fields, name)?, false)),
        ClientIpHeader::XForwardedFor => {
            let mut lines = fields.all(FieldName::XForwardedFor);
            let others = lines.clone().skip(1);
            match lines.next() {
                None => None,
                // As the proxy in front of us sends it.
                Some(line)
                    if lines.next().is_none()
                        && let Some(address) = ipv4(line) =>
                {
                    Some((Hop::Address(IpAddr::V4(address)), false))
                }
                Some(line) => select(settings, std::iter::once(line).chain(others).flat_map(list)),
            }
        }
        ClientIpHeader::Forwarded => {
            let lines = fields.all(FieldName::Forwarded);
            if settings.select == ClientIpSelect::RightmostUntrusted
                && lines.clone().any(|line| !forwarded::is_well_formed(line))
            {
                return Some((Hop::Unknown, false));
            }
            select(settings, lines.flat_map(forwarded::hops))
        }
    }
}

/// The one value of a list, if there is one.
fn only(line: &[u8]) -> Option<(Hop, bool)> {
    let value = line.trim_ascii();
    if value.is_empty() { None } else { Some((node(value), false)) }
}

/// Repeated, it would be ambiguous; a list in it is no address.
fn single(fields: &Fields, name: &str) -> Option<Hop> {
    let mut lines = fields.named(name);
    let value = lines.next()?.trim_ascii();
    if lines.next().is_some() {
        return Some(Hop::Unknown);
    }
    only(value).map(|(hop, _)| hop)
}

fn list(line: &[u8]) -> impl Iterator<Item = Hop> {
    line.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|value| !value.is_empty()).map(node)
}

fn select(settings: &ClientIp, mut hops: impl Iterator<Item = Hop>) -> Option<(Hop, bool)> {
    let first = hops.next()?;
    let mut others = hops.peekable();
    let chained = others.peek().is_some();
    let found = match settings.select {
        ClientIpSelect::First => first,
        ClientIpSelect::RightmostUntrusted => others
            .fold(first, |found, hop| if is_trusted(&settings.trusted_proxies, hop) { found } else { hop }),
    };
    Some((found, chained))
}

fn is_trusted(proxies: &TrustedProxies, hop: Hop) -> bool {
    matches!(hop, Hop::Address(address) if proxies.contain(address))
}

/// An address, perhaps with a port; an IPv6 address with a port is in brackets (RFC 7239 §6, but for the
/// brackets of a lone IPv6 address, which other headers do without).
fn node(value: &[u8]) -> Hop {
    if let Some(address) = ipv4(value) {
        return Hop::Address(IpAddr::V4(address));
    }
    let Ok(text) = std::str::from_utf8(value) else { return Hop::Unknown };
    if let Ok(address) = text.parse::<IpAddr>() {
        return Hop::Address(address.to_canonical());
    }
    let (address, port) = match text.strip_prefix('[') {
        Some(bracketed) => match bracketed.split_once(']') {
            Some((address, port)) => (address.parse::<Ipv6Addr>().ok().map(IpAddr::V6), port),
            None => return Hop::Unknown,
        },
        None => match text.find(':').and_then(|colon| text.split_at_checked(colon)) {
            Some((address, port)) => (address.parse::<Ipv4Addr>().ok().map(IpAddr::V4), port),
            None => return Hop::Unknown,
        },
    };
    match address {
        Some(address) if port.is_empty() || is_port(port) => Hop::Address(address.to_canonical()),
        _ => Hop::Unknown,
    }
}

/// An IPv4 address as nearly every value is one: four decimal numbers without leading zeros. By itself, so that the loop
/// has the registers to itself.
#[inline(never)]
fn ipv4(value: &[u8]) -> Option<Ipv4Addr> {
    let (mut address, mut dots, mut number) = (0_u32, 0, None);
    for &byte in value {
        let digit = u32::from(byte.wrapping_sub(b'0'));
        number = match number {
            None if digit < 10 => Some(digit),
            Some(front @ 1..=25) if digit < 10 && front * 10 + digit < 256 => Some(front * 10 + digit),
            Some(octet) if byte == b'.' => {
                (address, dots) = (address << 8 | octet, dots + 1);
                None
            }
            _ => return None,
        };
    }
    let last = number.filter(|_| dots == 3)?;
    Some(Ipv4Addr::from(address << 8 | last))
}

/// A colon and one to five digits, no more than 65535.
fn is_port(text: &str) -> bool {
    text.strip_prefix(':').is_some_and(|digits| {
        digits.len() <= 5
            && digits.bytes().all(|digit| digit.is_ascii_digit())
            && digits.parse::<u16>().is_ok()
    })
}

#[cfg(test)]
mod tests;
