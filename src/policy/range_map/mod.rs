//! The compiled form of an ACL's ranges: one map a family, asked without allocation.
//!
//! Rows (a range, its action, where it was written) in, a [`RangeMap`] out; address in, index of the deciding
//! row out. Of the rows that cover an address those of the lowest tier count; of these the narrowest decides; of rows of
//! one size one that blocks; of equals the one that was written first. The order of pushing does not matter: rows are sorted by all that they are.
//!
//! Two forms. Where no two different rows overlap, which is so for nearly every long list, the sorted rows
//! are the map, where they are, with what a look-up reads of them [apart] from the rest: 16 bytes a row in IPv4, and up
//! to two for the index. Otherwise a [sweep](paint) paints them into disjoint segments beside the rows, at most two a row. Both
//! are found through a [`Guide`]: an index on the leading bits, then a short search.
//!
//! Actions are known here as "blocks or not" alone, so that nothing here depends on the ACL around it.

mod apart;
mod crossing;
mod guide;
mod paint;
mod painted;
mod word;

pub(super) use guide::Guide;
pub(super) use word::Word;

use apart::Apart;
use painted::Painted;
use std::cmp::Reverse;

/// One row as it was pushed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<W> {
    pub(super) span: Span<W>,
    pub(super) line: u32,
    pub(super) file: u16,
    /// A row of a lower tier decides before any of a higher one, however wide it is.
    pub(super) tier: u8,
    pub(super) blocks: bool,
}

/// First and last address; INVARIANT: `start <= end`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Span<W> {
    pub(super) start: W,
    pub(super) end: W,
}

/// The rows of one family, compiled: sorted by start, wide before narrow, of equals the deciding one last.
#[derive(Debug)]
pub(super) struct RangeMap<W: Word>(Form<W>);

#[derive(Debug)]
enum Form<W: Word> {
    /// No two different rows overlap.
    Apart(Apart<W>),
    /// Some do.
    Painted(Painted<W>),
}

impl<W: Word> RangeMap<W> {
    /// Compiles rows. Cost: O(n log n), whatever the overlaps; the rows stay where they are, if they fill their room.
    pub(super) fn new(mut rows: Vec<Row<W>>) -> Self {
        // Nearly always the spans alone give the order, and they compare faster than all that a row is.
        rows.sort_unstable_by_key(|row| W::order(row.span.start, row.span.end));
        for equals in rows.chunk_by_mut(|a, b| a.span == b.span) {
            equals.sort_unstable_by_key(|row| (Reverse(row.tier), row.blocks, Reverse((row.file, row.line))));
        }
        if Apart::suits(&rows) {
            Self(Form::Apart(Apart::new(rows)))
        } else {
            Self(Form::Painted(Painted::new(rows)))
        }
    }

    /// The row that decides over an address, and whether it blocks.
    #[inline]
    pub(super) fn find(&self, address: W) -> Option<(usize, bool)> {
        match &self.0 {
            Form::Apart(apart) => apart.find(address),
            Form::Painted(painted) => painted.find(address),
        }
    }

    /// The row with exactly this span; of equals the one that decides.
    pub(super) fn deciding(&self, span: Span<W>) -> Option<usize> {
        let row = match &self.0 {
            Form::Apart(apart) => apart.find(span.start)?.0,
            Form::Painted(painted) => painted.last(span)?,
        };
        self.row(row).filter(|known| known.span == span).map(|_| row)
    }

    pub(super) fn len(&self) -> usize {
        match &self.0 {
            Form::Apart(apart) => apart.len(),
            Form::Painted(painted) => painted.len(),
        }
    }

    /// A row as it was pushed; rows count from 0 in order of address.
    pub(super) fn row(&self, row: usize) -> Option<Row<W>> {
        match &self.0 {
            Form::Apart(apart) => apart.row(row),
            Form::Painted(painted) => painted.row(row),
        }
    }

    /// The parts of the address space that a row decides over, disjoint and in order, and whether it blocks.
    pub(super) fn pieces(&self) -> impl Iterator<Item = (Span<W>, bool)> + '_ {
        let (apart, painted) = match &self.0 {
            Form::Apart(apart) => (Some(apart), None),
            Form::Painted(painted) => (None, Some(painted)),
        };
        apart.into_iter().flat_map(Apart::pieces).chain(painted.into_iter().flat_map(Painted::pieces))
    }

    /// Pairs of rows of the lowest tier with opposite actions that overlap with neither inside the other, at most
    /// `limit`.
    ///
    /// Cost: O(n log n + limit).
    pub(super) fn crossings(&self, limit: usize) -> Vec<(usize, usize)> {
        match &self.0 {
            Form::Apart(_) => Vec::new(),
            Form::Painted(painted) => painted.crossings(limit),
        }
    }
}

#[cfg(test)]
mod tests;
