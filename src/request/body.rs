//! The request's body: streamed through as it comes, or looked into first where a decision depends on it.
//!
//! In: the stream that the server wraps around a connection. Out: the same bytes and trailers, in the same
//! order. What was read by [`inspect`](RequestBody::inspect) is kept and sent on as it came; its length is then
//! known to the byte.
//!
//! Time-outs are the server's: it hands over a stream that fails with [`RequestError`] ([`RequestBody::wrapped`]).

use super::error::RequestError;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A request body on its way upstream: what was already read for inspection, then the rest of the stream. One that has
/// nothing in it is nothing: requests go through many hands, and few have a body.
#[derive(Default)]
pub struct RequestBody(Option<Box<Content>>);

struct Content {
    read: Bytes,
    trailers: Option<HeaderMap>,
    rest: Rest,
}

enum Rest {
    Wrapped(Pin<Box<dyn Body<Data = Bytes, Error = RequestError>>>),
    Done,
}

impl RequestBody {
    /// A body of which nothing was read.
    pub fn wrapped(rest: impl Body<Data = Bytes, Error = RequestError> + 'static) -> Self {
        let rest = Rest::Wrapped(Box::pin(rest));
        Self(Some(Box::new(Content { read: Bytes::new(), trailers: None, rest })))
    }

    /// A body that is known already.
    #[cfg(test)]
    pub(crate) fn full(bytes: Bytes) -> Self {
        Self(Some(Box::new(Content { read: bytes, trailers: None, rest: Rest::Done })))
    }

    /// Reads the whole body if it has at most `limit` bytes and keeps it to be sent on unchanged. A body in one
    /// piece is not copied. After an error the body is of no use.
    ///
    /// # Errors
    /// [`RequestError::BodyTooLarge`], [`RequestError::BodyTimeout`], [`RequestError::BodyAborted`].
    pub async fn inspect(&mut self, limit: usize) -> Result<Bytes, RequestError> {
        match &mut self.0 {
            Some(content) => content.inspect(limit).await,
            None => Ok(Bytes::new()),
        }
    }
}

impl Content {
    async fn inspect(&mut self, limit: usize) -> Result<Bytes, RequestError> {
        if self.rest.size_hint().lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
            return Err(RequestError::BodyTooLarge);
        }
        let mut pieces = Pieces { first: std::mem::take(&mut self.read), more: BytesMut::new() };
        while let Some(frame) = self.rest.frame().await {
            match frame?.into_data() {
                Ok(data) if pieces.len() + data.len() > limit => return Err(RequestError::BodyTooLarge),
                Ok(data) => pieces.push(data),
                Err(other) => self.trailers = other.into_trailers().ok(),
            }
        }
        self.rest = Rest::Done;
        let bytes = pieces.into_bytes();
        if bytes.len() > limit {
            return Err(RequestError::BodyTooLarge);
        }
        self.read = bytes.clone();
        Ok(bytes)
    }
}

/// Bytes as they come: one piece is kept as it is, several are put together.
struct Pieces {
    first: Bytes,
    more: BytesMut,
}

impl Pieces {
    fn len(&self) -> usize {
        self.first.len() + self.more.len()
    }

    fn push(&mut self, data: Bytes) {
        if self.first.is_empty() && self.more.is_empty() {
            self.first = data;
        } else {
            if self.more.is_empty() {
                self.more.extend_from_slice(&std::mem::take(&mut self.first));
            }
            self.more.extend_from_slice(&data);
        }
    }

    fn into_bytes(self) -> Bytes {
        if self.more.is_empty() { self.first } else { self.more.freeze() }
    }
}

impl Body for Rest {
    type Data = Bytes;
    type Error = RequestError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestError>>> {
        match self.get_mut() {
            Self::Done => Poll::Ready(None),
            Self::Wrapped(body) => body.as_mut().poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Done => true,
            Self::Wrapped(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Done => SizeHint::with_exact(0),
            Self::Wrapped(body) => body.size_hint(),
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = RequestError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestError>>> {
        let Some(content) = &mut self.get_mut().0 else { return Poll::Ready(None) };
        if !content.read.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut content.read)))));
        }
        if let Some(trailers) = content.trailers.take() {
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
        Pin::new(&mut content.rest).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        let ended = |content: &Content| {
            content.read.is_empty() && content.trailers.is_none() && content.rest.is_end_stream()
        };
        self.0.as_deref().is_none_or(ended)
    }

    fn size_hint(&self) -> SizeHint {
        let Some(content) = &self.0 else { return SizeHint::with_exact(0) };
        let read = u64::try_from(content.read.len()).unwrap_or(u64::MAX);
        let rest = content.rest.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(read));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(read));
        }
        hint
    }
}

