//! Overlapping rows painted into disjoint segments by one sweep.
//!
//! The rows that cover the current address wait in a heap, the deciding one on top. Each step ends where the
//! top row ends or the next row starts, so there are at most two segments a row. Rows that ended below the
//! top are dropped when they come up: each goes in and out once.

use super::{Row, Word};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What decides in a gap.
const GAP: u32 = u32::MAX;

/// A part of the address space up to the next segment, and what decides over it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<W> {
    pub(super) start: W,
    /// Twice the row, and one more where it blocks: so the row itself, elsewhere in memory, need not be waited for.
    decides: u32,
}

impl<W> Segment<W> {
    /// The deciding row, and whether it blocks; `None` in a gap.
    pub(super) fn found(&self) -> Option<(usize, bool)> {
        (self.decides != GAP).then_some((self.decides as usize / 2, self.decides % 2 == 1))
    }
}

/// Orders rows by who decides: of a low tier, then narrow, then blocking, then the later row (of equals the last one
/// decides).
type Rank<W> = Reverse<(u8, W, bool, Reverse<u32>)>;

/// Segments, in order, of rows in the order of [`RangeMap`](super::RangeMap). Cost: O(n log n).
pub(super) fn paint<W: Word>(rows: &[Row<W>]) -> Vec<Segment<W>> {
    let mut waiting = (0_u32..).zip(rows).peekable();
    let mut open: BinaryHeap<Rank<W>> = BinaryHeap::new();
    let mut segments: Vec<Segment<W>> = Vec::with_capacity(rows.len());
    let mut position = W::FIRST;
    loop {
        while let Some((at, row)) = waiting.next_if(|(_, row)| row.span.start <= position) {
            let size = row.span.end.offset_from(row.span.start);
            open.push(Reverse((row.tier, size, !row.blocks, Reverse(at))));
        }
        let top = top(&mut open, rows, position);
        let decides = top.map_or(GAP, |(row, top)| decides(row, top.blocks));
        if segments.last().is_none_or(|last| last.decides != decides) {
            segments.push(Segment { start: position, decides });
        }
        let end_of_top = top.map(|(_, top)| top.span.end.next());
        let next_start = waiting.peek().map(|(_, row)| row.span.start);
        position = match (end_of_top, next_start) {
            (Some(Some(end)), Some(start)) => end.min(start),
            (Some(Some(end)), None) => end,
            (_, Some(start)) => start,
            (_, None) => return segments,
        };
    }
}

/// Behind two thousand million rows only the row would be wrong, never what it does.
fn decides(row: u32, blocks: bool) -> u32 {
    row.min(GAP / 2 - 1) * 2 + u32::from(blocks)
}

/// The deciding one of the open rows; drops those that ended before `position`.
fn top<'a, W: Word>(
    open: &mut BinaryHeap<Rank<W>>,
    rows: &'a [Row<W>],
    position: W,
) -> Option<(u32, &'a Row<W>)> {
    loop {
        let Reverse((.., Reverse(row))) = *open.peek()?;
        match rows.get(row as usize) {
            Some(top) if top.span.end >= position => return Some((row, top)),
            _ => open.pop(),
        };
    }
}
