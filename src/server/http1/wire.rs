//! The client's side of an HTTP/1 connection: bytes in → heads, and the pieces of bodies, each once and in order.
//!
//! Every byte goes through the [`Scanner`] before anybody else looks at it. Heads are read through a buffer of the
//! worker's; what a connection keeps is what it has yet to make sense of, so an idle one keeps nothing.
//!
//! Time-outs: `head` from the first byte of a head, `idle` before it, `body` while a body is asked for and nothing
//! comes. A body that fails, by time or framing, fails for good, and nothing follows on the connection.

use super::super::connection::Settings;
use super::super::deadline::{Slot, Wait};
use super::super::scanner::{Framing, Head, Phase, Piece, Scanner};
use super::super::scratch;
use super::super::stream::Paced;
use crate::config::Timeouts;
use crate::http1::fields_of;
use crate::request::RequestError;
use crate::request::fields::Place;
use bytes::{Buf, Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

/// Room behind a head.
const FIELD_OF_OURS: usize = 64;
/// What is read at once of a body that has shown to be small, and of any.
const SMALLEST: usize = 4 * 1024;
const LARGEST: usize = 64 * 1024;
/// Bytes of a body that nobody asked for and that are passed over to get to the next request.
const DISCARDED: usize = 64 * 1024;
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// A stream that the reading and the writing side of a connection share; borrowed for the length of a poll.
#[derive(Debug)]
pub(in crate::server) struct Shared<S>(Rc<RefCell<Paced<S>>>);

impl<S> Clone for Shared<S> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<S> Shared<S> {
    pub(super) fn new(stream: Paced<S>) -> Self {
        Self(Rc::new(RefCell::new(stream)))
    }

    /// The stream, if nobody else has it any more.
    pub(super) fn into_inner(self) -> Option<S> {
        Rc::into_inner(self.0).map(|stream| stream.into_inner().into_inner())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Shared<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Shared<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_shutdown(context)
    }
}

/// What comes next of a client.
#[derive(Debug)]
pub(super) enum Next {
    /// A whole, strict head, and where its fields stand.
    Head(BytesMut, Vec<Place>),
    /// A head that is refused; nothing behind it will be read.
    Refused(RequestError),
    /// Nothing.
    Over,
}

/// The reading side of a connection.
#[derive(Debug)]
pub(super) struct Wire<S> {
    stream: Shared<S>,
    scanner: Scanner,
    slot: Rc<Slot>,
    timeouts: Timeouts,
    /// Read, and not made sense of yet.
    read: BytesMut,
    /// So many of its first bytes were scanned: the beginning of a head.
    scanned: usize,
    /// How much room to make for the next read of a body.
    room: usize,
    trailers: BytesMut,
    /// Of the 100 that the client waits for, what is still to be written.
    interim: &'static [u8],
    /// Whether it never was: then nobody knows whether a body comes.
    unasked: bool,
    failure: Option<RequestError>,
    /// Whoever waits for more of the body, perhaps in a task of its own.
    reader: Option<Waker>,
    /// Exchanges that have begun. A body handle of an earlier one reads nothing.
    exchanges: u64,
}

pub(super) type SharedWire<S> = Rc<RefCell<Wire<S>>>;

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) fn shared(stream: Shared<S>, slot: Rc<Slot>, settings: Settings) -> SharedWire<S> {
        Rc::new(RefCell::new(Self {
            stream,
            scanner: Scanner::new(settings.limits),
            slot,
            timeouts: settings.timeouts,
            read: BytesMut::new(),
            scanned: 0,
            room: SMALLEST,
            trailers: BytesMut::new(),
            interim: &[],
            unasked: false,
            failure: None,
            reader: None,
            exchanges: 0,
        }))
    }

    /// The next head.
    pub(super) fn poll_head(&mut self, context: &mut Context<'_>) -> Poll<Next> {
        loop {
            match self.scan_head() {
                Ok(Some(head)) => return Poll::Ready(head),
                Ok(None) => {}
                Err(error) => return Poll::Ready(Next::Refused(error)),
            }
            match self.slot.read_expired() {
                Some(Wait::Head) => return Poll::Ready(Next::Refused(RequestError::HeadTimeout)),
                Some(Wait::Idle | Wait::Body) => return Poll::Ready(Next::Over),
                None => {}
            }
            match self.poll_scratch(context) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Next::Over),
                Poll::Ready(Ok(_)) => {}
                Poll::Pending => {
                    match self.scanner.phase() {
                        Phase::Between => self.slot.arm_read(Wait::Idle, self.timeouts.idle),
                        Phase::Head | Phase::Body => self.slot.arm_read(Wait::Head, self.timeouts.head),
                    }
                    return Poll::Pending;
                }
            }
        }
    }

    fn scan_head(&mut self) -> Result<Option<Next>, RequestError> {
        let fresh = self.read.get(self.scanned..).unwrap_or_default();
        if fresh.is_empty() {
            return Ok(None);
        }
        match self.scanner.head(fresh)? {
            Head::Partial => {
                self.scanned = self.read.len();
                Ok(None)
            }
            Head::Whole(length) => {
                let end = self.read.len().min(self.scanned + length);
                self.scanned = 0;
                self.slot.disarm_read();
                let head = if end == self.read.len() {
                    std::mem::take(&mut self.read)
                } else {
                    self.read.split_to(end)
                };
                Ok(Some(Next::Head(head, self.scanner.take_places())))
            }
        }
    }

    /// Reads through the worker's buffer; keeps what came, and no more room than that and a field of ours.
    fn poll_scratch(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        scratch::with(|scratch| {
            let mut buffer = ReadBuf::new(scratch);
            ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer))?;
            let room = buffer.filled().len() + FIELD_OF_OURS;
            // Made anew, an empty one costs less than if it grows.
            if self.read.is_empty() {
                self.read = BytesMut::with_capacity(room);
            } else {
                self.read.reserve(room);
            }
            self.read.extend_from_slice(buffer.filled());
            Poll::Ready(Ok(buffer.filled().len()))
        })
    }

    /// A request has begun: its number, and how its body is framed, if it has one.
    pub(super) fn begin(&mut self, expects_continue: bool) -> (u64, Option<Framing>) {
        self.exchanges += 1;
        self.interim = if expects_continue && self.read.is_empty() { CONTINUE } else { &[] };
        (self.exchanges, self.scanner.framing())
    }

    /// The response begins: nobody is told to go on with a body any more. What is left of a 100 that was half said has to
    /// be sent in front of it.
    pub(super) fn answering(&mut self) -> &'static [u8] {
        let rest = std::mem::take(&mut self.interim);
        self.unasked = rest.len() == CONTINUE.len();
        if self.unasked { &[] } else { rest }
    }

    /// The next piece of the body of this exchange; `None` behind the last.
    pub(super) fn poll_frame(
        &mut self,
        exchange: u64,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestError>>> {
        if exchange != self.exchanges {
            return Poll::Ready(Some(Err(RequestError::BodyAborted)));
        }
        loop {
            if let Some(error) = self.failure {
                return Poll::Ready(Some(Err(error)));
            }
            if self.has_ended() {
                return Poll::Ready(None);
            }
            match self.next_piece() {
                Ok(Some(frame)) => return Poll::Ready(Some(Ok(frame))),
                Ok(None) if !self.read.is_empty() || self.has_ended() => {}
                Ok(None) => ready!(self.poll_body(context)),
                Err(_) => self.fail(RequestError::BodyAborted),
            }
        }
    }

    /// What can be made of what was read. `None`: nothing yet, or the end.
    fn next_piece(&mut self) -> Result<Option<Frame<Bytes>>, RequestError> {
        if self.read.is_empty() {
            return Ok(None);
        }
        match self.scanner.body(&self.read)? {
            Piece::Data(length) => {
                let length = length.min(self.read.len());
                return Ok(Some(Frame::data(self.read.split_to(length).freeze())));
            }
            Piece::Framing(length) => self.read.advance(length.min(self.read.len())),
            Piece::Trailers(length) => {
                let length = length.min(self.read.len());
                self.trailers.extend_from_slice(&self.read.split_to(length));
            }
        }
        if !self.has_ended() || self.trailers.len() <= 2 {
            return Ok(None);
        }
        let trailers = std::mem::take(&mut self.trailers).freeze();
        let fields = fields_of(&trailers).map_err(|_| RequestError::Malformed("trailers"))?;
        Ok(Some(Frame::trailers(fields)))
    }

    /// Reads more of the body; whatever goes wrong is a failure of the body.
    fn poll_body(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.slot.read_expired() == Some(Wait::Body) {
            self.fail(RequestError::BodyTimeout);
            return Poll::Ready(());
        }
        if let Err(_broken) = ready!(self.poll_continue(context)) {
            self.fail(RequestError::BodyAborted);
            return Poll::Ready(());
        }
        self.read.reserve(self.room);
        let spare = self.read.capacity() - self.read.len();
        let Poll::Ready(taken) = pin!(self.stream.read_buf(&mut self.read)).poll(context) else {
            self.slot.arm_read(Wait::Body, self.timeouts.body);
            self.reader = Some(context.waker().clone());
            return Poll::Pending;
        };
        self.slot.disarm_read();
        match taken {
            Ok(taken @ 1..) if taken == spare => self.room = (self.room * 2).min(LARGEST),
            Ok(1..) => {}
            Ok(0) | Err(_) => self.fail(RequestError::BodyAborted),
        }
        Poll::Ready(())
    }

    fn poll_continue(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.interim.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(context, self.interim))?;
            self.interim = self.interim.get(written.max(1)..).unwrap_or_default();
            if self.interim.is_empty() {
                ready!(Pin::new(&mut self.stream).poll_flush(context))?;
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Ends the body under way in an error, if there is one.
    pub(super) fn fail(&mut self, error: RequestError) {
        if self.has_ended() {
            return;
        }
        self.failure.get_or_insert(error);
        self.slot.disarm_read();
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    /// Ready when the client has hung up while it waits for a response. Bytes of its next request are kept, but no more
    /// than one read of them; while its body is under way, whoever reads that finds the end.
    pub(super) fn poll_hang_up(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if !self.has_ended() || !self.read.is_empty() {
            return Poll::Pending;
        }
        match ready!(self.poll_scratch(context)) {
            Ok(1..) => Poll::Pending,
            Ok(0) | Err(_) => Poll::Ready(()),
        }
    }

    /// Passes over what is left of a body that nobody asked for, as far as it is there already. Whether the next request
    /// can be read.
    pub(super) fn discard(&mut self, context: &mut Context<'_>) -> bool {
        let mut discarded = 0;
        while !self.has_ended() && discarded < DISCARDED {
            if self.unasked {
                return false;
            }
            match self.poll_frame(self.exchanges, context) {
                Poll::Ready(Some(Ok(frame))) => discarded += frame.data_ref().map_or(0, Bytes::len),
                Poll::Ready(None) => {}
                Poll::Ready(Some(Err(_))) | Poll::Pending => return false,
            }
        }
        self.room = SMALLEST;
        if self.read.is_empty() {
            self.read = BytesMut::new();
        }
        self.slot.disarm_read();
        self.has_ended() && self.failure.is_none()
    }

    /// Nothing more is read: a head was refused.
    pub(super) fn give_up(&mut self) {
        self.failure = Some(RequestError::Malformed("refused"));
        self.read = BytesMut::new();
    }

    /// Whether the message under way, if any, was read to its end.
    pub(super) fn has_ended(&self) -> bool {
        self.scanner.phase() == Phase::Between
    }

    /// Whether no other request can be read.
    pub(super) fn is_broken(&self) -> bool {
        self.failure.is_some()
    }

    /// Whether the client may still be sending what nobody will read.
    pub(super) fn is_unread(&self) -> bool {
        self.failure.is_some() || !self.has_ended() || !self.read.is_empty()
    }

    /// What is known of the length of what remains of the body.
    pub(super) fn size_hint(&self) -> SizeHint {
        match self.scanner.framing() {
            None => SizeHint::with_exact(0),
            Some(Framing::Length(left)) => SizeHint::with_exact(left),
            Some(Framing::Chunked) => SizeHint::default(),
        }
    }

    /// What was read and belongs to no request.
    pub(super) fn take_rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.read).to_vec()
    }
}
