//! Where in a sorted slice to search: an index on the leading bits of the keys.
//!
//! A look-up waits for memory, so the index is small: for a million keys 18 bits, a byte each, and four bytes for each
//! 16 of them. That is 320 KiB, which leave room in a core's second-level cache for what else a decision reads, and about
//! four keys to compare, within a cache line or two. For fewer keys fewer bits are enough.
//!
//! Keys are rarely spread evenly. The bits are those behind the ones that all keys share, so that a list within one `/8`
//! and one of IPv6 are found as fast; and where many keys stand close together they have an index of their own.

use super::Word;

/// At most this many bits are indexed.
const MOST_BITS: u32 = 18;

/// So many buckets are counted from one number.
const BLOCK: usize = 16;

/// Stands at all buckets of a block of more keys than a smaller byte can count.
const CROWDED: u8 = u8::MAX;

/// So many keys are compared at once.
const SHORT: usize = 4;

/// So many times keys are compared before the place is searched for.
const TIMES: usize = 3;

/// Fewer keys than this are searched without an index.
const LEAST_KEYS: usize = 64;

/// Finds keys of one slice; useless for any other.
#[derive(Debug)]
pub(in crate::policy) struct Guide<W> {
    index: Index<W>,
    /// Crowded blocks, in order.
    crowds: Box<[Crowd<W>]>,
}

/// The keys of a crowded block.
#[derive(Debug)]
struct Crowd<W> {
    block: usize,
    index: Index<W>,
}

/// For each bucket, the keys with the same leading bits, how many keys come before it. The last bucket is followed by
/// one of no keys.
#[derive(Debug)]
struct Index<W> {
    first: W,
    shift: u32,
    /// For each bucket the number of keys that come before it within its block.
    steps: Box<[u8]>,
    /// For each block the number of keys before it, then the number of keys.
    bases: Box<[u32]>,
}

/// Where to look for a key among others: behind so many, before the rest.
enum Place {
    Between(usize, usize),
    /// In the block with this number.
    Crowded(usize),
}

impl<W: Word> Guide<W> {
    /// A guide to items that come in the order of their keys. Cost: linear; at most three bytes a key are kept.
    pub(in crate::policy) fn new<T>(items: &[T], key: impl Fn(&T) -> W) -> Self {
        // More keys than `u32` can count are searched without an index as well.
        if items.len() < LEAST_KEYS || u32::try_from(items.len()).is_err() {
            return Self { index: Index::of(&[], &key), crowds: Box::default() };
        }
        let index = Index::of(items, &key);
        let crowd = |block| {
            let (low, high) = index.block(block);
            Crowd { block, index: Index::of(items.get(low..high).unwrap_or_default(), &key) }
        };
        let crowds = index.crowded().map(crowd).collect();
        Self { index, crowds }
    }

    /// How many of the keys are at most `wanted`.
    #[inline]
    pub(in crate::policy) fn rank<T>(&self, items: &[T], wanted: W, key: impl Fn(&T) -> W) -> usize {
        if self.index.steps.is_empty() {
            return items.partition_point(|item| key(item) <= wanted);
        }
        let precedes = |item: &T| key(item) <= wanted;
        let near = self.index.low(wanted).and_then(|low| count_on(items, low, precedes));
        near.unwrap_or_else(|| {
            let (low, high) = self.around(wanted);
            low + items.get(low..high).unwrap_or_default().partition_point(precedes)
        })
    }

    /// Where to look; out of the way of what nearly every look-up does.
    #[inline(never)]
    fn around(&self, wanted: W) -> (usize, usize) {
        match self.index.place(wanted) {
            Place::Between(low, high) => (low, high),
            Place::Crowded(block) => self.among(block, wanted),
        }
    }

    /// Where to look within a crowded block.
    fn among(&self, block: usize, wanted: W) -> (usize, usize) {
        let (start, end) = self.index.block(block);
        let crowd = self.crowds.binary_search_by_key(&block, |crowd| crowd.block);
        let Some(Crowd { index, .. }) = crowd.ok().and_then(|at| self.crowds.get(at)) else {
            return (start, end);
        };
        let (low, high) = match index.place(wanted) {
            Place::Between(low, high) => (low, high),
            // A crowd in a crowd is searched.
            Place::Crowded(block) => index.block(block),
        };
        (start + low, start + high)
    }
}

