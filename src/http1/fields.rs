//! Field lines: `httparse`'s fields in → a `HeaderMap` whose values are parts of what was read, and back to bytes.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

/// The most fields of trailers.
const TRAILERS: usize = 64;

/// `x-forwarded-for`.
pub const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// `x-forwarded-proto`.
pub const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// `x-forwarded-host`.
pub const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
/// `x-forwarded-port`.
pub const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
/// `x-real-ip`.
pub const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// Writes a field line. Name and value are what a `HeaderName` and a `HeaderValue` hold: no CR, no LF.
pub fn put_field(head: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    head.reserve(name.len() + value.len() + 4);
    head.extend_from_slice(name);
    head.extend_from_slice(b": ");
    head.extend_from_slice(value);
    head.extend_from_slice(b"\r\n");
}

/// The name of a field; `None` if it is none. Names that every proxy sends, and that `http` does not know, are spared an
/// allocation.
pub fn field_name(name: &[u8]) -> Option<HeaderName> {
    const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
    let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
    match name.len() {
        9 if is("x-real-ip") => Some(X_REAL_IP),
        12 if is("x-request-id") => Some(REQUEST_ID),
        15 if is("x-forwarded-for") => Some(X_FORWARDED_FOR),
        16 if is("x-forwarded-host") => Some(X_FORWARDED_HOST),
        16 if is("x-forwarded-port") => Some(X_FORWARDED_PORT),
        17 if is("x-forwarded-proto") => Some(X_FORWARDED_PROTO),
        _ => HeaderName::from_bytes(name).ok(),
    }
}

/// The fields that were parsed out of `head`, in their order. `None`: some are no fields.
pub fn header_map(head: &Bytes, parsed: &[httparse::Header<'_>]) -> Option<HeaderMap> {
    let mut fields = HeaderMap::with_capacity(parsed.len());
    for field in parsed {
        let name = field_name(field.name.as_bytes())?;
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

/// Whether a value that is a list of tokens names this one, in any case (RFC 9110 §5.6.1).
pub fn mentions(value: &[u8], token: &[u8]) -> bool {
    let mut members = value.split(|&sign| sign == b',');
    members.any(|member| member.trim_ascii().eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_the_library_reads() {
        let known = ["x-real-ip", "X-Request-Id", "X-FORWARDED-FOR", "x-forwarded-host", "x-forwarded-port"];
        for name in known.into_iter().chain(["x-forwarded-proto", "x-forwarded-prot0", "Host", "a b", ""]) {
            assert_eq!(field_name(name.as_bytes()), HeaderName::from_bytes(name.as_bytes()).ok(), "{name}");
        }
    }
}
