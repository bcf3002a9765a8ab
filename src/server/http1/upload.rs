//! The body of a request, as the handler has it: a number and the wire in → its frames, read when they are asked for.

use super::wire::SharedWire;
use crate::request::RequestError;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite};

/// A handle on the body of one exchange; of no use in the next.
#[derive(Debug)]
pub(super) struct Upload<S> {
    wire: SharedWire<S>,
    exchange: u64,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Upload<S> {
    /// The body of the request whose head was just read; `None`: it has none.
    pub(super) fn begin(wire: &SharedWire<S>, expects_continue: bool) -> Option<Self> {
        let (exchange, framing) = wire.borrow_mut().begin(expects_continue);
        framing.map(|_| Self { wire: wire.clone(), exchange })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Body for Upload<S> {
    type Data = Bytes;
    type Error = RequestError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestError>>> {
        self.wire.borrow_mut().poll_frame(self.exchange, context)
    }

    fn is_end_stream(&self) -> bool {
        self.wire.borrow().has_ended()
    }

    fn size_hint(&self) -> SizeHint {
        self.wire.borrow().size_hint()
    }
}
