//! When a series of changes is over: pure, on instants that the caller brings.
//!
//! Whoever writes a file and lets go of it has said all; whoever does not may go on. So a series in which every file was
//! let go of is over sooner than one of which nobody knows.

use super::{PATIENCE, QUIET, SETTLED};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What is known of a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Change<'a> {
    /// A file is written.
    Writing(&'a Path),
    /// Its writer let go of it, or it was put there as a whole.
    Whole(&'a Path),
    /// That there was one.
    Unknown,
}

/// A series of changes, if one is under way.
#[derive(Debug, Default)]
pub(super) struct Debounce {
    series: Option<Series>,
    /// Files that were not let go of.
    writing: BTreeSet<PathBuf>,
}

#[derive(Clone, Copy, Debug)]
struct Series {
    first: Instant,
    last: Instant,
    /// Whether some change belongs to no writer.
    unknown: bool,
}

impl Debounce {
    /// Something changed.
    pub(super) fn touch(&mut self, now: Instant, change: Change<'_>) {
        // What is found by looking while somebody writes is most likely what that one writes.
        let unknown = change == Change::Unknown && self.writing.is_empty();
        match change {
            Change::Writing(file) if !self.writing.contains(file) => drop(self.writing.insert(file.into())),
            Change::Whole(file) => drop(self.writing.remove(file)),
            Change::Writing(_) | Change::Unknown => {}
        }
        let before = self.series.unwrap_or(Series { first: now, last: now, unknown });
        self.series = Some(Series { last: now, unknown: before.unknown | unknown, ..before });
    }

    /// Whether a series is under way.
    pub(super) fn is_pending(&self) -> bool {
        self.series.is_some()
    }

    /// Whether every change so far is known to be whole.
    pub(super) fn is_settled(&self) -> bool {
        self.writing.is_empty() && self.series.is_some_and(|series| !series.unknown)
    }

    /// When the series is over if nothing follows: when it has been quiet for long enough, or lasted for too long.
    pub(super) fn due(&self) -> Option<Instant> {
        let quiet = if self.is_settled() { SETTLED } else { QUIET };
        self.series.map(|Series { first, last, .. }| (last + quiet).min(first + PATIENCE))
    }

    /// Ends the series if it is over.
    pub(super) fn fire(&mut self, now: Instant) -> bool {
        let over = self.due().is_some_and(|due| due <= now);
        if over {
            *self = Self::default();
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
        debounce.touch(start, Change::Unknown);
        debounce.touch(start + QUIET / 2, Change::Unknown);
        assert!(!debounce.fire(start + QUIET));
        assert!(debounce.fire(start + QUIET / 2 + QUIET));
        assert!(!debounce.fire(start + QUIET * 9));
    }

    #[test]
    fn what_is_whole_is_not_waited_for_as_long() {
        let (start, a, b) = (Instant::now(), Path::new("a"), Path::new("b"));
        let quiet = |changes: &[Change<'_>]| {
            let mut debounce = Debounce::default();
            changes.iter().for_each(|change| debounce.touch(start, *change));
            debounce.due().unwrap() - start
        };
        assert_eq!(quiet(&[Change::Whole(a)]), SETTLED);
        assert_eq!(quiet(&[Change::Writing(a), Change::Unknown, Change::Whole(a)]), SETTLED);
        assert_eq!(quiet(&[Change::Writing(a), Change::Writing(b), Change::Whole(b)]), QUIET);
        assert_eq!(quiet(&[Change::Unknown, Change::Whole(a)]), QUIET);
        assert_eq!(quiet(&[Change::Whole(a), Change::Writing(a)]), QUIET);
    }

    #[test]
    fn an_endless_writer_is_waited_for_and_not_for_ever() {
        let start = Instant::now();
        let mut debounce = Debounce::default();
        let step = Duration::from_millis(50);
        let mut now = start;
        while !debounce.fire(now) {
            debounce.touch(now, Change::Writing(Path::new("a")));
            now += step;
            assert!(now <= start + PATIENCE + step);
        }
        assert!(now >= start + PATIENCE);
    }
}
