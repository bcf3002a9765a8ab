//! Stands between a client's bytes and hyper's HTTP/1 parser: hands on whole, strict heads and nothing else.
//!
//! In the common case (a whole head in one read) bytes are read into hyper's own buffer, scanned there and left there.
//! A partial head is held back in a buffer of the guard's own until it is complete.
//!
//! A refused head is replaced by a small request of ours, behind which nothing follows; the service knows by its number
//! that it is to be refused. So the order behind earlier, pipelined responses, flushing and closing stay hyper's.
//! A body whose framing is refused, or that stays away too long, ends in an I/O error: `InvalidData` or `TimedOut`,
//! to be found in the source chain of the body's error.
//!
//! INVARIANT: hyper never sees a byte that the scanner has not called safe.

use super::deadline::Wait;
use super::exchange::Exchange;
use super::scanner::{Phase, Scanner, Verdict};
use super::stream::{Paced, give};
use crate::request::RequestError;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What hyper gets in place of a refused head.
const STAND_IN: &[u8] = b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n";
/// As much as is read at once while there is no parser: most heads fit in.
const SCRATCH_BYTES: usize = 2048;

/// The guarded stream.
#[derive(Debug)]
pub struct Guard<S> {
    inner: Paced<S>,
    scanner: Scanner,
    exchange: Rc<Exchange>,
    /// Called safe, not yet handed on.
    safe: Vec<u8>,
    /// A partial head, or what came behind a request for an upgrade.
    held: Vec<u8>,
    broken: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Guard<S> {
    /// Guards a stream from its first byte on.
    pub fn new(inner: Paced<S>, scanner: Scanner, exchange: Rc<Exchange>) -> Self {
        Self { inner, scanner, exchange, safe: Vec::new(), held: Vec::new(), broken: false }
    }

    /// The stream, and the bytes that were read from it and not handed on.
    pub fn into_parts(self) -> (S, Vec<u8>) {
        let mut early = self.safe;
        early.extend(self.held);
        (self.inner.into_inner(), early)
    }

    /// Takes back what was handed on and not parsed.
    pub fn take_back(&mut self, unparsed: &[u8]) {
        self.safe.splice(..0, unparsed.iter().copied());
    }

    /// Waits for the client without a buffer of the parser's: whether there is something to be parsed, or the end.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        if !self.safe.is_empty() {
            return Poll::Ready(Ok(true));
        }
        let mut scratch = [0; SCRATCH_BYTES];
        let mut buffer = ReadBuf::new(&mut scratch);
        match Pin::new(&mut self.inner).poll_read(context, &mut buffer) {
            Poll::Ready(Ok(())) if buffer.filled().is_empty() => Poll::Ready(Ok(false)),
            Poll::Ready(Ok(())) => {
                self.absorb(buffer.filled());
                Poll::Ready(Ok(true))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                self.exchange.wait();
                Poll::Pending
            }
        }
    }

    /// Scans these bytes into the guard's own buffers.
    fn absorb(&mut self, read: &[u8]) {
        let scan = self.scanner.scan(read);
        let (safe, rest) = read.split_at_checked(scan.safe).unwrap_or((read, &[]));
        if !safe.is_empty() {
            self.safe.append(&mut self.held);
            self.safe.extend_from_slice(safe);
        }
        self.held.extend_from_slice(rest);
        self.obey(scan.verdict);
    }

    /// Scans what was read into `buffer` behind its first `before` bytes, and leaves there what may be handed on.
    fn sift(&mut self, buffer: &mut ReadBuf<'_>, before: usize) {
        let read = buffer.filled().get(before..).unwrap_or_default();
        if !self.held.is_empty() {
            self.absorb(read);
            buffer.set_filled(before);
            return;
        }
        let scan = self.scanner.scan(read);
        self.held.extend_from_slice(read.get(scan.safe..).unwrap_or_default());
        buffer.set_filled(before + scan.safe);
        self.obey(scan.verdict);
    }

    /// Scans what was held back behind a request for an upgrade that was declined.
    fn scan_held(&mut self) {
        self.scanner.resume();
        let mut read = std::mem::take(&mut self.held);
        let scan = self.scanner.scan(&read);
        self.held = read.split_off(scan.safe.min(read.len()));
        self.safe.append(&mut read);
        self.obey(scan.verdict);
    }

    fn obey(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Continue | Verdict::Hold => {}
            Verdict::Refused(error) => self.refuse(error),
            Verdict::Broken(_) => {
                self.broken = true;
                self.exchange.break_off();
                self.held = Vec::new();
            }
        }
        self.exchange.received(self.scanner.phase());
    }

    fn refuse(&mut self, error: RequestError) {
        self.exchange.refuse(self.scanner.heads() + 1, error);
        self.scanner.refuse(error);
        self.held = Vec::new();
        self.safe.extend_from_slice(STAND_IN);
    }

    /// What is to be done before anything is read; `None`: read.
    fn before_reading(&mut self) -> Option<Poll<io::Result<()>>> {
        match self.scanner.phase() {
            Phase::Refused if self.broken => Some(Poll::Ready(Err(io::ErrorKind::InvalidData.into()))),
            Phase::Refused => Some(Poll::Pending),
            Phase::Held if self.exchange.declined(self.scanner.heads()) => {
                self.scan_held();
                None
            }
            // Whatever the client sent early waits; no more of it is read.
            Phase::Held if !self.held.is_empty() => Some(Poll::Pending),
            _ => match self.exchange.slot().read_expired() {
                Some(Wait::Body) => {
                    self.exchange.break_off();
                    Some(Poll::Ready(Err(io::ErrorKind::TimedOut.into())))
                }
                Some(Wait::Head) => {
                    self.refuse(RequestError::HeadTimeout);
                    self.exchange.received(Phase::Refused);
                    None
                }
                Some(Wait::Idle | Wait::Rest) | None => None,
            },
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Guard<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if this.safe.is_empty()
                && let Some(outcome) = this.before_reading()
            {
                return outcome;
            }
            if !this.safe.is_empty() {
                give(&mut this.safe, buffer);
                return Poll::Ready(Ok(()));
            }
            let before = buffer.filled().len();
            match Pin::new(&mut this.inner).poll_read(context, buffer) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    this.exchange.wait();
                    return Poll::Pending;
                }
            }
            if buffer.filled().len() == before {
                return Poll::Ready(Ok(()));
            }
            this.sift(buffer, before);
            if buffer.filled().len() > before {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guard<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(context)
    }
}
