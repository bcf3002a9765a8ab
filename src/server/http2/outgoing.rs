//! Frames on their way to the client.
//!
//! What the streams write in one turn of the worker goes out together, in one system call and one TLS record. A connection
//! that has nothing to say has no buffer: the one that all but slow clients need for a moment is the worker's. What is
//! held is bounded by those who write: when it [is much](Outgoing::is_full) streams wait, and when it is
//! [twice that](Outgoing::is_overfull) nothing more is read of the client.

use super::frame::{ErrorCode, FrameHeader, MOST_PAYLOAD, flag, kind};
use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::AsyncWrite;

/// Bytes held beyond which streams wait.
const FULL: usize = 32 * 1024;
/// The most that is kept of the worker's buffer.
const KEPT: usize = 2 * FULL;

thread_local! {
    /// The worker's buffer, empty, while nobody has it.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The frames.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    bytes: Vec<u8>,
    written: usize,
}

impl Outgoing {
    /// Bytes that have not been written.
    pub(super) fn len(&self) -> usize {
        self.bytes.len().saturating_sub(self.written)
    }

    /// Whether streams are to wait.
    pub(super) fn is_full(&self) -> bool {
        self.len() >= FULL
    }

    /// Whether the client is to wait as well: what its frames are answered with has filled as much again.
    pub(super) fn is_overfull(&self) -> bool {
        self.len() >= 2 * FULL
    }

    /// A frame of any kind.
    pub(super) fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        if self.bytes.capacity() == 0 {
            self.bytes = SPARE.take();
        }
        FrameHeader { length: payload.len(), kind, flags, stream }.write(&mut self.bytes);
        self.bytes.extend_from_slice(payload);
    }

    /// A header block, in as many frames as it needs.
    pub(super) fn block(&mut self, stream: u32, block: &[u8], ends: bool) {
        let (mut kind, mut flags) = (kind::HEADERS, if ends { flag::END_STREAM } else { 0 });
        let mut rest = block;
        while let Some((piece, behind)) = rest.split_at_checked(MOST_PAYLOAD) {
            self.frame(kind, flags, stream, piece);
            (kind, flags, rest) = (kind::CONTINUATION, 0, behind);
        }
        self.frame(kind, flags | flag::END_HEADERS, stream, rest);
    }

    pub(super) fn reset(&mut self, stream: u32, code: ErrorCode) {
        self.frame(kind::RST_STREAM, 0, stream, &(code as u32).to_be_bytes());
    }

    /// Lets the client send so many bytes more, on a stream or (0) the connection.
    pub(super) fn widen(&mut self, stream: u32, bytes: u32) {
        self.frame(kind::WINDOW_UPDATE, 0, stream, &bytes.to_be_bytes());
    }

    /// Streams beyond `last` will not be answered.
    pub(super) fn goaway(&mut self, last: u32, code: ErrorCode) {
        let [last, code] = [last, code as u32].map(u32::to_be_bytes);
        self.frame(kind::GOAWAY, 0, 0, &[last, code].concat());
    }

    /// Writes what is held. Pending while the stream takes no more.
    pub(super) fn poll_write<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while let Some(rest) = self.bytes.get(self.written..).filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut *stream).poll_write(context, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                taken => self.written += taken,
            }
        }
        self.give_back();
        Pin::new(stream).poll_flush(context)
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
