//! Field lines → header blocks, without memory: static entries by their index, all else as it is (RFC 7541 §6.2.2).
//!
//! No dynamic table: it would cost memory for each connection and time for each line, and let whoever can both choose and
//! watch a part of a response guess at another (§7.1). Strings are not Huffman-coded, which costs more than the bytes that it
//! saves.

use super::table::STATIC;

/// Writes `:status`.
pub(in crate::server::http2) fn status(block: &mut Vec<u8>, status: &str) {
    let indexed = |(name, value): &(&[u8], &[u8])| *name == b":status" && *value == status.as_bytes();
    match STATIC.iter().position(indexed).and_then(|place| u8::try_from(place + 1).ok()) {
        Some(index) => block.push(0x80 | index),
        None => {
            number(block, 0, 4, 8);
            string(block, status.as_bytes());
        }
    }
}

/// Writes a line, its name in lower case. A cookie is marked as not to be put into any table.
pub(in crate::server::http2) fn line(block: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    let never = if name == b"set-cookie" { 0x10 } else { 0 };
    let index = index_of(name);
    number(block, never, 4, index);
    if index == 0 {
        string(block, name);
    }
    string(block, value);
}

/// Says that nothing is in the dynamic table, which a client that bounds it anew has to be told (§4.2).
pub(in crate::server::http2) fn no_table(block: &mut Vec<u8>) {
    block.push(0x20);
}

/// The index of a name of responses, or 0 (RFC 7541, Appendix A).
fn index_of(name: &[u8]) -> usize {
    match name {
        b"accept-ranges" => 18,
        b"access-control-allow-origin" => 20,
        b"age" => 21,
        b"allow" => 22,
        b"cache-control" => 24,
        b"content-disposition" => 25,
        b"content-encoding" => 26,
        b"content-language" => 27,
        b"content-length" => 28,
        b"content-location" => 29,
        b"content-range" => 30,
        b"content-type" => 31,
        b"date" => 33,
        b"etag" => 34,
        b"expires" => 36,
        b"last-modified" => 44,
        b"link" => 45,
        b"location" => 46,
        b"refresh" => 52,
        b"retry-after" => 53,
        b"server" => 54,
        b"set-cookie" => 55,
        b"strict-transport-security" => 56,
        b"vary" => 59,
        b"via" => 60,
        b"www-authenticate" => 61,
        _ => 0,
    }
}

/// A number behind the high bits of its first byte (§5.1).
fn number(block: &mut Vec<u8>, high: u8, bits: u32, number: usize) {
    let most = (1 << bits) - 1;
    if let Some(low) = u8::try_from(number).ok().filter(|low| *low < most) {
        return block.push(high | low);
    }
    block.push(high | most);
    let mut rest = number.saturating_sub(usize::from(most));
    while rest >= 0x80 {
        block.push(0x80 | low_byte(rest & 0x7f));
        rest >>= 7;
    }
    block.push(low_byte(rest));
}

fn low_byte(number: usize) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

fn string(block: &mut Vec<u8>, text: &[u8]) {
    number(block, 0, 7, text.len());
    block.extend_from_slice(text);
}
