//! IP ACLs: ranges that are allowed or blocked, and one default action for every other address.
//!
//! Entries go into an [`IpAclBuilder`], an [`IpAcl`] comes out, always valid and compiled for look-up; a client
//! goes in, a [`Verdict`] comes out.
//!
//! 1. A client whose address is not known is blocked, whatever the default.
//! 2. The narrowest range that covers the client decides; of ranges of one size Block.
//! 3. Whom no range covers, the client's autonomous system decides over, and then its country.
//! 4. Whom none of these covers, of either family, the default decides over.
//!
//! The order in which entries are written never matters. Of equal entries the one that is written first (by
//! file, then line) is named. Nothing here knows names of files or of subjects.

mod details;

pub use details::{Detailed, Details};

use super::geo::{Origin, OriginKind};
use super::moment::Moment;
use super::range::{AddressRange, Bounds};
use super::range_map::{RangeMap, Row, Span, Word};
use ::uuid::Uuid;
use serde_json::Value;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// What an entry does with an address that it covers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    /// The address may pass.
    Allow,
    /// The address may not pass.
    Block,
}

/// Where an entry was written: a file of the policy (0 is the policy file itself, the others are its
/// list files in the order of [`PolicyParts::files`](super::PolicyParts::files)) and a line, counted from 1.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Place {
    /// Index of the file.
    pub file: u16,
    /// Line in that file, from 1.
    pub line: u32,
}

/// One entry of an ACL, as it was written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Entry {
    /// The addresses that it covers.
    pub range: AddressRange,
    /// What it does with them.
    pub action: Action,
    /// Where it was written.
    pub place: Place,
    /// Where its addresses come from, if it is what a database says of a country or an autonomous system; its file is
    /// the database then, and it has no line.
    pub origin: Option<Origin>,
}

/// Names an entry within its ACL; [`IpAcl::entry`] gives it back.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct EntryId(pub(super) u32);

impl EntryId {
    /// The entry at this place of [`IpAcl::entries`].
    pub fn at(index: usize) -> Self {
        entry_id(index)
    }

    /// Its place in [`IpAcl::entries`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What of an ACL decided over an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Matched {
    /// An entry that covers the address.
    Entry(EntryId),
    /// No entry covers it.
    Default,
    /// The client's address is not known: blocked, whatever the default.
    Undetermined,
}

/// The answer of an ACL for one client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub struct Verdict {
    /// Allow or block.
    pub action: Action,
    /// What decided it.
    pub matched: Matched,
}

impl Verdict {
    /// What the default action says.
    pub fn by_default(action: Action) -> Self {
        Self { action, matched: Matched::Default }
    }

    /// The answer for a client whose address is not known.
    pub fn undetermined() -> Self {
        Self { action: Action::Block, matched: Matched::Undetermined }
    }
}

/// A named list of ranges and one default action: always valid, compiled for look-up.
pub struct IpAcl {
    about: About,
    /// As of when it is compiled.
    now: Moment,
    detailed: Box<[Detailed]>,
    v4: RangeMap<u32>,
    v6: RangeMap<u128>,
}

/// What an ACL carries beside its ranges.
#[derive(Clone, Debug)]
struct About {
    id: Uuid,
    name: Arc<str>,
    default: Action,
    insert_instant: Option<i64>,
    last_update_instant: Option<i64>,
    data: Option<Value>,
    origins: Vec<(Origin, Action)>,
}

/// Collects the entries of an ACL. Takes 16 bytes for each in IPv4, 48 in IPv6.
#[derive(Clone)]
pub struct IpAclBuilder {
    about: About,
    now: Moment,
    detailed: Vec<Detailed>,
    v4: Vec<Row<u32>>,
    v6: Vec<Row<u128>>,
}

impl IpAclBuilder {
    /// An ACL without entries.
    pub fn new(id: Uuid, name: impl Into<Arc<str>>, default: Action) -> Self {
        let about = About {
            id,
            name: name.into(),
            default,
            insert_instant: None,
            last_update_instant: None,
            data: None,
            origins: Vec::new(),
        };
        Self::of(about)
    }

    fn of(about: About) -> Self {
        Self { about, now: Moment::FIRST, detailed: Vec::new(), v4: Vec::new(), v6: Vec::new() }
    }

