//! Counts the bytes of a client's connection as they pass through its socket, TLS and heads included.
//!
//! A socket and the [`Traffic`] of its worker in, the same stream out. Costs an addition a system call.

use crate::telemetry::metrics::Traffic;
use std::io::{self, IoSlice};
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A socket whose bytes are counted.
#[derive(Debug)]
pub struct ByteMeter {
    inner: TcpStream,
    traffic: Arc<Traffic>,
}

impl ByteMeter {
    /// Counts from now on; only on the worker that the traffic belongs to.
    pub fn new(inner: TcpStream, traffic: Arc<Traffic>) -> Self {
        Self { inner, traffic }
    }

    fn sent(&self, outcome: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = outcome {
            self.traffic.sent.add(bytes as u64);
        }
        outcome
    }
}

/// For what can be asked of a socket.
impl Deref for ByteMeter {
    type Target = TcpStream;

    fn deref(&self) -> &TcpStream {
        &self.inner
    }
}

impl AsyncRead for ByteMeter {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.inner).poll_read(context, buffer);
        self.traffic.received.add(buffer.filled().len().saturating_sub(before) as u64);
        outcome
    }
}

impl AsyncWrite for ByteMeter {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.sent(outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.inner).poll_write_vectored(context, slices);
        self.sent(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
