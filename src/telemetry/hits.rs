//! How often each entry of each ACL decided, and when it last did.
//!
//! In: the checks of every decision, by the worker that made it. Out: sums, for `aclgate stats`, the management API and
//! the metrics. Belongs to one revision of the policy; the next one [takes over](Hits::take_over) what is counted for
//! entries that it has as well: the same range with the same action in the ACL with the same id.
//!
//! Each worker has a table of its own, a [`Slot`] for every entry and [`FIXED`] more for every ACL. Counting is a binary
//! search for the ACL, then a few loads and two stores: no lock, no clock, and an allocation only now and then, where an
//! entry decides for the first time. The [tables](table) take memory only where something was counted.
//!
//! INVARIANT: a worker's table has one writer. What readers see may be torn between slots, never within one of its
//! numbers.

mod table;

use crate::policy::Policy;
use crate::policy::acl::{Action, Entry, EntryId, IpAcl, Matched};
use crate::policy::decide::Check;
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use table::Table;
use uuid::Uuid;

/// How often, and when last: milliseconds since the start and one more, 0 for never.
type Slot = [AtomicU64; 2];

/// Slots of an ACL before those of its entries: default, undetermined, allowed by an entry, blocked by one.
const FIXED: usize = 4;
const DEFAULT: usize = 0;
const UNDETERMINED: usize = 1;
const ALLOWED: usize = 2;
const BLOCKED: usize = 3;

/// What instants are counted from. One for the whole process, so that revisions can be added up.
#[derive(Clone, Copy, Debug)]
pub struct Epoch {
    instant: Instant,
    time: SystemTime,
}

impl Epoch {
    /// Now.
    pub fn now() -> Self {
        Self { instant: Instant::now(), time: SystemTime::now() }
    }

    /// When it was.
    pub fn time(&self) -> SystemTime {
        self.time
    }
}

/// How often something decided, and when it last did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Hit {
    /// How often.
    pub count: u64,
    /// When last; `None`: never.
    pub last: Option<SystemTime>,
}

/// Where an ACL's slots begin.
#[derive(Debug)]
struct Counted {
    acl: Arc<IpAcl>,
    first: usize,
}

impl Counted {
    fn fixed(&self) -> Range<usize> {
        self.first..self.first + FIXED
    }

    fn entries(&self) -> Range<usize> {
        self.first + FIXED..self.first + FIXED + self.acl.len()
    }
}

/// What is counted of one revision.
pub struct Hits {
    epoch: Epoch,
    /// In the order of the file.
    acls: Box<[Counted]>,
    /// Addresses of the ACLs in memory, sorted, and where their slots begin.
    index: Box<[(usize, usize)]>,
    workers: Box<[Table<Slot>]>,
    /// What earlier revisions counted.
    earlier: Table<Slot>,
    /// Held by whoever writes to `earlier`.
    taking: Mutex<()>,
    /// How much of each slot a later revision has; made when there is one.
    handed: Mutex<Option<Table<AtomicU64>>>,
}

/// Which of an ACL's slots are taken over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// The few that the metrics show: cheap.
    Totals,
    /// Those of entries. Cost: linear in the entries of the earlier revision.
    Entries,
}

/// What is counted of one ACL.
#[derive(Clone, Copy, Debug)]
pub struct AclHits<'a> {
    hits: &'a Hits,
    counted: &'a Counted,
}

impl Hits {
    /// Nothing counted yet, for this many workers.
    pub fn new(policy: &Policy, workers: usize, epoch: Epoch) -> Self {
        let mut next = 0;
        let acls: Box<[Counted]> = policy
            .parts()
            .acls
            .iter()
            .map(|acl| {
                let first = next;
                next += FIXED + acl.len();
                Counted { acl: Arc::clone(acl), first }
            })
            .collect();
        let mut index: Box<[_]> = acls.iter().map(|counted| (address(&counted.acl), counted.first)).collect();
        index.sort_unstable();
        Self {
            epoch,
            acls,
            index,
            workers: (0..workers).map(|_| Table::new(next)).collect(),
            earlier: Table::new(next),
            taking: Mutex::default(),
            handed: Mutex::default(),
        }
    }