    /// When it was made and last changed, in milliseconds since 1970.
    #[must_use]
    pub fn instants(mut self, insert: Option<i64>, last_update: Option<i64>) -> Self {
        self.about.insert_instant = insert;
        self.about.last_update_instant = last_update;
        self
    }

    /// What its author keeps with it; never looked into.
    #[must_use]
    pub fn data(mut self, data: Option<Value>) -> Self {
        self.about.data = data;
        self
    }

    /// Adds an entry.
    pub fn push(&mut self, range: AddressRange, action: Action, place: Place) {
        self.push_written(range, action, Written::Here(place));
    }

    /// Adds an IPv4 entry; `span.start <= span.end`.
    pub(super) fn push_v4(&mut self, span: Span<u32>, action: Action, place: Place) {
        self.v4.push(row(span, action, Written::Here(place)));
    }

    /// Notes that an origin is written; what it is, is [pushed](Self::push_origin).
    pub fn declare(&mut self, origin: Origin, action: Action) {
        self.about.origins.push((origin, action));
    }

    /// Adds what the database with this index among the files says of an origin.
    pub fn push_origin(&mut self, range: AddressRange, action: Action, (origin, file): (Origin, u16)) {
        self.push_written(range, action, Written::Database(origin, file));
    }

    fn push_written(&mut self, range: AddressRange, action: Action, written: Written) {
        match range.bounds() {
            Bounds::V4 { start, end } => {
                self.v4.push(row(Span { start: start.to_bits(), end: end.to_bits() }, action, written));
            }
            Bounds::V6 { start, end } => {
                self.v6.push(row(Span { start: start.to_bits(), end: end.to_bits() }, action, written));
            }
        }
    }

    /// Makes room for this many more IPv4 entries.
    pub(super) fn reserve_v4(&mut self, entries: usize) {
        self.v4.reserve(entries);
    }

    /// The number of entries so far, those without effect aside.
    pub fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// Whether there is no entry so far.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Compiles the ACL. Cost: O(n log n), whatever the overlaps.
    pub fn build(self) -> IpAcl {
        let Self { about, now, detailed, v4, v6 } = self;
        let detailed = detailed.into_boxed_slice();
        IpAcl { about, now, detailed, v4: RangeMap::new(v4), v6: RangeMap::new(v6) }
    }
}

/// Who says that a row is there.
#[derive(Clone, Copy)]
enum Written {
    /// A line.
    Here(Place),
    /// A database, of an origin.
    Database(Origin, u16),
}

/// What a range says goes before what an autonomous system says, and that before what a country does. In place of a
/// line there is the number of the origin.
fn row<W>(span: Span<W>, action: Action, written: Written) -> Row<W> {
    let (tier, file, line) = match written {
        Written::Here(place) => (0, place.file, place.line),
        Written::Database(origin, file) => match origin.kind() {
            OriginKind::Asn => (1, file, origin.number()),
            OriginKind::Country => (2, file, origin.number()),
        },
    };
    Row { span, line, file, tier, blocks: action == Action::Block }
}

impl IpAcl {
    /// Its id.
    pub fn id(&self) -> Uuid {
        self.about.id
    }

    /// Its name.
    pub fn name(&self) -> &Arc<str> {
        &self.about.name
    }

    /// What holds for an address that no entry covers.
    pub fn default_action(&self) -> Action {
        self.about.default
    }

    /// When it was made, in milliseconds since 1970, where the file says so.
    pub fn insert_instant(&self) -> Option<i64> {
        self.about.insert_instant
    }

    /// When it was last changed, in milliseconds since 1970, where the file says so.
    pub fn last_update_instant(&self) -> Option<i64> {
        self.about.last_update_instant
    }

    /// What its author keeps with it, as it came.
    pub fn data(&self) -> Option<&Value> {
        self.about.data.as_ref()
    }

    /// The countries and autonomous systems that are written, with what they do.
    pub fn origins(&self) -> &[(Origin, Action)] {
        &self.about.origins
    }

