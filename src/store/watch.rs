//! Changes of files → one signal, once they have been quiet for a moment.
//!
//! In: the files that a configuration was read from. Out: a signal that it is time to look; what really changed is
//! for the digest to say ([`load`](super::load)), so a signal too many costs a read and no more.
//!
//! # How a change is noticed
//! 1. By file events on the *directories* ([`places`]): of the file, of every symbolic link on the way to it and of
//!    each link's target. So an editor's rename, a truncate-and-write, and the swap of `..data` in a Kubernetes
//!    ConfigMap are all seen.
//! 2. By looking at each file's time, size and identity every [`POLL`]: where events are not to be had (inotify's
//!    limits, NFS, overlayfs), and where a directory was replaced under the watch.
//!
//! # When it is told
//! After [`QUIET`] without a further change: a half-written file may be a valid one with a block missing. After
//! [`SETTLED`] where events say that every writer has let go of its file, or that files were put there whole. A file that is written to without a pause is read as it is after [`PATIENCE`], so that a chatty writer cannot keep a
//! policy from ever changing. Between the first change and the signal, files are looked at every [`LOOK`].
//!
//! Deliberately absent: SIGHUP, which is no change of a file: [`Reloader::run`](super::Reloader::run) listens to it.

mod debounce;
mod places;

use debounce::{Change, Debounce};
use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind, RenameMode};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use places::{Fingerprint, directories};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// How long files must have been left alone before they are read.
pub const QUIET: Duration = Duration::from_millis(120);
/// The same where nobody writes any more; another file may follow.
pub const SETTLED: Duration = Duration::from_millis(30);
/// After this long, files that are written to without a pause are read as they are.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// How often files are looked at while nothing happens. With [`QUIET`] it keeps the promise of a second.
pub const POLL: Duration = Duration::from_millis(500);
/// How often files are looked at between a change and the signal.
pub const LOOK: Duration = Duration::from_millis(40);

/// The most file events that wait; what is beyond it is found by looking.
const EVENTS: usize = 256;

/// Watches files on a thread of its own, which ends when this is dropped.
#[derive(Debug)]
pub struct Watcher {
    orders: SyncSender<Order>,
    signals: mpsc::Receiver<()>,
}

/// Whether file events are used; without them, looking alone has to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Events {
    /// Where the system has them.
    Use,
    /// Never.
    Ignore,
}

enum Order {
    Watch(Vec<PathBuf>),
    Event(notify::Event),
    Stop,
}

impl Watcher {
    /// Starts to watch. The first signal comes by itself: it covers what changed since the files were read.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start(files: Vec<PathBuf>, events: Events) -> std::io::Result<Self> {
        let (orders, received) = sync_channel(EVENTS);
        let (signal, signals) = mpsc::channel(1);
        let notifier = match events {
            Events::Use => notifier(orders.clone()),
            Events::Ignore => None,
        };
        let mut watch =
            Watch { notifier, files: Vec::new(), seen: Vec::new(), debounce: Debounce::default(), signal };
        thread::Builder::new().name("aclgate-watch".to_owned()).spawn(move || {
            watch.change_files(files);
            watch.run(&received);
        })?;
        Ok(Self { orders, signals })
    }

    /// Watches these files from now on; a signal follows, for what changed meanwhile.
    pub fn set_files(&self, files: Vec<PathBuf>) {
        // The thread ends with this handle alone.
        let _ = self.orders.send(Order::Watch(files));
    }

    /// Waits until it is time to look; `None` if the thread is gone.
    pub async fn changed(&mut self) -> Option<()> {
        self.signals.recv().await
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // Where the queue is full, the closed channel of signals stops the thread.
        let _ = self.orders.try_send(Order::Stop);
    }
}

fn notifier(orders: SyncSender<Order>) -> Option<RecommendedWatcher> {
    let handler = move |event: notify::Result<notify::Event>| {
        if let Ok(event) = event
            && is_change(&event.kind)
        {
            // A full queue loses nothing: a change is under way already, and files are looked at.
            let _ = orders.try_send(Order::Event(event));
        }
    };
    notify::recommended_watcher(handler)
        .inspect_err(|error| tracing::warn!(%error, "no file events; files are looked at every {POLL:?}"))
        .ok()
}

