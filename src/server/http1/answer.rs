//! The head of a response: status and fields in → bytes, how the body is framed, and whether the connection stays.
//!
//! Framing is ours to say (RFC 9112 §6): a body of known length has a `Content-Length`, of unknown length chunks, and
//! towards HTTP/1.0 the end of the connection. What `Connection` says is ours too, but for a 101. `Date` is added
//! where the response has none (RFC 9110 §6.6.1).

use super::super::date;
use crate::http1::{Coding, FieldLines, mentions, put_field};
use crate::request::{FieldName, RequestHead};
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, DATE, TRANSFER_ENCODING};
use http::{Method, StatusCode, Version, response};
use http_body::Body;
use hyper::ext::ReasonPhrase;

/// What a response depends on of its request: on which terms it is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Terms {
    /// HEAD: the response has no body.
    is_head: bool,
    /// HTTP/1.0.
    is_old: bool,
    /// Whether the client wants the connection to stay.
    stays: bool,
    pub(super) expects_continue: bool,
    pub(super) takes_trailers: bool,
}

/// What was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Written {
    pub(super) coding: Coding,
    /// Whether another request can follow.
    pub(super) stays: bool,
    /// Whether another protocol follows.
    pub(super) switches: bool,
}

impl Terms {
    pub(super) fn of(request: &RequestHead) -> Self {
        let is_old = request.version == Version::HTTP_10;
        let says = |name, token: &[u8]| request.fields.all(name).any(|value| mentions(value, token));
        let closes = says(FieldName::Connection, b"close");
        let keeps = says(FieldName::Connection, b"keep-alive");
        Self {
            is_head: request.method == Method::HEAD,
            is_old,
            // Whatever follows a CONNECT is not HTTP, or not ours.
            stays: (keeps || !is_old) && !closes && request.method != Method::CONNECT,
            expects_continue: !is_old && says(FieldName::Expect, b"100-continue"),
            takes_trailers: !is_old && says(FieldName::Te, b"trailers"),
        }
    }

    /// A request that was not understood: the last one.
    pub(super) fn refused() -> Self {
        Self { is_head: false, is_old: false, stays: false, expects_continue: false, takes_trailers: false }
    }

    /// The same, but for the connection, which may have other reasons to end.
    pub(super) fn staying(self, may_stay: bool) -> Self {
        Self { stays: self.stays && may_stay, ..self }
    }
}

/// Writes a head.
pub(super) fn write<B: Body<Data = Bytes>>(
    head: &mut Vec<u8>,
    (parts, lines): (&response::Parts, &FieldLines),
    body: &B,
    terms: Terms,
) -> Written {
    let status = parts.status;
    let switches = status == StatusCode::SWITCHING_PROTOCOLS;
    let bodiless = status.is_informational() || status == StatusCode::NO_CONTENT;
    let (mut length, mut closes, mut has_date) = (lines.length, false, lines.is_dated);
    status_line(head, parts);
    head.extend_from_slice(lines.as_bytes());
    for (name, value) in &parts.headers {
        if name == CONNECTION {
            closes |= mentions(value.as_bytes(), b"close");
        } else if name == CONTENT_LENGTH {
            length = value.to_str().ok().and_then(|length| length.parse().ok());
        } else if name == DATE {
            has_date = true;
        }
        let is_ours = name == TRANSFER_ENCODING
            || (name == CONNECTION && !switches)
            || (name == CONTENT_LENGTH && bodiless);
        if !is_ours {
            put_field(head, name.as_str().as_bytes(), value.as_bytes());
        }
    }
    let coding = match length.or_else(|| body.size_hint().exact()) {
        _ if terms.is_head || bodiless || status == StatusCode::NOT_MODIFIED => Coding::None,
        Some(length) => Coding::Length(length),
        None if terms.is_old => Coding::Close,
        None => Coding::Chunked,
    };
    if length.is_none() {
        coding.put(head);
    }
    let stays = terms.stays && coding != Coding::Close && !closes;
    if !stays && !switches {
        put_field(head, b"connection", b"close");
    } else if terms.is_old {
        put_field(head, b"connection", b"keep-alive");
    }
    if !has_date {
        date::with_now(|now| put_field(head, b"date", now));
    }
    head.extend_from_slice(b"\r\n");
    Written { coding, stays, switches }
}

fn status_line(head: &mut Vec<u8>, parts: &response::Parts) {
    head.extend_from_slice(b"HTTP/1.1 ");
    head.extend_from_slice(parts.status.as_str().as_bytes());
    head.push(b' ');
    match parts.extensions.get::<ReasonPhrase>() {
        Some(reason) => head.extend_from_slice(reason.as_bytes()),
        None => head.extend_from_slice(parts.status.canonical_reason().unwrap_or_default().as_bytes()),
    }
    head.extend_from_slice(b"\r\n");
}
