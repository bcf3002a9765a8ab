//! What an entry may carry beside its range: when it expires, a note, an owner.
//!
//! An ACL is compiled as of a moment. An entry that has expired by then is as if it were not there, but the ACL still
//! knows it: the same ACL can be compiled [as of](IpAcl::as_of) any other moment, also of an earlier one, and the
//! management API shows every entry that is [written](IpAcl::written). INVARIANT: of the entries with details, those
//! are compiled that are in force at the ACL's moment, each once.

use super::{Action, Entry, IpAcl, IpAclBuilder, Place};
use crate::policy::moment::{Moment, Term};
use crate::policy::range::AddressRange;
use std::collections::HashMap;
use std::sync::Arc;

/// What an entry carries beside its range.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct Details {
    /// From this moment on it is as if it were not there.
    pub expires: Option<Moment>,
    /// What it is for.
    pub note: Option<Arc<str>>,
    /// Who answers for it.
    pub owner: Option<Arc<str>>,
}

impl Details {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether an entry with them is in force at a moment.
    pub fn hold_at(&self, now: Moment) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }
}

/// An entry with details, in force or not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Detailed {
    /// The entry.
    pub entry: Entry,
    /// What it carries.
    pub details: Details,
}

impl IpAclBuilder {
    /// The moment as of which the ACL is compiled; where nothing is said, before everything expires.
    #[must_use]
    pub fn as_of(mut self, now: Moment) -> Self {
        self.now = now;
        self
    }

    /// The moment as of which the ACL is compiled.
    pub fn now(&self) -> Moment {
        self.now
    }

    /// Adds an entry with details; one that has expired does not count.
    pub fn push_detailed(&mut self, range: AddressRange, action: Action, (place, details): (Place, Details)) {
        if details.hold_at(self.now) {
            self.push(range, action, place);
        }
        if !details.is_empty() {
            let entry = Entry { range, action, place, origin: None };
            self.detailed.push(Detailed { entry, details });
        }
    }
}

/// How often each entry is still to be left out.
type Surplus = HashMap<Entry, usize>;

impl IpAcl {
    /// Until when, and from when on, the ACL is what it is compiled to be.
    pub fn term(&self) -> Term {
        Term::around(self.now, self.detailed.iter().filter_map(|detailed| detailed.details.expires))
    }

    /// Every entry with details, those that have expired included.
    pub fn detailed(&self) -> &[Detailed] {
        &self.detailed
    }

    /// The entries that have expired.
    pub fn expired(&self) -> impl Iterator<Item = &Detailed> {
        self.detailed.iter().filter(|detailed| !detailed.details.hold_at(self.now))
    }

    /// What a compiled entry carries. Cost: linear in the entries with details.
    pub fn details(&self, entry: &Entry) -> Option<&Details> {
        let mut detailed = self.detailed.iter();
        let found =
            detailed.find(|detailed| detailed.entry == *entry && detailed.details.hold_at(self.now))?;
        Some(&found.details)
    }

    /// Every entry that is written as a range, in force or not, by address.
    pub fn written(&self) -> Vec<(Entry, Option<&Details>)> {
        let ranges = self.plain().filter(|entry| entry.origin.is_none());
        let mut written: Vec<_> = ranges.map(|entry| (entry, None)).collect();
        if !self.detailed.is_empty() {
            written.extend(self.detailed.iter().map(|detailed| (detailed.entry, Some(&detailed.details))));
            // Stable, and IPv4 first: what is equal stays in the order of the file.
            written.sort_by_key(|(Entry { range, action, place, origin: _ }, _)| {
                (
                    range.start(),
                    std::cmp::Reverse(range.end()),
                    *action == Action::Block,
                    place.file,
                    place.line,
                )
            });
        }
        written
    }

    /// The same ACL as of another moment. Cost: as compiling it anew.
    #[must_use]
    pub fn as_of(&self, now: Moment) -> Self {
        let mut builder = IpAclBuilder::of(self.about.clone()).as_of(now);
        for Entry { range, action, place, origin } in self.plain() {
            match origin {
                None => builder.push(range, action, place),
                Some(origin) => builder.push_origin(range, action, (origin, place.file)),
            }
        }
        for Detailed { entry: Entry { range, action, place, origin: _ }, details } in &self.detailed {
            builder.push_detailed(*range, *action, (*place, details.clone()));
        }
        builder.build()
    }