impl<W: Word> Index<W> {
    /// Of no items an empty one.
    fn of<T>(items: &[T], key: &impl Fn(&T) -> W) -> Self {
        let (Some(first), Some(last)) = (items.first().map(key), items.last().map(key)) else {
            return Self { first: W::FIRST, shift: 0, steps: Box::default(), bases: Box::default() };
        };
        let bits = items.len().ilog2().min(MOST_BITS);
        let shift = last.offset_from(first).bit_length().saturating_sub(bits);
        let buckets = last.offset_from(first).leading(shift) + 2;
        let mut steps = vec![0_u8; buckets].into_boxed_slice();
        let mut bases = vec![0; buckets.div_ceil(BLOCK) + 1].into_boxed_slice();
        for (count, item) in (1..).zip(items) {
            let bucket = key(item).offset_from(first).leading(shift);
            if let (Some(length), Some(behind)) = (steps.get_mut(bucket), bases.get_mut(bucket / BLOCK + 1)) {
                *length = length.saturating_add(1);
                *behind = count;
            }
        }
        let mut base = 0;
        for (steps, behind) in steps.chunks_mut(BLOCK).zip(bases.iter_mut().skip(1)) {
            // Behind a block without keys there are as many as before it.
            *behind = base.max(*behind);
            add_up(steps, *behind - base);
            base = *behind;
        }
        Self { first, shift, steps, bases }
    }

    /// Of a bucket of keys that is not crowded, how many keys come before it.
    #[inline]
    fn low(&self, wanted: W) -> Option<usize> {
        let bucket = self.bucket(wanted);
        let (step, base) = (self.steps.get(bucket)?, self.bases.get(bucket / BLOCK)?);
        (*step != CROWDED).then_some(*base as usize + usize::from(*step))
    }

    fn place(&self, wanted: W) -> Place {
        let bucket = self.bucket(wanted);
        match (self.low(wanted), self.steps.get(bucket)) {
            (Some(low), _) => Place::Between(low, self.high(bucket)),
            (None, Some(_)) => Place::Crowded(bucket / BLOCK),
            (None, None) => Place::Between(self.count(), self.count()),
        }
    }

    /// Keys before the first one are sought in its bucket.
    #[inline]
    fn bucket(&self, wanted: W) -> usize {
        wanted.offset_from(self.first).leading(self.shift)
    }

    /// How many keys come before the bucket behind one that is not crowded.
    fn high(&self, bucket: usize) -> usize {
        let next = bucket + 1;
        match (self.steps.get(next), self.bases.get(next / BLOCK)) {
            // Of a crowded block only the first bucket can come next, and no keys of the block come before it.
            (Some(&CROWDED), Some(base)) => *base as usize,
            (Some(step), Some(base)) => *base as usize + usize::from(*step),
            _ => self.count(),
        }
    }

    fn count(&self) -> usize {
        self.bases.last().map_or(0, |count| *count as usize)
    }

    /// How many keys come before a block, and before the next one.
    fn block(&self, block: usize) -> (usize, usize) {
        match self.bases.get(block..).unwrap_or_default() {
            [low, high, ..] => (*low as usize, *high as usize),
            _ => (0, 0),
        }
    }

    fn crowded(&self) -> impl Iterator<Item = usize> + '_ {
        let blocks = self.steps.chunks(BLOCK).enumerate();
        blocks.filter(|(_, steps)| steps.first() == Some(&CROWDED)).map(|(block, _)| block)
    }
}

/// How many items come before the first one that does not precede, of which `low` are known; `None` where it is not near.
#[inline]
fn count_on<T>(items: &[T], low: usize, precedes: impl Fn(&T) -> bool) -> Option<usize> {
    let mut rank = low;
    for next in items.get(low..)?.chunks_exact(SHORT).take(TIMES) {
        // Counted rather than searched, which takes no branch that depends on the data. A greater key ends the count, be
        // it of the same bucket or not.
        let count = next.iter().map(|item| usize::from(precedes(item))).sum::<usize>();
        rank += count;
        if count < SHORT {
            return Some(rank);
        }
    }
    None
}

