//! A long table of counters that takes memory only around those that were ever used.
//!
//! The table is cut into chunks of [`CHUNK`] slots. For each chunk there is a number of four bytes, its place in a room; a
//! chunk is given the next free place when one of its slots is first [used](Table::used). The room grows by pieces, each
//! twice as long as the one before, so that nothing in it ever moves. So what is used stands close together, however
//! far apart it is in the table.
//!
//! A table that is as long as the policy and comes zeroed from the system would do without places, but it takes a page for
//! each slot that is far from the others, and all of them where the allocator has to clear memory that was used before.
//!
//! INVARIANT: a table has one writer at a time. Others may read it meanwhile: they find a slot as it is, or none where the
//! writer has just made it; a place is given once and stays.

use bytemuck::{Zeroable, zeroed_slice_box};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Slots of a chunk: two cache lines of those that count hits, so that neither the places nor chunks of one hit cost
/// much.
const CHUNK: usize = 8;

/// Chunks in the first piece of the room.
const FIRST: usize = 16;

/// Pieces of the room, enough for as many chunks as there are places.
const PIECES: usize = 29;

/// Chunks that stay where they are.
type Piece<S> = OnceLock<Box<[[S; CHUNK]]>>;

/// Slots, zero at first.
pub(super) struct Table<S> {
    /// Of each chunk its place in the room, from 1; 0: it has none yet.
    places: Box<[AtomicU32]>,
    /// Each twice as long as the one before.
    room: [Piece<S>; PIECES],
    /// The last place that was given.
    last: AtomicU32,
}

impl<S: Zeroable> Table<S> {
    /// A table of so many slots.
    pub(super) fn new(slots: usize) -> Self {
        let places = zeroed_slice_box(slots.div_ceil(CHUNK));
        Self { places, room: [const { OnceLock::new() }; PIECES], last: AtomicU32::new(0) }
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
            0 => self.at(self.give(place)?, slot),
            place => self.at(place, slot),
        }
    }

    fn at(&self, place: u32, slot: usize) -> Option<&S> {
        let (piece, chunk) = position(place);
        self.room.get(piece)?.get()?.get(chunk)?.get(slot % CHUNK)
    }

    /// Relaxed, for who finds the place before the piece finds no slot yet.
    #[cold]
    fn give(&self, place: &AtomicU32) -> Option<u32> {
        let next = self.last.load(Ordering::Relaxed) + 1;
        let (piece, _) = position(next);
        self.room.get(piece)?.get_or_init(|| zeroed_slice_box(FIRST << piece));
        self.last.store(next, Ordering::Relaxed);
        place.store(next, Ordering::Relaxed);
        Some(next)
    }
}

/// Piece, and chunk in it, of a place.
fn position(place: u32) -> (usize, usize) {
    let at = place as usize + (FIRST - 1);
    let piece = (at.ilog2() - FIRST.ilog2()) as usize;
    (piece, at - (FIRST << piece))
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
        let pieces = || table.room.iter().filter_map(OnceLock::get);
        let filled = |chunk: &&[AtomicU64; CHUNK]| chunk.iter().any(|slot| slot.load(Ordering::Relaxed) != 0);
        assert_eq!(pieces().flatten().take_while(filled).count(), 1000);
        assert_eq!(pieces().map(|piece| piece.len()).sum::<usize>(), 1008);
    }

    #[test]
    fn places_follow_each_other_through_the_pieces() {
        let mut expected = (0..PIECES).flat_map(|piece| (0..FIRST << piece).map(move |chunk| (piece, chunk)));
        assert!((1..10_000).all(|place| Some(position(place)) == expected.next()));
        let (piece, chunk) = position(u32::MAX);
        assert!(piece == PIECES - 1 && chunk < FIRST << piece, "{piece} {chunk}");
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
