//! Counts the frames of an HTTP/2 client that cost us work and it nothing, and ends the connection on a flood.
//!
//! The client's bytes pass unchanged; only frame headers are looked at (RFC 9113 §4.1). Counted are PRIORITY,
//! RST_STREAM, SETTINGS, PING, CONTINUATION, WINDOW_UPDATE, frames of unknown type and DATA frames without data that do
//! not end a stream (CVE-2019-9511 to 9518). `h2` itself bounds resets and CONTINUATION; pings, settings and empty frames it
//! answers for ever. Each connection has a budget that fills again with time,
//! and with what is written: whoever takes a large response may widen its windows as often as it likes.

use super::deadline::Slot;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const PREFACE_BYTES: u64 = 24;
const HEADER_BYTES: usize = 9;
const END_STREAM: u8 = 1;
/// Frames that may come at once, and such that may come each second.
const BURST: u64 = 2000;
const PER_SECOND: u64 = 200;
/// Bytes written that earn the client another frame.
const WRITTEN: u64 = 1024;

/// The counter.
#[derive(Debug)]
struct Meter {
    /// Bytes of the preface or a payload to be passed over.
    skip: u64,
    header: [u8; HEADER_BYTES],
    header_bytes: usize,
    spent: u64,
    /// Second of the worker's clock up to which the budget was filled.
    filled: u64,
    /// Bytes written that have not earned a frame yet.
    written: u64,
}

impl Meter {
    fn new() -> Self {
        Self {
            skip: PREFACE_BYTES,
            header: [0; HEADER_BYTES],
            header_bytes: 0,
            spent: 0,
            filled: 0,
            written: 0,
        }
    }

    /// Whether the client is still within its budget behind these bytes. Linear in the number of frames.
    fn allows(&mut self, mut bytes: &[u8], second: u64) -> bool {
        let refill = second.saturating_sub(self.filled).saturating_mul(PER_SECOND);
        self.spent = self.spent.saturating_sub(refill);
        self.filled = second;
        while let Some((&byte, rest)) = bytes.split_first() {
            if self.skip > 0 {
                let passed = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
                self.skip = self.skip.saturating_sub(passed as u64);
                bytes = bytes.get(passed..).unwrap_or_default();
                continue;
            }
            if let Some(place) = self.header.get_mut(self.header_bytes) {
                *place = byte;
            }
            self.header_bytes += 1;
            bytes = rest;
            if self.header_bytes == HEADER_BYTES {
                self.header_bytes = 0;
                self.count();
            }
        }
        self.spent <= BURST
    }

    fn wrote(&mut self, bytes: usize) {
        let written = self.written.saturating_add(bytes as u64);
        self.spent = self.spent.saturating_sub(written / WRITTEN);
        self.written = written % WRITTEN;
    }

    fn count(&mut self) {
        let [a, b, c, kind, flags, ..] = self.header;
        self.skip = u64::from(u32::from_be_bytes([0, a, b, c]));
        let idle_data = self.skip == 0 && flags & END_STREAM == 0;
        self.spent += match kind {
            // DATA
            0 => u64::from(idle_data),
            // HEADERS, PUSH_PROMISE, GOAWAY
            1 | 5 | 7 => 0,
            _ => 1,
        };
    }
}

/// A stream whose incoming frames are counted.
#[derive(Debug)]
pub struct Metered<S> {
    inner: S,
    meter: Meter,
    slot: Rc<Slot>,
}

impl<S> Metered<S> {
    /// Counts from the preface on, by the clock of this slot.
    pub fn new(inner: S, slot: Rc<Slot>) -> Self {
        Self { inner, meter: Meter::new(), slot }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut this.inner).poll_read(context, buffer);
        let read = buffer.filled().get(before..).unwrap_or_default();
        if this.meter.allows(read, this.slot.now() / 1000) {
            return outcome;
        }
        Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "flood of HTTP/2 control frames")))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.inner).poll_write(context, bytes);
        if let Poll::Ready(Ok(written)) = outcome {
            this.meter.wrote(written);
        }
        outcome
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut frame = length[1..].to_vec();
        frame.extend([kind, flags, 0, 0, 0, 1]);
        frame.extend(payload);
        frame
    }

    #[test]
    fn floods_of_what_costs_nothing_end_and_the_rest_passes() {
        // kind, flags, payload, whether ten thousand are too many
        let cases = [
            (0, 0, &b""[..], true),
            (0, 0, b"data", false),
            (0, END_STREAM, b"", false),
            (1, 4, b"\x82", false),
            (2, 0, b"\0\0\0\0\0", true),
            (3, 0, b"\0\0\0\x08", true),
            (4, 0, b"", true),
            (6, 0, b"12345678", true),
            (8, 0, b"\0\0\0\x01", true),
            (9, 0, b"", true),
            (77, 0, b"x", true),
        ];
        for (kind, flags, payload, flood) in cases {
            let mut bytes = vec![0; 24];
            bytes.extend(frame(kind, flags, payload).repeat(10_000));
            assert_eq!(Meter::new().allows(&bytes, 0), !flood, "kind {kind}");
            let mut meter = Meter::new();
            let by_byte = bytes.chunks(1).all(|byte| meter.allows(byte, 0));
            assert_eq!(by_byte, !flood, "kind {kind}, byte by byte");
        }
    }

    #[test]
    fn whoever_takes_much_may_widen_its_windows_often() {
        let mut meter = Meter::new();
        let updates = [vec![0; 24], frame(8, 0, b"\0\0\x40\0").repeat(2)].concat();
        assert!(meter.allows(&updates, 0));
        for _ in 0..10_000 {
            meter.wrote(16 * 1024);
            assert!(meter.allows(updates.get(24..).unwrap(), 0));
        }
    }

    #[test]
    fn the_budget_fills_again() {
        let mut meter = Meter::new();
        let mut burst = vec![0; 24];
        burst.extend(frame(6, 0, b"12345678").repeat(2000));
        assert!(meter.allows(&burst, 0));
        let second = frame(6, 0, b"12345678").repeat(200);
        assert!((1..50).all(|now| meter.allows(&second, now)));
        assert!(!meter.allows(&second, 49));
    }
}
