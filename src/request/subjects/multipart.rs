//! `multipart/form-data` (RFC 7578), by a reader that takes only what every other takes the same way.
//!
//! In: a body and its boundary. Out: fields for the collector, or an error. What lenient readers accept and strict
//! ones do not is refused: text before the first delimiter or behind the last, the boundary anywhere but in a
//! delimiter, bare CR or LF and folded lines in part heads, names with backslashes or extended parameters
//! (RFC 7578 §4.2 forbids those), transfer encodings, other charsets.

use super::collector::{Collector, Place};
use super::content_type::{check_own_charset, parameter};
use super::{names, query};
use crate::request::error::RequestError;
use memchr::memmem;
use std::borrow::Cow;

/// The most parts that are read.
const MAX_PARTS: usize = 128;
const MALFORMED: RequestError = RequestError::Malformed("multipart that parsers could differ about");

/// Reads a body.
pub(super) fn read(
    collector: &mut Collector<'_, '_>,
    boundary: &str,
    body: &[u8],
) -> Result<(), RequestError> {
    let delimiter = format!("--{boundary}");
    let mut rest = body.strip_prefix(delimiter.as_bytes()).ok_or(MALFORMED)?;
    for _ in 0..=MAX_PARTS {
        if let Some(end) = rest.strip_prefix(b"--") {
            return if matches!(end, b"" | b"\r\n") { Ok(()) } else { Err(MALFORMED) };
        }
        let part = rest.strip_prefix(b"\r\n").ok_or(MALFORMED)?;
        let next = memmem::find(part, delimiter.as_bytes()).ok_or(MALFORMED)?;
        let content = part.get(..next).and_then(|part| part.strip_suffix(b"\r\n")).ok_or(MALFORMED)?;
        read_part(collector, content)?;
        rest = part.get(next + delimiter.len()..).unwrap_or_default();
    }
    Err(RequestError::Malformed("too many parts in multipart"))
}

fn read_part(collector: &mut Collector<'_, '_>, part: &[u8]) -> Result<(), RequestError> {
    let end = memmem::find(part, b"\r\n\r\n").ok_or(MALFORMED)?;
    let (head, content) = (part.get(..end).unwrap_or_default(), part.get(end + 4..).unwrap_or_default());
    let head = std::str::from_utf8(head).map_err(|_| MALFORMED)?;
    let name = read_head(head)?;
    let plain = names::classify(name);
    let decoded = query::decode_leniently(name);
    check_own_charset(&decoded, content)?;
    if let Some(field) = plain.or_else(|| names::classify(&decoded)) {
        let value = std::str::from_utf8(content).map_err(|_| MALFORMED)?;
        collector.field(Place::Doubtful, field, Cow::Owned(value.to_owned()));
    }
    Ok(())
}

/// The part's name.
fn read_head(head: &str) -> Result<&str, RequestError> {
    let mut name = None;
    for line in head.split("\r\n") {
        let (field, value) = line.split_once(':').ok_or(MALFORMED)?;
        let token = field.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if field.is_empty() || !token || value.contains(|letter: char| letter.is_control() && letter != '\t')
        {
            return Err(MALFORMED);
        }
        let value = value.trim();
        match field.to_ascii_lowercase().as_str() {
            "content-disposition" if name.is_none() => name = Some(disposition(value)?),
            "content-disposition" | "content-encoding" => return Err(MALFORMED),
            "content-type" if !is_utf8(value) => {
                return Err(RequestError::Unsupported("a charset in multipart"));
            }
            "content-transfer-encoding" if !is_identity(value) => {
                return Err(RequestError::Unsupported("a transfer encoding in multipart"));
            }
            _ => {}
        }
    }
    name.ok_or(MALFORMED)
}

/// The `name` of a `Content-Disposition` (RFC 7578 §4.2).
fn disposition(value: &str) -> Result<&str, RequestError> {
    let mut rest = value.get(.."form-data".len()).filter(|kind| kind.eq_ignore_ascii_case("form-data"));
    rest = rest.and_then(|kind| value.get(kind.len()..));
    let mut rest = rest.ok_or(MALFORMED)?;
    let mut name = None;
    while let Some(behind) = rest.trim_start().strip_prefix(';') {
        let behind = behind.trim_start();
        let (parameter_name, end) = quoted_parameter(behind).ok_or(MALFORMED)?;
        let (piece, behind) = behind.split_at_checked(end).ok_or(MALFORMED)?;
        rest = behind;
        if parameter_name.eq_ignore_ascii_case("name") {
            let value = quoted_value(piece).ok_or(MALFORMED)?;
            if name.replace(value).is_some() {
                return Err(MALFORMED);
            }
        } else if !parameter_name.eq_ignore_ascii_case("filename") {
            return Err(MALFORMED);
        }
    }
    if rest.trim().is_empty() { name.ok_or(MALFORMED) } else { Err(MALFORMED) }
}

/// The name of the parameter that a text begins with, and where the parameter ends.
fn quoted_parameter(text: &str) -> Option<(&str, usize)> {
    let (name, value) = text.split_once('=')?;
    let length = match value.strip_prefix('"') {
        Some(quoted) => quoted.find('"')? + 2,
        None => value.find([';', ' ']).unwrap_or(value.len()),
    };
    let piece = value.get(..length)?;
    if piece.contains('\\') { None } else { Some((name, name.len() + 1 + length)) }
}

fn quoted_value(piece: &str) -> Option<&str> {
    let (_, value) = piece.split_once('=')?;
    match value.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"'),
        None if value.contains('"') => None,
        None => Some(value),
    }
}

fn is_utf8(content_type: &str) -> bool {
    content_type.split(';').skip(1).map(str::trim).filter(|piece| !piece.is_empty()).all(|piece| {
        let Some((name, value)) = parameter(piece) else { return false };
        let utf8 = matches!(value.to_ascii_lowercase().as_str(), "utf-8" | "utf8" | "us-ascii");
        !name.to_ascii_lowercase().starts_with("charset") || utf8
    })
}

fn is_identity(encoding: &str) -> bool {
    matches!(encoding.to_ascii_lowercase().as_str(), "7bit" | "8bit" | "binary")
}
