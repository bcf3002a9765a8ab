//! The end of a server: draining with a deadline, then aborting.
//!
//! Draining: listening sockets close, idle connections close, HTTP/1 connections close behind the running response
//! (which says so), HTTP/2 connections get GOAWAY. Aborting: whatever still runs is dropped. Signals are `app`'s.

use super::worker::Running;
use std::time::Duration;
use tokio::sync::watch;

/// Where in its life a server stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Accepting connections.
    Serving,
    /// Finishing what runs.
    Draining,
    /// Dropping what runs.
    Aborting,
}

/// How draining ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Drained {
    /// Every connection came to its end.
    Whole,
    /// The deadline passed, or somebody aborted: some connections were cut off.
    Cut,
}

/// Stops a server from elsewhere; may be cloned.
#[derive(Clone, Debug)]
pub struct Stopper(watch::Sender<Stage>);

impl Stopper {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(Stage::Serving))
    }

    pub(super) fn stage(&self) -> watch::Receiver<Stage> {
        self.0.subscribe()
    }

    /// Begins to drain, unless that has begun.
    pub fn drain(&self) {
        self.0.send_if_modified(|stage| {
            let begins = *stage == Stage::Serving;
            if begins {
                *stage = Stage::Draining;
            }
            begins
        });
    }

    /// Cuts everything off.
    pub fn abort(&self) {
        self.0.send_replace(Stage::Aborting);
    }
}

/// Drains workers, and aborts them at the deadline.
pub(super) async fn drain(stopper: &Stopper, workers: Vec<Running>, deadline: Duration) -> Drained {
    stopper.drain();
    let (mut ends, mut threads) = (Vec::new(), Vec::new());
    for worker in workers {
        ends.push(worker.ended);
        threads.push(worker.thread);
    }
    let all = async {
        for end in &mut ends {
            // The sender is dropped, never used.
            drop(end.await);
        }
    };
    let late = tokio::time::timeout(deadline, all).await.is_err();
    let aborted = *stopper.stage().borrow() == Stage::Aborting;
    stopper.abort();
    for thread in threads {
        if tokio::task::spawn_blocking(|| thread.join()).await.is_err() {
            tracing::error!("a worker ended in a panic");
        }
    }
    if late || aborted { Drained::Cut } else { Drained::Whole }
}
