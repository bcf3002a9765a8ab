//! What is in force, how it is loaded, watched and changed.
//!
//! [`Loader`] makes a [`Candidate`] of a file, [`Reloader`] puts it in force or keeps the last good one, and a
//! [`Watcher`](watch::Watcher) says when it is time to look; entries expire by the [`Clock`]. The [`Editor`] brings changes of the management API into the
//! file and into force. One seam: whoever brings candidates from elsewhere, such
//! as a database shared by a fleet, replaces these three and nothing above them.

mod ageing;
pub mod clock;
pub mod edit;
mod expiry;
pub mod load;
pub mod reload;
pub mod snapshot;
pub mod watch;

pub use clock::Clock;
pub use edit::Editor;
pub use load::{Candidate, LoadError, Loader};
pub use reload::{ReloadStatus, Reloaded, Reloader};
pub use snapshot::{Snapshot, SnapshotReader, SnapshotStore};