    /// The entries without details.
    fn plain(&self) -> impl Iterator<Item = Entry> {
        let mut surplus = Surplus::new();
        for detailed in self.detailed.iter().filter(|detailed| detailed.details.hold_at(self.now)) {
            *surplus.entry(detailed.entry).or_default() += 1;
        }
        self.entries().filter(move |entry| {
            if surplus.is_empty() {
                return true;
            }
            match surplus.get_mut(entry).filter(|count| **count > 0) {
                Some(count) => {
                    *count -= 1;
                    false
                }
                None => true,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::{Allow, Block};
    use proptest::prelude::*;

    const PLACE: Place = Place { file: 0, line: 1 };

    fn until(millis: i64) -> Details {
        Details { expires: Some(Moment::from_millis(millis)), ..Details::default() }
    }

    fn builder(now: i64) -> IpAclBuilder {
        IpAclBuilder::new(::uuid::Uuid::nil(), "a", Block).as_of(Moment::from_millis(now))
    }

    fn acl(now: i64, entries: &[(&str, Action, Option<i64>)]) -> IpAcl {
        let mut builder = builder(now);
        for (range, action, expires) in entries {
            let details = expires.map_or_else(Details::default, until);
            builder.push_detailed(range.parse().unwrap(), *action, (PLACE, details));
        }
        builder.build()
    }

    fn allows(acl: &IpAcl, address: &str) -> bool {
        acl.test(Some(address.parse().unwrap())).action == Allow
    }

    #[test]
    fn an_expired_entry_is_as_if_it_were_not_there() {
        let entries = [
            ("192.0.2.0/24", Allow, None),
            ("192.0.2.7", Block, Some(10)),
            ("198.51.100.0/24", Allow, Some(20)),
            ("2001:db8::/32", Allow, Some(10)),
        ];
        for (now, expected, (from, until)) in [
            (0, [false, true, true], (i64::MIN, 10)),
            (9, [false, true, true], (i64::MIN, 10)),
            (10, [true, true, false], (10, 20)),
            (20, [true, false, false], (20, i64::MAX)),
        ] {
            let acl = acl(now, &entries);
            let found = ["192.0.2.7", "198.51.100.1", "2001:db8::1"].map(|address| allows(&acl, address));
            assert_eq!(found, expected, "{now}");
            assert_eq!(
                acl.term(),
                Term { from: Moment::from_millis(from), until: Moment::from_millis(until) }
            );
            assert_eq!(acl.written().len(), 4);
            assert_eq!(acl.len() + acl.expired().count(), 4);
        }
    }

    #[test]
    fn equal_entries_of_one_line_are_told_apart() {
        let entries =
            [("192.0.2.1", Allow, None), ("192.0.2.1", Allow, Some(10)), ("192.0.2.1", Allow, Some(20))];
        for (now, left) in [(5, 3), (10, 2), (20, 1)] {
            let acl = acl(5, &entries).as_of(Moment::from_millis(now));
            assert_eq!((acl.len(), acl.written().len()), (left, 3), "{now}");
            assert!(allows(&acl, "192.0.2.1"));
        }
    }

    #[test]
    fn details_are_found_for_what_decided() {
        let mut builder = builder(0);
        let note = Details { note: Some("branch".into()), ..Details::default() };
        builder.push_detailed("192.0.2.1".parse().unwrap(), Allow, (PLACE, note.clone()));
        builder.push("192.0.2.0/24".parse().unwrap(), Allow, PLACE);
        let acl = builder.build();
        let details: Vec<_> = acl.entries().map(|entry| acl.details(&entry).cloned()).collect();
        assert_eq!(details, [None, Some(note)]);
        assert_eq!(acl.term(), Term::ALWAYS, "a note does not expire");
    }

    /// Whatever the moments, back and forth, an ACL is what it would be if it were compiled at once.
    fn entries() -> impl Strategy<Value = Vec<(u8, u8, bool, Option<i64>, u32)>> {
        prop::collection::vec((0_u8..8, 0_u8..8, any::<bool>(), prop::option::of(0_i64..6), 1_u32..3), 0..16)
    }

    proptest! {
        #[test]
        fn time_travel_ends_where_a_direct_way_does(entries in entries(), way in prop::collection::vec(-1_i64..7, 1..5)) {
            let compile = |now: i64, all: bool| {
                let mut builder = builder(now);
                for (a, b, blocks, expires, line) in &entries {
                    let address = |last: u8| std::net::Ipv4Addr::new(192, 0, 2, last).into();
                    let range = AddressRange::new(address(*a.min(b)), address(*a.max(b))).unwrap();
                    let (action, place) = (if *blocks { Block } else { Allow }, Place { file: 0, line: *line });
                    let details = expires.map_or_else(Details::default, until);
                    match all {
                        true => builder.push_detailed(range, action, (place, details)),
                        // The naive twin: what has expired is not written at all.
                        false if expires.is_none_or(|expires| now < expires) => builder.push(range, action, place),
                        false => {}
                    }
                }
                builder.build()
            };
            let mut acl = compile(0, true);
            for now in way {
                acl = acl.as_of(Moment::from_millis(now));
                prop_assert!(acl.term().contains(Moment::from_millis(now)));
                let entries = |acl: &IpAcl| acl.entries().collect::<Vec<_>>();
                prop_assert_eq!(entries(&acl), entries(&compile(now, false)));
                let direct = compile(now, true);
                prop_assert_eq!(acl.written(), direct.written());
            }
        }
    }
}