    /// The answer for a client; `None` is a client whose address is not known. An IPv4-mapped address is the
    /// IPv4 address. No allocation; logarithmic, and about constant where ranges are spread evenly.
    pub fn test(&self, client: Option<IpAddr>) -> Verdict {
        let found = match client.map(|client| client.to_canonical()) {
            None => return Verdict::undetermined(),
            Some(IpAddr::V4(client)) => self.v4.find(client.to_bits()),
            Some(IpAddr::V6(client)) => {
                let found = self.v6.find(client.to_bits());
                found.map(|(row, blocks)| (row + self.v4.len(), blocks))
            }
        };
        match found {
            None => Verdict::by_default(self.about.default),
            Some((row, blocks)) => Verdict { action: action(blocks), matched: Matched::Entry(entry_id(row)) },
        }
    }

    /// The entry that an [`EntryId`] of this ACL names, as it was written.
    pub fn entry(&self, id: EntryId) -> Option<Entry> {
        let row = id.0 as usize;
        match row.checked_sub(self.v4.len()) {
            None => self.v4.row(row).map(entry),
            Some(row) => self.v6.row(row).map(entry),
        }
    }

    /// The entry that decides over exactly this range, if it has this action. Cost: logarithmic.
    pub fn find(&self, range: AddressRange, action: Action) -> Option<EntryId> {
        let id = match range.bounds() {
            Bounds::V4 { start, end } => {
                self.v4.deciding(Span { start: start.to_bits(), end: end.to_bits() })?
            }
            Bounds::V6 { start, end } => {
                self.v6.deciding(Span { start: start.to_bits(), end: end.to_bits() })? + self.v4.len()
            }
        };
        Some(entry_id(id)).filter(|id| self.entry(*id).is_some_and(|entry| entry.action == action))
    }

    /// Every entry in force, by address: IPv4 first, wide before narrow where they start together.
    pub fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        let v4 = (0..self.v4.len()).filter_map(|row| self.v4.row(row).map(entry));
        let v6 = (0..self.v6.len()).filter_map(|row| self.v6.row(row).map(entry));
        v4.chain(v6)
    }

    /// The number of entries, the default aside.
    pub fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// Whether there is nothing but the default.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Pairs of entries with opposite actions that cross: they overlap and neither lies inside the other. At
    /// most `limit` of them, by address.
    ///
    /// Cost: nothing where no entries overlap, else O(n log n + limit).
    pub fn crossings(&self, limit: usize) -> Vec<(Entry, Entry)> {
        let v4 = pairs(&self.v4, self.v4.crossings(limit));
        let v6 = pairs(&self.v6, self.v6.crossings(limit.saturating_sub(v4.len())));
        [v4, v6].concat()
    }

    pub(super) fn v4(&self) -> &RangeMap<u32> {
        &self.v4
    }

    pub(super) fn v6(&self) -> &RangeMap<u128> {
        &self.v6
    }
}

fn action(blocks: bool) -> Action {
    if blocks { Action::Block } else { Action::Allow }
}

/// Behind four thousand million entries only the name of the entry would be wrong, never the action.
fn entry_id(row: usize) -> EntryId {
    EntryId(u32::try_from(row).unwrap_or(u32::MAX))
}

fn entry<W: Word>(row: Row<W>) -> Entry {
    let (line, origin) = match row.tier {
        0 => (row.line, None),
        1 => (0, Some(Origin::of(OriginKind::Asn, row.line))),
        _ => (0, Some(Origin::of(OriginKind::Country, row.line))),
    };
    let range = W::range(row.span.start, row.span.end);
    Entry { range, action: action(row.blocks), place: Place { file: row.file, line }, origin }
}

fn pairs<W: Word>(map: &RangeMap<W>, rows: Vec<(usize, usize)>) -> Vec<(Entry, Entry)> {
    rows.into_iter().filter_map(|(a, b)| Some((entry(map.row(a)?), entry(map.row(b)?)))).collect()
}

/// Without the entries, which may be a million.
impl fmt::Debug for IpAcl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IpAcl").field("about", &self.about).field("entries", &self.len()).finish()
    }
}

/// Without the entries, which may be a million.
impl fmt::Debug for IpAclBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IpAclBuilder").field("about", &self.about).field("entries", &self.len()).finish()
    }
}

#[cfg(test)]
mod tests;
