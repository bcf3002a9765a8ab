//! The head of a response, read: bytes in → status, fields, and how its body is framed.
//!
//! A head is parsed once, when it is whole: plain lines at sight, everything else by `httparse`, which is lenient. Which of its
//! fields go on, and which framing is too ambiguous to go on at all, is decided in `response_fields`.

use super::super::error::BreakOff;
use super::super::response_fields;
use crate::http1::{FieldLines, PlainLine, header_map, mentions, plain_line};
use bytes::{Bytes, BytesMut};
use http::{StatusCode, Version, response};
use hyper::ext::ReasonPhrase;
use smallvec::SmallVec;
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
    match plain(head) {
        Some((line, fields)) => assemble(head, &line, &fields, wants_body),
        None => parse_any(head, wants_body),
    }
}

/// The first line of a response.
#[derive(PartialEq, Eq, Debug)]
struct StatusLine<'h> {
    is_old: bool,
    code: u16,
    reason: &'h str,
}

/// A head of plain lines alone, as nearly every server writes it.
fn plain(head: &[u8]) -> Option<(StatusLine<'_>, SmallVec<[httparse::Header<'_>; 16]>)> {
    let (first, reason) = head.split_at_checked(b"HTTP/1.1 200 ".len())?;
    let [a @ b'1'..=b'5', b, c] = *first.strip_prefix(b"HTTP/1.1 ")?.strip_suffix(b" ")? else { return None };
    let code = [a, b, c]
        .into_iter()
        .try_fold(0, |code, digit| digit.is_ascii_digit().then(|| code * 10 + u16::from(digit & 0xf)))?;
    let end = memchr::memchr(b'\r', reason)?;
    let (reason, mut rest) = (reason.get(..end)?, reason.get(end..)?.strip_prefix(b"\r\n")?);
    let reason = std::str::from_utf8(reason)
        .ok()
        .filter(|text| text.bytes().all(|sign| matches!(sign, b' '..=b'~')))?;
    let mut fields = SmallVec::new();
    while rest != b"\r\n" {
        let PlainLine { name, line } = plain_line(rest).filter(|_| fields.len() < FIELDS)?;
        let value = rest.get(name + 1..line)?.trim_ascii();
        fields.push(httparse::Header { name: std::str::from_utf8(rest.get(..name)?).ok()?, value });
        rest = rest.get(line + 2..)?;
    }
    Some((StatusLine { is_old: false, code, reason }, fields))
}

fn parse_any(head: &Bytes, wants_body: bool) -> Result<ResponseHead, BreakOff> {
    let mut fields = [const { MaybeUninit::uninit() }; FIELDS];
    let mut parsed = httparse::Response::new(&mut []);
    let outcome =
        httparse::ParserConfig::default().parse_response_with_uninit_headers(&mut parsed, head, &mut fields);
    match outcome {
        Ok(httparse::Status::Complete(end)) if end == head.len() => {}
        Ok(httparse::Status::Complete(_) | httparse::Status::Partial) => {
            return Err(BreakOff::NotHttp("no head"));
        }
        Err(error) => return Err(BreakOff::Head(error)),
    }
    let line = StatusLine {
        is_old: parsed.version == Some(0),
        code: parsed.code.unwrap_or_default(),
        reason: parsed.reason.unwrap_or_default(),
    };
    assemble(head, &line, parsed.headers, wants_body)
}

fn assemble(
    head: &Bytes,
    line: &StatusLine<'_>,
    fields: &[httparse::Header<'_>],
    wants_body: bool,
) -> Result<ResponseHead, BreakOff> {
    let not_http = BreakOff::NotHttp;
    let StatusLine { is_old, code, reason } = *line;
    let status = StatusCode::from_u16(code).map_err(|_| not_http("status"))?;
    let said = Said::of(fields);
    let has_none = !wants_body || is_bodiless(status);
    let framing = said.framing(has_none).ok_or_else(|| not_http("length"))?;
    let may_send_more = has_none && said.tells_of_body();
    let persists = !is_old && !said.closes && !may_send_more;
    let (mut parts, ()) = http::Response::new(()).into_parts();
    if status.canonical_reason() != Some(reason)
        && let Ok(reason) = ReasonPhrase::try_from(reason.as_bytes())
    {
        parts.extensions.insert(reason);
    }
    parts.status = status;
    parts.version = if is_old { Version::HTTP_10 } else { Version::HTTP_11 };
    if status == StatusCode::SWITCHING_PROTOCOLS {
        parts.headers = header_map(head, fields).ok_or_else(|| not_http("field"))?;
    }
    let lines = response_fields::lines(status, fields, head.len());
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_plain_head_is_read_as_everybody_reads_it(
            version in "HTTP/1\\.[01]|HTTP/1\\.1",
            code in "[0-9]{3}|200",
            reason in "[ -~\\t\u{e9}]{0,4}",
            fields in prop::collection::vec("[a-zA-Z!-]{1,4}:[ \t]{0,2}([ -~\t\u{e9}]{0,4}[!-~])?[ \t]{0,2}", 0..4),
            odd in "(\r\n|\n|\r|\0| a\r\n|:\r\n)?",
        ) {
            let lines: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
            let head = format!("{version} {code} {reason}\r\n{lines}{odd}\r\n");
            let end = end_of_head(head.as_bytes()).unwrap_or(head.len());
            let head = head.get(..end).unwrap();
            if let Some((line, fields)) = plain(head.as_bytes()) {
                let mut room = [httparse::EMPTY_HEADER; 16];
                let mut twin = httparse::Response::new(&mut room);
                prop_assert_eq!(twin.parse(head.as_bytes()), Ok(httparse::Status::Complete(head.len())));
                prop_assert_eq!((twin.version, twin.code), (Some(1), Some(line.code)));
                prop_assert_eq!((twin.reason, line.is_old), (Some(line.reason), false));
                prop_assert_eq!(&*twin.headers, &*fields);
            } else {
                let plain = version == "HTTP/1.1" && code.as_bytes()[0].wrapping_sub(b'1') < 5 && odd.is_empty();
                prop_assert!(!plain || !reason.is_ascii() || reason.contains('\t'));
            }
        }
    }
}
