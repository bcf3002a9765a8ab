//! A response's body on its way back to the client.
//!
//! It streams: nothing is polled before there is room for it. Invariants: a connection goes back to its pool only
//! once its response has ended and nothing of the request is left to send; whatever else happens to a body, the
//! connection is closed, so that no byte of one exchange can become part of another.

use super::deadline::Deadline;
use super::error::{BodyError, BreakOff};
use super::http1::Http1;
use super::names;
use super::pool::{Endpoint, Keep};
use crate::http1::{FieldLines, Lined};
use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// Where a response body comes from.
pub(super) enum Source {
    /// A connection of its own, to be returned.
    Http1 { connection: Box<Http1>, endpoint: Rc<Endpoint>, keep: Keep },
    /// A stream of a shared one.
    Http2 { incoming: Incoming, deadline: Deadline },
}

/// A response body from upstream. Dropped early, it stops the exchange. Boxed, for it goes through many hands.
pub struct UpstreamBody(Box<Arriving>);

struct Arriving {
    /// `None` once it has ended.
    source: Option<Source>,
    address: SocketAddr,
    /// The fields of an HTTP/1.1 response.
    lines: Option<FieldLines>,
}

impl UpstreamBody {
    pub(super) fn new(source: Source, address: SocketAddr, lines: Option<FieldLines>) -> Self {
        let mut arriving = Box::new(Arriving { source: Some(source), address, lines });
        arriving.settle();
        Self(arriving)
    }

    /// A body without a byte: that of a 101.
    pub(super) fn empty(address: SocketAddr) -> Self {
        Self(Box::new(Arriving { source: None, address, lines: None }))
    }

    /// Whether nothing of it has to be waited for.
    pub fn is_here(&self) -> bool {
        match &self.0.source {
            None => true,
            Some(Source::Http1 { connection, .. }) => connection.is_here(),
            Some(Source::Http2 { incoming, .. }) => incoming.is_end_stream(),
        }
    }
}

impl Arriving {
    /// Returns the connection of a response that has ended: it may serve again.
    fn settle(&mut self) {
        let ended = self.source.as_ref().is_some_and(Source::has_ended);
        if ended && let Some(Source::Http1 { connection, endpoint, keep }) = self.source.take() {
            endpoint.put_back(connection, keep);
        }
    }
}

impl Source {
    fn has_ended(&self) -> bool {
        match self {
            Self::Http1 { connection, .. } => connection.has_ended(),
            Self::Http2 { incoming, .. } => incoming.is_end_stream(),
        }
    }

    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BreakOff>>> {
        match self {
            Self::Http1 { connection, .. } => connection.poll_frame(context),
            Self::Http2 { incoming, .. } => Pin::new(incoming).poll_frame(context).map_err(BreakOff::Http2),
        }
    }

    fn deadline(&mut self) -> &mut Deadline {
        match self {
            Self::Http1 { connection, .. } => &mut connection.deadline,
            Self::Http2 { deadline, .. } => deadline,
        }
    }
}

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let arriving = &mut *self.get_mut().0;
        let address = arriving.address;
        let Some(source) = &mut arriving.source else {
            return Poll::Ready(None);
        };
        match source.poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                source.deadline().progress();
                arriving.settle();
                Poll::Ready(Some(Ok(clean_trailers(frame))))
            }
            Poll::Ready(Some(Err(source))) => {
                arriving.source = None;
                Poll::Ready(Some(Err(BodyError::BrokeOff { address, source })))
            }
            Poll::Ready(None) => {
                arriving.settle();
                arriving.source = None;
                Poll::Ready(None)
            }
            Poll::Pending => {
                ready!(source.deadline().poll_silence(context));
                arriving.source = None;
                Poll::Ready(Some(Err(BodyError::Stalled { address })))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.source.as_ref().is_none_or(Source::has_ended)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0.source {
            None => SizeHint::with_exact(0),
            Some(Source::Http1 { connection, .. }) => connection.size_hint(),
            Some(Source::Http2 { incoming, .. }) => incoming.size_hint(),
        }
    }
}

impl Lined for UpstreamBody {
    fn take_lines(&mut self) -> Option<FieldLines> {
        self.0.lines.take()
    }
}

impl fmt::Debug for UpstreamBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamBody").field("address", &self.0.address).finish_non_exhaustive()
    }
}

/// Takes out of a trailer what must not be there.
pub(super) fn clean_trailers(frame: Frame<Bytes>) -> Frame<Bytes> {
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
