//! Rows that lie apart: no two different ones overlap, so the sorted rows are the map.
//!
//! A look-up of a random address waits for the memory that it reads, so what it needs of a row stands close together: where
//! the row starts, and its reach, which says how far it goes and whether it blocks. That is 8 bytes in IPv4, eight rows a
//! cache line. Where rows were written is kept behind all of them, and read by those who ask for a row alone.

use super::{Guide, Row, Span, Word};
use bytemuck::{must_cast_slice, must_cast_slice_mut};

/// Where a row starts, and its reach: twice the distance of its last address, and one more where it blocks.
type Stretch<W> = [W; 2];

/// Line, then file and tier.
type Written = [u32; 2];

/// Sorted rows that lie apart.
#[derive(Debug)]
pub(super) struct Apart<W> {
    /// The stretches of all rows, then for each where it was written. In one piece, since so both come to stand where the
    /// rows were: a piece each would take as much again while a policy is loaded.
    memory: Box<[Stretch<W>]>,
    rows: usize,
    guide: Guide<W>,
}

impl<W: Word> Apart<W> {
    /// Whether sorted rows can be kept so: each lies behind the one before it, or covers the same, which by their order
    /// holds for any two of them then; and none covers more than half of the address space, whose reach is too long.
    pub(super) fn suits(rows: &[Row<W>]) -> bool {
        rows.is_sorted_by(|a, b| a.span.end < b.span.start || a.span == b.span)
            && rows.iter().all(|row| reach(row).is_some())
    }

    /// Keeps rows that [suit](Self::suits), where they are. For the moment they take half as much again in IPv4.
    pub(super) fn new(rows: Vec<Row<W>>) -> Self {
        let written: Vec<Written> = rows.iter().map(written).collect();
        // Collected in place.
        let stretches: Vec<Stretch<W>> = rows.into_iter().map(stretch).collect();
        let guide = Guide::new(&stretches, |[start, _]| *start);
        Self { memory: joined(stretches, &written), rows: written.len(), guide }
    }

    pub(super) fn len(&self) -> usize {
        self.rows
    }

    /// The row that covers an address, of equals the last, and whether it blocks.
    #[inline]
    pub(super) fn find(&self, address: W) -> Option<(usize, bool)> {
        let stretches = self.stretches();
        let row = self.guide.rank(stretches, address, |[start, _]| *start).checked_sub(1)?;
        let [start, reach] = stretches.get(row)?;
        let (distance, blocks) = reach.halve();
        (address.offset_from(*start) <= distance).then_some((row, blocks))
    }

    /// A row as it was pushed.
    pub(super) fn row(&self, row: usize) -> Option<Row<W>> {
        let (span, blocks) = piece(self.stretches().get(row)?);
        let written: &[Written] = must_cast_slice(self.memory.get(self.rows..)?);
        let [line, rest] = *written.get(row)?;
        let [low, high, tier, _] = rest.to_le_bytes();
        Some(Row { span, line, file: u16::from_le_bytes([low, high]), tier, blocks })
    }

    /// What each row covers and whether it blocks; of equals what the last says.
    pub(super) fn pieces(&self) -> impl Iterator<Item = (Span<W>, bool)> + '_ {
        let last = |equals: &[Stretch<W>]| equals.last().map(piece);
        self.stretches().chunk_by(|[a, _], [b, _]| a == b).filter_map(last)
    }

    fn stretches(&self) -> &[Stretch<W>] {
        self.memory.get(..self.rows).unwrap_or_default()
    }
}

/// What was written, put behind the stretches. Both together take no more than the rows did, so nothing moves.
fn joined<W: Word>(mut stretches: Vec<Stretch<W>>, written: &[Written]) -> Box<[Stretch<W>]> {
    let rows = stretches.len();
    stretches.resize(rows + size_of_val(written).div_ceil(size_of::<Stretch<W>>()), [W::FIRST; 2]);
    let room: &mut [Written] = must_cast_slice_mut(stretches.get_mut(rows..).unwrap_or_default());
    for (place, written) in room.iter_mut().zip(written) {
        *place = *written;
    }
    stretches.into_boxed_slice()
}

fn stretch<W: Word>(row: Row<W>) -> Stretch<W> {
    [row.span.start, reach(&row).unwrap_or(W::FIRST)]
}

/// `None` where more than half of the address space is covered.
fn reach<W: Word>(row: &Row<W>) -> Option<W> {
    row.span.end.offset_from(row.span.start).double(row.blocks)
}

fn piece<W: Word>([start, reach]: &Stretch<W>) -> (Span<W>, bool) {
    let (distance, blocks) = reach.halve();
    (Span { start: *start, end: start.behind(distance) }, blocks)
}

fn written<W>(row: &Row<W>) -> Written {
    let [low, high] = row.file.to_le_bytes();
    [row.line, u32::from_le_bytes([low, high, row.tier, 0])]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows<W: Word>(word: fn(u32) -> W) -> Vec<Row<W>> {
        let span = |at| Span { start: word(at), end: word(at) };
        let row = |at| Row { span: span(at), line: at, file: 7, tier: 0, blocks: at % 2 == 0 };
        (0..1000).map(row).collect()
    }

    #[test]
    fn rows_stay_where_they_are_and_take_no_more() {
        let (v4, v6) = (rows(|word| word), rows(u128::from));
        let place = v4.as_ptr().addr();
        let (v4, v6) = (Apart::new(v4), Apart::new(v6));
        assert_eq!((size_of_val(&*v4.memory), size_of_val(&*v6.memory)), (16 * 1000, 40 * 1000));
        assert_eq!(v4.memory.as_ptr().addr(), place);
        assert!(v6.row(999).is_some_and(|row| row.line == 999 && row.file == 7 && !row.blocks));
    }
}
