//! Passive health of an upstream address: what happened to it in → whether to try it now out.
//!
//! An address that cannot be connected to is set aside for a second, then two, four …, up to [`LONGEST`]. One that
//! breaks off [`BREAKS`] times in a row is treated alike. When its time is up, one request a second tries it. No
//! probes are sent, and whoever picks an address tries even those set aside before giving up.

use std::cell::Cell;
use std::time::Duration;
use tokio::time::Instant;

const LONGEST: Duration = Duration::from_secs(30);
const TRIAL: Duration = Duration::from_secs(1);
const BREAKS: u32 = 3;

/// What is known of an address.
#[derive(Debug, Default)]
pub(super) struct Health {
    aside_until: Cell<Option<Instant>>,
    failures: Cell<u32>,
    breaks: Cell<u32>,
}

impl Health {
    /// Whether the address may be tried. If it is on trial, this is the trial.
    pub(super) fn may_try(&self) -> bool {
        let Some(until) = self.aside_until.get() else {
            return true;
        };
        let now = Instant::now();
        if now < until {
            return false;
        }
        self.aside_until.set(Some(now + TRIAL));
        true
    }

    /// It could not be connected to.
    pub(super) fn failed(&self) {
        let failures = self.failures.get();
        self.failures.set(failures.saturating_add(1));
        let wait = Duration::from_secs(1 << failures.min(5)).min(LONGEST);
        self.aside_until.set(Some(Instant::now() + wait));
    }

    /// It broke off before it gave a response, on a fresh connection.
    pub(super) fn broke_off(&self) {
        let breaks = self.breaks.get() + 1;
        if breaks < BREAKS {
            self.breaks.set(breaks);
        } else {
            self.breaks.set(BREAKS - 1);
            self.failed();
        }
    }

    /// It gave a response.
    pub(super) fn answered(&self) {
        if self.aside_until.get().is_some() || self.breaks.get() > 0 {
            self.aside_until.set(None);
            self.failures.set(0);
            self.breaks.set(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    #[tokio::test(start_paused = true)]
    async fn set_aside_for_longer_and_longer() {
        let health = Health::default();
        for seconds in [1, 2, 4, 8, 16, 30, 30] {
            assert!(health.may_try());
            health.failed();
            assert!(!health.may_try());
            advance(Duration::from_millis(seconds * 1000 - 1)).await;
            assert!(!health.may_try(), "{seconds}");
            advance(Duration::from_millis(1)).await;
        }
        assert!(health.may_try(), "the trial");
        assert!(!health.may_try(), "one trial at a time");
        health.answered();
        assert!(health.may_try() && health.may_try());
        health.failed();
        advance(Duration::from_secs(1)).await;
        assert!(health.may_try(), "forgiven, so that a new failure counts as the first");
    }

    #[tokio::test(start_paused = true)]
    async fn breaking_off_counts_when_repeated() {
        let health = Health::default();
        health.broke_off();
        health.broke_off();
        assert!(health.may_try());
        health.answered();
        health.broke_off();
        health.broke_off();
        assert!(health.may_try());
        health.broke_off();
        assert!(!health.may_try());
    }
}
