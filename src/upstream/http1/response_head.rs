//! The head of a response, read: bytes in → status, fields, and how its body is framed.
//!
//! A head is parsed once, when it is whole; `httparse` reads it as it reads requests everywhere else. Which of its
//! fields go on, and which framing is too ambiguous to go on at all, is decided in `response_fields`.

use super::super::error::BreakOff;
use super::super::response_fields;
use crate::http1::{FieldLines, header_map, mentions};
use bytes::{Bytes, BytesMut};
use http::{StatusCode, Version, response};
use hyper::ext::ReasonPhrase;
use std::mem::MaybeUninit;

/// The longest head.
const HEAD_BYTES: usize = 32 * 1024;
/// The most fields.
const FIELDS: usize = 100;

/// A head with the framing of the body behind it.
#[derive(Debug)]
pub struct ResponseHead {
    /// Status and reason; the fields of a 101 alone.
    pub parts: response::Parts,
    /// The fields that go on, or why the response cannot be passed on.
    pub lines: Result<FieldLines, &'static str>,
    pub(super) framing: Framing,
    /// Whether the connection stays open behind it (RFC 9112 §9.3). Not where fields tell of a body that has no place
    /// there, as in every answer to HEAD: some upstreams send it all the same, perhaps a moment later, and then it would
    /// be the answer to somebody else.
    pub(super) persists: bool,
}

/// Where a body ends (RFC 9112 §6.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
    /// With the connection.
    Close,
}

/// Takes a head from the front of what was read. `None`: it is not whole.
///
/// # Errors
/// What is there is no head, or too long for one.
pub(super) fn take(read: &mut BytesMut, wants_body: bool) -> Result<Option<ResponseHead>, BreakOff> {
    let end = end_of_head(read);
    if end.unwrap_or(read.len()) > HEAD_BYTES {
        return Err(BreakOff::NotHttp("head too long"));
    }
    let Some(end) = end else { return Ok(None) };
    let head = read.split_to(end).freeze();
    parse(&head, wants_body).map(Some)
}

/// Behind the first empty line. Linear.
pub(super) fn end_of_head(read: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'\n', read).find_map(|at| match read.get(at + 1..)? {
        [b'\n', ..] => Some(at + 2),
        [b'\r', b'\n', ..] => Some(at + 3),
        _ => None,
    })
}

fn parse(head: &Bytes, wants_body: bool) -> Result<ResponseHead, BreakOff> {
    let not_http = BreakOff::NotHttp;
    let mut fields = [const { MaybeUninit::uninit() }; FIELDS];
    let mut parsed = httparse::Response::new(&mut []);
    let outcome =
        httparse::ParserConfig::default().parse_response_with_uninit_headers(&mut parsed, head, &mut fields);
    match outcome {
        Ok(httparse::Status::Complete(end)) if end == head.len() => {}
        Ok(httparse::Status::Complete(_) | httparse::Status::Partial) => return Err(not_http("no head")),
        Err(error) => return Err(BreakOff::Head(error)),
    }
    let status =
        parsed.code.and_then(|code| StatusCode::from_u16(code).ok()).ok_or_else(|| not_http("status"))?;
    let is_old = parsed.version == Some(0);
    let said = Said::of(parsed.headers);
    let has_none = !wants_body || is_bodiless(status);
    let framing = said.framing(has_none).ok_or_else(|| not_http("length"))?;
    let may_send_more = has_none && said.tells_of_body();
    let persists = !is_old && !said.closes && !may_send_more;
    let (mut parts, ()) = http::Response::new(()).into_parts();
    if let Some(reason) = parsed.reason.filter(|reason| status.canonical_reason() != Some(reason))
        && let Ok(reason) = ReasonPhrase::try_from(reason.as_bytes())
    {
        parts.extensions.insert(reason);
    }
    parts.status = status;
    parts.version = if is_old { Version::HTTP_10 } else { Version::HTTP_11 };
    if status == StatusCode::SWITCHING_PROTOCOLS {
        parts.headers = header_map(head, parsed.headers).ok_or_else(|| not_http("field"))?;
    }
    let lines = response_fields::lines(status, parsed.headers, head.len());
    Ok(ResponseHead { parts, lines, framing, persists })
}

/// Whether responses with this status have no body, whatever their fields say (RFC 9112 §6.3).
fn is_bodiless(status: StatusCode) -> bool {
    status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

/// What fields say of the body and of the connection.
#[derive(Default)]
struct Said<'a> {
    closes: bool,
    coded: bool,
    length: Option<&'a [u8]>,
}

impl<'a> Said<'a> {
    fn of(fields: &[httparse::Header<'a>]) -> Self {
        let mut said = Self::default();
        for field in fields {
            let is = |name: &str| field.name.eq_ignore_ascii_case(name);
            match field.name.len() {
                10 if is("connection") => said.closes |= mentions(field.value, b"close"),
                14 if is("content-length") => said.length = said.length.or(Some(field.value)),
                17 if is("transfer-encoding") => said.coded = true,
                _ => {}
            }
        }
        said
    }

    /// Whether somebody sends a body, or would to another method.
    fn tells_of_body(&self) -> bool {
        self.coded || self.length.is_some_and(|length| length != b"0")
    }

    /// Lengths and codings that are ambiguous are refused elsewhere, and until then read as the longer body.
    fn framing(&self, has_none: bool) -> Option<Framing> {
        if has_none {
            return Some(Framing::Length(0));
        }
        match self.length {
            _ if self.coded => Some(Framing::Chunked),
            None => Some(Framing::Close),
            Some(length) => {
                let is_number = !length.is_empty() && length.iter().all(u8::is_ascii_digit);
                let length = std::str::from_utf8(length).ok().filter(|_| is_number)?;
                length.parse().ok().map(Framing::Length)
            }
        }
    }
}
