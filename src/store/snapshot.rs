//! The single swap: settings and policy of one revision, taken as a whole.
//!
//! [`SnapshotStore`] is shared by all; each worker reads it through a [`SnapshotReader`] of its own, which touches
//! nothing that another worker writes as long as nothing changes.

use crate::config::Config;
use crate::policy::Policy;
use crate::telemetry::hits::Hits;
use crate::telemetry::metrics::AgeingFiles;
use arc_swap::ArcSwap;
use std::cell::RefCell;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;
use tokio::sync::watch;

/// Settings and policy of one revision of the file.
#[derive(Debug)]
pub struct Snapshot {
    /// Counts the swaps of this process, from 1.
    pub revision: u64,
    /// SHA-256 over the file and its list files, in lower-case hex.
    pub digest: String,
    /// When it came into force.
    pub loaded_at: SystemTime,
    /// The settings.
    pub config: Config,
    /// The policy.
    pub policy: Policy,
    /// What grows old of the files that it was read from.
    pub ageing: AgeingFiles,
    /// What is counted of the policy.
    pub hits: Arc<Hits>,
}

/// Holds the snapshot that is in force.
#[derive(Debug)]
pub struct SnapshotStore {
    current: ArcSwap<Snapshot>,
    /// INVARIANT: never ahead of `current`, so that a reader that sees a new revision finds it.
    revision: AtomicU64,
    revisions: watch::Sender<u64>,
}

impl SnapshotStore {
    /// Puts the first snapshot in force.
    pub fn new(first: Snapshot) -> Self {
        let (revisions, _) = watch::channel(first.revision);
        Self { revision: AtomicU64::new(first.revision), current: ArcSwap::from_pointee(first), revisions }
    }

    /// The snapshot that is in force; loaded once a request.
    pub fn load(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Puts the next one in force, as a whole, and tells everybody who waits for changes. Gives back the last one:
    /// whoever holds it to the end pays for taking it down.
    pub fn swap(&self, next: Snapshot) -> Arc<Snapshot> {
        let revision = next.revision;
        let last = self.current.swap(Arc::new(next));
        self.revision.store(revision, Ordering::Release);
        self.revisions.send_replace(revision);
        last
    }

    /// Told of every swap, after it.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.revisions.subscribe()
    }
}

/// A worker's view of the store: a request costs one atomic load and a count that no other worker touches.
#[derive(Debug)]
pub struct SnapshotReader {
    store: Arc<SnapshotStore>,
    held: RefCell<SharedSnapshot>,
}

/// A snapshot held by one worker; clones count on this worker alone.
#[derive(Clone, Debug)]
pub struct SharedSnapshot(Rc<Held>);

/// The worker's one count in the snapshot's own.
#[derive(Debug)]
struct Held(Arc<Snapshot>);

impl SharedSnapshot {
    fn of(snapshot: Arc<Snapshot>) -> Self {
        Self(Rc::new(Held(snapshot)))
    }
}

impl Deref for SharedSnapshot {
    type Target = Snapshot;

    fn deref(&self) -> &Snapshot {
        &self.0.0
    }
}

impl SnapshotReader {
    /// A view for one worker.
    pub fn new(store: Arc<SnapshotStore>) -> Self {
        let held = RefCell::new(SharedSnapshot::of(store.load()));
        Self { store, held }
    }

    /// The snapshot that is in force at this moment.
    pub fn load(&self) -> SharedSnapshot {
        let revision = self.store.revision.load(Ordering::Acquire);
        let mut held = self.held.borrow_mut();
        if held.revision != revision {
            *held = SharedSnapshot::of(self.store.load());
        }
        held.clone()
    }

    /// The store behind it.
    pub fn store(&self) -> &Arc<SnapshotStore> {
        &self.store
    }
}
