//! The compiled form of an ACL's ranges: one map a family, asked without allocation.
//!
//! Rows (a range, its action, where it was written) in, a [`RangeMap`] out; address in, index of the deciding
//! row out. Of the rows that cover an address those of the lowest tier count; of these the narrowest decides; of rows of
//! one size one that blocks; of equals the one that was written first. The order of pushing does not matter: rows are sorted by all that they are.
//!
//! Two forms. Where no two different rows overlap, which is so for nearly every long list, the sorted rows
//! are the map: 14 bytes a row in IPv4, and 2 to 4 for the index. Otherwise a [sweep](paint) paints them into
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

/// The rows of one family, compiled. Columns apart, because together they would be padded.
#[derive(Debug)]
pub(super) struct RangeMap<W> {
    /// Sorted by start, wide before narrow, of equals the deciding one last.
    spans: Box<[Span<W>]>,
    lines: Box<[u32]>,
    files: Box<[u16]>,
    /// Empty where all are of the lowest tier.
    tiers: Box<[u8]>,
    /// One bit a row.
    blocking: Box<[u64]>,
    /// Empty where the rows themselves are disjoint.
    segments: Box<[Segment<W>]>,
    guide: Guide<W>,
}

impl<W: Word> RangeMap<W> {
    /// Compiles rows. Cost: O(n log n), whatever the overlaps; memory while at it: the rows and the result.
    pub(super) fn new(mut rows: Vec<Row<W>>) -> Self {
        // Nearly always the spans alone give the order, and they compare faster than all that a row is.
        rows.sort_unstable_by_key(|row| W::order(row.span.start, row.span.end));
        for equals in rows.chunk_by_mut(|a, b| a.span == b.span) {
            equals.sort_unstable_by_key(|row| (Reverse(row.tier), row.blocks, Reverse((row.file, row.line))));
        }
        let spans: Box<[_]> = rows.iter().map(|row| row.span).collect();
        let lines = rows.iter().map(|row| row.line).collect();
        let files = rows.iter().map(|row| row.file).collect();
        let blocking: Box<[_]> = rows.chunks(64).map(pack).collect();
        let one_tier = rows.iter().all(|row| row.tier == 0);
        let tiers: Box<[u8]> =
            if one_tier { Box::default() } else { rows.iter().map(|row| row.tier).collect() };
        drop(rows);
        let segments: Box<[_]> = if is_disjoint(&spans) {
            Box::default()
        } else {
            let rank = |row| (tier(&tiers, row), bit(&blocking, row));
            paint::paint(&spans, rank).into_boxed_slice()
        };
        let guide = if segments.is_empty() {
            Guide::new(spans.iter().map(|span| span.start))
        } else {
            Guide::new(segments.iter().map(|segment| segment.start))
        };
        Self { spans, lines, files, tiers, blocking, segments, guide }
    }

    /// The row that decides over an address.
    pub(super) fn find(&self, address: W) -> Option<usize> {
        if self.segments.is_empty() {
            let row = self.guide.rank(&self.spans, address, |span| span.start).checked_sub(1)?;
            self.spans.get(row).filter(|span| address <= span.end).map(|_| row)
        } else {
            let segment = self.guide.rank(&self.segments, address, |segment| segment.start).checked_sub(1)?;
            self.segments.get(segment)?.row()
        }
    }

    /// The row with exactly this span; of equals the one that decides.
    pub(super) fn deciding(&self, span: Span<W>) -> Option<usize> {
        let order = |span: &Span<W>| W::order(span.start, span.end);
        let row = self.spans.partition_point(|known| order(known) <= order(&span)).checked_sub(1)?;
        self.spans.get(row).filter(|known| **known == span).map(|_| row)
    }

    /// Whether a row blocks; true for a row that does not exist.
    pub(super) fn blocks(&self, row: usize) -> bool {
        bit(&self.blocking, row)
    }

    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    /// A row as it was pushed; rows count from 0 in order of address.
    pub(super) fn row(&self, row: usize) -> Option<Row<W>> {
        Some(Row {
            span: *self.spans.get(row)?,
            line: *self.lines.get(row)?,
            file: *self.files.get(row)?,
            tier: tier(&self.tiers, row),
            blocks: self.blocks(row),
        })
    }

    /// The parts of the address space that a row decides over, disjoint and in order, and whether it blocks.
    pub(super) fn pieces(&self) -> impl Iterator<Item = (Span<W>, bool)> + '_ {
        let deciding = |pair: &[Span<W>]| !matches!(pair, [a, b] if a == b);
        let rows = if self.segments.is_empty() { &*self.spans } else { &[] };
        let from_rows = rows
            .iter()
            .enumerate()
            .filter(move |(row, _)| rows.get(*row..=row + 1).is_none_or(deciding))
            .map(|(row, span)| (*span, self.blocks(row)));
        let ends = self.segments.iter().skip(1).map(|next| next.start.previous());
        let ends = ends.chain(std::iter::once(W::LAST));
        let from_segments = self.segments.iter().zip(ends).filter_map(|(segment, end)| {
            let span = Span { start: segment.start, end };
            segment.row().map(|row| (span, self.blocks(row)))
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
        let blocks = |row| (tier(&self.tiers, row) == 0).then(|| self.blocks(row));
        crossing::crossings(&self.spans, blocks, limit)
    }
}

/// Whether each row lies behind the one before it, or is its equal. By the order of the rows that is so for
/// any two of them then.
fn is_disjoint<W: Word>(spans: &[Span<W>]) -> bool {
    spans.is_sorted_by(|a, b| a.end < b.start || a == b)
}

fn pack<W>(rows: &[Row<W>]) -> u64 {
    rows.iter().enumerate().fold(0, |bits, (at, row)| bits | u64::from(row.blocks) << at)
}

fn tier(tiers: &[u8], row: usize) -> u8 {
    tiers.get(row).copied().unwrap_or_default()
}

fn bit(bits: &[u64], at: usize) -> bool {
    bits.get(at / 64).is_none_or(|bits| bits >> (at % 64) & 1 == 1)
}

#[cfg(test)]
mod tests;
