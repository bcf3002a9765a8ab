//! A stream that is written to at the end of each poll of its connection rather than at each flush.
//!
//! `h2` flushes behind every DATA frame, which makes a system call, and a TLS record, of each response. Here a flush
//! leaves the bytes where they are, and whoever polls the connection calls [`Cork::poll_uncork`] behind it: all that
//! one poll wrote goes out together. What is held is bounded: beyond [`FULL`] a write waits for the stream.
//!
//! A connection that holds nothing has no buffer: the one that all but slow clients need for the length of a poll is the
//! worker's.

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Held bytes beyond which a write waits until they are gone.
const FULL: usize = 32 * 1024;
/// The most that is kept of the worker's buffer.
const KEPT: usize = 2 * FULL;

thread_local! {
    /// The worker's buffer, empty, while nobody has it.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

#[derive(Debug)]
struct Held<S> {
    inner: S,
    bytes: Vec<u8>,
    written: usize,
}

/// The end of a corked stream that is polled behind its connection.
#[derive(Debug)]
pub(super) struct Cork<S>(Rc<RefCell<Held<S>>>);

/// The stream, as the connection has it.
#[derive(Debug)]
pub(super) struct Corked<S>(Rc<RefCell<Held<S>>>);

impl<S: AsyncWrite + Unpin> Held<S> {
    fn poll_drain(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.bytes.get(self.written..).filter(|rest| !rest.is_empty()) {
            let taken = ready!(Pin::new(&mut self.inner).poll_write(context, rest))?;
            if taken == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += taken;
        }
        self.give_back();
        Poll::Ready(Ok(()))
    }

    fn hold(&mut self, bytes: &[u8]) {
        if self.bytes.capacity() == 0 {
            self.bytes = SPARE.take();
        }
        self.bytes.extend_from_slice(bytes);
    }

    fn give_back(&mut self) {
        self.written = 0;
        let mut spare = std::mem::take(&mut self.bytes);
        if spare.capacity() > 0 {
            spare.clear();
            spare.shrink_to(KEPT);
            SPARE.set(spare);
        }
    }
}

/// Both ends of a stream.
pub(super) fn cork<S>(inner: S) -> (Cork<S>, Corked<S>) {
    let held = Rc::new(RefCell::new(Held { inner, bytes: Vec::new(), written: 0 }));
    (Cork(Rc::clone(&held)), Corked(held))
}

impl<S: AsyncWrite + Unpin> Cork<S> {
    /// Writes what is held.
    pub(super) fn poll_uncork(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let held = &mut *self.0.borrow_mut();
        ready!(held.poll_drain(context))?;
        Pin::new(&mut held.inner).poll_flush(context)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Corked<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0.borrow_mut().inner).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Corked<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let held = &mut *self.0.borrow_mut();
        if held.bytes.len() >= FULL {
            ready!(held.poll_drain(context))?;
        }
        held.hold(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let held = &mut *self.0.borrow_mut();
        ready!(held.poll_drain(context))?;
        Pin::new(&mut held.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;
    use tokio::io::{AsyncReadExt, duplex};

    #[tokio::test]
    async fn what_was_flushed_goes_out_together_when_uncorked() {
        let (near, mut far) = duplex(4 * FULL);
        let (cork, mut corked) = cork(near);
        let context = &mut Context::from_waker(Waker::noop());
        for piece in [b"one ", b"two "] {
            assert!(matches!(Pin::new(&mut corked).poll_write(context, piece), Poll::Ready(Ok(4))));
            assert!(Pin::new(&mut corked).poll_flush(context).is_ready());
        }
        let mut buffer = [0; 64];
        assert!(std::pin::pin!(far.read(&mut buffer)).as_mut().poll(context).is_pending(), "nothing yet");
        assert!(cork.poll_uncork(context).is_ready());
        assert_eq!(far.read(&mut buffer).await.unwrap(), 8);
        assert_eq!(&buffer[..8], b"one two ");
        assert_eq!(corked.0.borrow().bytes.capacity(), 0, "the buffer is the worker's again");
    }

    #[tokio::test]
    async fn two_that_hold_something_do_not_mix() {
        let ((near, mut far), (other, mut farther)) = (duplex(64), duplex(64));
        let ((cork_one, mut one), (cork_two, mut two)) = (cork(near), cork(other));
        let context = &mut Context::from_waker(Waker::noop());
        for _ in 0..2 {
            assert!(Pin::new(&mut one).poll_write(context, b"one").is_ready());
            assert!(Pin::new(&mut two).poll_write(context, b"two").is_ready());
            assert!(cork_one.poll_uncork(context).is_ready() && cork_two.poll_uncork(context).is_ready());
            let mut buffer = [0; 64];
            let read = far.read(&mut buffer).await.unwrap();
            assert_eq!(&buffer[..read], b"one");
            let read = farther.read(&mut buffer).await.unwrap();
            assert_eq!(&buffer[..read], b"two");
        }
    }

    #[tokio::test]
    async fn a_full_cork_waits_for_the_stream() {
        let (near, mut far) = duplex(FULL);
        let (_cork, mut corked) = cork(near);
        let context = &mut Context::from_waker(Waker::noop());
        let piece = vec![b'x'; FULL];
        for _ in 0..2 {
            assert!(Pin::new(&mut corked).poll_write(context, &piece).is_ready());
        }
        assert!(Pin::new(&mut corked).poll_write(context, &piece).is_pending());
        far.read_exact(&mut vec![0; FULL]).await.unwrap();
        assert!(Pin::new(&mut corked).poll_write(context, &piece).is_ready());
    }
}
