//! What blocked requests are answered: `[policy.blocked_*]`.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use hyper::ext::ReasonPhrase;

/// All four kinds.
#[derive(Clone, Debug)]
pub struct Answers {
    /// `[policy.blocked_api_key]`
    pub api_key: KeyAnswer,
    /// `[policy.blocked_page]`
    pub page: BlockedAnswer,
    /// `[policy.blocked_token]`: 400 and the error object of RFC 6749 §5.2.
    pub token: BlockedAnswer,
    /// `[policy.blocked_path]`
    pub path: BlockedAnswer,
}

impl Answers {
    /// Whether blocked API keys are answered by a decoy.
    pub fn has_decoy(&self) -> bool {
        matches!(self.api_key, KeyAnswer::Decoy)
    }
}

/// What a blocked API key gets.
#[derive(Clone, Debug)]
pub enum KeyAnswer {
    /// An answer of our own, by default 401 with an empty body.
    Respond(BlockedAnswer),
    /// The request goes upstream with a random key of the same shape.
    Decoy,
}

/// What a field of an answer says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FieldValue {
    /// This.
    Text(HeaderValue),
    /// What is true of the answer: the length of its body, or the time.
    FilledIn,
}

/// A configurable answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BlockedAnswer {
    /// Status; a redirect has 302 unless configured.
    pub status: StatusCode,
    /// The reason phrase over HTTP/1.1; `None`: the usual one of the status.
    pub reason: Option<ReasonPhrase>,
    /// Fields in the order in which they are sent.
    pub headers: Vec<(HeaderName, FieldValue)>,
    /// Whether the body is sent in chunks, without a length.
    pub chunked: bool,
    /// A configured body (`body` or the content of `body_file`); `None`: the built-in one.
    pub body: Option<Bytes>,
    /// `Location`, if it redirects.
    pub redirect: Option<HeaderValue>,
    /// `error` of a token answer.
    pub error: String,
}
