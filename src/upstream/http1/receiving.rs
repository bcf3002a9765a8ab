//! A response on its way: bytes from the stream in → its head, then the pieces of its body.
//!
//! One buffer for each connection; pieces are parts of it, so that nothing is copied. It grows with what fills it, up
//! to [`LARGEST`]. Chunk extensions are passed over, trailers handed on; chunks end where RFC 9112 §7.1 has it, to
//! the byte. A response that ends too early is an error, but where its end is that of the connection.

use super::super::error::BreakOff;
use super::chunk_line;
use super::response_head::{self, Framing, ResponseHead};
use crate::http1::fields_of;
use bytes::{Buf, Bytes, BytesMut};
use http::StatusCode;
use http_body::{Frame, SizeHint};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncReadExt};

/// What is read at once: of a response that has shown to be small, and of any.
const SMALLEST: usize = 4 * 1024;
const LARGEST: usize = 64 * 1024;
/// The longest trailers.
const TRAILER_BYTES: usize = 16 * 1024;
/// Interim responses before the final one; far more than any server sends.
const INTERIM: u32 = 32;

/// Where in a response a connection stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// In the head of a response that may have a body, or cannot.
    Head {
        wants_body: bool,
        interim: u32,
    },
    Sized(u64),
    ChunkLine,
    Chunk(u64),
    ChunkEnd,
    Trailers,
    /// The body ends with the connection.
    Close,
    Ended,
}

/// The reading half of a connection.
#[derive(Debug)]
pub struct Receiving {
    read: BytesMut,
    /// How much room to make for the next read.
    room: usize,
    state: State,
    persists: bool,
}

impl Default for Receiving {
    fn default() -> Self {
        Self { read: BytesMut::new(), room: SMALLEST, state: State::Ended, persists: true }
    }
}

impl Receiving {
    /// The next thing to come is the head of a response.
    pub fn expect(&mut self, wants_body: bool) {
        self.state = State::Head { wants_body, interim: 0 };
    }

