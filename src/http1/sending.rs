//! A message on its way: its head and body in → bytes into the stream, as fast as the stream takes them.
//!
//! Small pieces of a body are put together with what is written before them, large ones are written from where they
//! are. Nothing is asked of the body while something of it waits to be written. A body that does not keep to its length,
//! or that fails, leaves the message unfinished: whoever reads it cannot take it for complete.

use super::put_field;
use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::{Body, Frame};
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::AsyncWrite;

/// Pieces up to this size are copied rather than written by themselves.
const SMALL: usize = 4 * 1024;

/// How a body is framed (RFC 9112 §6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Coding {
    /// There is none.
    None,
    /// So many bytes of it are still to come.
    Length(u64),
    /// In chunks.
    Chunked,
    /// It ends with the connection.
    Close,
}

/// Why a message was not sent whole.
#[derive(Debug)]
pub enum SendError<E> {
    /// The stream failed.
    Io(io::Error),
    /// The stream takes nothing any more.
    Closed,
    /// The body failed.
    Body(E),
    /// The body is longer or shorter than its length.
    Length,
}

impl Coding {
    /// Writes the field that says so, if there is one.
    pub fn put(self, head: &mut Vec<u8>) {
        match self {
            Self::None | Self::Close => {}
            // What nearly every answer without a body says.
            Self::Length(0) => head.extend_from_slice(b"content-length: 0\r\n"),
            Self::Length(length) => {
                put_field(head, b"content-length", itoa::Buffer::new().format(length).as_bytes());
            }
            Self::Chunked => put_field(head, b"transfer-encoding", b"chunked"),
        }
    }
}

/// The message.
pub struct Sending<B> {
    /// What is written first …
    out: Vec<u8>,
    written: usize,
    /// … and what behind it.
    piece: Bytes,
    body: B,
    coding: Coding,
    /// Whether trailers are sent.
    trailers: bool,
    /// Whether nothing more comes from the body.
    ended: bool,
    /// Whether something was written, or taken from the body.
    begun: bool,
}

/// Messages may carry secrets.
impl<B> fmt::Debug for Sending<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sending")
            .field("coding", &self.coding)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

impl<B: Body<Data = Bytes> + Unpin> Sending<B> {
    /// A message with this whole head.
    pub fn new(head: Vec<u8>, body: B, coding: Coding) -> Self {
        let ended = coding == Coding::None || coding == Coding::Length(0);
        Self { out: head, written: 0, piece: Bytes::new(), body, coding, trailers: true, ended, begun: false }
    }

    /// Leaves out the trailers, which the other side did not ask for (RFC 9110 §6.5.1).
    #[must_use]
    pub fn without_trailers(mut self) -> Self {
        self.trailers = false;
        self
    }

    /// Ready once the whole message is written.
    ///
    /// # Errors
    /// [`SendError`]; the message is then of no use.
    pub fn poll<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), SendError<B::Error>>> {
        loop {
            let waits = !self.ended && self.fill(context)?.is_pending();
            if self.written < self.out.len() || !self.piece.is_empty() {
                ready!(self.poll_write(stream, context))?;
            } else if self.ended {
                return Pin::new(stream).poll_flush(context).map_err(SendError::Io);
            } else if waits {
                ready!(Pin::new(stream).poll_flush(context)).map_err(SendError::Io)?;
                return Poll::Pending;
            }
        }
    }

    /// Takes from the body what may be written next; pending if it has nothing now.
    fn fill(&mut self, context: &mut Context<'_>) -> Result<Poll<()>, SendError<B::Error>> {
        while !self.ended && self.piece.is_empty() && self.out.len() < SMALL {
            let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) else {
                return Ok(Poll::Pending);
            };
            self.begun = true;
            match frame {
                Some(frame) => self.put(frame.map_err(SendError::Body)?)?,
                None => self.end(None)?,
            }
        }
        Ok(Poll::Ready(()))
    }

    fn put(&mut self, frame: Frame<Bytes>) -> Result<(), SendError<B::Error>> {
        let data = match frame.into_data() {
            Ok(data) if data.is_empty() => return Ok(()),
            Ok(data) => data,
            Err(other) => return self.end(other.into_trailers().ok().as_ref()),
        };
        match &mut self.coding {
            Coding::None => return Err(SendError::Length),
            Coding::Length(left) => {
                *left = left.checked_sub(data.len() as u64).ok_or(SendError::Length)?;
                self.ended = *left == 0;
            }
            Coding::Close => {}
            Coding::Chunked => self.out.extend_from_slice(format!("{:x}\r\n", data.len()).as_bytes()),
        }
        if data.len() <= SMALL {
            self.out.extend_from_slice(&data);
            self.end_chunk();
        } else {
            self.piece = data;
        }
        Ok(())
    }

    fn end_chunk(&mut self) {
        if self.coding == Coding::Chunked {
            self.out.extend_from_slice(b"\r\n");
        }
    }

    /// The body has ended.
    fn end(&mut self, trailers: Option<&HeaderMap>) -> Result<(), SendError<B::Error>> {
        self.ended = true;
        match self.coding {
            Coding::None | Coding::Close | Coding::Length(0) => Ok(()),
            Coding::Length(_) => Err(SendError::Length),
            Coding::Chunked => {
                self.out.extend_from_slice(b"0\r\n");
                for (name, value) in trailers.filter(|_| self.trailers).into_iter().flatten() {
                    put_field(&mut self.out, name.as_str().as_bytes(), value.as_bytes());
                }
                self.out.extend_from_slice(b"\r\n");
                Ok(())
            }
        }
    }

    fn poll_write<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), SendError<B::Error>>> {
        let first = self.out.get(self.written..).unwrap_or_default();
        let (bytes, of_piece) = if first.is_empty() { (&*self.piece, true) } else { (first, false) };
        let taken = ready!(Pin::new(stream).poll_write(context, bytes)).map_err(SendError::Io)?;
        if taken == 0 {
            return Poll::Ready(Err(SendError::Closed));
        }
        self.begun = true;
        if of_piece {
            self.piece.advance(taken.min(self.piece.len()));
            if self.piece.is_empty() {
                self.end_chunk();
            }
        } else {
            self.written += taken;
            if self.written >= self.out.len() {
                self.out.clear();
                self.written = 0;
            }
        }
        Poll::Ready(Ok(()))
    }

    /// The body, if nothing of the message has gone out.
    pub fn unsent(self) -> Option<B> {
        (!self.begun).then_some(self.body)
    }

    /// The buffer of a message that was sent, to be used again.
    pub fn take_buffer(&mut self, kept: usize) -> Vec<u8> {
        let mut out = std::mem::take(&mut self.out);
        out.clear();
        out.shrink_to(kept);
        out
    }
}
