//! What is in force, how it is loaded, watched and changed.

pub mod snapshot;

pub use snapshot::{Snapshot, SnapshotStore};
