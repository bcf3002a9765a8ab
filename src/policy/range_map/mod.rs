//! The compiled form of an ACL's ranges: one map a family, asked without allocation.
//!
//! Rows (a range, its action, where it was written) in, a [`RangeMap`] out; address in, index of the deciding
//! row out. Of the rows that cover an address those of the lowest tier count; of these the narrowest decides; of rows of
//! one size one that blocks; of equals the one that was written first. The order of pushing does not matter: rows are sorted by all that they are.
//!
//! Two forms. Where no two different rows overlap, which is so for nearly every long list, the sorted rows
//! are the map, where they are: 16 bytes a row in IPv4, and one or two for the index. Otherwise a [sweep](paint) paints them into
//! disjoint segments beside the rows, at most two a row. Both are found through a [`Guide`]: an index on
//! the leading bits, then a short search.
//!
//! Actions are known here as "blocks or not" alone, so that nothing here depends on the ACL around it.

mod crossing;
mod guide;
mod paint;
mod word;

pub(super) use guide::Guide;
pub(super) use word::Word;

use paint::Segment;
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

/// The rows of one family, compiled.
#[derive(Debug)]
pub(super) struct RangeMap<W> {
    /// Sorted by start, wide before narrow, of equals the deciding one last.
    rows: Box<[Row<W>]>,
    /// Empty where the rows themselves are disjoint.
    segments: Box<[Segment<W>]>,
    guide: Guide<W>,
}

impl<W: Word> RangeMap<W> {
    /// Compiles rows. Cost: O(n log n), whatever the overlaps; the rows stay where they are, if they fill their room.
    pub(super) fn new(mut rows: Vec<Row<W>>) -> Self {
        // Nearly always the spans alone give the order, and they compare faster than all that a row is.
        rows.sort_unstable_by_key(|row| W::order(row.span.start, row.span.end));
        for equals in rows.chunk_by_mut(|a, b| a.span == b.span) {
            equals.sort_unstable_by_key(|row| (Reverse(row.tier), row.blocks, Reverse((row.file, row.line))));
        }
        let rows = rows.into_boxed_slice();
        let segments =
            if is_disjoint(&rows) { Box::default() } else { paint::paint(&rows).into_boxed_slice() };
        let guide = if segments.is_empty() {
            Guide::new(&rows, |row| row.span.start)
        } else {
            Guide::new(&segments, |segment| segment.start)
        };
        Self { rows, segments, guide }
    }

    /// The row that decides over an address, and whether it blocks.
    pub(super) fn find(&self, address: W) -> Option<(usize, bool)> {
        if self.segments.is_empty() {
            let row = self.guide.rank(&self.rows, address, |row| row.span.start).checked_sub(1)?;
            self.rows.get(row).filter(|found| address <= found.span.end).map(|found| (row, found.blocks))
        } else {
            let segment = self.guide.rank(&self.segments, address, |segment| segment.start).checked_sub(1)?;
            self.segments.get(segment)?.found()
        }
    }

    /// The row with exactly this span; of equals the one that decides.
    pub(super) fn deciding(&self, span: Span<W>) -> Option<usize> {
        let order = |span: &Span<W>| W::order(span.start, span.end);
        let row = self.rows.partition_point(|known| order(&known.span) <= order(&span)).checked_sub(1)?;
        self.rows.get(row).filter(|known| known.span == span).map(|_| row)
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// A row as it was pushed; rows count from 0 in order of address.
    pub(super) fn row(&self, row: usize) -> Option<Row<W>> {
        self.rows.get(row).copied()
    }

    /// The parts of the address space that a row decides over, disjoint and in order, and whether it blocks.
    pub(super) fn pieces(&self) -> impl Iterator<Item = (Span<W>, bool)> + '_ {
        let deciding = |pair: &[Row<W>]| !matches!(pair, [a, b] if a.span == b.span);
        let rows = if self.segments.is_empty() { &*self.rows } else { &[] };
        let from_rows = rows
            .iter()
            .enumerate()
            .filter(move |(at, _)| rows.get(*at..=at + 1).is_none_or(deciding))
            .map(|(_, row)| (row.span, row.blocks));
        let ends = self.segments.iter().skip(1).map(|next| next.start.previous());
        let ends = ends.chain(std::iter::once(W::LAST));
        let from_segments = self.segments.iter().zip(ends).filter_map(|(segment, end)| {
            let span = Span { start: segment.start, end };
            segment.found().map(|(_, blocks)| (span, blocks))
        });
        from_rows.chain(from_segments)
    }

    /// Pairs of rows of the lowest tier with opposite actions that overlap with neither inside the other, at most
    /// `limit`.
    ///
    /// Cost: O(n log n + limit).
    pub(super) fn crossings(&self, limit: usize) -> Vec<(usize, usize)> {
        if self.segments.is_empty() {
            return Vec::new();
        }
        crossing::crossings(&self.rows, limit)
    }
}

/// Whether each row lies behind the one before it, or covers the same. By the order of the rows that is so for
/// any two of them then.
fn is_disjoint<W: Word>(rows: &[Row<W>]) -> bool {
    rows.is_sorted_by(|a, b| a.span.end < b.span.start || a.span == b.span)
}

#[cfg(test)]
mod tests;
