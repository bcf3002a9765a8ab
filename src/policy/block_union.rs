//! Whether any of several ACLs blocks an address, as one look-up.
//!
//! ACLs in, a [`BlockUnion`] out; client in, yes or no out. Says nothing about which ACL it was: it only
//! tells the requests that can be waved through from those that need a closer look.

use super::acl::{Action, IpAcl};
use super::range_map::{Guide, RangeMap, Span, Word};
use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

/// Whether any of several ACLs blocks an address.
#[derive(Debug)]
pub struct BlockUnion(Form);

#[derive(Debug)]
enum Form {
    /// There is no ACL.
    Never,
    /// There is one: it answers itself.
    One(Arc<IpAcl>),
    /// What any of them blocks, by family.
    Merged(Box<(Toggles<u32>, Toggles<u128>)>),
}

impl BlockUnion {
    /// The union of what these ACLs block; the same ACL may come more than once.
    ///
    /// Cost: O(n log n) in the entries of the distinct ACLs; nothing where there is one alone.
    pub fn of<'a>(acls: impl Iterator<Item = &'a Arc<IpAcl>>) -> Self {
        let mut seen = HashSet::new();
        let distinct: Vec<_> = acls.filter(|acl| seen.insert(Arc::as_ptr(acl))).collect();
        Self(match distinct.as_slice() {
            [] => Form::Never,
            [only] => Form::One(Arc::clone(only)),
            several => Form::Merged(Box::new((
                Toggles::of(several.iter().map(|acl| (acl.v4(), acl.default_action()))),
                Toggles::of(several.iter().map(|acl| (acl.v6(), acl.default_action()))),
            ))),
        })
    }

    /// Whether any of them blocks the client; `None`, an unknown address, is blocked wherever there is an ACL.
    pub fn any_blocks(&self, client: Option<IpAddr>) -> bool {
        match (&self.0, client.map(|client| client.to_canonical())) {
            (Form::Never, _) => false,
            (Form::One(acl), client) => acl.test(client).action == Action::Block,
            (Form::Merged(_), None) => true,
            (Form::Merged(families), Some(IpAddr::V4(client))) => families.0.contains(client.to_bits()),
            (Form::Merged(families), Some(IpAddr::V6(client))) => families.1.contains(client.to_bits()),
        }
    }
}

/// A set of addresses: the places where it begins and ends, in order.
#[derive(Debug)]
struct Toggles<W> {
    toggles: Box<[W]>,
    guide: Guide<W>,
}

impl<W: Word> Toggles<W> {
    fn of<'a>(maps: impl Iterator<Item = (&'a RangeMap<W>, Action)>) -> Self {
        let mut blocked = Spans::default();
        for (map, default) in maps {
            match default {
                Action::Allow => {
                    blocked.add_all(map.pieces().filter(|(_, blocks)| *blocks).map(|(span, _)| span))
                }
                Action::Block => blocked.add_all(outside(map.pieces().filter(|(_, blocks)| !blocks))),
            }
        }
        let toggles: Box<[W]> =
            blocked.merged().iter().flat_map(|span| [Some(span.start), span.end.next()]).flatten().collect();
        Self { guide: Guide::new(&toggles, |toggle| *toggle), toggles }
    }

    fn contains(&self, address: W) -> bool {
        self.guide.rank(&self.toggles, address, |toggle| *toggle) % 2 == 1
    }
}

/// What lies between pieces that come in order, before the first and behind the last.
fn outside<W: Word>(pieces: impl Iterator<Item = (Span<W>, bool)>) -> impl Iterator<Item = Span<W>> {
    let mut next_start = Some(W::FIRST);
    pieces.map(|(span, _)| Some(span)).chain(std::iter::once(None)).filter_map(move |piece| {
        let start = next_start?;
        match piece {
            Some(piece) => {
                next_start = piece.end.next();
                (start < piece.start).then(|| Span { start, end: piece.start.previous() })
            }
            None => Some(Span { start, end: W::LAST }),
        }
    })
}

/// Spans that are merged now and then, so that a crowd of ACLs needs memory for the result alone.
#[derive(Debug)]
struct Spans<W> {
    spans: Vec<Span<W>>,
    merge_at: usize,
}

/// Fewer spans than this are not worth a merge in between.
const LEAST_MERGE: usize = 1 << 16;

impl<W: Word> Default for Spans<W> {
    fn default() -> Self {
        Self { spans: Vec::new(), merge_at: LEAST_MERGE }
    }
}

impl<W: Word> Spans<W> {
    fn add_all(&mut self, spans: impl Iterator<Item = Span<W>>) {
        for span in spans {
            match self.spans.last_mut().filter(|last| last.end.next() == Some(span.start)) {
                Some(last) => last.end = span.end,
                None => self.spans.push(span),
            }
        }
        if self.spans.len() >= self.merge_at {
            self.merge();
            self.merge_at = LEAST_MERGE.max(self.spans.len() * 2);
        }
    }

    fn merge(&mut self) {
        self.spans.sort_unstable();
        self.spans.dedup_by(|next, kept| {
            let joins = kept.end.next().is_none_or(|behind| next.start <= behind);
            if joins {
                kept.end = kept.end.max(next.end);
            }
            joins
        });
    }

    fn merged(mut self) -> Vec<Span<W>> {
        self.merge();
        self.spans
    }
}

#[cfg(test)]
mod tests;
