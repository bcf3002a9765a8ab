//! How every change is made: guarded, put into the file and in force, recorded, and only then answered.
//!
//! 1. The audit file must be writable before anything is changed.
//! 2. The candidate must still admit whoever makes the change, unless `?force=true`.
//! 3. The change runs in a task of its own: a client that hangs up does not leave it half done or unrecorded.

use super::auth::Caller;
use super::call::{Call, file_time, now};
use super::errors::{Errors, Problem};
use super::query::Options;
use super::resource::name_of;
use crate::store::edit::{Applied, Change, EditError, Editor};
use crate::store::{Reloader, Snapshot};
use crate::telemetry::audit_log::{AuditFile, AuditRecord};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;

/// What is done with an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// POST
    Create,
    /// PUT and PATCH
    Update,
    /// DELETE
    Delete,
    /// `POST /api/confirm`
    Confirm,
}

impl Operation {
    /// The word in audit records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Confirm => "confirm",
        }
    }
}

/// What a change is about, for its guard and its record.
#[derive(Debug)]
pub struct Plan<'a> {
    /// What is done.
    pub operation: Operation,
    /// The object's kind.
    pub kind: &'static str,
    /// The object's id.
    pub id: &'a str,
    /// The object as it is.
    pub old: Option<Value>,
    /// `?force` and `?confirmWithin`
    pub options: Options,
}

/// Where changes are made.
#[derive(Clone, Debug)]
pub struct Desk {
    editor: Editor,
    reloader: Arc<Reloader>,
}

impl Desk {
    /// A desk that writes with this editor.
    pub fn new(editor: Editor, reloader: Arc<Reloader>) -> Self {
        Self { editor, reloader }
    }

    /// Makes a change and gives back the object as `show` finds it in what is in force then.
    ///
    /// # Errors
    /// The file cannot be changed, or should not be; then nothing has changed.
    pub async fn apply(
        &self,
        call: &Call<'_>,
        plan: Plan<'_>,
        change: Change,
        show: impl FnOnce(&Snapshot, i64) -> Option<Value> + Send + 'static,
    ) -> Result<Value, Problem> {
        let audit = open_audit(&call.snapshot)?;
        let (desk, caller, based_on) = (self.clone(), call.caller.clone(), Arc::clone(&call.snapshot));
        let Plan { operation, kind, id, old, options } = plan;
        let id = id.to_owned();
        let task = tokio::spawn(async move {
            let applied = desk.edit(&based_on, change, &caller, options).await?;
            let new = show(&applied.snapshot, file_time(&desk.reloader, &applied.snapshot));
            let name = new.as_ref().and_then(name_of).or_else(|| old.as_ref().and_then(name_of)).cloned();
            let record = AuditRecord {
                at_millis: now(),
                key_name: &caller.key_name,
                client: caller.address,
                operation: operation.word(),
                object: Some((kind, &id, name.as_ref().and_then(Value::as_str).unwrap_or_default())),
                old: old.as_ref(),
                new: new.as_ref().filter(|new| !new.is_null()),
                revision: applied.revision,
                forced: options.force,
                confirm_within: options.confirm_within,
            };
            audit.write(&record);
            new.ok_or(Problem::Internal)
        });
        task.await.unwrap_or(Err(Problem::Internal))
    }

    async fn edit(
        &self,
        based_on: &Snapshot,
        change: Change,
        caller: &Caller,
        options: Options,
    ) -> Result<Applied, Problem> {
        let asking = caller.clone();
        let check = move |candidate: &Snapshot| {
            let fine = options.force || asking.is_admitted_by(candidate);
            if fine { Ok(()) } else { Err(LockedOut(asking)) }
        };
        self.editor.apply(based_on, change, options.confirm_within, check).await.map_err(problem)
    }

    /// Confirms the change that waits for it.
    ///
    /// # Errors
    /// None waits, or the disk fails.
    pub async fn confirm(&self, call: &Call<'_>) -> Result<u64, Problem> {
        call.options()?;
        let audit = open_audit(&call.snapshot)?;
        let (desk, caller) = (self.clone(), call.caller.clone());
        let task = tokio::spawn(async move {
            let revision = desk.editor.confirm().await.map_err(problem)?;
            let record = AuditRecord {
                at_millis: now(),
                key_name: &caller.key_name,
                client: caller.address,
                operation: Operation::Confirm.word(),
                object: None,
                old: None,
                new: None,
                revision,
                forced: false,
                confirm_within: None,
            };
            audit.write(&record);
            Ok(revision)
        });
        task.await.unwrap_or(Err(Problem::Internal))
    }
}

/// The change would lock out whoever makes it.
#[derive(Debug, thiserror::Error)]
#[error(
    "after this change the key `{}` could not be used from {} any more; `?force=true` makes it all the same",
    .0.key_name,
    .0.address
)]
struct LockedOut(Caller);

fn problem(error: EditError) -> Problem {
    match error {
        EditError::Conflict(message) => Problem::Conflict(Errors::general("conflict", message)),
        EditError::Invalid(findings) => {
            let mut errors = Errors::default();
            for finding in findings.errors() {
                let message = format!("{}: {}", finding.place(), finding.message);
                errors.general_errors.extend(Errors::general("invalid", message).general_errors);
            }
            Problem::Invalid(errors)
        }
        EditError::Refused(message) => Problem::Conflict(Errors::general("lockout", message)),
        EditError::Io(error) => {
            tracing::error!(%error, "a change cannot be made");
            Problem::Internal
        }
    }
}

/// The audit file of the policy in force, opened.
///
/// # Errors
/// It cannot be written to.
pub fn open_audit(snapshot: &Snapshot) -> Result<AuditFile, Problem> {
    let path: Option<&PathBuf> = snapshot.config.admin.as_ref().and_then(|admin| admin.audit_log.as_ref());
    AuditFile::open(path.map(PathBuf::as_path)).map_err(|error| {
        let path = path.map(|path| path.display().to_string());
        tracing::error!(%error, path, "the audit log cannot be written to: nothing is changed");
        Problem::Internal
    })
}
