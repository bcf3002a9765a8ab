//! The byte stream of an upstream connection: TCP, or TLS over it.
//!
//! A write that fails because the upstream has gone does not fail here: it waits for ever. An upstream that answers
//! early and hangs up (a 413, say) has its answer on the way while we are still writing; the reading side finds it,
//! or finds the end, and ends the exchange either way.

use crate::request::connection::Duplex;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

#[derive(Debug)]
enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection to upstream.
#[derive(Debug)]
pub(super) struct Stream {
    transport: Transport,
    /// The upstream takes no more bytes.
    deaf: bool,
}

impl Stream {
    pub(super) fn plain(tcp: TcpStream) -> Self {
        Self { transport: Transport::Plain(tcp), deaf: false }
    }

    pub(super) fn tls(tls: TlsStream<TcpStream>) -> Self {
        Self { transport: Transport::Tls(Box::new(tls)), deaf: false }
    }

    /// Whether nothing has come, not even the end. No system call where the system has not told of any.
    pub(super) fn is_silent(&mut self) -> bool {
        let mut scrap = [0; 1];
        match &mut self.transport {
            Transport::Plain(tcp) => {
                tcp.try_read(&mut scrap).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
            }
            Transport::Tls(tls) => {
                let nobody = &mut Context::from_waker(Waker::noop());
                Pin::new(tls.as_mut()).poll_read(nobody, &mut ReadBuf::new(&mut scrap)).is_pending()
            }
        }
    }

    /// Whether the upstream is known to take nothing any more.
    pub(super) fn is_deaf(&self) -> bool {
        self.deaf
    }

    fn write_with(
        &mut self,
        context: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut dyn Duplex>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if self.deaf {
            return Poll::Pending;
        }
        let written = match &mut self.transport {
            Transport::Plain(tcp) => write(Pin::new(tcp), context),
            Transport::Tls(tls) => write(Pin::new(tls.as_mut()), context),
        };
        match written {
            Poll::Ready(Err(error)) if is_gone(&error) => {
                self.deaf = true;
                Poll::Pending
            }
            other => other,
        }
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted
    )
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Plain(tcp) => Pin::new(tcp).poll_read(context, buffer),
            Transport::Tls(tls) => Pin::new(tls.as_mut()).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.write_with(context, |io, context| io.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write_with(context, |io, context| io.poll_write_vectored(context, slices))
    }

    fn is_write_vectored(&self) -> bool {
        match &self.transport {
            Transport::Plain(tcp) => tcp.is_write_vectored(),
            Transport::Tls(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.write_with(context, |io, context| io.poll_flush(context).map_ok(|()| 0)).map_ok(|_| ())
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.deaf {
            return Poll::Ready(Ok(()));
        }
        match &mut self.transport {
            Transport::Plain(tcp) => Pin::new(tcp).poll_shutdown(context),
            Transport::Tls(tls) => Pin::new(tls.as_mut()).poll_shutdown(context),
        }
    }
}
