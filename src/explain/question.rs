//! A request as somebody asks about it, checked: it can be turned into the same thing that a server would see.

use crate::request::{FieldName, Fields, RequestHead, Target};
use bytes::Bytes;
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, Version};
use std::fmt;
use std::net::IpAddr;

/// Who sends the request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Client {
    /// A client with this address, however it was found.
    Known(IpAddr),
    /// A client whose address cannot be determined.
    Undetermined,
    /// Whoever the forwarding header names when this peer sends it.
    Behind(IpAddr),
}

/// A request to be explained.
#[derive(Clone)]
pub struct Question {
    /// Who sends it.
    pub client: Client,
    /// Its method.
    pub method: Method,
    /// Its target.
    pub target: Uri,
    /// Its header fields; the order of lines of one name is kept.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// Header values, query and body may be secret.
impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut question = f.debug_struct("Question");
        question
            .field("client", &self.client)
            .field("method", &self.method)
            .field("path", &self.target.path());
        question.finish_non_exhaustive()
    }
}

/// A request that cannot be built.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum QuestionError {
    /// Not a method.
    #[error("`{0}` is not a method, expected one like `GET`")]
    Method(String),
    /// Not a request target.
    #[error("`{0}` is not a request target, expected one like `/oauth2/authorize?client_id=ID`")]
    Target(String),
    /// Not a header field; values are not repeated in the message, they may be secret.
    #[error("the header field `{0}` is not valid, expected `Name: value`")]
    Header(String),
    /// Not an address.
    #[error("`{0}` is not an IP address, expected one like `192.0.2.1`, or `unknown`")]
    Address(String),
}

/// The word for a client whose address cannot be determined, as RFC 7239 §6.2 has it.
const UNKNOWN: &str = "unknown";

impl Client {
    /// Reads an address, or `unknown`.
    ///
    /// # Errors
    /// [`QuestionError::Address`]
    pub fn parse(text: &str) -> Result<Self, QuestionError> {
        if text == UNKNOWN {
            return Ok(Self::Undetermined);
        }
        text.parse().map(Self::Known).map_err(|_| QuestionError::Address(text.to_owned()))
    }
}

impl Question {
    /// `GET /` by a client.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            method: Method::GET,
            target: Uri::from_static("/"),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    /// With another method.
    ///
    /// # Errors
    /// [`QuestionError::Method`]
    pub fn with_method(mut self, method: &str) -> Result<Self, QuestionError> {
        self.method = method.parse().map_err(|_| QuestionError::Method(method.to_owned()))?;
        Ok(self)
    }

    /// With another target.
    ///
    /// # Errors
    /// [`QuestionError::Target`]
    pub fn with_target(mut self, target: &str) -> Result<Self, QuestionError> {
        self.target = target.parse().map_err(|_| QuestionError::Target(target.to_owned()))?;
        Ok(self)
    }

    /// With one more header line.
    ///
    /// # Errors
    /// [`QuestionError::Header`]
    pub fn with_header(mut self, name: &str, value: &str) -> Result<Self, QuestionError> {
        let invalid = || QuestionError::Header(name.to_owned());
        let field = name.trim().parse::<HeaderName>().map_err(|_| invalid())?;
        // From bytes: what is not ASCII is for the gateway's own checks to refuse.
        let value = HeaderValue::from_bytes(value.trim().as_bytes()).map_err(|_| invalid())?;
        self.headers.append(field, value);
        Ok(self)
    }

    /// With a body.
    pub fn with_body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// The head as a server would see it: `Host` and `Content-Length` are there.
    pub(super) fn head(&self) -> RequestHead {
        let mut fields = Fields::from(&self.headers);
        if !fields.have(FieldName::Host) {
            // RFC 9112 §3.2.2: with an absolute target, `Host` is its authority.
            let authority = self.target.authority().map_or("localhost", Authority::as_str);
            fields.append("host", authority.as_bytes());
        }
        let framed = [FieldName::ContentLength, FieldName::TransferEncoding];
        if !self.body.is_empty() && !framed.iter().any(|name| fields.have(*name)) {
            fields.append("content-length", self.body.len().to_string().as_bytes());
        }
        let (method, target) = (self.method.clone(), Target::from(self.target.clone()));
        RequestHead { method, target, version: Version::default(), fields }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_request_is_refused() {
        let get = || Question::new(Client::Undetermined);
        assert!(get().with_method("G T").is_err());
        assert!(get().with_target("/a b").is_err());
        assert!(get().with_target("").is_err());
        assert!(get().with_header("a b", "c").is_err());
        let secret = get().with_header("Authorization", "SECRET\n").map(|_| ());
        assert_eq!(secret, Ok(()), "blanks at the end are not part of the value");
        let secret = get().with_header("Authorization", "SEC\nRET").map(|_| ()).unwrap_err();
        assert!(!secret.to_string().contains("RET"));
        assert_eq!(Client::parse("unknown"), Ok(Client::Undetermined));
        for text in ["", "1.2.3", "010.0.0.1", "UNKNOWN", "1.2.3.4:5"] {
            assert!(Client::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_head_is_whole() {
        let question = Question::new(Client::Undetermined).with_body("abc");
        let framing = |question: &Question| {
            let fields = question.head().fields;
            [FieldName::Host, FieldName::ContentLength].map(|name| fields.get(name).unwrap().to_vec())
        };
        assert_eq!(framing(&question), [b"localhost".to_vec(), b"3".to_vec()]);
        let given = question.with_header("host", "a").unwrap().with_header("content-length", "9").unwrap();
        assert_eq!(framing(&given), [b"a".to_vec(), b"9".to_vec()]);
    }
}
