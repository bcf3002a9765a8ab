//! The number behind an address: `u32` for IPv4, `u128` for IPv6.

use crate::policy::range::{AddressRange, Bounds};
use bytemuck::Pod;
use std::fmt::Debug;

/// An address as a number.
pub(in crate::policy) trait Word: Pod + Ord + Debug {
    /// The address of zeros.
    const FIRST: Self;
    /// The address of ones.
    const LAST: Self;
    /// The words of a row: two of its stretch, and as few as tell where it was written.
    type Record: Pod + Debug;
    /// How many words tell where a row was written.
    const WRITTEN: usize;

    /// The words of a row.
    fn record(stretch: [Self; 2], written: [u32; 2]) -> Self::Record;
    /// Where a row was written, of the words that tell it.
    fn written(words: &[Self]) -> Option<[u32; 2]>;
    /// How far this lies behind `start`; 0 where it does not.
    fn offset_from(self, start: Self) -> Self;
    /// The word so far behind this; the last one where it is too far.
    fn behind(self, distance: Self) -> Self;
    /// Twice this, and one more where the flag is set; `None` where that is too much.
    fn double(self, flag: bool) -> Option<Self>;
    /// What was [doubled](Self::double).
    fn halve(self) -> (Self, bool);
    /// The number of bits that are needed to write it.
    fn bit_length(self) -> u32;
    /// The leading bits, `shift` bits dropped.
    fn leading(self, shift: u32) -> usize;
    /// The address before it; the first one stays.
    fn previous(self) -> Self;
    /// The address behind it.
    fn next(self) -> Option<Self>;
    /// Orders spans by start, wide before narrow.
    fn order(start: Self, end: Self) -> impl Ord;
    /// A range of such addresses.
    fn range(start: Self, end: Self) -> AddressRange;
}

macro_rules! word {
    ($number:ty, $family:ident, $written:literal, $record:expr, $read:expr, $order:expr) => {
        impl Word for $number {
            const FIRST: Self = Self::MIN;
            const LAST: Self = Self::MAX;
            const WRITTEN: usize = $written;

            type Record = [Self; 2 + $written];

            fn record(stretch: [Self; 2], written: [u32; 2]) -> Self::Record {
                $record(stretch, written)
            }

            fn written(words: &[Self]) -> Option<[u32; 2]> {
                words.first_chunk().and_then($read)
            }

            fn offset_from(self, start: Self) -> Self {
                self.saturating_sub(start)
            }

            fn behind(self, distance: Self) -> Self {
                self.saturating_add(distance)
            }

            fn double(self, flag: bool) -> Option<Self> {
                Some(self.checked_mul(2)? | Self::from(flag))
            }

            fn halve(self) -> (Self, bool) {
                (self / 2, self % 2 == 1)
            }

            fn bit_length(self) -> u32 {
                Self::BITS - self.leading_zeros()
            }

            fn leading(self, shift: u32) -> usize {
                usize::try_from(self.checked_shr(shift).unwrap_or(0)).unwrap_or(usize::MAX)
            }

            fn previous(self) -> Self {
                self.saturating_sub(1)
            }

            fn next(self) -> Option<Self> {
                self.checked_add(1)
            }

            fn order(start: Self, end: Self) -> impl Ord {
                $order(start, end)
            }

            fn range(start: Self, end: Self) -> AddressRange {
                AddressRange::from_bounds(Bounds::$family { start: start.into(), end: end.into() })
            }
        }
    };
}

word!(
    u32,
    V4,
    2,
    |[start, reach]: [u32; 2], [line, rest]: [u32; 2]| [start, reach, line, rest],
    |words: &[u32; 2]| Some(*words),
    // One number is compared without a branch.
    |start: u32, end: u32| u64::from(start) << 32 | u64::from(!end)
);
word!(
    u128,
    V6,
    1,
    |[start, reach]: [u128; 2], [line, rest]: [u32; 2]| [
        start,
        reach,
        u128::from(line) << 32 | u128::from(rest)
    ],
    |[word]: &[u128; 1]| Some([u32::try_from(word >> 32).ok()?, u32::try_from(word & 0xffff_ffff).ok()?]),
    |start: u128, end: u128| (start, !end)
);
