//! Field lines: `httparse`'s fields in → a `HeaderMap` whose values are parts of what was read, and back to bytes.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

/// The most fields of trailers.
const TRAILERS: usize = 64;

/// Writes a field line. Name and value are what a `HeaderName` and a `HeaderValue` hold: no CR, no LF.
pub fn put_field(head: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    head.reserve(name.len() + value.len() + 4);
    head.extend_from_slice(name);
    head.extend_from_slice(b": ");
    head.extend_from_slice(value);
    head.extend_from_slice(b"\r\n");
}

/// The fields that were parsed out of `head`, in their order. `None`: some are no fields.
pub fn header_map(head: &Bytes, parsed: &[httparse::Header<'_>]) -> Option<HeaderMap> {
    let mut fields = HeaderMap::with_capacity(parsed.len());
    for field in parsed {
        let name = HeaderName::from_bytes(field.name.as_bytes()).ok()?;
        fields.append(name, HeaderValue::from_maybe_shared(head.slice_ref(field.value)).ok()?);
    }
    Some(fields)
}

/// A whole section of trailers, the empty line behind it included.
///
/// # Errors
/// They are none, or too many.
pub fn fields_of(section: &Bytes) -> Result<HeaderMap, httparse::Error> {
    let mut room = [httparse::EMPTY_HEADER; TRAILERS];
    match httparse::parse_headers(section, &mut room)? {
        httparse::Status::Complete((end, parsed)) if end == section.len() => {
            header_map(section, parsed).ok_or(httparse::Error::HeaderValue)
        }
        // An empty line within it would be the end to somebody else.
        httparse::Status::Complete(_) | httparse::Status::Partial => Err(httparse::Error::NewLine),
    }
}

/// The number that a value is, in decimal digits and nothing else (RFC 9110 §8.6). `None`: it is none, or too large.
pub fn decimal(value: &[u8]) -> Option<u64> {
    value
        .iter()
        .try_fold(0_u64, |front, &byte| {
            let digit = byte.wrapping_sub(b'0');
            if digit < 10 { front.checked_mul(10)?.checked_add(u64::from(digit)) } else { None }
        })
        .filter(|_| !value.is_empty())
}

/// Whether a value that is a list of tokens names this one, in any case (RFC 9110 §5.6.1).
pub fn mentions(value: &[u8], token: &[u8]) -> bool {
    let mut members = value.split(|&sign| sign == b',');
    members.any(|member| member.trim_ascii().eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn numbers_are_digits_and_nothing_else() {
        for (value, number) in [
            ("0", Some(0)),
            ("007", Some(7)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("99999999999999999999", None),
            ("", None),
            ("+1", None),
            ("-1", None),
            ("1 ", None),
            ("1:", None),
            ("1/", None),
        ] {
            assert_eq!(decimal(value.as_bytes()), number, "{value}");
        }
    }
}
