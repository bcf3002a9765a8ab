//! Puts candidates in force, or keeps the last good one.
//!
//! In: a [`Loader`], the signals of a [`Watcher`] and SIGHUP. Out: swaps of the [`SnapshotStore`], and a
//! [`ReloadStatus`] that says how the last attempt went.
//!
//! INVARIANTS
//! 1. A candidate is read, parsed, validated and compiled on a blocking thread, and swapped in as a whole.
//! 2. What cannot be loaded changes nothing but the status.
//! 3. The revision grows with swaps alone; the same content is never swapped in twice, but for entries that
//!    [expire](super::expiry) meanwhile.
//! 4. One attempt at a time. Whoever writes the file holds the [`Reloader`] meanwhile ([`Reloader::hold`]), so the
//!    watcher finds the new content in force already and does nothing.
//! 5. No worker ever takes down a snapshot: the last holder is the reloader, which does it on a blocking thread.
//!
//! What cannot change without a restart is named in a warning and in the status, each time that it differs from what
//! the process was started with.

use super::expiry::{self, GLANCE, differences, outdated};
use super::load::{Candidate, LoadError, Loader, digest_of, digest_with};
use super::snapshot::{Snapshot, SnapshotStore};
use super::watch::Watcher;
use crate::config::Config;
use crate::telemetry::hits::{Hits, Part};
use crate::telemetry::logging::LogControl;
use crate::telemetry::metrics::{Metrics, PolicyInForce, ReloadResult};
use arc_swap::ArcSwap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::MutexGuard;
use tokio::task::spawn_blocking;

/// How often retired snapshots are looked after.
const SWEEP: Duration = Duration::from_secs(1);

/// What an attempt that did not fail came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reloaded {
    /// A new revision is in force.
    Swapped {
        /// Which.
        revision: u64,
    },
    /// The content is what is in force already.
    Unchanged {
        /// Which.
        revision: u64,
    },
}

/// How the last attempt went: for `/readyz` and the metrics.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReloadStatus {
    /// When it was made; at first the start.
    pub at: SystemTime,
    /// Why it failed, with places; `None` if it did not.
    pub failure: Option<String>,
    /// The revision in force after it.
    pub revision: u64,
    /// Settings that differ from those that the process runs with, until it is restarted.
    pub pending_restart: Vec<String>,
}

/// Puts candidates in force.
#[derive(Debug)]
pub struct Reloader {
    loader: Loader,
    store: Arc<SnapshotStore>,
    started_with: Config,
    log: LogControl,
    metrics: Arc<Metrics>,
    last: tokio::sync::Mutex<Attempt>,
    status: ArcSwap<ReloadStatus>,
    retired: Mutex<Vec<Arc<Snapshot>>>,
    /// What the watcher was told to look at.
    watched: Mutex<Vec<PathBuf>>,
    /// Held while hits are taken over.
    turn: Arc<Mutex<()>>,
}

/// What was read last, whether it could be put in force or not.
#[derive(Debug)]
struct Attempt {
    files: Vec<PathBuf>,
    digest: String,
}

/// A candidate that is ready to be put in force.
#[derive(Debug)]
pub struct Prepared {
    snapshot: Snapshot,
    files: Vec<PathBuf>,
    warnings: String,
}

impl Prepared {
    /// What would be in force.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }
}

/// The reloader, held: nothing is put in force meanwhile but by the holder.
#[derive(Debug)]
pub struct Hold<'a> {
    reloader: &'a Reloader,
    last: MutexGuard<'a, Attempt>,
}

impl Reloader {
    /// Puts the first candidate in force, as revision 1.
    pub fn new(loader: Loader, first: Candidate, log: LogControl, metrics: Arc<Metrics>) -> Self {
        let watched = Mutex::new(first.files.clone());
        let last = Attempt { files: first.files.clone(), digest: first.digest.clone() };
        let started_with = first.config.clone();
        let first = first.into_snapshot(1, &metrics);
        let status =
            ReloadStatus { at: first.loaded_at, failure: None, revision: 1, pending_restart: Vec::new() };
        describe(&metrics, &first);
        metrics.process.reload_attempted(status.at, true);
        Self {
            loader,
            store: Arc::new(SnapshotStore::new(first)),
            started_with,
            log,
            metrics,
            last: tokio::sync::Mutex::new(last),
            status: ArcSwap::from_pointee(status),
            retired: Mutex::default(),
            watched,
            turn: Arc::default(),
        }
    }

    /// What is in force.
    pub fn store(&self) -> &Arc<SnapshotStore> {
        &self.store
    }

    /// The loader of the file.
    pub fn loader(&self) -> &Loader {
        &self.loader
    }

    /// How the last attempt went.
    pub fn status(&self) -> Arc<ReloadStatus> {
        self.status.load_full()
    }

