//! Names and values of a query, and the text form that urlencoded bodies share (WHATWG URL §5.1).
//!
//! In: the text behind `?`. Out: fields for the collector. Pairs end at `&`: these are naming places. What an
//! upstream would find that also ends them at `;` or `?` are hints. An escape that is none stays as it is, so
//! that a value with one is no listed value; a name with one can only be a hint.

use super::collector::{Collector, Place};
use super::names::{self, Field};
use std::borrow::Cow;

/// The other signs at which some upstreams end a pair.
const ODD_ENDS: [u8; 2] = [b';', b'?'];

/// As many pairs every upstream reads. PHP, Tomcat, Jetty and Express end at 1,000, some without a word.
const SURELY_READ: usize = 250;

/// A place of pairs at the pair of this number: past those that every upstream reads, a name opens nothing.
pub(super) const fn place_at(number: usize, place: Place) -> Place {
    let opens = number < SURELY_READ || !matches!(place, Place::Naming);
    if opens { place } else { Place::Doubtful }
}

/// Reads a query: a naming place, unless some upstream sees its beginning elsewhere.
pub(super) fn read<'a>(collector: &mut Collector<'a, '_>, place: Place, query: &'a str) {
    for (number, pair) in query.split('&').enumerate() {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if let Some(field) = field(name) {
            collector.field(place_at(number, place), field, decode(value).unwrap_or(Cow::Borrowed(value)));
        }
        read_odd(collector, pair);
    }
}

/// Reads what stands behind a `;` or `%3F` in a path, whatever ends a pair.
pub(super) fn read_parameters(collector: &mut Collector<'_, '_>, text: &str) {
    let text = decode_leniently(text);
    for pair in text.split(['&', ';', '?', '/']) {
        piece(collector, Place::Doubtful, pair);
    }
}

/// Reads a pair as an upstream would that ends pairs at `;` or `?` too. Form parsers that take `;` for
/// `&` are in use; a `?` more likely belongs to an address that was put in as it stands.
pub(super) fn read_odd(collector: &mut Collector<'_, '_>, pair: &str) {
    let [semicolon, mark] = ODD_ENDS;
    if memchr::memchr2(semicolon, mark, pair.as_bytes()).is_none() {
        return;
    }
    pair.split(ODD_ENDS.map(char::from)).for_each(|text| piece(collector, Place::Hint, text));
    pair.split(';').skip(1).for_each(|text| piece(collector, Place::Doubtful, text));
}

fn piece(collector: &mut Collector<'_, '_>, place: Place, pair: &str) {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    if let Some(field) = field(name) {
        let value = decode(value).unwrap_or(Cow::Borrowed(value));
        collector.field(place, field, Cow::Owned(value.into_owned()));
    }
}

fn field(name: &str) -> Option<Field> {
    match decode(name) {
        Some(name) => names::classify(&name),
        None => names::classify(&decode_leniently(name)).map(|field| Field { exact: false, ..field }),
    }
}

/// `+` and escapes decoded; `None`: an escape that is none, or not UTF-8. Borrowed where there is nothing to do.
pub(super) fn decode(text: &str) -> Option<Cow<'_, str>> {
    if memchr::memchr2(b'+', b'%', text.as_bytes()).is_none() {
        return Some(Cow::Borrowed(text));
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        rest = match rest {
            [] => return String::from_utf8(out).ok().map(Cow::Owned),
            [b'%', high, low, behind @ ..] => {
                out.push(hex(*high)? << 4 | hex(*low)?);
                behind
            }
            [b'%', ..] => return None,
            [byte, behind @ ..] => {
                out.push(if *byte == b'+' { b' ' } else { *byte });
                behind
            }
        };
    }
}

/// The same for upstreams that take what comes: `%uXXXX` decoded, other escapes that are none left as they are,
/// and what is not UTF-8 replaced.
pub(super) fn decode_leniently(text: &str) -> Cow<'_, str> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, behind @ ..] = rest {
        rest = behind;
        match (byte, behind) {
            (b'%', [b'u' | b'U', a, b, c, d, behind @ ..]) if wide([*a, *b, *c, *d]).is_some() => {
                let letter = wide([*a, *b, *c, *d]).unwrap_or(char::REPLACEMENT_CHARACTER);
                out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                rest = behind;
            }
            (b'%', [high, low, behind @ ..]) if hex(*high).is_some() && hex(*low).is_some() => {
                out.extend(hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low));
                rest = behind;
            }
            (b'+', _) => out.push(b' '),
            _ => out.push(*byte),
        }
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

fn wide(digits: [u8; 4]) -> Option<char> {
    let code = digits.iter().try_fold(0_u32, |sum, digit| Some(sum << 4 | u32::from(hex(*digit)?)))?;
    char::from_u32(code)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Character by character, as the standard words it.
    fn naive(text: &str) -> Option<String> {
        let bytes = text.as_bytes();
        let mut out = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            if bytes[at] == b'%' {
                let digits = bytes.get(at + 1..at + 3)?;
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return None;
                }
                out.push(u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap());
                at += 3;
            } else {
                out.push(if bytes[at] == b'+' { b' ' } else { bytes[at] });
                at += 1;
            }
        }
        String::from_utf8(out).ok()
    }

    proptest! {
        #[test]
        fn as_the_naive_twin(text in "(%|[0-9a-fA-F]{2}|\\+|u|é|%c3%a9|%41|[ -~]){0,12}") {
            prop_assert_eq!(decode(&text).map(Cow::into_owned), naive(&text));
            if let Some(plain) = naive(&text) {
                prop_assert_eq!(decode_leniently(&text).into_owned(), plain);
            }
        }

        #[test]
        fn lenient_never_panics(text in "\\PC{0,40}") {
            let _ = decode_leniently(&text);
        }
    }

    #[test]
    fn lenient_forms() {
        for (text, plain) in
            [("%u0063lient", "client"), ("%U005f", "_"), ("a%", "a%"), ("%zz", "%zz"), ("%u00", "%u00")]
        {
            assert_eq!(decode_leniently(text), plain);
        }
    }
}
