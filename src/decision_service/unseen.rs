//! Bodies that a proxy keeps for itself.
//!
//! A decision request without a body does not mean that the original has none: nginx and Caddy never send it, Envoy
//! and Traefik only where they are told to. So an empty body counts as none only where the original can hardly have
//! one: GET, HEAD, OPTIONS, TRACE and DELETE without a `Content-Type` or `Content-Encoding`. Anywhere else it is a body
//! that cannot be read, which is refused (415) if and only if a decision depends on it. A part of a body is treated
//! as none of it.
//!
//! Out of sight remains the body of a GET without `Content-Type`, where the gateway itself would refuse it: no upstream is
//! known to look for a name in one.

use crate::request::{FieldName, RequestBody, RequestError, RequestHead};
use bytes::Bytes;
use http::Method;
use http_body::{Body, Frame};
use std::pin::Pin;
use std::task::{Context, Poll};

/// By it Envoy says that it sends the beginning alone (`allow_partial_message`).
const PARTIAL: &str = "x-envoy-auth-partial-body";

/// What is asked with these has seldom a body.
const MOSTLY_WITHOUT: [Method; 5] =
    [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE, Method::DELETE];

/// The body as it can be trusted: reading it fails where the original's may be another one.
pub(super) fn guarded(original: &RequestHead, body: RequestBody) -> RequestBody {
    let fields = &original.fields;
    if fields.named(PARTIAL).any(|value| value != b"false") {
        return RequestBody::wrapped(NotEmpty { body: RequestBody::default(), seen: false });
    }
    let none = MOSTLY_WITHOUT.contains(&original.method)
        && !fields.have(FieldName::ContentType)
        && !fields.have(FieldName::ContentEncoding);
    if none { body } else { RequestBody::wrapped(NotEmpty { body, seen: false }) }
}

/// A body whose end without a single byte before it is an error.
struct NotEmpty {
    body: RequestBody,
    seen: bool,
}

impl Body for NotEmpty {
    type Data = Bytes;
    type Error = RequestError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestError>>> {
        let Self { body, seen } = self.get_mut();
        let polled = Pin::new(body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            *seen |= frame.data_ref().is_some_and(|data| !data.is_empty());
        }
        match polled {
            Poll::Ready(None) if !*seen => {
                *seen = true;
                Poll::Ready(Some(Err(RequestError::Unsupported("the proxy did not send it"))))
            }
            polled => polled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    async fn heard(
        method: &str,
        headers: &[(&str, &str)],
        body: &'static str,
    ) -> Result<Bytes, RequestError> {
        let mut request = Request::builder().method(method);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        guarded(&parts.into(), RequestBody::full(body.into())).inspect(100).await
    }

    #[tokio::test]
    async fn an_empty_body_is_none_only_where_there_can_hardly_be_one() {
        const UNSEEN: Result<Bytes, RequestError> =
            Err(RequestError::Unsupported("the proxy did not send it"));
        const NONE: Result<Bytes, RequestError> = Ok(Bytes::new());
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let coded = [("content-encoding", "gzip")];
        for method in ["GET", "HEAD", "OPTIONS", "TRACE", "DELETE"] {
            assert_eq!(heard(method, &[], "").await, NONE, "{method}");
            assert_eq!(heard(method, &form, "").await, UNSEEN, "{method}");
            assert_eq!(heard(method, &coded, "").await, UNSEEN, "{method}");
        }
        for method in ["POST", "PUT", "PATCH", "QUERY", "get"] {
            assert_eq!(heard(method, &[], "").await, UNSEEN, "{method}");
        }
    }

    #[tokio::test]
    async fn a_body_that_was_sent_is_taken_and_a_part_of_one_is_not() {
        assert_eq!(heard("POST", &[], "a=b").await.unwrap(), "a=b");
        assert_eq!(heard("GET", &[("content-type", "text/plain")], "a=b").await.unwrap(), "a=b");
        for (value, taken) in [("false", true), ("true", false), ("", false), ("True", false)] {
            let heard = heard("POST", &[("x-envoy-auth-partial-body", value)], "a=b").await;
            assert_eq!(heard.is_ok(), taken, "{value}");
        }
    }

    #[test]
    fn what_may_be_unseen_is_not_at_its_end() {
        let (parts, ()) = Request::post("/").body(()).unwrap().into_parts();
        assert!(!guarded(&parts.into(), RequestBody::default()).is_end_stream());
    }
}
