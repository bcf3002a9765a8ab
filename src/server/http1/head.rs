//! A strict head as a request: bytes that the scanner let pass in → method, target, version, fields.

use crate::http1::header_map;
use crate::request::RequestError;
use bytes::Bytes;
use http::{Method, Request, Uri, Version};
use httparse::Status;
use std::mem::MaybeUninit;

/// Fields that are parsed without an allocation.
const INLINE_FIELDS: usize = 100;

/// Parses a head; values are parts of it.
///
/// # Errors
/// [`RequestError::Malformed`], which the scanner has ruled out.
pub(super) fn request(head: &Bytes, fields: usize) -> Result<Request<()>, RequestError> {
    parse(head, fields).ok_or(RequestError::Malformed("head"))
}

fn parse(head: &Bytes, fields: usize) -> Option<Request<()>> {
    let mut inline = [const { MaybeUninit::uninit() }; INLINE_FIELDS];
    let mut outline;
    let room: &mut [MaybeUninit<httparse::Header<'_>>] = if fields <= INLINE_FIELDS {
        &mut inline
    } else {
        outline = vec![MaybeUninit::uninit(); fields];
        &mut outline
    };
    let mut parsed = httparse::Request::new(&mut []);
    let config = httparse::ParserConfig::default();
    let outcome = config.parse_request_with_uninit_headers(&mut parsed, head, room);
    if !matches!(outcome, Ok(Status::Complete(_))) {
        return None;
    }
    let mut request = Request::new(());
    *request.method_mut() = Method::from_bytes(parsed.method?.as_bytes()).ok()?;
    *request.uri_mut() = Uri::from_maybe_shared(head.slice_ref(parsed.path?.as_bytes())).ok()?;
    *request.version_mut() = if parsed.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 };
    *request.headers_mut() = header_map(head, parsed.headers)?;
    Some(request)
}
