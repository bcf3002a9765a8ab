//! When a series of changes is over: pure, on instants that the caller brings.

use super::{PATIENCE, QUIET};
use std::time::Instant;

/// A series of changes, if one is under way.
#[derive(Debug, Default)]
pub(super) struct Debounce {
    series: Option<Series>,
}

#[derive(Clone, Copy, Debug)]
struct Series {
    first: Instant,
    last: Instant,
}

impl Debounce {
    /// Something changed.
    pub(super) fn touch(&mut self, now: Instant) {
        let first = self.series.map_or(now, |series| series.first);
        self.series = Some(Series { first, last: now });
    }

    /// Whether a series is under way.
    pub(super) fn is_pending(&self) -> bool {
        self.series.is_some()
    }

    /// Ends the series if it has been quiet for long enough, or lasted for too long.
    pub(super) fn fire(&mut self, now: Instant) -> bool {
        let over = self.series.is_some_and(|Series { first, last }| {
            now.saturating_duration_since(last) >= QUIET || now.saturating_duration_since(first) >= PATIENCE
        });
        if over {
            self.series = None;
        }
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn nothing_fires_without_a_change() {
        assert!(!Debounce::default().fire(Instant::now() + PATIENCE));
    }

    #[test]
    fn it_fires_once_after_a_quiet_moment() {
        let start = Instant::now();
        let mut debounce = Debounce::default();
        debounce.touch(start);
        debounce.touch(start + QUIET / 2);
        assert!(!debounce.fire(start + QUIET));
        assert!(debounce.fire(start + QUIET / 2 + QUIET));
        assert!(!debounce.fire(start + QUIET * 9));
    }

    #[test]
    fn an_endless_writer_is_waited_for_and_not_for_ever() {
        let start = Instant::now();
        let mut debounce = Debounce::default();
        let step = Duration::from_millis(50);
        let mut now = start;
        while !debounce.fire(now) {
            debounce.touch(now);
            now += step;
            assert!(now <= start + PATIENCE + step);
        }
        assert!(now >= start + PATIENCE);
    }
}
