//! What belongs to no worker: reloads, the policy in force, certificates. Written rarely, by anybody.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// What an attempt to reload came to, as a label.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReloadResult {
    /// A new revision is in force.
    Swapped,
    /// The content was in force already.
    Unchanged,
    /// The last good one stays.
    Failed,
}

impl ReloadResult {
    pub(super) const ALL: [Self; 3] = [Self::Swapped, Self::Unchanged, Self::Failed];

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Swapped => "swapped",
            Self::Unchanged => "unchanged",
            Self::Failed => "failed",
        }
    }
}

/// Counts reloads by result.
#[derive(Debug, Default)]
pub struct ReloadCounters([AtomicU64; ReloadResult::ALL.len()]);

impl ReloadCounters {
    /// Counts one.
    pub fn add(&self, result: ReloadResult) {
        if let Some(counter) = self.counter(result) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn get(&self, result: ReloadResult) -> u64 {
        self.counter(result).map_or(0, |counter| counter.load(Ordering::Relaxed))
    }

    fn counter(&self, result: ReloadResult) -> Option<&AtomicU64> {
        let index = ReloadResult::ALL.iter().position(|known| *known == result)?;
        self.0.get(index)
    }
}

/// What belongs to no worker.
#[derive(Debug, Default)]
pub struct ProcessMetrics {
    /// Attempts to reload.
    pub reloads: ReloadCounters,
    pub(super) last_reload_success: AtomicBool,
    pub(super) last_reload_at: AtomicU64,
    pub(super) revision: AtomicU64,
    pub(super) loaded_at: AtomicU64,
    pub(super) acls: AtomicU64,
    pub(super) ranges: AtomicU64,
    certificates: Mutex<BTreeMap<String, SystemTime>>,
}

impl ProcessMetrics {
    /// Notes when the last attempt to reload was made and whether it did not fail.
    pub fn reload_attempted(&self, at: SystemTime, success: bool) {
        self.last_reload_at.store(seconds(at), Ordering::Relaxed);
        self.last_reload_success.store(success, Ordering::Relaxed);
    }

    /// Notes what is in force; `size` is the number of ACLs and of their ranges.
    pub fn policy_in_force(&self, revision: u64, loaded_at: SystemTime, size: (usize, usize)) {
        self.revision.store(revision, Ordering::Relaxed);
        self.loaded_at.store(seconds(loaded_at), Ordering::Relaxed);
        self.acls.store(size.0 as u64, Ordering::Relaxed);
        self.ranges.store(size.1 as u64, Ordering::Relaxed);
    }

    /// Notes when the certificates in use expire, by file; replaces what was noted before.
    pub fn certificates_expire(&self, expiries: impl IntoIterator<Item = (String, SystemTime)>) {
        let expiries = expiries.into_iter().collect();
        *self.certificates.lock().unwrap_or_else(PoisonError::into_inner) = expiries;
    }

    pub(super) fn certificate_expiries(&self) -> Vec<(String, u64)> {
        let certificates = self.certificates.lock().unwrap_or_else(PoisonError::into_inner);
        certificates.iter().map(|(name, at)| (name.clone(), seconds(*at))).collect()
    }
}

fn seconds(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
