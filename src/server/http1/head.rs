//! A strict head as a request: bytes that the scanner let pass in → method, target, version, fields.

use crate::http1::header_map;
use crate::request::RequestError;
use bytes::Bytes;
use http::{Method, Request, Uri, Version};
use httparse::Status;
use std::mem::MaybeUninit;

/// Fields that are parsed without an allocation.
const INLINE_FIELDS: usize = 64;

/// Parses a head; values are parts of it.
///
/// # Errors
/// [`RequestError::Malformed`], which the scanner has ruled out.
pub(super) fn request(head: &Bytes, fields: usize) -> Result<Request<()>, RequestError> {
    let malformed = |_| RequestError::Malformed("head");
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
    let (Ok(Status::Complete(_)), Some(method), Some(target)) =
        (config.parse_request_with_uninit_headers(&mut parsed, head, room), parsed.method, parsed.path)
    else {
        return Err(RequestError::Malformed("head"));
    };
    let mut request = Request::new(());
    *request.method_mut() = Method::from_bytes(method.as_bytes()).map_err(|_| malformed(()))?;
    *request.uri_mut() =
        Uri::from_maybe_shared(head.slice_ref(target.as_bytes())).map_err(|_| malformed(()))?;
    *request.version_mut() = if parsed.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 };
    *request.headers_mut() = header_map(head, parsed.headers).ok_or(malformed(()))?;
    Ok(request)
}
