//! Responses of the management API: JSON, text or nothing; never cached, never saying what made them.

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;

/// An object.
pub fn json(status: StatusCode, object: &impl Serialize) -> Response<Bytes> {
    match serde_json::to_vec(object) {
        Ok(text) => with_body(status, HeaderValue::from_static("application/json"), text.into()),
        Err(error) => {
            tracing::error!(%error, "an answer of the management API cannot be written as JSON");
            empty(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

/// An object, with 200.
pub fn ok(object: &impl Serialize) -> Response<Bytes> {
    json(StatusCode::OK, object)
}

/// Nothing.
pub fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A body of this media type.
pub fn with_body(status: StatusCode, media_type: HeaderValue, body: Bytes) -> Response<Bytes> {
    let mut response = empty(status);
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    *response.body_mut() = body;
    response
}

/// 405, with what is allowed (RFC 9110 §15.5.6).
pub fn method_not_allowed(allowed: &'static str) -> Response<Bytes> {
    let mut response = empty(StatusCode::METHOD_NOT_ALLOWED);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

/// 429, with when to come back.
pub fn slow_down(seconds: u64) -> Response<Bytes> {
    let mut response = empty(StatusCode::TOO_MANY_REQUESTS);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}
