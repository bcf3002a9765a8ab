//! A long table of counters that takes memory only around those that were ever used.
//!
//! The table is cut into chunks of [`CHUNK`] slots. For each chunk there is a number of four bytes, its place in a room
//! that is as long as the whole table; a chunk is given the next free place when one of its slots is first
//! [used](Table::used). Both come zeroed from the system, page by page: what is used stands close together at the front
//! of the room, and the rest of it is never touched. So a page is taken for each 32 chunks in use and one for each 1,024
//! of the table, however far apart they are, where a plain table takes one for each slot.
//!
//! INVARIANT: a table has one writer at a time. Others may read it meanwhile: they find a slot as it is, or none where the
//! writer has just made it; a place is given once and stays.

use bytemuck::{Zeroable, zeroed_slice_box};
use std::sync::atomic::{AtomicU32, Ordering};

/// Slots of a chunk: two cache lines of those that count hits, so that neither their numbers nor chunks that are hit
/// once cost much.
const CHUNK: usize = 8;

/// Slots, zero at first.
pub(super) struct Table<S> {
    /// Of each chunk, where in the room it is; 0: nowhere yet.
    places: Box<[AtomicU32]>,
    /// Chunks in the order of their first use. Nobody uses the first and the last, so that the tables of two workers
    /// share no cache line.
    room: Box<[[S; CHUNK]]>,
    /// The last place that was given.
    last: AtomicU32,
}

impl<S: Zeroable> Table<S> {
    /// A table of so many slots.
    pub(super) fn new(slots: usize) -> Self {
        let chunks = slots.div_ceil(CHUNK);
        Self { places: zeroed_slice_box(chunks), room: zeroed_slice_box(chunks + 2), last: AtomicU32::new(0) }
    }

    /// The number of slots, rounded up to whole chunks.
    pub(super) fn len(&self) -> usize {
        self.places.len() * CHUNK
    }

    /// A slot, if it or one beside it was ever used.
    pub(super) fn get(&self, slot: usize) -> Option<&S> {
        match self.places.get(slot / CHUNK)?.load(Ordering::Relaxed) {
            0 => None,
            place => self.at(place, slot),
        }
    }

    /// A slot to write to; for the writer alone. `None` behind the end.
    pub(super) fn used(&self, slot: usize) -> Option<&S> {
        let place = self.places.get(slot / CHUNK)?;
        match place.load(Ordering::Relaxed) {
            0 => self.at(self.give(place), slot),
            place => self.at(place, slot),
        }
    }

    fn at(&self, place: u32, slot: usize) -> Option<&S> {
        self.room.get(place as usize)?.get(slot % CHUNK)
    }

    /// Relaxed, for the chunk is as zero there as everywhere before: nothing else needs to be seen first.
    #[cold]
    fn give(&self, place: &AtomicU32) -> u32 {
        let next = self.last.load(Ordering::Relaxed) + 1;
        self.last.store(next, Ordering::Relaxed);
        place.store(next, Ordering::Relaxed);
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::sync::atomic::AtomicU64;

    const SLOTS: usize = 100;

    fn read(table: &Table<AtomicU64>, slot: usize) -> u64 {
        table.get(slot).map_or(0, |number| number.load(Ordering::Relaxed))
    }

    #[test]
    fn nothing_is_behind_the_end() {
        for slots in [0, 1, CHUNK, CHUNK + 1] {
            let table: Table<AtomicU64> = Table::new(slots);
            let end = table.len();
            assert!((slots..slots + CHUNK).contains(&end) && (0..end).all(|slot| table.get(slot).is_none()));
            assert!((0..end).all(|slot| table.used(slot).is_some()), "{slots}");
            assert!(table.get(end).is_none() && table.used(end).is_none(), "{slots}");
        }
    }

    #[test]
    fn what_is_far_apart_stands_together() {
        let table: Table<AtomicU64> = Table::new(1_000_000);
        for slot in (0..1_000_000).step_by(1000) {
            table.used(slot).unwrap().store(1, Ordering::Relaxed);
        }
        let touched = |chunk: &[AtomicU64; CHUNK]| chunk.iter().any(|slot| slot.load(Ordering::Relaxed) != 0);
        assert_eq!(table.room.iter().rposition(touched), Some(1000));
        assert!(!touched(table.room.first().unwrap()) && !touched(table.room.last().unwrap()));
    }

    proptest! {
        #[test]
        fn counts_as_a_map_does(added in prop::collection::vec((0..SLOTS, 1..9_u64), 0..200)) {
            let table: Table<AtomicU64> = Table::new(SLOTS);
            let mut naive = BTreeMap::new();
            for (slot, more) in added {
                table.used(slot).unwrap().fetch_add(more, Ordering::Relaxed);
                *naive.entry(slot).or_insert(0) += more;
                let sums = (0..SLOTS).map(|slot| (slot, read(&table, slot))).filter(|(_, sum)| *sum != 0);
                prop_assert_eq!(sums.collect::<BTreeMap<_, _>>(), naive.clone());
            }
        }
    }
}