    /// Waits until no attempt is under way and keeps others from starting.
    pub async fn hold(&self) -> Hold<'_> {
        Hold { reloader: self, last: self.last.lock().await }
    }

    /// Reads the file again, whatever the watcher thinks.
    ///
    /// # Errors
    /// What is wrong with the file; the last good one stays in force.
    pub async fn reload(&self) -> Result<Reloaded, LoadError> {
        self.hold().await.reload().await
    }

    /// Follows the watcher and SIGHUP, for ever. Failures are logged and counted, never returned.
    pub async fn run(&self, mut watcher: Watcher) {
        let mut hangups = Hangups::listen();
        let mut watching = true;
        let mut sweep = tokio::time::interval(SWEEP);
        sweep.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                signal = watcher.changed(), if watching => match signal {
                    Some(()) => self.follow(&watcher).await,
                    None => {
                        watching = false;
                        tracing::error!("files are not watched any more; SIGHUP reads them again");
                    }
                },
                () = hangups.next() => {
                    tracing::info!("SIGHUP: reading the configuration again");
                    let mut held = self.hold().await;
                    // The outcome is logged where it arises.
                    let _ = held.reload().await;
                    self.watch(&watcher, &held.last.files);
                }
                () = outdated(&self.store, self.loader.clock()) => self.expire().await,
                _ = sweep.tick() => self.sweep(),
            }
        }
    }

    /// Puts what is in force as of now in the place of what was compiled for an earlier time.
    async fn expire(&self) {
        let _held = self.hold().await;
        let (current, clock) = (self.store.load(), self.loader.clock().clone());
        let metrics = Arc::clone(&self.metrics);
        if current.policy.term().contains(clock.now()) {
            return;
        }
        let renewing = spawn_blocking(move || {
            let next = expiry::as_of(&current, &clock, &metrics);
            (differences(&current, &next), next)
        });
        let Ok((differences, next)) = renewing.await else {
            // It ends early only in a panic; it is tried again, but not at once.
            return tokio::time::sleep(GLANCE).await;
        };
        let revision = next.revision;
        tracing::info!(revision, "entries expired by themselves: {}", differences.join("; "));
        self.swap(next);
        let status = self.status.load_full();
        self.status.store(Arc::new(ReloadStatus { revision, ..(*status).clone() }));
    }

    fn swap(&self, next: Snapshot) {
        // First, so that no sum ever shrinks.
        next.hits.take_over(&self.store.load().hits, Part::Totals);
        describe(&self.metrics, &next);
        self.retire(self.store.swap(next));
    }

    /// A signal of the watcher: most often our own doing, or the same content under a new time.
    async fn follow(&self, watcher: &Watcher) {
        let mut held = self.hold().await;
        let files = held.last.files.clone();
        match spawn_blocking(move || digest_of(&files)).await {
            Ok(digest) if digest == held.last.digest => {}
            // The outcome is logged where it arises.
            Ok(_) | Err(_) => drop(held.reload().await),
        }
        self.watch(watcher, &held.last.files);
    }

    /// Tells the watcher of other files, also of those that an editor's change brought.
    fn watch(&self, watcher: &Watcher, files: &[PathBuf]) {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if *watched != files {
            files.clone_into(&mut watched);
            watcher.set_files(watched.clone());
        }
    }

    fn put_in_force(&self, prepared: Prepared) -> Reloaded {
        let Prepared { snapshot: next, files: _, warnings } = prepared;
        let current = self.store.load();
        let pending_restart = self.started_with.restart_differences(&next.config);
        let same = next.digest == current.digest && next.policy.term() == current.policy.term();
        let reloaded = if same {
            Reloaded::Unchanged { revision: current.revision }
        } else {
            Reloaded::Swapped { revision: next.revision }
        };
        if let Reloaded::Swapped { revision } = reloaded {
            let digest = next.digest.clone();
            self.log.apply(&next.config.log);
            drop(current);
            self.swap(next);
            tracing::info!(revision, digest = %digest, "a new configuration is in force");
            if !warnings.is_empty() {
                tracing::warn!("the configuration has warnings\n{}", warnings.trim_end());
            }
            for setting in &pending_restart {
                tracing::warn!(setting, "this setting changes with a restart only; the running value stays");
            }
        }
        self.metrics.process.reloads.add(match reloaded {
            Reloaded::Swapped { .. } => ReloadResult::Swapped,
            Reloaded::Unchanged { .. } => ReloadResult::Unchanged,
        });
        self.note(None, pending_restart);
        reloaded
    }

    fn fail(&self, error: &LoadError) {
        tracing::error!(
            path = %self.loader.path().display(),
            "the configuration cannot be loaded, the last good one stays in force\n{error}"
        );
        self.metrics.process.reloads.add(ReloadResult::Failed);
        self.note(Some(error.to_string()), self.status.load().pending_restart.clone());
    }

    fn note(&self, failure: Option<String>, pending_restart: Vec<String>) {
        let at = SystemTime::now();
        self.metrics.process.reload_attempted(at, failure.is_none());
        let revision = self.store.load().revision;
        self.status.store(Arc::new(ReloadStatus { at, failure, revision, pending_restart }));
    }

    fn retire(&self, snapshot: Arc<Snapshot>) {
        // A worker without a request may hold it for long; what it counted is wanted now.
        self.take_over(vec![Arc::clone(&snapshot.hits)], Vec::new());
        self.retired.lock().unwrap_or_else(PoisonError::into_inner).push(snapshot);
        self.sweep();
    }

    /// Takes down what nobody else holds, and keeps what was counted of it to the last. Nobody can begin to hold it: it
    /// is out of the store.
    fn sweep(&self) {
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        let free: Vec<_> = retired.extract_if(.., |snapshot| Arc::strong_count(snapshot) == 1).collect();
        if !free.is_empty() {
            self.take_over(free.iter().map(|snapshot| Arc::clone(&snapshot.hits)).collect(), free);
        }
    }

    /// Has the revision in force take over what others counted, and then takes down what is free. Aside, and one after
    /// the other: whatever a revision has taken over is there before it is itself asked for the last time.
    fn take_over(&self, earlier: Vec<Arc<Hits>>, free: Vec<Arc<Snapshot>>) {
        let (store, turn) = (Arc::clone(&self.store), Arc::clone(&self.turn));
        spawn_blocking(move || {
            let turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            let current = Arc::clone(&store.load().hits);
            for earlier in earlier {
                current.take_over(&earlier, Part::Totals);
                current.take_over(&earlier, Part::Entries);
            }
            drop((turn, free));
        });
    }
}

