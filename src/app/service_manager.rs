//! What a service manager is told: readiness, the end, the next main process, signs of life.
//!
//! The protocol is sd_notify(3); without `NOTIFY_SOCKET` nothing is said. A sign of life is sent only while every worker
//! comes round to its time-outs, so that a gateway that hangs is restarted; while draining, workers end, and the
//! supervisor alone answers for the process.

use crate::server::{Pulses, Stage};
use sd_notify::NotifyState;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

/// Signs of life in each period that the service manager allows.
const BEATS: u32 = 3;

/// Tells the service manager, if it is there.
pub(super) fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "the service manager was not told");
    }
}

/// Sends signs of life for ever, if the service manager waits for them (`WatchdogSec=`).
pub(super) async fn keep_alive(pulses: Vec<Pulses>, stage: watch::Receiver<Stage>) {
    if let Some(period) = sd_notify::watchdog_enabled() {
        watch_over(pulses, stage, period, || notify(&[NotifyState::Watchdog])).await;
    }
}

async fn watch_over(
    mut pulses: Vec<Pulses>,
    stage: watch::Receiver<Stage>,
    period: Duration,
    alive: impl Fn(),
) {
    // A period of zero has no ticks.
    let mut ticks = tokio::time::interval((period / BEATS).max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let stalled = pulses.iter_mut().find_map(|pulses| pulses.stalled(period / 2));
        match stalled.filter(|_| *stage.borrow() == Stage::Serving) {
            Some(worker) => tracing::error!(worker, "a worker does not answer; the watchdog is not told"),
            None => alive(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// Signs of life in half a minute of which the worker never beats.
    async fn signs_in(stage: Stage) -> u32 {
        let (_sender, stage) = watch::channel(stage);
        let signs = Cell::new(0);
        let watching = watch_over(vec![Pulses::of_nobody_alive()], stage, Duration::from_secs(6), || {
            signs.set(signs.get() + 1);
        });
        drop(tokio::time::timeout(Duration::from_secs(29), watching).await);
        signs.get()
    }

    #[tokio::test(start_paused = true)]
    async fn a_worker_that_hangs_silences_the_watchdog_but_not_while_draining() {
        assert_eq!(signs_in(Stage::Serving).await, 2, "at once, and before half of the period is over");
        assert_eq!(signs_in(Stage::Draining).await, 15);
    }
}
