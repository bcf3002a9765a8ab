//! The head of a request as the gateway passes it around: method, target, version, fields.
//!
//! `http`'s own head, but for the fields, which cost neither a hash nor an allocation each, and the target, which is not
//! read a second time.

use super::fields::Fields;
use super::target::Target;
use http::request::Parts;
use http::{HeaderMap, Method, Request, Uri, Version};

/// A head.
#[derive(Clone, Debug, Default)]
pub struct RequestHead {
    /// Its method.
    pub method: Method,
    /// What it asks for.
    pub target: Target,
    /// The version that the client speaks.
    pub version: Version,
    /// Its fields.
    pub fields: Fields,
}

impl From<Parts> for RequestHead {
    fn from(parts: Parts) -> Self {
        let Parts { method, uri, version, headers, .. } = parts;
        Self { method, target: Target::from(uri), version, fields: Fields::from(&headers) }
    }
}

/// For whoever works with the types of `http`. Copies.
impl From<RequestHead> for Parts {
    fn from(head: RequestHead) -> Self {
        let (mut parts, ()) = Request::new(()).into_parts();
        let RequestHead { method, target, version, fields } = head;
        (parts.method, parts.uri, parts.version) = (method, Uri::from(&target), version);
        parts.headers = HeaderMap::from(&fields);
        parts
    }
}
