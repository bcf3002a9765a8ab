//! Rows that cross: they overlap, neither lies inside the other, and their actions are opposite.
//!
//! A sweep by start. Of the rows that began before the current one, those of the opposite action are kept in
//! order of their ends; the ones that cross it end inside it.

use super::{Span, Word};
use std::collections::BTreeSet;

/// Rows that began earlier, by end, of one action.
type Open<W> = BTreeSet<(W, usize)>;

/// Crossing pairs, the one that starts first first, at most `limit`; `blocks` is `None` for rows that do not count. Cost:
/// O(n log n + limit).
pub(super) fn crossings<W: Word>(
    spans: &[Span<W>],
    blocks: impl Fn(usize) -> Option<bool>,
    limit: usize,
) -> Vec<(usize, usize)> {
    let (mut allowing, mut blocking): (Open<W>, Open<W>) = (Open::new(), Open::new());
    let mut pairs = Vec::new();
    let mut done = 0;
    // Rows that start together lie inside each other: a group is compared with earlier ones alone.
    for group in spans.chunk_by(|a, b| a.start == b.start) {
        for (row, span) in (done..).zip(group) {
            let Some(blocks) = blocks(row) else { continue };
            let opposite = if blocks { &mut allowing } else { &mut blocking };
            drop_ended(opposite, span.start);
            let ending_inside = opposite.range(..(span.end, 0)).take(limit - pairs.len());
            pairs.extend(ending_inside.map(|(_, earlier)| (*earlier, row)));
            if pairs.len() == limit {
                return pairs;
            }
        }
        for (row, span) in (done..).zip(group) {
            let Some(blocks) = blocks(row) else { continue };
            let same = if blocks { &mut blocking } else { &mut allowing };
            same.insert((span.end, row));
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
