//! Octets and characters behind escapes and encodings: path → path, one way of decoding each.
//!
//! Escapes that are none are left as they are. Decoders differ in what they keep escaped and in what they make of
//! malformed UTF-8, so there are several, each applied to the whole path.

use super::compatibility;
use super::scan::{escaped_octet, escaped_unit, is_reserved, is_unreserved};

/// Decodes every escape once (RFC 3986 §2.1): nginx, Tomcat, PHP, Python's `unquote`, Go's `URL.Path`.
pub(super) fn all(path: &[u8], out: &mut Vec<u8>) {
    octets(path, out, |_| true);
}

/// Decodes all but slashes: Apache's `NoDecode`, Jetty, aiohttp, Kestrel. Backslashes need no twin: while they are
/// not taken for slashes it is all the same whether they are decoded.
pub(super) fn all_but_slashes(path: &[u8], out: &mut Vec<u8>) {
    octets(path, out, |octet| octet != b'/');
}

/// Decodes all but delimiters and percent signs: JavaScript's `decodeURI`, Fastify.
pub(super) fn all_but_reserved(path: &[u8], out: &mut Vec<u8>) {
    octets(path, out, |octet| !is_reserved(octet));
}

/// Decodes unreserved characters alone: RFC 3986 §6.2.2.2, Envoy, `java.net.URI` normalisers.
pub(super) fn unreserved_alone(path: &[u8], out: &mut Vec<u8>) {
    octets(path, out, is_unreserved);
}

fn octets(path: &[u8], out: &mut Vec<u8>, decodes: impl Fn(u8) -> bool) {
    let mut rest = path;
    while let Some((before, behind)) = split_at_percent(rest) {
        out.extend_from_slice(before);
        match escaped_octet(behind).filter(|&octet| decodes(octet)) {
            Some(octet) => {
                out.push(octet);
                rest = behind.get(2..).unwrap_or_default();
            }
            None => {
                out.push(b'%');
                rest = behind;
            }
        }
    }
    out.extend_from_slice(rest);
}

/// Decodes `%uXXXX` and `%XX` in one go: IIS, JavaScript's `unescape`.
pub(super) fn with_unicode_escapes(path: &[u8], out: &mut Vec<u8>) {
    let mut rest = path;
    while let Some((before, behind)) = split_at_percent(rest) {
        out.extend_from_slice(before);
        if let Some(octet) = escaped_octet(behind) {
            out.push(octet);
            rest = behind.get(2..).unwrap_or_default();
        } else if let Some(character) = escaped_unit(behind).and_then(|unit| char::from_u32(u32::from(unit)))
        {
            push(out, character);
            rest = behind.get(5..).unwrap_or_default();
        } else {
            out.push(b'%');
            rest = behind;
        }
    }
    out.extend_from_slice(rest);
}

fn split_at_percent(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let (before, behind) = path.split_at_checked(memchr::memchr(b'%', path)?)?;
    Some((before, behind.get(1..)?))
}

/// Decodes overlong UTF-8 (RFC 3629 §3 forbids it) as careless decoders do, which do not look at the first bits
/// of the octets that continue: `%c0%af`, `%c0%2f`, `%e0%80%af` are a slash.
pub(super) fn overlong(path: &[u8], out: &mut Vec<u8>) {
    let mut rest = path;
    while let Some((&first, behind)) = rest.split_first() {
        let (character, used) = match (first, behind) {
            (0xc0 | 0xc1, [low, ..]) => ((first & 1) << 6 | low & 0x3f, 1),
            (0xe0, [high @ 0x80..=0x81, low, ..])
            | (0xf0, [0x80, high @ 0x80..=0x81, low, ..])
            | (0xf8, [0x80, 0x80, high @ 0x80..=0x81, low, ..])
            | (0xfc, [0x80, 0x80, 0x80, high @ 0x80..=0x81, low, ..]) => {
                ((high & 1) << 6 | low & 0x3f, overlong_tail(first))
            }
            _ => (first, 0),
        };
        out.push(character);
        rest = behind.get(used..).unwrap_or_default();
    }
}

/// How many octets follow the first.
fn overlong_tail(first: u8) -> usize {
    match first {
        0xe0 => 2,
        0xf0 => 3,
        0xf8 => 4,
        _ => 5,
    }
}

/// Drops what is not UTF-8, as Python's `errors="ignore"` and iconv's `//IGNORE` do.
pub(super) fn without_invalid(path: &[u8], out: &mut Vec<u8>) {
    for chunk in path.utf8_chunks() {
        out.extend_from_slice(chunk.valid().as_bytes());
    }
}

/// Folds compatibility characters as Unicode's NFKC does (UAX #15).
pub(super) fn compatible(path: &[u8], out: &mut Vec<u8>) {
    characters(path, out, compatibility::nfkc);
}

/// Folds compatibility characters and what merely looks like ASCII, as Windows' best fit does.
pub(super) fn best_fit(path: &[u8], out: &mut Vec<u8>) {
    characters(path, out, compatibility::best_fit);
}

/// Keeps the low octet of each character, as a careless narrowing of UTF-16 does: `į` (U+012F) is a slash.
pub(super) fn narrowed(path: &[u8], out: &mut Vec<u8>) {
    for chunk in path.utf8_chunks() {
        for character in chunk.valid().chars() {
            match u32::from(character).to_le_bytes() {
                [low @ 0x20..=0x7e, ..] => out.push(low),
                _ => push(out, character),
            }
        }
        out.extend_from_slice(chunk.invalid());
    }
}

fn characters(path: &[u8], out: &mut Vec<u8>, fold: impl Fn(char) -> Option<compatibility::Ascii>) {
    for chunk in path.utf8_chunks() {
        for character in chunk.valid().chars() {
            match (!character.is_ascii()).then(|| fold(character)).flatten() {
                Some(compatibility::Ascii::One(octet)) => out.push(octet),
                Some(compatibility::Ascii::Several(text)) => out.extend_from_slice(text.as_bytes()),
                None => push(out, character),
            }
        }
        out.extend_from_slice(chunk.invalid());
    }
}

fn push(out: &mut Vec<u8>, character: char) {
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}
