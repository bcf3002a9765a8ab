//! [`Closure`]: every path that transformations can make of one, each in any order and any number of times.
//!
//! A breadth-first search, each distinct path once. Transformations work on all occurrences at once, so a hundred
//! escapes make no more paths than one does. The work is bounded ([`WORK_LIMIT`]): a target made to exhaust it leaves
//! a closure that says so, and whoever asks must then assume the worst.

use super::scan::{Features, scan};
use super::transformation::TRANSFORMATIONS;
use std::hash::{DefaultHasher, Hasher};

/// The most octets that transformations may read for one target, each counted with a constant of its own. Measured: a
/// target of 8 KiB made to reach the limit costs well below a millisecond.
pub(super) const WORK_LIMIT: usize = 192 * 1024;

/// What a transformation costs beside its octets, in octets.
const OVERHEAD: usize = 24;

/// Distinct paths, in the order in which they were found.
#[derive(Clone, Debug)]
pub(super) struct Closure {
    paths: Vec<Path>,
    /// All paths, one behind the other.
    octets: Vec<u8>,
    exhaustive: bool,
    work: usize,
}

#[derive(Clone, Copy, Debug)]
struct Path {
    start: usize,
    end: usize,
    hash: u64,
    features: Features,
}

impl Closure {
    /// The closure of some paths.
    pub(super) fn of<'p>(seeds: impl IntoIterator<Item = &'p [u8]>) -> Self {
        let mut closure = Self { paths: Vec::new(), octets: Vec::new(), exhaustive: true, work: 0 };
        for seed in seeds {
            closure.add(seed);
        }
        closure.exhaustive = closure.complete();
        closure
    }

    /// Whether the search came to its end.
    pub(super) fn is_exhaustive(&self) -> bool {
        self.exhaustive
    }

    /// The paths.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.paths.iter().map(|path| self.text(*path))
    }

    /// Octets read, counted as [`WORK_LIMIT`] is.
    #[cfg(test)]
    pub(super) fn work(&self) -> usize {
        self.work
    }

    fn complete(&mut self) -> bool {
        let mut out = Vec::new();
        let mut position = 0;
        while let Some(&path) = self.paths.get(position) {
            for transformation in TRANSFORMATIONS.iter().filter(|t| path.features.intersects(t.when)) {
                self.work += path.end - path.start + OVERHEAD;
                if self.work > WORK_LIMIT {
                    return false;
                }
                out.clear();
                (transformation.apply)(self.text(path), &mut out);
                self.add(&out);
            }
            position += 1;
        }
        true
    }

    fn add(&mut self, text: &[u8]) {
        let mut hasher = DefaultHasher::new();
        hasher.write(text);
        let hash = hasher.finish();
        if self.paths.iter().any(|known| known.hash == hash && self.text(*known) == text) {
            return;
        }
        let start = self.octets.len();
        self.octets.extend_from_slice(text);
        self.paths.push(Path { start, end: self.octets.len(), hash, features: scan(text) });
    }

    fn text(&self, path: Path) -> &[u8] {
        self.octets.get(path.start..path.end).unwrap_or_default()
    }
}
