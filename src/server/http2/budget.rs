//! What a client may ask of us that costs it nothing: floods end the connection.
//!
//! Counted are PRIORITY, RST_STREAM, SETTINGS, PING, CONTINUATION, WINDOW_UPDATE, frames of unknown type, DATA frames without
//! data that do not end a stream (CVE-2019-9511 to 9518), and streams that are refused. A stream that the client resets before
//! its end has cost us a request upstream and counts for several (CVE-2023-44487). The budget fills again with time, and
//! with what is written: whoever takes a large response may widen its windows as often as it likes.

use super::frame::{FrameHeader, flag, kind};

/// Frames that may come at once, and such that may come each second.
const BURST: u64 = 2000;
const PER_SECOND: u64 = 200;
/// What a stream counts that is reset before its end.
pub(super) const RESET: u64 = 5;
/// What a head counts that is refused: it may be a large one, made of little.
pub(super) const REFUSAL: u64 = 20;
/// Bytes written that earn the client another frame.
const WRITTEN: u64 = 1024;

/// The budget of a connection.
#[derive(Debug, Default)]
pub(super) struct Budget {
    spent: u64,
    /// Second of the worker's clock up to which it was filled.
    filled: u64,
    /// Bytes written that have not earned a frame yet.
    written: u64,
}

impl Budget {
    /// Fills it up to this second.
    pub(super) fn fill(&mut self, second: u64) {
        let refill = second.saturating_sub(self.filled).saturating_mul(PER_SECOND);
        self.spent = self.spent.saturating_sub(refill);
        self.filled = second;
    }

    /// So many bytes went to the client.
    pub(super) fn earn(&mut self, bytes: usize) {
        let written = self.written.saturating_add(bytes as u64);
        self.spent = self.spent.saturating_sub(written / WRITTEN);
        self.written = written % WRITTEN;
    }

    /// Counts; whether the client is within it still.
    pub(super) fn spend(&mut self, cost: u64) -> bool {
        self.spent = self.spent.saturating_add(cost);
        self.spent <= BURST
    }

    /// Counts a frame; whether the client is within it still.
    pub(super) fn allows(&mut self, frame: FrameHeader) -> bool {
        self.spend(match frame.kind {
            kind::DATA => u64::from(frame.length == 0 && !frame.has(flag::END_STREAM)),
            kind::HEADERS | kind::PUSH_PROMISE => 0,
            _ => 1,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, length: usize) -> FrameHeader {
        FrameHeader { length, kind, flags, stream: 1 }
    }

    #[test]
    fn floods_of_what_costs_nothing_end_and_the_rest_passes() {
        // The frame, and whether ten thousand are too many.
        let cases = [
            (frame(kind::DATA, 0, 0), true),
            (frame(kind::DATA, 0, 4), false),
            (frame(kind::DATA, flag::END_STREAM, 0), false),
            (frame(kind::HEADERS, 4, 1), false),
            (frame(kind::PRIORITY, 0, 5), true),
            (frame(kind::RST_STREAM, 0, 4), true),
            (frame(kind::SETTINGS, 0, 0), true),
            (frame(kind::PING, 0, 8), true),
            (frame(kind::GOAWAY, 0, 8), true),
            (frame(kind::WINDOW_UPDATE, 0, 4), true),
            (frame(kind::CONTINUATION, 0, 0), true),
            (frame(77, 0, 1), true),
        ];
        for (frame, flood) in cases {
            let mut budget = Budget::default();
            assert_eq!((0..10_000).all(|_| budget.allows(frame)), !flood, "{frame:?}");
        }
    }

    #[test]
    fn whoever_takes_much_may_widen_its_windows_often() {
        let mut budget = Budget::default();
        for _ in 0..10_000 {
            budget.earn(16 * 1024);
            assert!(budget.allows(frame(kind::WINDOW_UPDATE, 0, 4)));
        }
    }

    #[test]
    fn it_fills_again() {
        let mut budget = Budget::default();
        assert!(budget.spend(BURST));
        for second in 1..50 {
            budget.fill(second);
            assert!(budget.spend(PER_SECOND));
        }
        assert!(!budget.spend(1));
    }
}
