//! Request heads that are refused before anything is made of them.
//!
//! In: a head as it was parsed, HTTP/1.1 or HTTP/2. Out: nothing, or the [`RequestError`] of the answer. What
//! passes can be read in one way only, so that what the policy matches is what the upstream sees.
//!
//! 1. `CONNECT` is not ours, and `TRACE` (RFC 9110 §9.3.8; `TRACK` to IIS) would show the client what we wrote into its
//!    request, a decoy's key among it (405). Every other method passes: methods are the upstream's business.
//! 2. Targets are origin form, absolute `http`/`https`, or `OPTIONS *` (RFC 9112 §3.2). The authority of an absolute
//!    target wins over `Host` (§3.2.2): it is what we match, and the only `Host` that goes upstream. An HTTP/2
//!    `:authority` must be the same as `host`, without regard to case.
//! 3. No NUL, CR or LF in the path, raw or percent-encoded, even if encoded over (`%2500`) or as `%u0000`.
//! 4. `Authorization`, `Host`, `Content-Type` and `Content-Length` at most once; `Authorization` in visible
//!    ASCII and blanks.
//! 5. `Host` is a name of unreserved characters (RFC 3986 §2.3), an IPv4 or a bracketed IPv6 address, and
//!    perhaps a port. RFC 3986 §3.2.2 also allows sub-delimiters and percent-encoding; no client sends them, and
//!    upstreams differ about them.
//! 6. No body of ambiguous length: `Transfer-Encoding` is `chunked` alone, and not beside `Content-Length`
//!    (RFC 9112 §6.1, §6.3).
//!
//! HTAB passes in field values, where RFC 9110 §5.5 has it; nowhere else.
//!
//! Deliberately absent: what can be seen on the raw bytes alone. `http::Uri` drops a fragment without a word; `server`
//! refuses it before.
//! No allocation, but for a path of more than 512 bytes that has escapes.

use super::error::RequestError;
use super::field_name::Names;
use super::fields::text;
use super::{FieldName, Fields, RequestHead, Target};
use crate::config::Limits;
use http::{Method, Version};
use smallvec::SmallVec;
use std::net::Ipv6Addr;

/// How often a path is decoded in search of NUL, CR and LF. Path readings decode twice.
const ROUNDS: usize = 4;

/// Fields that must not be sent twice.
const SINGULAR: Names =
    Names::of(&[FieldName::Authorization, FieldName::Host, FieldName::ContentType, FieldName::ContentLength]);

/// Checks a parsed head. Linear in its length.
///
/// # Errors
/// [`RequestError::MethodNotAllowed`], [`RequestError::TargetTooLong`], [`RequestError::HeadTooLarge`] and
/// [`RequestError::Malformed`].
pub fn check(head: &RequestHead, limits: &Limits) -> Result<(), RequestError> {
    let refused = ["CONNECT", "TRACE", "TRACK"];
    if refused.iter().any(|method| head.method.as_str().eq_ignore_ascii_case(method)) {
        return Err(RequestError::MethodNotAllowed);
    }
    check_size(head, limits)?;
    check_target(&head.method, &head.target)?;
    check_values(&head.fields)?;
    check_authority(head)?;
    check_framing(head)
}

/// The authority that a request is for: the target's or `:authority`, else `Host`; the same that goes upstream.
pub fn authority(head: &RequestHead) -> Option<&str> {
    let host = || head.fields.get(FieldName::Host).and_then(text);
    head.target.authority().or_else(host)
}

fn check_size(head: &RequestHead, limits: &Limits) -> Result<(), RequestError> {
    let target = target_length(&head.target);
    if target > limits.target {
        return Err(RequestError::TargetTooLong);
    }
    if head.fields.len() > limits.fields || target.saturating_add(head.fields.size()) > limits.head {
        return Err(RequestError::HeadTooLarge);
    }
    Ok(())
}

fn target_length(target: &Target) -> usize {
    let path = target.path_and_query().map_or(0, str::len);
    path + target.authority().map_or(0, str::len) + target.scheme().map_or(0, |scheme| scheme.len() + 3)
}

fn check_target(method: &Method, target: &Target) -> Result<(), RequestError> {
    if target.scheme().is_some_and(|scheme| !matches!(scheme, "http" | "https")) {
        return Err(RequestError::Malformed("a target that is neither http nor https"));
    }
    if target.scheme().is_none() && target.authority().is_some() {
        return Err(RequestError::Malformed("a target in authority form"));
    }
    let Some(text) = target.path_and_query() else {
        return Err(RequestError::Malformed("a target without a path"));
    };
    if text == "*" && method == Method::OPTIONS {
        return Ok(());
    }
    if !text.starts_with('/') {
        return Err(RequestError::Malformed("a target in no accepted form"));
    }
    // Without a way out of the loop it looks at many bytes at once.
    if text.bytes().fold(false, |found, byte| found | (byte <= b' ') | (byte == 0x7f)) {
        return Err(RequestError::Malformed("a control byte or blank in the target"));
    }
    if encodes_line_break(target.path().as_bytes()) {
        return Err(RequestError::Malformed("an encoded NUL, CR or LF in the path"));
    }
    Ok(())
}