/// Our own reading is no change.
fn is_change(kind: &EventKind) -> bool {
    match kind {
        EventKind::Access(access) => *access == AccessKind::Close(AccessMode::Write),
        EventKind::Any
        | EventKind::Create(_)
        | EventKind::Modify(_)
        | EventKind::Remove(_)
        | EventKind::Other => true,
    }
}

/// What an event says of the files that it names last; the last, because a rename names where from and where to.
fn change(event: &notify::Event) -> Change<'_> {
    let Some(file) = event.paths.last().filter(|_| !event.need_rescan()) else { return Change::Unknown };
    match event.kind {
        EventKind::Create(_) | EventKind::Modify(ModifyKind::Data(_)) => Change::Writing(file),
        EventKind::Access(AccessKind::Close(AccessMode::Write))
        | EventKind::Modify(ModifyKind::Name(RenameMode::To | RenameMode::Both)) => Change::Whole(file),
        _ => Change::Unknown,
    }
}

/// The thread's own state.
struct Watch {
    notifier: Option<RecommendedWatcher>,
    files: Vec<PathBuf>,
    seen: Vec<Fingerprint>,
    debounce: Debounce,
    signal: mpsc::Sender<()>,
}

impl Watch {
    fn run(&mut self, orders: &Receiver<Order>) {
        let mut next_look = Instant::now();
        loop {
            let next = self.debounce.due().map_or(next_look, |due| due.min(next_look));
            match orders.recv_timeout(next.saturating_duration_since(Instant::now())) {
                Ok(Order::Watch(files)) => self.change_files(files),
                Ok(Order::Event(event)) if self.concerns(&event) => self.note(&event),
                Ok(Order::Event(_)) => {}
                Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now = Instant::now();
            if now >= next_look {
                self.look(now);
            }
            if self.debounce.fire(now) && !self.tell() {
                return;
            }
            next_look = self.next_look(now, next_look);
            if self.signal.is_closed() {
                return;
            }
        }
    }

    fn next_look(&self, now: Instant, planned: Instant) -> Instant {
        let pause = if self.debounce.is_pending() { LOOK } else { POLL };
        if planned <= now { now + pause } else { planned.min(now + pause) }
    }

    fn note(&mut self, event: &notify::Event) {
        self.debounce.touch(Instant::now(), change(event));
        if self.debounce.is_settled() {
            // Looking finds nothing new in it.
            self.seen = self.files.iter().map(|file| Fingerprint::of(file)).collect();
        }
    }

    /// A full channel is fine: the signal that waits in it covers this change too.
    fn tell(&mut self) -> bool {
        // Links may lead elsewhere by now, and a directory may have been replaced.
        self.watch_directories();
        !matches!(self.signal.try_send(()), Err(mpsc::error::TrySendError::Closed(())))
    }

    fn change_files(&mut self, files: Vec<PathBuf>) {
        self.files = files;
        self.watch_directories();
        self.seen = self.files.iter().map(|file| Fingerprint::of(file)).collect();
        self.debounce.touch(Instant::now(), Change::Unknown);
    }

    fn look(&mut self, now: Instant) {
        let seen: Vec<_> = self.files.iter().map(|file| Fingerprint::of(file)).collect();
        if seen != self.seen {
            self.seen = seen;
            self.debounce.touch(now, Change::Unknown);
        }
    }

    /// Whether an event is about one of the files, or about a link on the way to one.
    fn concerns(&mut self, event: &notify::Event) -> bool {
        if event.need_rescan() || event.paths.is_empty() {
            return true;
        }
        let mut ours = self.files.iter().flat_map(|file| places::stations(file));
        ours.any(|station| event.paths.contains(&station))
    }

    fn watch_directories(&mut self) {
        let Some(notifier) = &mut self.notifier else { return };
        let wanted: BTreeSet<PathBuf> = self.files.iter().flat_map(|file| directories(file)).collect();
        for directory in &wanted {
            // Again, even if it is watched: another one may stand in its place. A missing one is found by looking.
            if let Err(error) = notifier.watch(directory, RecursiveMode::NonRecursive) {
                tracing::debug!(%error, directory = %directory.display(), "no file events from this directory");
            }
        }
    }
}

#[cfg(test)]
mod tests;
