//! The `Forwarded` field (RFC 7239 §4), element by element.
//!
//! In: one line. Out: a [`Hop`] for each element, and [`Hop::Unknown`] with an end to it at the first thing that
//! is outside the grammar: nobody can say where elements end behind an open quote. Obfuscated identifiers and
//! `unknown` (§6.2, §6.3) are no addresses, but an obfuscated port hides no address. No allocation: what is
//! quoted with backslashes is undone in a buffer that every address fits into.

use super::{Hop, node};
use std::net::Ipv6Addr;

/// The elements of a line; empty ones are skipped.
pub(super) fn hops(line: &[u8]) -> impl Iterator<Item = Hop> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        loop {
            let input = trim_start(rest?);
            if input.is_empty() {
                return None;
            }
            let Some((element, behind)) = element(input) else {
                rest = None;
                return Some(Hop::Unknown);
            };
            rest = behind;
            if let Some(hop) = element {
                return Some(hop);
            }
        }
    })
}

/// Whether a line is inside the grammar to its end.
pub(super) fn is_well_formed(line: &[u8]) -> bool {
    let mut rest = Some(line);
    while let Some(input) = rest.map(trim_start).filter(|input| !input.is_empty()) {
        match element(input) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    true
}

/// An element and what stands behind its comma; `None`: outside the grammar. An element without any pair is
/// empty.
fn element(mut input: &[u8]) -> Option<(Option<Hop>, Option<&[u8]>)> {
    let mut hop = None;
    let mut pairs = 0;
    loop {
        if !matches!(input.first(), None | Some(b',' | b';' | b' ' | b'\t')) {
            let (is_for, value, behind) = pair(input)?;
            input = behind;
            pairs += 1;
            if is_for {
                hop = Some(if hop.is_some() { Hop::Unknown } else { value });
            }
        }
        if let [b';', behind @ ..] = input {
            input = behind;
            pairs += 1;
            continue;
        }
        let element = if pairs > 0 { Some(hop.unwrap_or(Hop::Unknown)) } else { None };
        return match trim_start(input) {
            [] => Some((element, None)),
            [b',', behind @ ..] => Some((element, Some(behind))),
            _ => None,
        };
    }
}

/// A `token=value`: whether it is `for`, its node, and what stands behind it.
fn pair(input: &[u8]) -> Option<(bool, Hop, &[u8])> {
    let (name, behind) = token(input)?;
    let value = behind.strip_prefix(b"=")?;
    let (hop, behind) = match value.strip_prefix(b"\"") {
        Some(quoted) => quoted_node(quoted)?,
        None => token(value).map(|(value, behind)| (forwarded_node(value), behind))?,
    };
    Some((name.eq_ignore_ascii_case(b"for"), hop, behind))
}

fn token(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = input.iter().position(|byte| !is_token(*byte)).unwrap_or(input.len());
    if end == 0 { None } else { input.split_at_checked(end) }
}

/// RFC 9110 §5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A quoted string behind its first quote (RFC 9110 §5.6.4).
fn quoted_node(input: &[u8]) -> Option<(Hop, &[u8])> {
    let mut text = Text { bytes: [0; 64], length: 0 };
    let mut rest = input;
    loop {
        match rest {
            [b'"', behind @ ..] => return Some((text.node(), behind)),
            [b'\\', byte, behind @ ..] if is_quotable(*byte) => {
                text.push(*byte);
                rest = behind;
            }
            [byte, behind @ ..] if *byte != b'\\' && is_quotable(*byte) => {
                text.push(*byte);
                rest = behind;
            }
            _ => return None,
        }
    }
}

fn is_quotable(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

/// What was quoted; what is longer than the buffer is no address.
struct Text {
    bytes: [u8; 64],
    length: usize,
}

impl Text {
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
        }
        self.length = self.length.saturating_add(1);
    }

    fn node(&self) -> Hop {
        self.bytes.get(..self.length).map_or(Hop::Unknown, forwarded_node)
    }
}

/// RFC 7239 §6: an IPv6 address is always in brackets, and a port may be obfuscated.
fn forwarded_node(value: &[u8]) -> Hop {
    let obfuscated = |port: &[u8]| {
        matches!(port, [b'_', name @ ..] if !name.is_empty()
            && name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')))
    };
    let (host, has_port) =
        match value.iter().rposition(|byte| *byte == b':').and_then(|colon| value.split_at_checked(colon)) {
            Some((host, [b':', port @ ..])) if obfuscated(port) => (host, true),
            _ => (value, false),
        };
    let bare_v6 = std::str::from_utf8(host).is_ok_and(|host| host.parse::<Ipv6Addr>().is_ok());
    let two_ports = has_port && host.contains(&b':') && !host.ends_with(b"]");
    if bare_v6 || two_ports { Hop::Unknown } else { node(host) }
}

fn trim_start(input: &[u8]) -> &[u8] {
    let blanks = input.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    input.get(blanks..).unwrap_or_default()
}
