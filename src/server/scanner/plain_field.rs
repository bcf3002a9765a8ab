//! Whole lines of fields that frame nothing: the short way for what nearly every head is made of.
//!
//! Bytes behind a line in, the lengths of the next one out, if it is there as a whole and nothing can be said against it.
//! Whatever it leaves, the machine takes byte by byte; a property test holds the two to one outcome.

use super::names::lower_token;
use crate::request::eights::{EACH, HIGHEST, at_least};

/// A line, by its lengths.
pub(super) struct PlainField {
    /// Bytes of its name.
    pub(super) name: usize,
    /// Bytes of all of it but its CRLF.
    pub(super) line: usize,
}

/// The line of a field at the front that is there as a whole and does not frame.
pub(super) fn plain_field(run: &[u8]) -> Option<PlainField> {
    let name = token_length(run);
    let framing = [b"content-length".len(), b"transfer-encoding".len()];
    let value = run.get(name..)?.strip_prefix(b":").filter(|_| name > 0 && !framing.contains(&name))?;
    let end = text_length(value);
    let ends = value.get(end..)?.starts_with(b"\r\n");
    ends.then_some(PlainField { name, line: name + 1 + end })
}

/// How many bytes in front may stand in a name.
pub(super) fn token_length(run: &[u8]) -> usize {
    length_of(run, no_letters, |byte| lower_token(byte) != 0)
}

/// How many bytes in front may stand in a value (RFC 9110 §5.5).
pub(in crate::server) fn text_length(run: &[u8]) -> usize {
    length_of(run, controls, |byte| (byte >= b' ' || byte == b'\t') && byte != 0x7f)
}

/// How many bytes in front are of a kind: eight at a time until one is in doubt, then one by one.
fn length_of(run: &[u8], doubts: impl Fn(u64) -> u64, is: impl Fn(u8) -> bool) -> usize {
    let mut length = 0;
    for eight in run.as_chunks().0 {
        let clear = doubts(u64::from_le_bytes(*eight)).trailing_zeros() as usize / 8;
        length += clear;
        if clear < 8 {
            break;
        }
    }
    let rest = run.get(length..).unwrap_or_default();
    length + rest.iter().position(|&byte| !is(byte)).unwrap_or(rest.len())
}

/// Doubts, by the highest bits of bytes, about control bytes, HTAB too.
fn controls(bytes: u64) -> u64 {
    let is_delete = (bytes & !HIGHEST) + EACH;
    (!at_least(bytes, b' ') | is_delete) & !bytes & HIGHEST
}

/// Doubts about what is neither a letter nor a hyphen.
fn no_letters(bytes: u64) -> u64 {
    let lower = bytes | (EACH * 0x20);
    let is_letter = at_least(lower, b'a') & !at_least(lower, b'z' + 1);
    let from_hyphen = (bytes ^ (EACH * u64::from(b'-'))) & !HIGHEST;
    let is_hyphen = !(from_hyphen + !HIGHEST);
    (!(is_letter | is_hyphen) | bytes) & HIGHEST
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every two bytes, at every place in eight.
    #[test]
    fn eight_bytes_at_a_time_are_as_many_as_one_by_one() {
        let (token, text) =
            (|byte: &u8| lower_token(*byte) != 0, |byte: &u8| *byte == b'\t' || !byte.is_ascii_control());
        for (place, pair) in (0..8).flat_map(|place| (0..=u16::MAX).map(move |pair| (place, pair))) {
            let mut run = *b"aZ-z-Aaz-zA";
            run[place..place + 2].copy_from_slice(&pair.to_be_bytes());
            assert_eq!(token_length(&run), run.iter().take_while(|byte| token(byte)).count(), "{run:?}");
            assert_eq!(text_length(&run), run.iter().take_while(|byte| text(byte)).count(), "{run:?}");
        }
    }
}
