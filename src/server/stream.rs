//! Byte streams as connections need them: with bytes in front that were read too early, and with an eye on a peer that
//! takes nothing.

use super::deadline::Slot;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream that gives these bytes first.
#[derive(Debug)]
pub struct Prefixed<S> {
    early: Vec<u8>,
    inner: S,
}

impl<S> Prefixed<S> {
    /// `early` first, then what `inner` gives.
    pub fn new(early: Vec<u8>, inner: S) -> Self {
        Self { early, inner }
    }

    /// What is still to be given before `inner`'s own bytes.
    pub fn early(&self) -> &[u8] {
        &self.early
    }

    /// The stream behind.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// Both.
    pub fn into_parts(self) -> (Vec<u8>, S) {
        (self.early, self.inner)
    }
}

/// Moves what fits from the front of `early` into `buffer` and frees `early` once it is empty.
pub(super) fn give(early: &mut Vec<u8>, buffer: &mut ReadBuf<'_>) {
    let taken = early.len().min(buffer.remaining());
    buffer.put_slice(early.get(..taken).unwrap_or_default());
    if taken == early.len() {
        *early = Vec::new();
    } else {
        early.drain(..taken);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Prefixed<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.early.is_empty() {
            return Pin::new(&mut this.inner).poll_read(context, buffer);
        }
        give(&mut this.early, buffer);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Prefixed<S> {
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

/// A stream whose slot runs while the peer takes nothing of what is to be written.
#[derive(Debug)]
pub struct Paced<S> {
    inner: S,
    slot: Rc<Slot>,
    patience: Duration,
}

impl<S> Paced<S> {
    /// The slot expires when nothing was taken for as long as `patience`.
    pub fn new(inner: S, slot: Rc<Slot>, patience: Duration) -> Self {
        Self { inner, slot, patience }
    }

    /// The stream behind.
    pub fn into_inner(self) -> S {
        self.slot.disarm_write();
        self.inner
    }

    fn note<T>(&self, outcome: Poll<T>) -> Poll<T> {
        match outcome {
            Poll::Pending => self.slot.arm_write(self.patience),
            Poll::Ready(_) => self.slot.disarm_write(),
        }
        outcome
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.note(outcome)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.inner).poll_flush(context);
        self.note(outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.inner).poll_shutdown(context);
        self.note(outcome)
    }
}
