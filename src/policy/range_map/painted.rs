//! Rows some of which overlap, and the segments that they are [painted](paint) into.

use super::paint::{Segment, paint};
use super::{Guide, Row, Span, Word, crossing};

/// Sorted rows, as they were pushed, and what decides over each part of the address space.
#[derive(Debug)]
pub(super) struct Painted<W> {
    rows: Box<[Row<W>]>,
    pub(super) segments: Box<[Segment<W>]>,
    guide: Guide<W>,
}

impl<W: Word> Painted<W> {
    /// Paints sorted rows. Cost: O(n log n).
    pub(super) fn new(rows: Vec<Row<W>>) -> Self {
        let segments = paint(&rows).into_boxed_slice();
        let guide = Guide::new(&segments, |segment| segment.start);
        Self { rows: rows.into_boxed_slice(), segments, guide }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The row that decides over an address, and whether it blocks.
    #[inline]
    pub(super) fn find(&self, address: W) -> Option<(usize, bool)> {
        let segment = self.guide.rank(&self.segments, address, |segment| segment.start).checked_sub(1)?;
        self.segments.get(segment)?.found()
    }

    /// The last of the rows that do not come behind this span.
    pub(super) fn last(&self, span: Span<W>) -> Option<usize> {
        let order = |span: &Span<W>| W::order(span.start, span.end);
        self.rows.partition_point(|known| order(&known.span) <= order(&span)).checked_sub(1)
    }

    pub(super) fn row(&self, row: usize) -> Option<Row<W>> {
        self.rows.get(row).copied()
    }

    /// The parts of the address space that a row decides over, and whether it blocks.
    pub(super) fn pieces(&self) -> impl Iterator<Item = (Span<W>, bool)> + '_ {
        let ends = self.segments.iter().skip(1).map(|next| next.start.previous());
        let ends = ends.chain(std::iter::once(W::LAST));
        self.segments.iter().zip(ends).filter_map(|(segment, end)| {
            let span = Span { start: segment.start, end };
            segment.found().map(|(_, blocks)| (span, blocks))
        })
    }

    /// See [`RangeMap::crossings`](super::RangeMap::crossings).
    pub(super) fn crossings(&self, limit: usize) -> Vec<(usize, usize)> {
        crossing::crossings(&self.rows, limit)
    }
}
