//! From rules of which the first that matches decides to entries of which the narrowest does.
//!
//! In: rules in order, and what holds where none matches. Out: entries with the same effect on every address. They are the
//! rules themselves where that is so; else disjoint ranges, worked out by a sweep. Cost: O(n log n).

use crate::policy::acl::{Action, IpAcl, IpAclBuilder, Place};
use crate::policy::range::AddressRange;
use std::collections::{BTreeSet, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;
use uuid::Uuid;

/// Addresses and what becomes of them.
pub(super) type Rule = (AddressRange, Action);

/// Entries with the effect of the rules, and whether they had to be worked out.
pub(super) fn of_ordered(rules: &[Rule], default: Action) -> (Vec<Rule>, bool) {
    let mut seen = HashSet::new();
    let first: Vec<Rule> = rules.iter().filter(|(range, _)| seen.insert(*range)).copied().collect();
    let pieces: Vec<Rule> = [false, true].into_iter().flat_map(|v6| sweep(&first, v6)).collect();
    let differing = |range: &Rule| range.1 != default;
    let worked_out = || pieces.iter().filter(|piece| differing(piece)).copied().collect::<Vec<_>>();
    let same = agrees(&compiled(&first, default), &compiled(&worked_out(), default), &first);
    if same { (first, false) } else { (worked_out(), true) }
}

/// What is in a list and what is not: every range that lies between these, of both families.
pub(super) fn complement(ranges: &[AddressRange]) -> Vec<AddressRange> {
    let everything = [everything(false), everything(true)].map(|range| (range, Action::Allow));
    let listed = ranges.iter().map(|range| (*range, Action::Block));
    let rules: Vec<Rule> = listed.chain(everything).collect();
    let pieces = [false, true].into_iter().flat_map(|v6| sweep(&rules, v6));
    pieces.filter(|(_, action)| *action == Action::Allow).map(|(range, _)| range).collect()
}

fn everything(v6: bool) -> AddressRange {
    let start = address(0, v6);
    let end = address(if v6 { u128::MAX } else { u32::MAX.into() }, v6);
    AddressRange::new(start, end).unwrap_or_else(|_| AddressRange::from(start))
}

fn compiled(rules: &[Rule], default: Action) -> IpAcl {
    let mut builder = IpAclBuilder::new(Uuid::nil(), "", default);
    for (range, action) in rules {
        builder.push(*range, *action, Place { file: 0, line: 0 });
    }
    builder.build()
}

/// Whether two ACLs do the same: both can only change where a range begins, or behind one.
fn agrees(one: &IpAcl, other: &IpAcl, rules: &[Rule]) -> bool {
    let behind =
        |range: &AddressRange| Some(address(bits(range.end()).checked_add(1)?, range.end().is_ipv6()));
    let points = rules.iter().flat_map(|(range, _)| [Some(range.start()), behind(range)]).flatten();
    points.into_iter().all(|point| one.test(Some(point)).action == other.test(Some(point)).action)
}

/// Disjoint pieces of one family, by address, with the action of the first rule that covers them.
fn sweep(rules: &[Rule], v6: bool) -> Vec<Rule> {
    let family = || rules.iter().enumerate().filter(|(_, (range, _))| range.start().is_ipv6() == v6);
    let starts = family().map(|(order, (range, _))| (bits(range.start()), true, order));
    let ends =
        family().filter_map(|(order, (range, _))| Some((bits(range.end()).checked_add(1)?, false, order)));
    let mut events: Vec<(u128, bool, usize)> = starts.chain(ends).collect();
    events.sort_unstable();
    let last = if v6 { u128::MAX } else { u32::MAX.into() };
    let mut open = BTreeSet::new();
    let mut pieces: Vec<(u128, u128, Action)> = Vec::new();
    let mut events = events.into_iter().peekable();
    while let Some((at, begins, order)) = events.next() {
        if begins {
            open.insert(order);
        } else {
            open.remove(&order);
        }
        let next = events.peek().map(|(next, ..)| *next);
        if next == Some(at) {
            continue;
        }
        let action = open.first().and_then(|order| rules.get(*order)).map(|(_, action)| *action);
        let (Some(action), end) = (action, next.map_or(last, |next| next - 1)) else { continue };
        match pieces.last_mut() {
            Some((_, before, same)) if *same == action && before.checked_add(1) == Some(at) => *before = end,
            _ => pieces.push((at, end, action)),
        }
    }
    pieces.into_iter().filter_map(|(start, end, action)| Some((piece(start, end, v6)?, action))).collect()
}

/// A range without an end among the IPv4-mapped addresses, which are no IPv6 clients: there it is cut off.
fn piece(start: u128, end: u128, v6: bool) -> Option<AddressRange> {
    const MAPPED: RangeInclusive<u128> = 0xffff_0000_0000..=0xffff_ffff_ffff;
    let start = if v6 && MAPPED.contains(&start) { MAPPED.end() + 1 } else { start };
    let end = if v6 && MAPPED.contains(&end) { MAPPED.start() - 1 } else { end };
    AddressRange::new(address(start, v6), address(end, v6)).ok()
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn address(bits: u128, v6: bool) -> IpAddr {
    match u32::try_from(bits) {
        Ok(bits) if !v6 => Ipv4Addr::from_bits(bits).into(),
        _ => Ipv6Addr::from_bits(bits).into(),
    }
}

#[cfg(test)]
mod tests;