/// The lengths of the buckets of a block with so many keys become the numbers of keys before them.
fn add_up(steps: &mut [u8], keys: u32) {
    if keys >= u32::from(CROWDED) {
        return steps.fill(CROWDED);
    }
    let mut before = 0;
    for step in steps {
        before += std::mem::replace(step, before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check<W: Word>(mut keys: Vec<W>, wanted: &[W]) {
        keys.sort_unstable();
        let guide = Guide::new(&keys, |key| *key);
        let around = |word: &W| [word.previous(), *word, word.next().unwrap_or(W::LAST)];
        for wanted in keys.iter().chain(wanted).flat_map(around).chain([W::FIRST, W::LAST]) {
            let expected = keys.iter().filter(|key| **key <= wanted).count();
            assert_eq!(guide.rank(&keys, wanted, |key| *key), expected, "{wanted:?} of {keys:?}");
        }
    }

    fn bytes<W>(guide: &Guide<W>) -> usize {
        let indexes = guide.crowds.iter().map(|crowd| &crowd.index).chain([&guide.index]);
        let crowds = guide.crowds.len() * size_of::<Crowd<W>>();
        crowds + indexes.map(|index| index.steps.len() + 4 * index.bases.len()).sum::<usize>()
    }

    #[test]
    fn edges_of_the_address_space() {
        check(Vec::new(), &[1_u32]);
        check(vec![0_u32; 100], &[1, u32::MAX]);
        check(vec![u32::MAX; 100], &[1]);
        check(vec![7_u32; 300], &[]);
        check((0..100).chain([u32::MAX]).collect(), &[1 << 31]);
        check((0..100).map(|key| u32::MAX - key).collect(), &[0]);
        check((0..100).map(|key| u128::MAX - (key << 100)).collect(), &[0]);
    }

    #[test]
    fn blocks_around_the_most_that_a_byte_counts() {
        for crowd in 250..260 {
            check((0..crowd).chain([1 << 20, 1 << 30, u32::MAX]).collect(), &[]);
            check([0, 1 << 20].into_iter().chain((0..crowd).map(|key| u32::MAX - key)).collect(), &[]);
            check((0..64).map(|key| key << 26).chain((0..crowd).map(|key| (3 << 28) + key)).collect(), &[]);
        }
    }

    #[test]
    fn a_million_spread_keys_take_little() {
        let keys: Vec<u32> = (0..1_000_000).map(|key| key * 4294).collect();
        let taken = bytes(&Guide::new(&keys, |key| *key));
        assert!((325_000..=328_000).contains(&taken), "{taken}");
    }

    #[test]
    fn a_million_crowded_keys_take_little_and_leave_little_to_search() {
        let keys: Vec<u32> = (0..500_000).chain((0..500_000).map(|key| u32::MAX - 499_999 + key)).collect();
        let guide = Guide::new(&keys, |key| *key);
        assert!(bytes(&guide) < 2_100_000, "{}", bytes(&guide));
        for wanted in keys.iter().step_by(997) {
            let Place::Crowded(block) = guide.index.place(*wanted) else { panic!("{wanted}") };
            let (low, high) = guide.among(block, *wanted);
            assert!(high - low <= SHORT, "{wanted}: {low}..{high}");
        }
    }

    proptest! {
        #[test]
        fn ranks_as_counting_does(keys in prop::collection::vec(any::<u32>(), 0..300), near in any::<u32>(), width in 1_u32..32) {
            check(keys.iter().map(|key| near.saturating_add(key >> width)).collect(), &keys);
            check(keys.iter().map(|key| u128::from(near) << 90 | u128::from(key >> width) << 3).collect(), &[]);
        }

        #[test]
        fn ranks_crowds_as_counting_does(crowds in prop::collection::vec((any::<u32>(), 0..20_u32, 1..400_u32), 0..4), spread in prop::collection::vec(any::<u32>(), 0..100)) {
            let crowd = |(start, stride, count): &(u32, u32, u32)| {
                let (start, stride) = (*start, *stride);
                (0..*count).map(move |at| start.saturating_add(at * stride))
            };
            let keys: Vec<u32> = crowds.iter().flat_map(crowd).chain(spread).collect();
            check(keys.iter().map(|key| u128::from(*key) << 60).collect(), &[]);
            check(keys, &[]);
        }
    }
}