impl Hold<'_> {
    /// The snapshot that is in force while it is held.
    pub fn current(&self) -> Arc<Snapshot> {
        self.reloader.store.load()
    }

    /// Reads the file and puts it in force.
    ///
    /// # Errors
    /// What is wrong with the file; the last good one stays in force.
    pub async fn reload(&mut self) -> Result<Reloaded, LoadError> {
        let loader = self.reloader.loader.clone();
        let loaded = spawn_blocking(move || loader.load()).await.unwrap_or(Err(LoadError::Broken));
        match loaded.and_then(|candidate| candidate.instead_of(&self.current().policy)) {
            Ok(candidate) => Ok(self.install(candidate)),
            Err(error) => {
                match error.seen() {
                    Some((digest, files)) => {
                        *self.last = Attempt { files: files.to_vec(), digest: digest.to_owned() };
                    }
                    // Like nothing that could be read next, not even the content that is in force.
                    None => self.last.digest.clear(),
                }
                self.reloader.fail(&error);
                Err(error)
            }
        }
    }

    /// Puts in force what the holder has just written into the file: the watcher will find nothing new.
    pub fn install(&mut self, candidate: Candidate) -> Reloaded {
        let prepared = self.prepare(candidate);
        self.install_prepared(prepared)
    }

    /// The snapshot that a candidate would be, for a look at it before it is put in force by the same holder.
    pub fn prepare(&self, candidate: Candidate) -> Prepared {
        let (files, warnings) = (candidate.files.clone(), candidate.findings.render(false));
        let revision = self.current().revision + 1;
        Prepared { snapshot: candidate.into_snapshot(revision, &self.reloader.metrics), files, warnings }
    }

    /// As [`install`](Self::install), of what was prepared.
    pub fn install_prepared(&mut self, prepared: Prepared) -> Reloaded {
        *self.last = Attempt { files: prepared.files.clone(), digest: prepared.snapshot.digest.clone() };
        self.reloader.put_in_force(prepared)
    }

    /// Whether a text of the file, with the list files as they are on the disk, is what is in force.
    pub(super) async fn is_in_force(&self, text: Arc<impl AsRef<str> + Send + Sync + 'static>) -> bool {
        let others: Vec<PathBuf> = self.last.files.iter().skip(1).cloned().collect();
        let digest = spawn_blocking(move || digest_with((*text).as_ref().as_bytes(), &others)).await;
        digest.is_ok_and(|digest| digest == self.reloader.store.load().digest)
    }
}

/// Tells the metrics what is in force.
fn describe(metrics: &Metrics, snapshot: &Snapshot) {
    let acls = &snapshot.policy.parts().acls;
    let ranges = acls.iter().map(|acl| acl.len()).sum();
    let Snapshot { revision, digest, loaded_at, config: _, policy: _, ageing, hits } = snapshot;
    metrics.process.policy_in_force(&PolicyInForce {
        revision: *revision,
        digest,
        loaded_at: *loaded_at,
        acls: acls.len(),
        ranges,
        files: ageing,
        hits,
    });
}

/// SIGHUP, where there is such a thing.
struct Hangups {
    #[cfg(unix)]
    signals: Option<tokio::signal::unix::Signal>,
}

impl Hangups {
    #[cfg(unix)]
    fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let signals = signal(SignalKind::hangup());
        Self {
            signals: signals.inspect_err(|error| tracing::warn!(%error, "SIGHUP cannot be listened to")).ok(),
        }
    }

    #[cfg(not(unix))]
    fn listen() -> Self {
        Self {}
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signals) = &mut self.signals
            && signals.recv().await.is_some()
        {
            return;
        }
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests;