/// Whether NUL, CR or LF stands in a path percent-encoded, up to [`ROUNDS`] times over.
fn encodes_line_break(path: &[u8]) -> bool {
    if !path.contains(&b'%') {
        return false;
    }
    let mut path: SmallVec<[u8; 512]> = SmallVec::from_slice(path);
    for _ in 0..ROUNDS {
        let before = path.len();
        path = decoded(&path);
        if path.iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n')) {
            return true;
        }
        if path.len() == before {
            return false;
        }
    }
    false
}

/// The path with every escape decoded once; what is no escape stays.
fn decoded(path: &[u8]) -> SmallVec<[u8; 512]> {
    let mut out = SmallVec::new();
    let mut rest = path;
    while let Some((byte, behind)) = rest.split_first() {
        let escape = if *byte == b'%' { escape(behind) } else { None };
        let (byte, behind) = escape.unwrap_or((*byte, behind));
        out.push(byte);
        rest = behind;
    }
    out
}

/// The byte that is encoded behind a `%`, and what follows. Of `uXXXX` only what encodes a byte counts.
fn escape(behind: &[u8]) -> Option<(u8, &[u8])> {
    let (high, low, rest) = match behind {
        [b'u' | b'U', b'0', b'0', high, low, rest @ ..] | [high, low, rest @ ..] => (*high, *low, rest),
        _ => return None,
    };
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some((digit(high)? << 4 | digit(low)?, rest))
}

/// A value holds no control byte but HTAB.
fn check_values(fields: &Fields) -> Result<(), RequestError> {
    let mut seen = Names::default();
    for field in fields.iter().filter(|field| SINGULAR.contain(field.known)) {
        if seen.contain(field.known) {
            return Err(RequestError::Malformed("a singular field sent twice"));
        }
        seen.add(field.known);
        if field.known == FieldName::Authorization
            && !field.value.iter().all(|byte| matches!(byte, b' '..=b'~'))
        {
            return Err(RequestError::Malformed("bytes outside visible ASCII in Authorization"));
        }
    }
    Ok(())
}

fn check_authority(head: &RequestHead) -> Result<(), RequestError> {
    let host = head.fields.get(FieldName::Host);
    let target = head.target.authority().map(str::as_bytes);
    match (host, target) {
        (Some(host), Some(target)) if !host.eq_ignore_ascii_case(target) => {
            if head.version > Version::HTTP_11 {
                return Err(RequestError::Malformed(":authority and host differ"));
            }
            check_host(host)?;
            check_host(target)
        }
        (Some(host), _) => check_host(host),
        (None, Some(_)) if head.version == Version::HTTP_11 => Err(RequestError::Malformed("no Host")),
        (None, Some(target)) => check_host(target),
        (None, None) if head.version <= Version::HTTP_10 => Ok(()),
        (None, None) => Err(RequestError::Malformed("no Host")),
    }
}

fn check_host(authority: &[u8]) -> Result<(), RequestError> {
    let (valid, behind) = match authority.split_first() {
        Some((b'[', literal)) => {
            let end = literal.iter().position(|byte| *byte == b']').unwrap_or(literal.len());
            let (address, behind) = literal.split_at(end);
            let is_address = str::from_utf8(address).is_ok_and(|address| address.parse::<Ipv6Addr>().is_ok());
            (is_address && !behind.is_empty(), behind.get(1..).unwrap_or_default())
        }
        _ => {
            let end = authority.iter().position(|byte| *byte == b':').unwrap_or(authority.len());
            let (name, behind) = authority.split_at(end);
            (is_name(name), behind)
        }
    };
    let has_port = behind.split_first().is_none_or(|(colon, port)| *colon == b':' && is_port(port));
    if valid && has_port { Ok(()) } else { Err(RequestError::Malformed("an invalid Host")) }
}

/// Labels of unreserved characters, none of them empty; a dot behind the last stands for the root.
fn is_name(name: &[u8]) -> bool {
    const UNRESERVED: [bool; 256] = unreserved();
    let mut before = b'.';
    for &byte in name.strip_suffix(b".").unwrap_or(name) {
        let unreserved = UNRESERVED.get(usize::from(byte)).copied().unwrap_or(false);
        if !unreserved || (byte == b'.' && before == b'.') {
            return false;
        }
        before = byte;
    }
    before != b'.'
}

/// RFC 3986 §2.3.
#[expect(clippy::indexing_slicing, reason = "evaluated at compile time, below 256")]
const fn unreserved() -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        byte += 1;
    }
    table
}

/// RFC 3986 §3.2.3 allows a colon without a port behind it.
fn is_port(port: &[u8]) -> bool {
    let number = port.iter().try_fold(0_u16, |front, byte| {
        let digit = byte.is_ascii_digit().then(|| u16::from(byte - b'0'))?;
        front.checked_mul(10)?.checked_add(digit)
    });
    port.len() <= 5 && number.is_some()
}

fn check_framing(head: &RequestHead) -> Result<(), RequestError> {
    let length = head.fields.get(FieldName::ContentLength);
    if length.is_some_and(|length| length.is_empty() || !length.iter().all(u8::is_ascii_digit)) {
        return Err(RequestError::Malformed("a Content-Length that is no number"));
    }
    let mut codings = head.fields.all(FieldName::TransferEncoding);
    let Some(coding) = codings.next() else { return Ok(()) };
    let chunked = coding.eq_ignore_ascii_case(b"chunked") && codings.next().is_none();
    if !chunked || length.is_some() || head.version != Version::HTTP_11 {
        return Err(RequestError::Malformed("an ambiguous Transfer-Encoding"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
