//! Changes of a text at byte offsets, gathered in any order and applied at once: whatever no change touches stays to
//! the byte.
//!
//! INVARIANT: removed ranges may overlap, and count once; what is put in stands where it was put, in the order of
//! putting.

use std::ops::Range;

/// What is taken out, and what stands there instead.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Splice {
    range: Range<usize>,
    text: String,
}

/// Changes of one text.
#[derive(Clone, Default, Debug)]
pub(super) struct Splices {
    splices: Vec<Splice>,
}

impl Splices {
    /// Puts a text in the place of a range.
    pub(super) fn replace(&mut self, range: Range<usize>, text: impl Into<String>) {
        self.splices.push(Splice { range, text: text.into() });
    }

    /// Puts a text in.
    pub(super) fn insert(&mut self, at: usize, text: impl Into<String>) {
        self.replace(at..at, text);
    }

    /// Takes a range out.
    pub(super) fn remove(&mut self, range: Range<usize>) {
        self.replace(range, String::new());
    }

    /// Adds the changes of another.
    pub(super) fn append(&mut self, mut other: Self) {
        self.splices.append(&mut other.splices);
    }

    /// Whether nothing changes.
    pub(super) fn is_empty(&self) -> bool {
        self.splices.is_empty()
    }

    /// The changed text. Cost: linear in the text.
    pub(super) fn apply(mut self, text: &str) -> String {
        self.splices.sort_by_key(|splice| splice.range.start);
        let added: usize = self.splices.iter().map(|splice| splice.text.len()).sum();
        let mut changed = String::with_capacity(text.len() + added);
        let mut at = 0;
        for Splice { range, text: put } in self.splices {
            changed.push_str(text.get(at..range.start).unwrap_or_default());
            changed.push_str(&put);
            at = at.max(range.end);
        }
        changed.push_str(text.get(at..).unwrap_or_default());
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_applied_by_place_then_by_order() {
        let mut splices = Splices::default();
        splices.replace(6..11, "there");
        splices.insert(0, "<");
        splices.insert(11, ">");
        splices.insert(11, "!");
        assert_eq!(splices.apply("hello world"), "<hello there>!");
    }

    #[test]
    fn overlapping_removals_count_once() {
        let mut splices = Splices::default();
        splices.remove(4..8);
        splices.remove(1..5);
        splices.remove(2..3);
        splices.insert(8, "-");
        assert_eq!(splices.apply("0123456789"), "0-89");
    }

    #[test]
    fn nothing_changes_nothing() {
        assert!(Splices::default().is_empty());
        assert_eq!(Splices::default().apply("text"), "text");
    }
}
