//! A request on its way: its head and body in → bytes into the stream, as fast as the stream takes them.
//!
//! Small pieces of a body are put together with what is written before them, large ones are written from where they
//! are. Nothing is asked of the body while something of it waits to be written. A body that does not keep to its length,
//! or that fails, leaves the message unfinished: upstream cannot take it for complete.

use super::super::body::Outgoing;
use super::super::error::BreakOff;
use super::super::stream::Stream;
use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::{Body, Frame};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::AsyncWrite;

/// Pieces up to this size are copied rather than written by themselves.
const SMALL: usize = 4 * 1024;

/// How a body is framed (RFC 9112 §6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::upstream) enum Coding {
    /// There is none.
    None,
    /// So many bytes of it are still to come.
    Length(u64),
    /// In chunks.
    Chunked,
}

impl Coding {
    /// Ends a head with what says so.
    pub(super) fn end(self, head: &mut Vec<u8>) {
        match self {
            Self::None => {}
            Self::Length(length) => {
                head.extend_from_slice(b"content-length: ");
                put_number(head, length);
                head.extend_from_slice(b"\r\n");
            }
            Self::Chunked => head.extend_from_slice(b"transfer-encoding: chunked\r\n"),
        }
        head.extend_from_slice(b"\r\n");
    }
}

fn put_number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(number.to_string().as_bytes());
}

/// The request.
pub(super) struct Sending {
    /// What is written first …
    out: Vec<u8>,
    written: usize,
    /// … and what behind it.
    piece: Bytes,
    body: Outgoing,
    coding: Coding,
    /// Whether nothing more comes from the body.
    ended: bool,
    /// Whether something was written, or taken from the body.
    begun: bool,
}

impl Sending {
    pub(super) fn new(head: Vec<u8>, body: Outgoing, coding: Coding) -> Self {
        let ended = coding == Coding::None || coding == Coding::Length(0);
        Self { out: head, written: 0, piece: Bytes::new(), body, coding, ended, begun: false }
    }

    /// Ready once the whole request is written.
    pub(super) fn poll(
        &mut self,
        stream: &mut Stream,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), BreakOff>> {
        loop {
            let waits = !self.ended && self.fill(context)?.is_pending();
            if self.written < self.out.len() || !self.piece.is_empty() {
                ready!(self.poll_write(stream, context))?;
            } else if self.ended {
                return Pin::new(stream).poll_flush(context).map_err(BreakOff::Io);
            } else if waits {
                ready!(Pin::new(stream).poll_flush(context)).map_err(BreakOff::Io)?;
                return Poll::Pending;
            }
        }
    }

    /// Takes from the body what may be written next; pending if it has nothing now.
    fn fill(&mut self, context: &mut Context<'_>) -> Result<Poll<()>, BreakOff> {
        while !self.ended && self.piece.is_empty() && self.out.len() < SMALL {
            let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) else {
                return Ok(Poll::Pending);
            };
            self.begun = true;
            match frame {
                Some(frame) => self.put(frame.map_err(|_| BreakOff::Client)?)?,
                None => self.end(None)?,
            }
        }
        Ok(Poll::Ready(()))
    }

    fn put(&mut self, frame: Frame<Bytes>) -> Result<(), BreakOff> {
        let data = match frame.into_data() {
            Ok(data) if data.is_empty() => return Ok(()),
            Ok(data) => data,
            Err(other) => return self.end(other.into_trailers().ok().as_ref()),
        };
        match &mut self.coding {
            Coding::None => return Err(BreakOff::Client),
            Coding::Length(left) => {
                *left = left.checked_sub(data.len() as u64).ok_or(BreakOff::Client)?;
                self.ended = *left == 0;
            }
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
    fn end(&mut self, trailers: Option<&HeaderMap>) -> Result<(), BreakOff> {
        self.ended = true;
        match self.coding {
            Coding::None | Coding::Length(0) => Ok(()),
            Coding::Length(_) => Err(BreakOff::Client),
            Coding::Chunked => {
                self.out.extend_from_slice(b"0\r\n");
                for (name, value) in trailers.into_iter().flatten() {
                    super::super::headers::Fields::pass(&mut self.out, name, value);
                }
                self.out.extend_from_slice(b"\r\n");
                Ok(())
            }
        }
    }

    fn poll_write(&mut self, stream: &mut Stream, context: &mut Context<'_>) -> Poll<Result<(), BreakOff>> {
        let first = self.out.get(self.written..).unwrap_or_default();
        let (bytes, of_piece) = if first.is_empty() { (&*self.piece, true) } else { (first, false) };
        let taken = ready!(Pin::new(stream).poll_write(context, bytes)).map_err(BreakOff::Io)?;
        if taken == 0 {
            return Poll::Ready(Err(BreakOff::Ended));
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

    /// The body, if nothing of the request has gone out.
    pub(super) fn unsent(self) -> Option<Outgoing> {
        (!self.begun).then_some(self.body)
    }

    /// The buffer, to be used again.
    pub(super) fn into_buffer(self, kept: usize) -> Vec<u8> {
        let mut out = self.out;
        out.clear();
        out.shrink_to(kept);
        out
    }
}
