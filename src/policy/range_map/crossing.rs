//! Rows that cross: they overlap, neither lies inside the other, and their actions are opposite.
//!
//! A sweep by start. Of the rows that began before the current one, those of the opposite action are kept in
//! order of their ends; the ones that cross it end inside it.

use super::{Row, Word};
use std::collections::BTreeSet;

/// Rows that began earlier, by end, of one action.
type Open<W> = BTreeSet<(W, usize)>;

/// Crossing pairs among the rows of the lowest tier, the one that starts first first, at most `limit`. Cost:
/// O(n log n + limit).
pub(super) fn crossings<W: Word>(rows: &[Row<W>], limit: usize) -> Vec<(usize, usize)> {
    let (mut allowing, mut blocking): (Open<W>, Open<W>) = (Open::new(), Open::new());
    let mut pairs = Vec::new();
    let mut done = 0;
    // Rows that start together lie inside each other: a group is compared with earlier ones alone.
    for group in rows.chunk_by(|a, b| a.span.start == b.span.start) {
        let counted = || (done..).zip(group).filter(|(_, row)| row.tier == 0);
        for (at, row) in counted() {
            let opposite = if row.blocks { &mut allowing } else { &mut blocking };
            drop_ended(opposite, row.span.start);
            let ending_inside = opposite.range(..(row.span.end, 0)).take(limit - pairs.len());
            pairs.extend(ending_inside.map(|(_, earlier)| (*earlier, at)));
            if pairs.len() == limit {
                return pairs;
            }
        }
        for (at, row) in counted() {
            let same = if row.blocks { &mut blocking } else { &mut allowing };
            same.insert((row.span.end, at));
        }
        done += group.len();
    }
    pairs
}

fn drop_ended<W: Word>(open: &mut Open<W>, position: W) {
    while open.first().is_some_and(|(end, _)| *end < position) {
        open.pop_first();
    }
}
