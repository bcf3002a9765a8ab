//! The only place where refusals and failures become responses.
//!
//! Clients learn a status and what they may know; the cause is for the log. No answer names the product, its
//! version, the upstream or the content of a list.

use crate::config::{Answers, BlockedAnswer, FieldValue, KeyAnswer};
use crate::enforce::Refusal;
use crate::request::{FieldName, Fields, RequestError};
use crate::upstream::UpstreamError;
use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, DATE, LOCATION, RETRY_AFTER,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Version};
use std::fmt;
use std::net::IpAddr;
use std::time::SystemTime;

/// Who asked, as far as an answer depends on it.
#[derive(Clone, Copy)]
pub struct Asker<'a> {
    /// `HEAD` is answered without a body.
    pub method: &'a Method,
    /// In HTTP/1 the server writes how long a body is.
    pub version: Version,
    /// `Accept` chooses between a page and an object.
    pub fields: &'a Fields,
    /// The client's address, where it is known.
    pub client: Option<IpAddr>,
    /// What the log line of this request is found by; made when it is shown.
    pub request_id: &'a dyn fmt::Display,
}

impl fmt::Debug for Asker<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asker").field("client", &self.client).finish_non_exhaustive()
    }
}

/// The answer to a blocked request (SPEC §5).
pub fn refused(refusal: Refusal, answers: &Answers, asker: &Asker<'_>) -> Response<Bytes> {
    match refusal {
        Refusal::ApiKey => match &answers.api_key {
            KeyAnswer::Respond(answer) => configured(answer, || None, asker),
            // A decoy is forwarded; that it ends here means that its key could not be replaced.
            KeyAnswer::Decoy => empty(StatusCode::UNAUTHORIZED, asker),
        },
        Refusal::Page(_) => configured(&answers.page, || Some(page(asker)), asker),
        Refusal::Token => no_store(configured(&answers.token, || Some(token(&answers.token, asker)), asker)),
        Refusal::Path => configured(&answers.path, || Some(object("access_denied", asker)), asker),
        Refusal::Loopback => empty(StatusCode::NOT_FOUND, asker),
    }
}

/// The answer to a request that was not understood, or was too large or too slow. The connection is closed behind
/// those after which nothing on it can be trusted.
pub fn not_understood(error: RequestError) -> Response<Bytes> {
    let (status, close) = match error {
        RequestError::Malformed(_) => (StatusCode::BAD_REQUEST, true),
        RequestError::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, true),
        RequestError::HeadTimeout | RequestError::BodyTimeout => (StatusCode::REQUEST_TIMEOUT, true),
        RequestError::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, true),
        RequestError::TargetTooLong => (StatusCode::URI_TOO_LONG, true),
        RequestError::Unsupported(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, false),
        RequestError::HeadTooLarge => (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, true),
        RequestError::BodyAborted => (StatusCode::BAD_REQUEST, true),
        RequestError::TooManyConnections => (StatusCode::SERVICE_UNAVAILABLE, true),
    };
    let mut response = bare(status);
    if close {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"));
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// The answer where the upstream refused, timed out or broke off.
pub fn upstream_failed(error: &UpstreamError) -> Response<Bytes> {
    match error {
        UpstreamError::Request(error) => not_understood(*error),
        error if error.is_timeout() => bare(StatusCode::GATEWAY_TIMEOUT),
        _ => bare(StatusCode::BAD_GATEWAY),
    }
}

/// The answer to a question of another proxy that cannot be judged.
pub fn forbidden() -> Response<Bytes> {
    bare(StatusCode::FORBIDDEN)
}

/// The answer to another proxy's question about a request that may pass.
pub fn may_pass() -> Response<Bytes> {
    bare(StatusCode::OK)
}

/// The answer where one of our own tasks failed.
pub fn internal() -> Response<Bytes> {
    bare(StatusCode::INTERNAL_SERVER_ERROR)
}

struct Content {
    media_type: HeaderValue,
    body: Bytes,
}

fn configured(
    answer: &BlockedAnswer,
    built_in: impl FnOnce() -> Option<Content>,
    asker: &Asker<'_>,
) -> Response<Bytes> {
    let mut response = bare(answer.status);
    if let Some(reason) = &answer.reason {
        response.extensions_mut().insert(reason.clone());
    }
    let content = match &answer.body {
        Some(body) => Some(Content { media_type: media_type_of(body), body: body.clone() }),
        None if answer.redirect.is_some() => None,
        None => built_in(),
    };
    let headers = response.headers_mut();
    if let Some(location) = &answer.redirect {
        headers.insert(LOCATION, location.clone());
    }
    if let Some(content) = &content
        && !content.body.is_empty()
    {
        headers.insert(CONTENT_TYPE, content.media_type.clone());
    }
    let body = content.map_or_else(Bytes::new, |content| content.body);
    fields(headers, answer, &body);
    if answer.chunked {
        put_in_chunks(&mut response, body, asker.method);
    } else {
        put(&mut response, body, asker);
    }
    response
}

/// The configured fields, each where it stands in the configuration.
fn fields(headers: &mut HeaderMap, answer: &BlockedAnswer, body: &Bytes) {
    for (name, _) in &answer.headers {
        headers.remove(name);
    }
    for (name, value) in &answer.headers {
        let value = match value {
            FieldValue::Text(value) => Some(value.clone()),
            FieldValue::FilledIn if name == DATE => now(),
            FieldValue::FilledIn if answer.chunked => None,
            FieldValue::FilledIn => Some(HeaderValue::from(body.len())),
        };
        if let Some(value) = value {
            headers.append(name, value);
        }
    }
}

fn now() -> Option<HeaderValue> {
    HeaderValue::try_from(httpdate::fmt_http_date(SystemTime::now())).ok()
}

/// Marks a response whose body goes out in chunks, as the upstream's would.
#[derive(Clone, Copy, Debug)]
pub struct InChunks;

fn put_in_chunks(response: &mut Response<Bytes>, body: Bytes, method: &Method) {
    if method != Method::HEAD {
        response.extensions_mut().insert(InChunks);
        *response.body_mut() = body;
    }
}

/// A page for a browser, an object for everybody else.
fn page(asker: &Asker<'_>) -> Content {
    if !wants_html(asker.fields) {
        return object("access_denied", asker);
    }
    let id = asker.request_id;
    let body = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Access denied</title>\n<style>\n\
         :root{{color-scheme:light dark}}\n\
         body{{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:18vh auto;padding:0 1.5rem}}\n\
         p.id{{opacity:.6;font-size:.85rem}}\n</style>\n</head>\n<body>\n<h1>Access denied</h1>\n<p>{}</p>\n\
         <p>If you think that this is a mistake, tell your administrator this number:</p>\n\
         <p class=\"id\">{id}</p>\n</body>\n</html>\n",
        sentence(asker.client),
    );
    Content { media_type: HeaderValue::from_static("text/html; charset=utf-8"), body: body.into() }
}

