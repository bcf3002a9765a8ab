//! Signs of life of the workers, for a watchdog: whether each still comes round to its time-outs.
//!
//! A worker beats with every sweep of its time-outs, some times a second. One that is stuck in a computation or a lock
//! does not, and with it stand all of its connections. What is done about it is the service manager's to decide.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::time::Instant;

/// Of one worker.
#[derive(Clone, Debug, Default)]
pub(super) struct Pulse(Arc<AtomicU64>);

impl Pulse {
    pub(super) fn beat(&self) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// Of some workers, with when each was last seen to beat.
#[derive(Debug)]
pub struct Pulses(Vec<Seen>);

#[derive(Debug)]
struct Seen {
    pulse: Pulse,
    beats: u64,
    at: Instant,
}

impl Pulses {
    /// Looks at all of them: which worker, counted from 0, has not beaten for so long?
    pub fn stalled(&mut self, patience: Duration) -> Option<usize> {
        let now = Instant::now();
        for seen in &mut self.0 {
            let beats = seen.pulse.0.load(Relaxed);
            if beats != seen.beats {
                (seen.beats, seen.at) = (beats, now);
            }
        }
        self.0.iter().position(|seen| now.duration_since(seen.at) >= patience)
    }
}

#[cfg(test)]
impl Pulses {
    /// Of one worker that never beats.
    pub fn of_nobody_alive() -> Self {
        [Pulse::default()].into_iter().collect()
    }
}

impl FromIterator<Pulse> for Pulses {
    fn from_iter<T: IntoIterator<Item = Pulse>>(pulses: T) -> Self {
        let at = Instant::now();
        Self(pulses.into_iter().map(|pulse| Seen { beats: pulse.0.load(Relaxed), pulse, at }).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_worker_that_does_not_beat_for_long_is_named() {
        let (lively, stuck) = (Pulse::default(), Pulse::default());
        let mut pulses: Pulses = [lively.clone(), stuck.clone()].into_iter().collect();
        let patience = Duration::from_secs(2);
        for second in 0..4 {
            assert_eq!(pulses.stalled(patience), (second >= 2).then_some(1), "second {second}");
            lively.beat();
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        stuck.beat();
        assert_eq!(pulses.stalled(patience), None);
    }
}