/// Bodies may carry secrets; only their size is shown.
impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.size_hint();
        f.debug_struct("RequestBody").field("lower", &size.lower()).field("upper", &size.upper()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    /// Frames one after the other.
    struct Script(VecDeque<Result<Frame<Bytes>, RequestError>>);

    impl Body for Script {
        type Data = Bytes;
        type Error = RequestError;
        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, RequestError>>> {
            Poll::Ready(self.0.pop_front())
        }
    }

    fn data(text: &'static str) -> Result<Frame<Bytes>, RequestError> {
        Ok(Frame::data(Bytes::from_static(text.as_bytes())))
    }

    fn trailers() -> Result<Frame<Bytes>, RequestError> {
        let mut fields = HeaderMap::new();
        fields.insert("x-sum", http::HeaderValue::from_static("1"));
        Ok(Frame::trailers(fields))
    }

    fn body(frames: impl IntoIterator<Item = Result<Frame<Bytes>, RequestError>>) -> RequestBody {
        RequestBody::wrapped(Script(frames.into_iter().collect()))
    }

    async fn all(body: RequestBody) -> (String, bool) {
        let collected = body.collect().await.unwrap();
        let has_trailers = collected.trailers().is_some_and(|fields| fields["x-sum"] == "1");
        (String::from_utf8(collected.to_bytes().to_vec()).unwrap(), has_trailers)
    }

    #[tokio::test]
    async fn streams_unchanged_without_a_look() {
        assert_eq!(all(body([data("a"), data(""), data("bc"), trailers()])).await, ("abc".into(), true));
    }

    #[tokio::test]
    async fn a_look_changes_nothing() {
        for frames in [vec![], vec!["abc"], vec!["a", "b", "", "c"], vec!["", "abc"]] {
            let text = frames.concat();
            let mut body = body(frames.iter().map(|text| data(text)).chain([trailers()]));
            assert_eq!(body.inspect(3).await.unwrap(), text);
            assert_eq!(body.inspect(3).await.unwrap(), text, "twice");
            assert_eq!(body.size_hint().exact(), Some(text.len() as u64));
            assert!(!body.is_end_stream());
            assert_eq!(all(body).await, (text, true));
        }
    }

    #[tokio::test]
    async fn an_empty_body_is_at_its_end_after_a_look() {
        let mut body = body([]);
        assert_eq!(body.inspect(0).await.unwrap(), "");
        assert!(body.is_end_stream());
        assert_eq!(body.size_hint().exact(), Some(0));
    }

    #[tokio::test]
    async fn one_piece_is_not_copied() {
        let piece = Bytes::from(vec![b'x'; 100]);
        let mut body = body([Ok(Frame::data(piece.clone()))]);
        assert_eq!(body.inspect(100).await.unwrap().as_ptr(), piece.as_ptr());
    }

    #[tokio::test]
    async fn limits_and_errors() {
        assert_eq!(body([data("ab"), data("cd")]).inspect(3).await, Err(RequestError::BodyTooLarge));
        assert_eq!(RequestBody::full("abcd".into()).inspect(3).await, Err(RequestError::BodyTooLarge));
        let long = http_body_util::Full::new(Bytes::from_static(b"abcd")).map_err(|never| match never {});
        assert_eq!(RequestBody::wrapped(long).inspect(3).await, Err(RequestError::BodyTooLarge));
        let broken = || body([data("ab"), Err(RequestError::BodyTimeout)]);
        assert_eq!(broken().inspect(3).await, Err(RequestError::BodyTimeout));
        assert_eq!(broken().collect().await.unwrap_err(), RequestError::BodyTimeout);
        assert_eq!(RequestBody::wrapped(Endless).inspect(1000).await, Err(RequestError::BodyTooLarge));
    }

    struct Endless;

    impl Body for Endless {
        type Data = Bytes;
        type Error = RequestError;
        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, RequestError>>> {
            Poll::Ready(Some(data("abcdefgh")))
        }
    }

    #[test]
    fn debug_shows_no_content() {
        assert!(!format!("{:?}", RequestBody::full("secret".into())).contains("secret"));
    }
}
