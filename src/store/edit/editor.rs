//! The one writer of the file: takes changes one at a time, and keeps what is on trial.

use super::file::{FileFault, HeldFile};
use super::graft::Graft;
use super::object::{Change, Image, Target};
use super::on_trial::{begin_trial, restore_trial};
use super::plan::{Current, PlanError, plan};
use crate::policy::Policy;
use crate::policy::finding::Findings;
use crate::store::reload::{Hold, Prepared};
use crate::store::watch::QUIET;
use crate::store::{Candidate, LoadError, Loader, Reloader, Snapshot};
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::task::spawn_blocking;

/// Brings changes into the file and into force. One for each process; clones are the same one.
#[derive(Clone, Debug)]
pub struct Editor(Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) reloader: Arc<Reloader>,
    waiting: Mutex<Waiting>,
}

/// The trial under way, if there is one; each has a number, so that an old timer does not end a new trial.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Waiting {
    pub(super) number: u64,
    pub(super) until: Option<SystemTime>,
}

/// A change that is in the file and in force.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The revision in force.
    pub revision: u64,
    /// What is in force.
    pub snapshot: Arc<Snapshot>,
}

/// A change that was not made; file and policy are as they were.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The file is in the way: the object was changed meanwhile, or the file is broken, read-only or locked.
    #[error("{0}")]
    Conflict(String),
    /// With the change the file would not be valid.
    #[error("{}", findings_in_line(.0))]
    Invalid(Findings),
    /// The caller's check refused it.
    #[error("{0}")]
    Refused(String),
    /// The disk.
    #[error("the change could not be written: {0}")]
    Io(#[from] io::Error),
}

fn findings_in_line(findings: &Findings) -> String {
    let messages: Vec<&str> = findings.errors().map(|finding| &*finding.message).collect();
    format!("the configuration would not be valid: {}", messages.join("; "))
}

impl From<FileFault> for EditError {
    fn from(fault: FileFault) -> Self {
        match fault {
            FileFault::Io { path, source } => {
                Self::Io(io::Error::new(source.kind(), format!("{}: {source}", path.display())))
            }
            fault => Self::Conflict(fault.to_string()),
        }
    }
}

impl From<PlanError> for EditError {
    fn from(error: PlanError) -> Self {
        Self::Conflict(error.to_string())
    }
}

type Check = Box<dyn FnOnce(&Snapshot) -> Result<(), String> + Send>;

/// A change and what it was made up for.
struct Request {
    change: Change,
    based_on: (String, Option<Image>),
    confirm_within: Option<Duration>,
    check: Check,
}

impl Editor {
    /// The editor of the file that a reloader reads.
    pub fn new(reloader: Arc<Reloader>) -> Self {
        Self(Arc::new(Inner { reloader, waiting: Mutex::default() }))
    }

    /// Makes a change that was made up for the snapshot `based_on`, once `check` agrees to the snapshot that would be in
    /// force. With `confirm_within` it is undone after that time unless it is [confirmed](Self::confirm).
    ///
    /// It goes to its end even if the future is dropped. Cost: linear in the file; some tens of milliseconds and a sync
    /// of the disk for 100,000 API keys.
    ///
    /// # Errors
    /// The change was not made.
    pub async fn apply<E: fmt::Display>(
        &self,
        based_on: &Snapshot,
        change: Change,
        confirm_within: Option<Duration>,
        check: impl FnOnce(&Snapshot) -> Result<(), E> + Send + 'static,
    ) -> Result<Applied, EditError> {
        let image = change.target().find(&based_on.policy).map(|(_, image)| image);
        let check: Check = Box::new(|snapshot| check(snapshot).map_err(|error| error.to_string()));
        let request = Request { change, based_on: (based_on.digest.clone(), image), confirm_within, check };
        let inner = Arc::clone(&self.0);
        joined(tokio::spawn(async move { inner.apply(request).await }).await)?
    }

    /// Keeps what is on trial. Gives the revision in force.
    ///
    /// # Errors
    /// [`EditError::Conflict`] if nothing is.
    pub async fn confirm(&self) -> Result<u64, EditError> {
        let inner = Arc::clone(&self.0);
        joined(tokio::spawn(async move { inner.confirm().await }).await)?
    }

