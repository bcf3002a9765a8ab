//! Histograms of durations with fixed buckets; one writer each, as every counter of a worker.

use super::Counter;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// Upper bounds of the buckets of decision times, in seconds.
pub(super) const DECISION: [f64; 9] = [1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 1e-4, 1e-3, 1e-2, 1e-1];
/// Upper bounds of the buckets of upstream times, in seconds.
pub(super) const UPSTREAM: [f64; 15] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// A histogram with `N` bounds.
#[derive(Debug)]
pub struct Histogram<const N: usize> {
    bounds: &'static [f64; N],
    buckets: [Counter; N],
    beyond: Counter,
    sum_nanoseconds: Counter,
}

/// One duration in so many is measured.
const EACH: u64 = 16;

/// A histogram of durations that are short beside the time that it takes to look at the clock: it is looked at for one in
/// [`EACH`], and that one stands for those behind it. All are counted.
#[derive(Debug)]
pub struct Sampled<const N: usize> {
    histogram: Histogram<N>,
    counted: Counter,
    /// What was measured last, in nanoseconds.
    last: AtomicU64,
}

impl Default for Sampled<{ DECISION.len() }> {
    fn default() -> Self {
        Self { histogram: Histogram::new(&DECISION), counted: Counter::default(), last: AtomicU64::default() }
    }
}

impl<const N: usize> Sampled<N> {
    /// Counts a duration, and measures it if it is its turn; only for the one writer.
    pub fn observe(&self, measure: impl FnOnce() -> Duration) {
        if self.counted.get().is_multiple_of(EACH) {
            self.last.store(u64::try_from(measure().as_nanos()).unwrap_or(u64::MAX), Relaxed);
        }
        self.counted.add(1);
        self.histogram.observe(Duration::from_nanos(self.last.load(Relaxed)));
    }

    /// Adds what was counted to a sum.
    pub(super) fn add_to(&self, total: &mut Total) {
        self.histogram.add_to(total);
    }
}

impl Default for Histogram<{ UPSTREAM.len() }> {
    fn default() -> Self {
        Self::new(&UPSTREAM)
    }
}

impl<const N: usize> Histogram<N> {
    fn new(bounds: &'static [f64; N]) -> Self {
        let buckets = std::array::from_fn(|_| Counter::default());
        Self { bounds, buckets, beyond: Counter::default(), sum_nanoseconds: Counter::default() }
    }

    /// Counts a duration; only for the one writer.
    pub fn observe(&self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        let bucket = self.bounds.iter().position(|bound| seconds <= *bound);
        bucket.and_then(|bucket| self.buckets.get(bucket)).unwrap_or(&self.beyond).add(1);
        self.sum_nanoseconds.add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Adds what was counted to a sum.
    pub(super) fn add_to(&self, total: &mut Total) {
        let counts = self.buckets.iter().chain([&self.beyond]).map(Counter::get);
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        for (index, (bound, count)) in bounds.zip(counts).enumerate() {
            match total.buckets.get_mut(index) {
                Some(bucket) => bucket.1 += count,
                None => total.buckets.push((bound, count)),
            }
            total.count += count;
        }
        total.sum += Duration::from_nanos(self.sum_nanoseconds.get());
    }
}

/// The sum of all workers' histograms.
#[derive(Debug, Default)]
pub(super) struct Total {
    /// Upper bounds and the numbers between them.
    pub(super) buckets: Vec<(f64, u64)>,
    /// All of them.
    pub(super) count: u64,
    /// The time that they took.
    pub(super) sum: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_duration_in_some_is_measured_and_stands_for_those_behind_it() {
        let sampled = Sampled::default();
        sampled.observe(|| Duration::from_secs(1));
        (1..EACH).for_each(|_| sampled.observe(|| Duration::ZERO));
        let (mut first, mut both) = (Total::default(), Total::default());
        sampled.add_to(&mut first);
        let of_first = Duration::from_secs(EACH);
        assert_eq!(
            (first.count, first.sum, first.buckets.last()),
            (EACH, of_first, Some(&(f64::INFINITY, EACH)))
        );
        sampled.observe(|| Duration::from_nanos(1));
        sampled.add_to(&mut both);
        assert_eq!((both.count, both.sum), (EACH + 1, of_first + Duration::from_nanos(1)));
        assert_eq!(
            (both.buckets.first(), both.buckets.last()),
            (Some(&(1e-6, 1)), Some(&(f64::INFINITY, EACH)))
        );
    }
}