    /// The head of the final response, or of a 101.
    ///
    /// # Errors
    /// [`BreakOff`] if what comes is none.
    pub fn poll_head<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
    ) -> Poll<Result<ResponseHead, BreakOff>> {
        loop {
            let State::Head { wants_body, interim } = self.state else {
                return Poll::Ready(Err(BreakOff::Ended));
            };
            let head =
                if self.read.is_empty() { None } else { response_head::take(&mut self.read, wants_body)? };
            let Some(head) = head else {
                ready!(self.poll_read(stream, context))?;
                continue;
            };
            let status = head.parts.status;
            if status.is_informational() && status != StatusCode::SWITCHING_PROTOCOLS {
                if interim == INTERIM {
                    return Poll::Ready(Err(BreakOff::NotHttp("interim responses without end")));
                }
                self.state = State::Head { wants_body, interim: interim + 1 };
                continue;
            }
            self.persists = head.persists && head.framing != Framing::Close;
            self.state = match head.framing {
                Framing::Length(0) => State::Ended,
                Framing::Length(length) => State::Sized(length),
                Framing::Chunked => State::ChunkLine,
                Framing::Close => State::Close,
            };
            return Poll::Ready(Ok(head));
        }
    }

    /// The next piece of the body; `None` behind the last.
    pub fn poll_frame<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BreakOff>>> {
        loop {
            match self.step() {
                Ok(Step::Frame(frame)) => return Poll::Ready(Some(Ok(frame))),
                Ok(Step::Next) => continue,
                Ok(Step::Ended) => return Poll::Ready(None),
                Ok(Step::Read) => {}
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
            match ready!(self.poll_read(stream, context)) {
                Ok(()) => {}
                Err(BreakOff::Ended) if self.state == State::Close => self.state = State::Ended,
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }

    /// What can be made of what was read.
    fn step(&mut self) -> Result<Step, BreakOff> {
        if self.state == State::Ended {
            return Ok(Step::Ended);
        }
        if self.read.is_empty() {
            return Ok(Step::Read);
        }
        match self.state {
            State::Head { .. } | State::Ended => Ok(Step::Ended),
            State::Close => Ok(Step::Frame(Frame::data(self.read.split().freeze()))),
            State::Sized(left) => Ok(self.piece(left, State::Sized, State::Ended)),
            State::Chunk(left) => Ok(self.piece(left, State::Chunk, State::ChunkEnd)),
            State::ChunkEnd => self.chunk_end(),
            State::ChunkLine => self.chunk_line(),
            State::Trailers => self.trailers(),
        }
    }

    fn piece(&mut self, left: u64, unfinished: fn(u64) -> State, finished: State) -> Step {
        let taken = usize::try_from(left).unwrap_or(usize::MAX).min(self.read.len());
        let left = left.saturating_sub(taken as u64);
        self.state = if left == 0 { finished } else { unfinished(left) };
        Step::Frame(Frame::data(self.read.split_to(taken).freeze()))
    }

    fn chunk_end(&mut self) -> Result<Step, BreakOff> {
        match &*self.read {
            [b'\r', b'\n', ..] => {
                self.read.advance(2);
                self.state = State::ChunkLine;
                Ok(Step::Next)
            }
            [b'\r'] => Ok(Step::Read),
            _ => Err(BreakOff::NotHttp("chunk longer than its size")),
        }
    }

    fn chunk_line(&mut self) -> Result<Step, BreakOff> {
        let Some((taken, size)) = chunk_line::take(&self.read)? else { return Ok(Step::Read) };
        self.read.advance(taken);
        self.state = if size == 0 { State::Trailers } else { State::Chunk(size) };
        Ok(Step::Next)
    }

    fn trailers(&mut self) -> Result<Step, BreakOff> {
        let end = end_of_section(&self.read);
        let section = self.read.get(..end.unwrap_or(self.read.len())).unwrap_or_default();
        if section.len() > TRAILER_BYTES || has_bare_line_feed(section) {
            return Err(BreakOff::NotHttp("trailers"));
        }
        let Some(end) = end else { return Ok(Step::Read) };
        let trailers = fields_of(&self.read.split_to(end).freeze()).map_err(BreakOff::Head)?;
        self.state = State::Ended;
        Ok(if trailers.is_empty() { Step::Ended } else { Step::Frame(Frame::trailers(trailers)) })
    }

    fn poll_read<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), BreakOff>> {
        self.read.reserve(self.room);
        let spare = self.read.capacity() - self.read.len();
        let taken = ready!(pin!(stream.read_buf(&mut self.read)).poll(context)).map_err(BreakOff::Io)?;
        if taken == 0 {
            return Poll::Ready(Err(BreakOff::Ended));
        }
        if taken == spare {
            self.room = (self.room * 2).min(LARGEST);
        }
        Poll::Ready(Ok(()))
    }

    /// Whether the response has ended.
    pub fn has_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// Whether what remains of the body was read already. Of chunks that is not known.
    pub fn is_here(&self) -> bool {
        match self.state {
            State::Ended => true,
            State::Sized(left) => left <= self.read.len() as u64,
            _ => false,
        }
    }

    /// What is known of the length of what remains of the body.
    pub fn size_hint(&self) -> SizeHint {
        match self.state {
            State::Ended => SizeHint::with_exact(0),
            State::Sized(left) => SizeHint::with_exact(left),
            _ => SizeHint::default(),
        }
    }

    /// Gives back a buffer that is larger than an idle connection should keep. Whether another exchange can follow.
    pub fn rest(&mut self) -> bool {
        if self.room > SMALLEST {
            self.read = BytesMut::from(&*self.read);
            self.room = SMALLEST;
        }
        self.persists && self.state == State::Ended && self.read.is_empty()
    }

    /// What was read and belongs to nothing that was parsed.
    pub fn into_rest(self) -> Bytes {
        self.read.freeze()
    }
}

enum Step {
    Frame(Frame<Bytes>),
    /// The state has changed.
    Next,
    /// More has to be read.
    Read,
    Ended,
}

/// Behind the empty line that ends trailers. Linear.
fn end_of_section(read: &[u8]) -> Option<usize> {
    if read.starts_with(b"\r\n") { Some(2) } else { response_head::end_of_head(read) }
}

/// Whether a line ends in something that other readers, hyper among them, do not take for its end.
fn has_bare_line_feed(section: &[u8]) -> bool {
    let behind = |at: usize| section.get(at.wrapping_sub(1)) == Some(&b'\r');
    memchr::memchr_iter(b'\n', section).any(|at| !behind(at))
}
