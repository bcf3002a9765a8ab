//! The head of a response, read: bytes in → status, fields, and how its body is framed.
//!
//! A head is parsed once, when it is whole: by `plain_head`, or where that leaves it by `httparse`. Which of its fields go
//! on, and which framing is too ambiguous to go on at all, is decided in `response_fields`.

use super::super::error::BreakOff;
use super::super::response_fields;
use super::plain_head::{PlainHead, RawFields, plain_head};
use crate::http1::{FieldLine, FieldLines, decimal, header_map, mentions};
use bytes::{Buf, Bytes, BytesMut};
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
    if let Some((head, length)) = understand_plain(read, wants_body)? {
        read.advance(length);
        return Ok(Some(head));
    }
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

/// The head in front, and how long it is, if it can be read the short way.
fn understand_plain(read: &[u8], wants_body: bool) -> Result<Option<(ResponseHead, usize)>, BreakOff> {
    let mut fields = RawFields::new();
    match plain_head(read, &mut fields) {
        Some(PlainHead { status, length }) if length <= HEAD_BYTES && fields.len() <= FIELDS => {
            let head = understand(status, Version::HTTP_11, (&fields, length), wants_body)?;
            Ok(Some((head, length)))
        }
        _ => Ok(None),
    }
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
    let version = if parsed.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 };
    let fields = parsed.headers.iter().map(|field| {
        let (name, value) = (field.name.as_bytes(), field.value);
        FieldLine { name, value, text: None }
    });
    let fields: RawFields<'_> = fields.collect();
    let mut response = understand(status, version, (&fields, head.len()), wants_body)?;
    if let Some(reason) = parsed.reason.filter(|reason| status.canonical_reason() != Some(reason))
        && let Ok(reason) = ReasonPhrase::try_from(reason.as_bytes())
    {
        response.parts.extensions.insert(reason);
    }
    if status == StatusCode::SWITCHING_PROTOCOLS {
        response.parts.headers = header_map(head, parsed.headers).ok_or_else(|| not_http("field"))?;
    }
    Ok(response)
}

/// What a head of so many bytes means, but for its reason.
fn understand(
    status: StatusCode,
    version: Version,
    (fields, bytes): (&RawFields<'_>, usize),
    wants_body: bool,
) -> Result<ResponseHead, BreakOff> {
    let said = Said::of(fields);
    let has_none = !wants_body || is_bodiless(status);
    let framing = said.framing(has_none).ok_or(BreakOff::NotHttp("length"))?;
    let may_send_more = has_none && said.tells_of_body();
    let persists = version != Version::HTTP_10 && !said.closes && !may_send_more;
    let (mut parts, ()) = http::Response::new(()).into_parts();
    (parts.status, parts.version) = (status, version);
    let lines = response_fields::lines(status, fields, bytes);
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
    fn of(fields: &[FieldLine<'a>]) -> Self {
        let mut said = Self::default();
        for field in fields {
            let is = |name: &[u8]| field.name.eq_ignore_ascii_case(name);
            match field.name.len() {
                10 if is(b"connection") => said.closes |= mentions(field.value, b"close"),
                14 if is(b"content-length") => said.length = said.length.or(Some(field.value)),
                17 if is(b"transfer-encoding") => said.coded = true,
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
            Some(length) => decimal(length).map(Framing::Length),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What was read of a head, so that two readings can be compared.
    fn shown(head: &ResponseHead) -> impl PartialEq + std::fmt::Debug + use<> {
        let lines = head.lines.as_ref().map(|lines| lines.as_bytes().to_vec()).map_err(|reason| *reason);
        let reason = head.parts.extensions.get::<ReasonPhrase>().cloned();
        (head.parts.status, head.parts.version, reason, lines, head.framing, head.persists)
    }

    proptest! {
        /// Heads with something odd here and there, and bytes behind them.
        #[test]
        fn the_short_way_reads_as_the_long_one(
            line in "HTTP/1\\.[01] ([1-9][0-9]{2}|200|404|204|304|500)( (OK|Not Found|No Content|Not Modified|[ -~]{0,3}))?",
            fields in prop::collection::vec(
                "([!#$%&'*+.^_`|~a-zA-Z0-9-]{1,9}|Content-Length|transfer-encoding|Connection|[ -~\u{80}-\u{ff}]{1,3}):\
                 [ \t]{0,2}([!-~\u{80}-\u{ff}][ \t!-~]{0,9}|[0-9]{1,3}|close|chunked|\u{0}|\u{7f})?[ \t]{0,2}\r?\n",
                0..6,
            ),
            behind in "[ -~]{0,5}",
            wants_body: bool,
        ) {
            let text = format!("{line}\r\n{}\r\n{behind}", fields.concat());
            if let Ok(Some((head, length))) = understand_plain(text.as_bytes(), wants_body) {
                prop_assert_eq!(end_of_head(text.as_bytes()), Some(length));
                let whole = Bytes::copy_from_slice(&text.as_bytes()[..length]);
                prop_assert_eq!(shown(&head), shown(&parse(&whole, wants_body).unwrap()));
            }
        }
    }

    #[test]
    fn heads_as_servers_write_them_go_the_short_way() {
        let text = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-A:1 \r\nContent-Length: 3\r\n\r\nabc";
        let (head, length) = understand_plain(text, true).unwrap().unwrap();
        assert_eq!((head.framing, length, head.persists), (Framing::Length(3), text.len() - 3, true));
        let lines = head.lines.unwrap();
        assert_eq!(lines.as_bytes(), b"content-type: text/html\r\nx-a: 1\r\ncontent-length: 3\r\n");
        for left in [
            "HTTP/1.0 200 OK\r\n\r\n",
            "HTTP/1.1 200 Fine\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\n\r\n",
            "HTTP/1.1 200 OK\r\na: b\n\r\n",
            "HTTP/1.1 200 OK\r\na : b\r\n\r\n",
            "HTTP/1.1 200 OK\r\na: b\r\n c\r\n\r\n",
            "HTTP/1.1 200 OK\r\na: b\r\n",
            &format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(FIELDS + 1)),
            &format!("HTTP/1.1 200 OK\r\na: {}\r\n\r\n", "b".repeat(HEAD_BYTES)),
        ] {
            assert!(understand_plain(left.as_bytes(), true).unwrap().is_none(), "{left:.60}");
        }
    }
}
