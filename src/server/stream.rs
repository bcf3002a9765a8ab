//! Byte streams as connections need them: with bytes in front that were read too early, with an eye on a peer that
//! takes nothing, and closed so that the last word is heard.

use super::deadline::{Slot, Wait};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

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

/// How long a client is listened to behind our last word, where nothing that it waits for can be on its way any more.
pub(super) const LINGER: Duration = Duration::from_secs(2);
/// The most that is heard of it.
const LINGER_BYTES: usize = 1024 * 1024;

/// Says that nothing follows, and listens to the client until it has nothing more to say either: what it sends to a closed
/// socket makes the kernel reset the connection, and whatever of our last answers has not reached it is lost.
pub(super) async fn linger<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    slot: &Slot,
    patience: Duration,
) {
    let listen = async {
        if stream.shutdown().await.is_err() {
            return;
        }
        let mut scrap = vec![0; 4096];
        let mut heard = 0;
        while let Ok(bytes @ 1..) = stream.read(&mut scrap).await {
            heard += bytes;
            if heard > LINGER_BYTES {
                return;
            }
        }
    };
    slot.within(Wait::Head, patience, listen).await;
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
