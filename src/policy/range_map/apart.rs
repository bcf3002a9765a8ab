//! Rows that lie apart: no two different ones overlap, so the sorted rows are the map.
//!
//! A look-up of a random address waits for the memory that it reads, so what it needs of a row stands close together: where
//! the row starts, and its reach, which says how far it goes and whether it blocks. That is 8 bytes in IPv4, eight rows a
//! cache line. Where rows were written is kept behind all of them, and read by those who ask for a row alone.

use super::{Guide, Row, Span, Word};
use bytemuck::{must_cast_slice, must_cast_slice_mut};

/// Where a row starts, and its reach: twice the distance of its last address, and one more where it blocks.
type Stretch<W> = [W; 2];

/// So many rows are parted through a copy.
const AT_ONCE: usize = 1 << 16;

/// Sorted rows that lie apart.
#[derive(Debug)]
pub(super) struct Apart<W: Word> {
    /// As many records as there are rows, but parted: the stretches of all rows, then for each where it was written.
    memory: Box<[W::Record]>,
    guide: Guide<W>,
}

impl<W: Word> Apart<W> {
    /// Whether sorted rows can be kept so: each lies behind the one before it, or covers the same, which by their order
    /// holds for any two of them then; and none covers more than half of the address space, whose reach is too long.
    pub(super) fn suits(rows: &[Row<W>]) -> bool {
        rows.is_sorted_by(|a, b| a.span.end < b.span.start || a.span == b.span)
            && rows.iter().all(|row| reach(row).is_some())
    }

    /// Keeps rows that [suit](Self::suits), where they are.
    pub(super) fn new(rows: Vec<Row<W>>) -> Self {
        // Collected in place.
        let mut memory: Vec<W::Record> = rows.into_iter().map(record).collect();
        part::<W>(must_cast_slice_mut(&mut memory));
        let memory = memory.into_boxed_slice();
        let guide = Guide::new(stretches::<W>(&memory), |[start, _]| *start);
        Self { memory, guide }
    }

    pub(super) fn len(&self) -> usize {
        self.memory.len()
    }

    /// The row that covers an address, of equals the last, and whether it blocks.
    #[inline]
    pub(super) fn find(&self, address: W) -> Option<(usize, bool)> {
        let stretches = stretches::<W>(&self.memory);
        let row = self.guide.rank(stretches, address, |[start, _]| *start).checked_sub(1)?;
        let [start, reach] = stretches.get(row)?;
        let (distance, blocks) = reach.halve();
        (address.offset_from(*start) <= distance).then_some((row, blocks))
    }

    /// A row as it was pushed.
    pub(super) fn row(&self, row: usize) -> Option<Row<W>> {
        let (span, blocks) = piece(stretches::<W>(&self.memory).get(row)?);
        let words: &[W] = must_cast_slice(&self.memory);
        let [line, rest] = W::written(words.get(2 * self.len() + row * W::WRITTEN..)?)?;
        let [low, high, tier, _] = rest.to_le_bytes();
        Some(Row { span, line, file: u16::from_le_bytes([low, high]), tier, blocks })
    }

    /// What each row covers and whether it blocks; of equals what the last says.
    pub(super) fn pieces(&self) -> impl Iterator<Item = (Span<W>, bool)> + '_ {
        let last = |equals: &[Stretch<W>]| equals.last().map(piece);
        stretches::<W>(&self.memory).chunk_by(|[a, _], [b, _]| a == b).filter_map(last)
    }
}

/// The stretches in front.
fn stretches<W: Word>(memory: &[W::Record]) -> &[Stretch<W>] {
    let words: &[W] = must_cast_slice(memory);
    words.as_chunks().0.get(..memory.len()).unwrap_or_default()
}

/// Of records one behind the other, moves the stretches to the front and the rest behind them, both in their order. Halves
/// are parted by themselves, and then what lies between: a second room for all of it would stay with the process.
fn part<W: Word>(words: &mut [W]) {
    let record = 2 + W::WRITTEN;
    let rows = words.len() / record;
    if rows <= AT_ONCE {
        return part_at_once(words, rows, record);
    }
    let front = rows / 2;
    if let Some((front, back)) = words.split_at_mut_checked(front * record) {
        part(front);
        part(back);
    }
    if let Some(between) = words.get_mut(2 * front..front * record + 2 * (rows - front)) {
        between.rotate_left(front * W::WRITTEN);
    }
}

fn part_at_once<W: Word>(words: &mut [W], rows: usize, record: usize) {
    let copy = words.to_vec();
    let (stretches, written) = words.split_at_mut(2 * rows);
    let parts = stretches.chunks_exact_mut(2).zip(written.chunks_exact_mut(W::WRITTEN));
    for (row, (stretch, written)) in copy.chunks_exact(record).zip(parts) {
        for (place, word) in stretch.iter_mut().chain(written).zip(row) {
            *place = *word;
        }
    }
}

fn record<W: Word>(row: Row<W>) -> W::Record {
    let [low, high] = row.file.to_le_bytes();
    let written = [row.line, u32::from_le_bytes([low, high, row.tier, 0])];
    W::record([row.span.start, reach(&row).unwrap_or(W::FIRST)], written)
}

/// `None` where more than half of the address space is covered.
fn reach<W: Word>(row: &Row<W>) -> Option<W> {
    row.span.end.offset_from(row.span.start).double(row.blocks)
}

fn piece<W: Word>([start, reach]: &Stretch<W>) -> (Span<W>, bool) {
    let (distance, blocks) = reach.halve();
    (Span { start: *start, end: start.behind(distance) }, blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows<W: Word>(count: u32, word: fn(u32) -> W) -> Vec<Row<W>> {
        let span = |at| Span { start: word(at), end: word(at) };
        let row = |at| Row { span: span(at), line: at, file: 7, tier: 0, blocks: at % 2 == 0 };
        (0..count).map(row).collect()
    }

    fn check<W: Word>(count: u32, word: fn(u32) -> W, bytes: usize) {
        let rows = rows(count, word);
        let place = rows.as_ptr().addr();
        let apart = Apart::new(rows);
        assert_eq!(size_of_val(&*apart.memory), bytes);
        assert_eq!(apart.memory.as_ptr().addr(), place);
        for at in (0..count).step_by(997).chain(count.checked_sub(1)) {
            let (row, place) = (apart.row(at as usize).unwrap(), at as usize);
            assert_eq!((row.span.start, row.line, row.file, row.blocks), (word(at), at, 7, at % 2 == 0));
            assert_eq!(apart.find(word(at)), Some((place, row.blocks)));
        }
    }

    #[test]
    fn rows_stay_where_they_are_and_take_no_more() {
        for count in [1, 1000, 65_536, 65_537, 300_001] {
            check(count, |word| word, 16 * count as usize);
            check(count, u128::from, 48 * count as usize);
        }
    }
}
