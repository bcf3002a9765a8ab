//! Whole lines of fields: the short way for what nearly every head is made of, on either side.
//!
//! Bytes behind a line in, the lengths of the next one out, if it is there as a whole and nothing can be said against it.
//! Whatever it leaves goes the long way, which has rules of its own: those of the scanner towards clients, those of
//! `httparse` towards an upstream. On either side a property test holds the two ways to one outcome.

use super::eights::{EACH, HIGHEST, at_least};

/// A line, by its lengths.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlainField {
    /// Bytes of its name.
    pub name: usize,
    /// Bytes of all of it but its CRLF.
    pub line: usize,
}

/// The line of a field at the front that is there as a whole: a token, a colon directly behind it, a value without control
/// bytes but HTAB, CRLF.
#[inline]
pub fn plain_field(run: &[u8]) -> Option<PlainField> {
    let name = token_length(run);
    let value = run.get(name..)?.strip_prefix(b":").filter(|_| name > 0)?;
    let end = text_length(value);
    let ends = value.get(end..)?.starts_with(b"\r\n");
    ends.then_some(PlainField { name, line: name + 1 + end })
}

/// The byte of a token (RFC 9110 §5.6.2) in lower case, or 0.
pub fn lower_token(byte: u8) -> u8 {
    const TABLE: [u8; 256] = token_table();
    TABLE.get(usize::from(byte)).copied().unwrap_or(0)
}

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated at compile time, below 256"
)]
const fn token_table() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        if b.is_ascii_alphanumeric()
            || matches!(b, b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.')
            || matches!(b, b'^' | b'_' | b'`' | b'|' | b'~')
        {
            table[byte] = b.to_ascii_lowercase();
        }
        byte += 1;
    }
    table
}

/// How many bytes in front may stand in a name.
pub fn token_length(run: &[u8]) -> usize {
    length_of(run, no_letters, |byte| lower_token(byte) != 0)
}

/// How many bytes in front may stand in a value (RFC 9110 §5.5).
pub fn text_length(run: &[u8]) -> usize {
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
