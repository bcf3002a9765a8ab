//! Where in a sorted slice to search: an index on the leading bits of the keys.
//!
//! For a million IPv4 ranges over the whole address space these are the leading 19 bits, which leaves about two
//! keys to compare, within a cache line. For fewer keys fewer bits are enough. Keys that are
//! close to each other are told apart by the bits behind those that they share, so that a list within one `/8`
//! and one of IPv6 are found as fast.

use super::Word;

/// At most this many bits are indexed: 2 MiB, which stays in a core's second-level cache or near it.
const MOST_BITS: u32 = 19;

/// Buckets up to this length are counted rather than searched.
const SHORT_BUCKET: usize = 4;

/// Fewer keys than this are searched without an index.
const LEAST_KEYS: usize = 64;

/// Finds keys of one slice; useless for any other.
#[derive(Debug)]
pub(in crate::policy) struct Guide<W> {
    first: W,
    shift: u32,
    /// For each bucket the number of keys before it, then the number of keys; empty for short slices.
    index: Box<[u32]>,
}

impl<W: Word> Guide<W> {
    /// A guide to keys that come in order. Cost: linear; at most four bytes a key are kept, about two where there are a million.
    pub(in crate::policy) fn new(
        keys: impl ExactSizeIterator<Item = W> + DoubleEndedIterator + Clone,
    ) -> Self {
        let count = keys.len();
        let (first, last) = (keys.clone().next(), keys.clone().next_back());
        // More keys than `u32` can count are searched without an index as well.
        let (Some(first), Some(last), Ok(_), true) = (first, last, u32::try_from(count), count >= LEAST_KEYS)
        else {
            return Self { first: W::FIRST, shift: 0, index: Box::default() };
        };
        let bits = count.ilog2().min(MOST_BITS);
        let shift = last.offset_from(first).bit_length().saturating_sub(bits);
        let buckets = last.offset_from(first).leading(shift) + 1;
        let mut index = Vec::with_capacity(buckets + 1);
        let mut before: u32 = 0;
        for key in keys {
            let bucket = key.offset_from(first).leading(shift);
            while index.len() <= bucket {
                index.push(before);
            }
            before += 1;
        }
        index.push(before);
        Self { first, shift, index: index.into_boxed_slice() }
    }

    /// How many of the keys are at most `wanted`.
    #[inline]
    pub(in crate::policy) fn rank<T>(&self, items: &[T], wanted: W, key: impl Fn(&T) -> W) -> usize {
        if self.index.is_empty() {
            return items.partition_point(|item| key(item) <= wanted);
        }
        if wanted < self.first {
            return 0;
        }
        let bucket = wanted.offset_from(self.first).leading(self.shift);
        let (Some(low), Some(high)) = (self.index.get(bucket), self.index.get(bucket.saturating_add(1)))
        else {
            return items.len();
        };
        let (low, high) = (*low as usize, *high as usize);
        // A short bucket is counted, which takes no branch that depends on the data. What stands behind the bucket
        // is greater than `wanted` and does not count.
        match items.get(low..).and_then(|items| items.first_chunk::<SHORT_BUCKET>()) {
            Some(short) if high - low <= SHORT_BUCKET => {
                low + short.iter().map(|item| usize::from(key(item) <= wanted)).sum::<usize>()
            }
            _ => low + items.get(low..high).unwrap_or_default().partition_point(|item| key(item) <= wanted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check<W: Word>(mut keys: Vec<W>, wanted: &[W]) {
        keys.sort_unstable();
        let guide = Guide::new(keys.iter().copied());
        let around = |word: &W| [word.previous(), *word, word.next().unwrap_or(W::LAST)];
        for wanted in keys.iter().chain(wanted).flat_map(around).chain([W::FIRST, W::LAST]) {
            let expected = keys.iter().filter(|key| **key <= wanted).count();
            assert_eq!(guide.rank(&keys, wanted, |key| *key), expected, "{wanted:?} of {keys:?}");
        }
    }

    #[test]
    fn edges_of_the_address_space() {
        check(Vec::new(), &[1_u32]);
        check(vec![0_u32; 100], &[1, u32::MAX]);
        check(vec![u32::MAX; 100], &[1]);
        check((0..100).chain([u32::MAX]).collect(), &[1 << 31]);
        check((0..100).map(|key| u32::MAX - key).collect(), &[0]);
        check((0..100).map(|key| u128::MAX - (key << 100)).collect(), &[0]);
    }

    #[test]
    fn a_million_spread_keys_take_two_mebibytes() {
        let guide = Guide::new((0..1_000_000_u32).map(|key| key * 4294));
        assert!((520_000..=524_289).contains(&guide.index.len()), "{}", guide.index.len());
    }

    proptest! {
        #[test]
        fn ranks_as_counting_does(keys in prop::collection::vec(any::<u32>(), 0..300), near in any::<u32>(), width in 1_u32..32) {
            check(keys.iter().map(|key| near.saturating_add(key >> width)).collect(), &keys);
            check(keys.iter().map(|key| u128::from(near) << 90 | u128::from(key >> width) << 3).collect(), &[]);
        }
    }
}
