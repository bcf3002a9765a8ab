//! The body of a request: bytes of DATA frames in, a stream for the handler out.
//!
//! Bytes wait here until the handler takes them, and what it takes the client may send again, so no stream holds more than
//! its window (RFC 9113 §5.2). What comes in small pieces is kept in one. A client that is waited for longer than
//! `timeouts.body` has failed; its time runs only while somebody waits.

use super::frame::ErrorCode;
use super::stream::{OpenStream, Stream};
use super::streams::Streams;
use super::window::Window;
use crate::request::RequestError;
use crate::server::deadline::{Slot, Wait};
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Bytes of a body that a stream may have in flight.
pub(super) const STREAM_WINDOW: u32 = 64 * 1024;

/// What has come of a body, and may come.
#[derive(Debug)]
pub(super) struct Incoming {
    data: BytesMut,
    trailers: Option<HeaderMap>,
    /// What is still to come by `Content-Length`.
    left: Option<u64>,
    window: Window,
    /// Bytes taken that the client was not told of.
    taken: u32,
    ended: bool,
    failure: Option<RequestError>,
    reader: Option<Waker>,
}

impl Incoming {
    /// Of a stream that begins. `length` is what its head says.
    pub(super) fn new(length: Option<u64>, ended: bool) -> Self {
        Self {
            data: BytesMut::new(),
            trailers: None,
            left: length,
            window: Window::new(STREAM_WINDOW),
            taken: 0,
            ended,
            failure: None,
            reader: None,
        }
    }

    /// Whether nothing more may come.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether all of it was taken.
    pub(super) fn is_over(&self) -> bool {
        self.ended && self.data.is_empty() && self.trailers.is_none()
    }

    /// Bytes that nobody has taken.
    pub(super) fn untaken(&self) -> usize {
        self.data.len()
    }

    /// A frame of this length begins.
    pub(super) fn charge(&self, bytes: usize) -> Result<(), ErrorCode> {
        if self.ended { Err(ErrorCode::StreamClosed) } else { self.window.charge(bytes) }
    }

    /// Bytes have come. Whether they are kept: of a body that failed nobody wants more.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<bool, ErrorCode> {
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(bytes.len() as u64).ok_or(ErrorCode::ProtocolError)?;
        }
        if self.failure.is_some() {
            return Ok(false);
        }
        self.data.extend_from_slice(bytes);
        self.wake();
        Ok(true)
    }

    /// The body is over.
    pub(super) fn end(&mut self, trailers: Option<HeaderMap>) -> Result<(), ErrorCode> {
        if self.left.is_some_and(|left| left > 0) {
            return Err(ErrorCode::ProtocolError);
        }
        (self.ended, self.trailers) = (true, trailers);
        self.wake();
        Ok(())
    }

    /// The rest will not come.
    pub(super) fn fail(&mut self, error: RequestError) {
        if !self.ended {
            self.failure = self.failure.or(Some(error));
            self.wake();
        }
    }

    /// So many bytes were taken: what the client is to be told that it may send.
    pub(super) fn release(&mut self, bytes: usize) -> u32 {
        self.taken = self.taken.saturating_add(u32::try_from(bytes).unwrap_or(STREAM_WINDOW));
        if self.ended || self.failure.is_some() || self.taken < STREAM_WINDOW / 2 {
            return 0;
        }
        let wider = std::mem::take(&mut self.taken);
        self.window.widen(wider).map_or(0, |()| wider)
    }

    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    fn next(&mut self) -> Option<Result<Frame<Bytes>, RequestError>> {
        if let Some(error) = self.failure {
            return Some(Err(error));
        }
        if !self.data.is_empty() {
            return Some(Ok(Frame::data(self.data.split().freeze())));
        }
        self.trailers.take().map(|trailers| Ok(Frame::trailers(trailers)))
    }
}

/// The body in the handler's hands.
pub(super) struct Upload {
    streams: Rc<Streams>,
    stream: Rc<Stream>,
    /// Whether the client waits to be told to go on.
    expects_continue: bool,
    clock: Option<Rc<Slot>>,
}

impl Upload {
    pub(super) fn of(open: &OpenStream, expects_continue: bool) -> Self {
        let (streams, stream) = (Rc::clone(&open.streams), Rc::clone(&open.stream));
        Self { streams, stream, expects_continue, clock: None }
    }

    /// Waits for the client, if there is time left.
    fn wait(&mut self, context: &Context<'_>) -> Result<(), RequestError> {
        if std::mem::take(&mut self.expects_continue) {
            self.streams.say_continue(&self.stream);
        }
        let clock = self.clock.get_or_insert_with(|| self.streams.clock());
        if clock.read_expired().is_some() {
            // Where other streams hold all that may be in flight, the client cannot send.
            if self.streams.incoming.room() > 0 {
                return Err(RequestError::BodyTimeout);
            }
            clock.disarm_read();
        }
        clock.watch(context);
        clock.arm_read(Wait::Body, self.streams.timeouts.body);
        Ok(())
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = RequestError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestError>>> {
        let this = self.get_mut();
        let next = this.stream.incoming.borrow_mut().next();
        if next.is_some() {
            if let Some(clock) = &this.clock {
                clock.disarm_read();
            }
            if let Some(Ok(frame)) = &next {
                this.streams.taken(&this.stream, frame.data_ref().map_or(0, Bytes::len));
            }
            return Poll::Ready(next);
        }
        if this.stream.incoming.borrow().ended {
            return Poll::Ready(None);
        }
        if let Err(error) = this.wait(context) {
            this.stream.incoming.borrow_mut().fail(error);
            return Poll::Ready(Some(Err(error)));
        }
        this.stream.incoming.borrow_mut().reader = Some(context.waker().clone());
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.stream.incoming.borrow().is_over()
    }

    fn size_hint(&self) -> SizeHint {
        let incoming = self.stream.incoming.borrow();
        let here = incoming.data.len() as u64;
        match incoming.left {
            Some(left) => SizeHint::with_exact(left.saturating_add(here)),
            None if incoming.ended => SizeHint::with_exact(here),
            None => {
                let mut hint = SizeHint::new();
                hint.set_lower(here);
                hint
            }
        }
    }
}
