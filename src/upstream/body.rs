//! Bodies on their way: [`Outgoing`] to upstream, [`UpstreamBody`] back to the client.
//!
//! Both stream: nothing is polled before there is room for it. Invariants: a connection goes back to its pool only
//! once its response has ended and nothing of the request is left to send; whatever else happens to a body, the
//! connection is closed, so that no byte of one exchange can become part of another.

use super::deadline::Deadline;
use super::error::BodyError;
use super::names;
use super::pool::{Endpoint, Http1, Keep};
use crate::request::RequestError;
use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::cell::Cell;
use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use tokio::time::Instant;

/// How far a request body has come, seen by whoever waits for the response.
#[derive(Debug)]
pub(super) struct Upload {
    /// When upstream last took something.
    pub(super) last: Cell<Instant>,
    /// Whether we wait for the client, so that upstream's silence is not its fault.
    pub(super) awaits_client: Cell<bool>,
    /// Why the client's body failed, if it did.
    pub(super) failure: Cell<Option<RequestError>>,
}

/// A request body. Its kind is erased, for a connection carries requests of every kind.
pub(super) enum Outgoing {
    Empty,
    Stream { body: Pin<Box<dyn Body<Data = Bytes, Error = RequestError>>>, upload: Rc<Upload> },
}

impl Outgoing {
    pub(super) fn new(body: impl Body<Data = Bytes, Error = RequestError> + 'static) -> Self {
        if body.is_end_stream() {
            Self::Empty
        } else {
            let upload = Upload {
                last: Cell::new(Instant::now()),
                awaits_client: Cell::new(false),
                failure: Cell::new(None),
            };
            Self::Stream { body: Box::pin(body), upload: Rc::new(upload) }
        }
    }

    pub(super) fn upload(&self) -> Option<Rc<Upload>> {
        match self {
            Self::Empty => None,
            Self::Stream { upload, .. } => Some(Rc::clone(upload)),
        }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = RequestError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestError>>> {
        let Self::Stream { body, upload } = &mut *self else {
            return Poll::Ready(None);
        };
        let polled = body.as_mut().poll_frame(context);
        upload.awaits_client.set(polled.is_pending());
        let frame = ready!(polled);
        upload.last.set(Instant::now());
        if let Some(Err(error)) = &frame {
            upload.failure.set(Some(*error));
        }
        Poll::Ready(frame.map(|frame| frame.map(clean_trailers)))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Stream { body, .. } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Stream { body, .. } => body.size_hint(),
        }
    }
}

/// What a response body holds on to.
pub(super) enum Carrier {
    /// A connection of its own, to be returned.
    Http1 { connection: Box<Http1>, endpoint: Rc<Endpoint>, keep: Keep },
    /// A stream of a shared one.
    Http2(Deadline),
}

/// A response body from upstream. Dropped early, it stops the exchange.
pub struct UpstreamBody {
    incoming: Option<Incoming>,
    carrier: Option<Carrier>,
    address: SocketAddr,
}

impl UpstreamBody {
    pub(super) fn new(incoming: Incoming, carrier: Carrier, address: SocketAddr) -> Self {
        let mut body = Self { incoming: Some(incoming), carrier: Some(carrier), address };
        if body.is_end_stream() {
            body.finish();
        }
        body
    }

    /// A body without a byte: that of a 101.
    pub(super) fn empty(address: SocketAddr) -> Self {
        Self { incoming: None, carrier: None, address }
    }

    /// The response has ended: the connection may serve again.
    fn finish(&mut self) {
        if let Some(Carrier::Http1 { connection, endpoint, keep }) = self.carrier.take() {
            endpoint.put_back(connection, keep);
        }
    }

    fn poll_silence(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match &mut self.carrier {
            Some(Carrier::Http1 { connection, .. }) => connection.deadline.poll_silence(context),
            Some(Carrier::Http2(deadline)) => deadline.poll_silence(context),
            None => Poll::Pending,
        }
    }

    fn progress(&mut self) {
        match &mut self.carrier {
            Some(Carrier::Http1 { connection, .. }) => connection.deadline.progress(),
            Some(Carrier::Http2(deadline)) => deadline.progress(),
            None => {}
        }
    }

    /// The exchange ends here: the stream is dropped and its connection closed.
    fn abandon(&mut self) {
        self.incoming = None;
        self.carrier = None;
    }
}

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let address = self.address;
        let Some(incoming) = &mut self.incoming else {
            return Poll::Ready(None);
        };
        match Pin::new(incoming).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                self.progress();
                if self.is_end_stream() {
                    self.finish();
                }
                Poll::Ready(Some(Ok(clean_trailers(frame))))
            }
            Poll::Ready(Some(Err(source))) => {
                self.abandon();
                Poll::Ready(Some(Err(BodyError::BrokeOff { address, source })))
            }
            Poll::Ready(None) => {
                self.finish();
                Poll::Ready(None)
            }
            Poll::Pending => {
                ready!(self.poll_silence(context));
                self.abandon();
                Poll::Ready(Some(Err(BodyError::Stalled { address })))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl fmt::Debug for UpstreamBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamBody").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Takes out of a trailer what must not be there.
fn clean_trailers(frame: Frame<Bytes>) -> Frame<Bytes> {
    match frame.into_trailers() {
        Ok(trailers) if trailers.keys().any(names::is_forbidden_trailer) => {
            let kept: HeaderMap = trailers
                .iter()
                .filter(|(name, _)| !names::is_forbidden_trailer(name))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            Frame::trailers(kept)
        }
        Ok(trailers) => Frame::trailers(trailers),
        Err(frame) => frame,
    }
}