    /// Counts a check; only on the worker with this number. `at` is a moment of the decision.
    pub fn count(&self, worker: usize, check: &Check<'_>, at: Instant) {
        let Some(assignment) = check.assignment else { return };
        let acl = address(&assignment.acl);
        let Ok(found) = self.index.binary_search_by_key(&acl, |(address, _)| *address) else { return };
        let (Some((_, first)), Some(table)) = (self.index.get(found), self.workers.get(worker)) else {
            return;
        };
        let since = at.saturating_duration_since(self.epoch.instant).as_millis();
        let now = u64::try_from(since).unwrap_or(u64::MAX).saturating_add(1);
        let add = |slot: usize| {
            if let Some([count, last]) = table.used(first + slot) {
                count.store(count.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
                last.store(now, Ordering::Relaxed);
            }
        };
        match (check.verdict.matched, check.verdict.action) {
            (Matched::Default, _) => add(DEFAULT),
            (Matched::Undetermined, _) => add(UNDETERMINED),
            (Matched::Entry(entry), action) => {
                add(if action == Action::Allow { ALLOWED } else { BLOCKED });
                add(FIXED + entry.index());
            }
        }
    }

    /// Takes over what an earlier revision counted since it was last asked; nothing is taken over twice.
    pub fn take_over(&self, earlier: &Self, part: Part) {
        let here: HashMap<Uuid, &Counted> =
            self.acls.iter().map(|counted| (counted.acl.id(), counted)).collect();
        let _taking = self.taking.lock().unwrap_or_else(PoisonError::into_inner);
        let mut handed = earlier.handed.lock().unwrap_or_else(PoisonError::into_inner);
        let handed = handed.get_or_insert_with(|| Table::new(earlier.earlier.len()));
        for from in &earlier.acls {
            let Some(to) = here.get(&from.acl.id()) else { continue };
            let slots = match part {
                Part::Totals => from.fixed(),
                Part::Entries => from.entries(),
            };
            for slot in slots {
                let (count, last) = earlier.sum(slot);
                let had = handed.get(slot).map_or(0, |had| had.load(Ordering::Relaxed));
                if had == count {
                    continue;
                }
                if let Some([sum, latest]) = same(from, to, slot).and_then(|slot| self.earlier.used(slot)) {
                    sum.fetch_add(count.wrapping_sub(had), Ordering::Relaxed);
                    latest.fetch_max(last, Ordering::Relaxed);
                }
                if let Some(had) = handed.used(slot) {
                    had.store(count, Ordering::Relaxed);
                }
            }
        }
    }

    /// Every ACL, in the order of the file.
    pub fn acls(&self) -> impl Iterator<Item = AclHits<'_>> {
        self.acls.iter().map(|counted| AclHits { hits: self, counted })
    }

    /// Since when is counted.
    pub fn since(&self) -> SystemTime {
        self.epoch.time
    }

    fn sum(&self, slot: usize) -> (u64, u64) {
        let tables = self.workers.iter().chain([&self.earlier]);
        tables.filter_map(|table| table.get(slot)).fold((0, 0), |(sum, latest), [count, last]| {
            (sum.wrapping_add(count.load(Ordering::Relaxed)), latest.max(last.load(Ordering::Relaxed)))
        })
    }

    fn hit(&self, slot: usize) -> Hit {
        let (count, last) = self.sum(slot);
        let last =
            last.checked_sub(1).and_then(|since| self.epoch.time.checked_add(Duration::from_millis(since)));
        Hit { count, last }
    }
}

/// Without the tables.
impl fmt::Debug for Hits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hits").field("acls", &self.acls.len()).finish_non_exhaustive()
    }
}

/// INVARIANT: [`Hits`] holds the ACLs that it counts, so no other can come to stand at the same place.
fn address(acl: &Arc<IpAcl>) -> usize {
    Arc::as_ptr(acl).addr()
}

/// The slot for the same thing in another revision of an ACL.
fn same(from: &Counted, to: &Counted, slot: usize) -> Option<usize> {
    let at = slot.checked_sub(from.first)?;
    if Arc::ptr_eq(&from.acl, &to.acl) {
        return Some(to.first + at);
    }
    match at.checked_sub(FIXED) {
        Some(entry) => {
            let Entry { range, action, place: _, origin: _ } = from.acl.entry(EntryId::at(entry))?;
            Some(to.first + FIXED + to.acl.find(range, action)?.index())
        }
        None if at == DEFAULT && from.acl.default_action() != to.acl.default_action() => None,
        None => Some(to.first + at),
    }
}

impl<'a> AclHits<'a> {
    /// The ACL.
    pub fn acl(&self) -> &'a Arc<IpAcl> {
        &self.counted.acl
    }

    /// The default action.
    pub fn default_action(&self) -> Hit {
        self.hits.hit(self.counted.first + DEFAULT)
    }

    /// Clients whose address was not known.
    pub fn undetermined(&self) -> Hit {
        self.hits.hit(self.counted.first + UNDETERMINED)
    }

    /// All entries with this action together, those of earlier revisions included. Constant cost.
    pub fn by_entries(&self, action: Action) -> Hit {
        let slot = if action == Action::Allow { ALLOWED } else { BLOCKED };
        self.hits.hit(self.counted.first + slot)
    }

    /// Every entry, in the order of [`IpAcl::entries`].
    pub fn entries(self) -> impl Iterator<Item = (Entry, Hit)> + use<'a> {
        let hits = self.hits;
        self.counted.acl.entries().zip(self.counted.entries()).map(|(entry, slot)| (entry, hits.hit(slot)))
    }
}

#[cfg(test)]
mod tests;