/// RFC 6749 §5.2.
fn token(answer: &BlockedAnswer, asker: &Asker<'_>) -> Content {
    object(&answer.error, asker)
}

fn object(error: &str, asker: &Asker<'_>) -> Content {
    let (error, sentence) = (serde_json::Value::from(error), sentence(asker.client));
    let body = format!("{{\"error\":{error},\"error_description\":\"{sentence}\"}}");
    Content { media_type: HeaderValue::from_static("application/json"), body: body.into() }
}

fn sentence(client: Option<IpAddr>) -> String {
    match client {
        Some(client) => format!("Access from IP address {client} is not allowed."),
        None => "Access from an unknown IP address is not allowed.".to_owned(),
    }
}

fn wants_html(fields: &Fields) -> bool {
    fields.all(FieldName::Accept).any(|value| {
        value.split(|byte| *byte == b',').any(|range| {
            let media_type = range.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
            media_type.eq_ignore_ascii_case(b"text/html")
                || media_type.eq_ignore_ascii_case(b"application/xhtml+xml")
        })
    })
}

fn media_type_of(body: &[u8]) -> HeaderValue {
    match body.trim_ascii_start().first() {
        Some(b'<') => HeaderValue::from_static("text/html; charset=utf-8"),
        Some(b'{' | b'[') => HeaderValue::from_static("application/json"),
        _ => HeaderValue::from_static("text/plain; charset=utf-8"),
    }
}

fn no_store(mut response: Response<Bytes>) -> Response<Bytes> {
    response.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

fn empty(status: StatusCode, asker: &Asker<'_>) -> Response<Bytes> {
    let mut response = bare(status);
    put(&mut response, Bytes::new(), asker);
    response
}

/// The length comes last, unless a place is configured for it. In HTTP/1 the server writes it anyhow, but not where there is no
/// body: a response to `HEAD` says how long it would be (RFC 9110 §9.3.2), and so may a 304 (§15.4.5).
fn put(response: &mut Response<Bytes>, body: Bytes, asker: &Asker<'_>) {
    let is_head = asker.method == Method::HEAD;
    if is_head || asker.version > Version::HTTP_11 || response.status() == StatusCode::NOT_MODIFIED {
        response.headers_mut().entry(CONTENT_LENGTH).or_insert(HeaderValue::from(body.len()));
    }
    if !is_head {
        *response.body_mut() = body;
    }
}

fn bare(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}
