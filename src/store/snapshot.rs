//! The single swap: settings and policy of one revision, taken as a whole.

use crate::config::Config;
use crate::policy::Policy;
use arc_swap::ArcSwap;
use std::sync::Arc;
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
}

/// Holds the snapshot that is in force.
#[derive(Debug)]
pub struct SnapshotStore {
    current: ArcSwap<Snapshot>,
    revisions: watch::Sender<u64>,
}

impl SnapshotStore {
    /// Puts the first snapshot in force.
    pub fn new(first: Snapshot) -> Self {
        let (revisions, _) = watch::channel(first.revision);
        Self { current: ArcSwap::from_pointee(first), revisions }
    }

    /// The snapshot that is in force; loaded once a request.
    pub fn load(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Puts the next one in force, as a whole, and tells everybody who waits for changes.
    pub fn swap(&self, next: Snapshot) {
        let revision = next.revision;
        self.current.store(Arc::new(next));
        self.revisions.send_replace(revision);
    }

    /// Told of every swap, after it.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.revisions.subscribe()
    }
}