    /// At the start of the process: undoes what was on trial and not confirmed in time, or goes on waiting.
    pub async fn resume(&self) {
        self.0.resume().await;
    }

    /// Until when what is on trial can be confirmed.
    pub fn unconfirmed_until(&self) -> Option<SystemTime> {
        self.0.waiting().until
    }
}

/// What a task came to; it ends early only in a panic.
fn joined<T>(result: Result<T, tokio::task::JoinError>) -> Result<T, EditError> {
    result.map_err(|error| EditError::Io(io::Error::other(error)))
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, EditError> {
    joined(spawn_blocking(work).await)
}

/// A new text, to be written and put in force.
pub(super) struct Revision {
    pub(super) text: Arc<String>,
    pub(super) ready: Prepared,
}

impl Inner {
    pub(super) fn waiting(&self) -> Waiting {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_waiting(&self, until: Option<SystemTime>) -> u64 {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        *waiting = Waiting { number: waiting.number + 1, until };
        waiting.number
    }

    pub(super) async fn open(&self) -> Result<Arc<HeldFile>, EditError> {
        let path = self.reloader.loader().path().to_owned();
        Ok(Arc::new(blocking(move || HeldFile::open(&path)).await??))
    }

    async fn apply(self: Arc<Self>, request: Request) -> Result<Applied, EditError> {
        let Request { change, based_on, confirm_within, check } = request;
        let mut hold = self.reloader.hold().await;
        let file = self.open().await?;
        let current = settle(&mut hold, &file, self.reloader.loader()).await?;
        if confirm_within.is_none() && self.waiting().until.is_some() {
            let message = "another change waits for its confirmation; confirm it first, or let it be undone";
            return Err(EditError::Conflict(message.to_owned()));
        }
        refuse_stale(&based_on, &current, &change.target())?;
        let Some((text, graft)) = drafted(&file, &current, &change).await? else {
            return Ok(Applied { revision: current.revision, snapshot: current });
        };
        let candidate = self.candidate(&file, (&text, graft), &current).await?;
        verify(&current.policy, &candidate.policy, &change)?;
        let ready = hold.prepare(candidate);
        check(ready.snapshot()).map_err(EditError::Refused)?;
        let trial = match confirm_within {
            None => None,
            Some(within) => Some((within, begin_trial(&file, &text, within).await?)),
        };
        if let Err(error) = install(&mut hold, &file, Revision { text, ready }).await {
            if let Some((_, before)) = trial {
                restore_trial(&file, before).await;
            }
            return Err(error);
        }
        if let Some((within, _)) = trial {
            let number = self.set_waiting(SystemTime::now().checked_add(within));
            self.arm(number, within);
        }
        let snapshot = hold.current();
        Ok(Applied { revision: snapshot.revision, snapshot })
    }

    /// Validates the text by the front door, and meanwhile brings it to the disk.
    pub(super) async fn candidate(
        &self,
        file: &Arc<HeldFile>,
        (text, graft): (&Arc<String>, Option<Graft>),
        current: &Arc<Snapshot>,
    ) -> Result<Candidate, EditError> {
        let (loader, current, whole) =
            (self.reloader.loader().clone(), Arc::clone(current), Arc::clone(text));
        let in_force = Arc::clone(&current);
        let loading = spawn_blocking(move || {
            let grafted = graft.and_then(|graft| {
                let candidate = loader.load_reduced(&whole, &graft.reduced).ok()?;
                graft.complete(candidate, &current.policy)
            });
            grafted.map_or_else(|| loader.load_text(&whole), Ok)
        });
        let (file, text) = (Arc::clone(file), Arc::clone(text));
        let writing = spawn_blocking(move || file.prepare(&text));
        // Both to their end: the file is let go when neither works on it any more.
        let (loaded, written) = tokio::join!(loading, writing);
        let loaded = joined(loaded)?.and_then(|candidate| candidate.instead_of(&in_force.policy));
        let candidate = loaded.map_err(|error| match error {
            LoadError::Findings { findings, .. } => EditError::Invalid(findings),
            error => EditError::Conflict(error.to_string()),
        })?;
        joined(written)??;
        Ok(candidate)
    }
}

/// The snapshot that the file's text stands for: the one in force, or, after an edit by hand, a new one.
async fn settle(
    hold: &mut Hold<'_>,
    file: &Arc<HeldFile>,
    loader: &Loader,
) -> Result<Arc<Snapshot>, EditError> {
    if hold.is_in_force(Arc::clone(file)).await {
        return Ok(hold.current());
    }
    if file.age().is_some_and(|age| age < QUIET) {
        tokio::time::sleep(QUIET).await;
        if !file.is_unchanged() {
            return Err(EditError::Conflict("the file is being edited by hand; try again".to_owned()));
        }
    }
    let (loader, read) = (loader.clone(), Arc::clone(file));
    let loaded = blocking(move || loader.load_text(read.text())).await?;
    match loaded.and_then(|candidate| candidate.instead_of(&hold.current().policy)) {
        Ok(candidate) => {
            hold.install(candidate);
            Ok(hold.current())
        }
        Err(LoadError::Findings { findings, .. }) => {
            let first = findings.errors().next();
            let first =
                first.map(|error| format!("{}: {}", error.place(), error.message)).unwrap_or_default();
            Err(EditError::Conflict(format!("the file has errors, mend them first: {first}")))
        }
        Err(error) => Err(EditError::Conflict(error.to_string())),
    }
}

/// Refuses a change of an object that is no longer what the change was made up for.
fn refuse_stale(
    (digest, then): &(String, Option<Image>),
    current: &Snapshot,
    target: &Target,
) -> Result<(), EditError> {
    if *digest == current.digest {
        return Ok(());
    }
    let now = target.find(&current.policy).map(|(_, image)| image);
    let same = match (then, &now) {
        (None, None) => true,
        (Some(then), Some(now)) => then.is_like(now),
        _ => false,
    };
    if same {
        Ok(())
    } else {
        Err(EditError::Conflict(format!("{} was changed meanwhile", target.describe())))
    }
}

type Draft = (Arc<String>, Option<Graft>);

/// The new text and a shorter way to its policy; `None` if nothing changes.
async fn drafted(
    file: &Arc<HeldFile>,
    current: &Arc<Snapshot>,
    change: &Change,
) -> Result<Option<Draft>, EditError> {
    let (file, snapshot, change) = (Arc::clone(file), Arc::clone(current), change.clone());
    blocking(move || {
        let current = Current { text: file.text(), policy: &snapshot.policy };
        let Some(text) = plan(current, &change)? else { return Ok(None) };
        let graft = Graft::of(current, &change, &text);
        Ok(Some((Arc::new(text), graft)))
    })
    .await?
}

/// Whether the candidate is what was asked for, and nothing else came or went.
fn verify(before: &Policy, after: &Policy, change: &Change) -> Result<(), EditError> {
    let found = change.target().find(after).map(|(_, image)| image);
    let (fine, difference) = match change {
        Change::Create(object) => (found.is_some_and(|image| image.is_object(object)), 1),
        Change::Replace(object) => (found.is_some_and(|image| image.is_object(object)), 0),
        _ => (found.is_none(), -1),
    };
    let count = |policy: &Policy| {
        let parts = policy.parts();
        let counts = [
            parts.acls.len(),
            parts.api_keys.len(),
            parts.tenants.len(),
            parts.applications.len(),
            parts.resource_servers.len(),
            parts.path_rules.len(),
        ];
        counts.iter().sum::<usize>()
    };
    if fine && count(before).checked_add_signed(difference) == Some(count(after)) {
        return Ok(());
    }
    let target = change.target().describe();
    Err(EditError::Conflict(format!(
        "{target} is written in a way that cannot be edited; the file stays as it is"
    )))
}

/// Puts the prepared text in the place of the file, and in force.
pub(super) async fn install(
    hold: &mut Hold<'_>,
    file: &Arc<HeldFile>,
    revision: Revision,
) -> Result<(), EditError> {
    let Revision { text, ready } = revision;
    let replacing = Arc::clone(file);
    let replaced = blocking(move || replacing.replace()).await?;
    drop(text);
    match replaced {
        Err(fault @ FileFault::Unsynced { .. }) => {
            // It is in the file, so it is in force; whether it outlives a power cut nobody knows.
            hold.install_prepared(ready);
            Err(EditError::Io(io::Error::other(fault)))
        }
        Err(fault) => Err(fault.into()),
        Ok(()) => {
            hold.install_prepared(ready);
            Ok(())
        }
    }
}
