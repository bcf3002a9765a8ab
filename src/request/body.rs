//! The request's body: streamed through as it comes, or looked into first where a decision depends on it.

use super::error::RequestError;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};

/// A request body on its way upstream: what was already read for inspection, then the rest of the stream.
#[derive(Debug)]
pub struct RequestBody {
    read: Option<Bytes>,
    rest: hyper::body::Incoming,
}

impl RequestBody {
    /// A body of which nothing was read.
    pub fn new(rest: hyper::body::Incoming) -> Self {
        Self { read: None, rest }
    }

    /// Reads the whole body if it has at most `limit` bytes and keeps it to be sent on unchanged.
    ///
    /// # Errors
    /// [`RequestError::BodyTooLarge`], [`RequestError::BodyTimeout`], [`RequestError::BodyAborted`].
    pub async fn inspect(&mut self, _limit: usize) -> Result<Bytes, RequestError> {
        todo!()
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = RequestError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestError>>> {
        todo!()
    }

    fn is_end_stream(&self) -> bool {
        todo!()
    }

    fn size_hint(&self) -> SizeHint {
        todo!()
    }
}
