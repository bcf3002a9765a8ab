//! The body of an HTTP/2 request with a time-out of its own.
//!
//! On HTTP/1 the wire itself sees that a body stays away; on HTTP/2 other streams go on meanwhile, so each
//! body has a slot. The client's time runs only while somebody waits for its bytes: a body that upstream does not take
//! is upstream's matter. Fails with [`RequestError::BodyTimeout`], and stays failed.

use super::deadline::{Registry, Slot, Wait};
use crate::request::{RequestBody, RequestError};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

/// A request body whose client is waited for no longer than its patience.
#[derive(Debug)]
pub struct Upload<B> {
    body: B,
    slot: Rc<Slot>,
    patience: Duration,
}

impl<B: Body<Data = Bytes, Error = RequestError> + Unpin + 'static> Upload<B> {
    /// The body, unless it has ended already: then it needs no clock.
    pub fn watch(body: B, registry: &Rc<Registry>, patience: Duration) -> RequestBody {
        if body.is_end_stream() {
            return RequestBody::full(Bytes::new());
        }
        RequestBody::wrapped(Self { body, slot: Slot::new(registry), patience })
    }
}

impl<B: Body<Data = Bytes, Error = RequestError> + Unpin> Body for Upload<B> {
    type Data = Bytes;
    type Error = RequestError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestError>>> {
        let this = self.get_mut();
        match Pin::new(&mut this.body).poll_frame(context) {
            Poll::Ready(frame) => {
                this.slot.disarm_read();
                Poll::Ready(frame)
            }
            Poll::Pending if this.slot.read_expired().is_some() => {
                Poll::Ready(Some(Err(RequestError::BodyTimeout)))
            }
            Poll::Pending => {
                this.slot.watch(context);
                this.slot.arm_read(Wait::Body, this.patience);
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
