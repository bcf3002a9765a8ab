//! What the editor does with changes on trial: writes down how to undo them, and undoes them unless they are confirmed
//! in time.

use super::editor::{EditError, Inner, Revision, blocking, install};
use super::file::{FileFault, HeldFile, beside};
use super::trial::{ENDING, Trial, Undo};
use crate::store::reload::Hold;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How long it takes until an undoing that failed is tried again.
const RETRY: Duration = Duration::from_secs(5);

impl Inner {
    pub(super) async fn confirm(&self) -> Result<u64, EditError> {
        let hold = self.reloader.hold().await;
        if self.waiting().until.is_none() {
            return Err(EditError::Conflict("no change waits for a confirmation".to_owned()));
        }
        let file = self.open().await?;
        blocking(move || file.remove_beside(ENDING)).await??;
        self.set_waiting(None);
        tracing::info!("the change on trial is confirmed");
        Ok(hold.current().revision)
    }

    pub(super) async fn resume(self: &Arc<Self>) {
        let path = self.reloader.loader().path().to_owned();
        let record = blocking(move || {
            let real = path.canonicalize().unwrap_or(path);
            std::fs::read(beside(&real, ENDING)).ok()
        });
        let Ok(Some(bytes)) = record.await else { return };
        match Trial::parse(&bytes) {
            Ok(trial) => {
                let number = self.set_waiting(Some(trial.deadline));
                match trial.remaining() {
                    Duration::ZERO => self.expire(number).await,
                    remaining => self.arm(number, remaining),
                }
            }
            Err(error) => tracing::error!(%error, "nothing is undone; the policy stays as it is in the file"),
        }
    }

    pub(super) fn arm(self: &Arc<Self>, number: u64, within: Duration) {
        // A timer does not keep an editor alive that nobody else has.
        let inner = Arc::downgrade(self);
        tokio::spawn(async move {
            tokio::time::sleep(within).await;
            if let Some(inner) = inner.upgrade() {
                inner.expire(number).await;
            }
        });
    }

    /// Undoes the trial with this number, if it is still under way, again and again until it is undone.
    async fn expire(self: &Arc<Self>, number: u64) {
        loop {
            let mut hold = self.reloader.hold().await;
            let waiting = self.waiting();
            if waiting.number != number || waiting.until.is_none() {
                return;
            }
            match self.undo(&mut hold).await {
                Ok(()) => {
                    self.set_waiting(None);
                    return;
                }
                Err(error) => tracing::error!(%error, "an unconfirmed change cannot be undone; trying again"),
            }
            drop(hold);
            tokio::time::sleep(RETRY).await;
        }
    }

    async fn undo(&self, hold: &mut Hold<'_>) -> Result<(), EditError> {
        let file = self.open().await?;
        let read = Arc::clone(&file);
        let Some(bytes) = blocking(move || read.read_beside(ENDING)).await?? else { return Ok(()) };
        let Ok(trial) = Trial::parse(&bytes) else {
            tracing::error!(
                "the record of an unconfirmed change is damaged; the policy stays as it is in the file"
            );
            return Ok(());
        };
        match trial.undo(file.text()) {
            Undo::Nothing => {}
            Undo::Text(text) => {
                let (text, current) = (Arc::new(text), hold.current());
                let candidate = self.candidate(&file, (&text, None), &current).await?;
                let ready = hold.prepare(candidate);
                install(hold, &file, Revision { text, ready }).await?;
                tracing::warn!("a change was not confirmed in time and is undone");
            }
            Undo::Impossible => {
                tracing::error!(
                    "a change was not confirmed in time, but edited by hand: it stays as it is in the file"
                );
            }
        }
        blocking(move || file.remove_beside(ENDING)).await??;
        Ok(())
    }
}

/// Writes down how to undo the change before it is made. Gives what was written down before.
pub(super) async fn begin_trial(
    file: &Arc<HeldFile>,
    text: &Arc<String>,
    within: Duration,
) -> Result<Option<Trial>, EditError> {
    let (file, text) = (Arc::clone(file), Arc::clone(text));
    blocking(move || {
        let running = file.read_beside(ENDING)?.and_then(|bytes| Trial::parse(&bytes).ok());
        let (before, between) = match &running {
            Some(trial) => (trial.before.clone(), Some(file.text().to_owned())),
            None => (file.text().to_owned(), None),
        };
        let deadline = SystemTime::now().checked_add(within).unwrap_or_else(SystemTime::now);
        write_trial(&file, &Trial { deadline, within, before, between, after: text.to_string() })?;
        Ok(running)
    })
    .await?
}

/// The change was not made after all.
pub(super) async fn restore_trial(file: &Arc<HeldFile>, before: Option<Trial>) {
    let file = Arc::clone(file);
    let restored = blocking(move || match before {
        Some(trial) => write_trial(&file, &trial),
        None => file.remove_beside(ENDING),
    });
    if let Ok(Err(error)) | Err(error) = restored.await.map(|restored| restored.map_err(EditError::from)) {
        tracing::error!(%error, "the record of a change that was not made is left over; it undoes nothing");
    }
}

fn write_trial(file: &HeldFile, trial: &Trial) -> Result<(), FileFault> {
    let [before, between, after] = trial.texts();
    file.write_beside(ENDING, &[&trial.header(), before, between, after])
}
