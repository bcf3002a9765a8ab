//! What belongs to no worker: reloads, the policy in force, certificates, list files. Written rarely, by anybody.

use crate::telemetry::hits::{Epoch, Hits};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// The most files of a kind that have a series of their own; no honest configuration comes near.
const FILES: usize = 1000;

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

/// What a certificate is used for, as a label.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum CertificateUse {
    /// A public listener shows it.
    Server,
    /// The management listener shows it.
    Admin,
    /// Client certificates must come from it.
    ClientCa,
    /// The upstream's certificate must come from it.
    UpstreamCa,
}

impl CertificateUse {
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Admin => "admin",
            Self::ClientCa => "client_ca",
            Self::UpstreamCa => "upstream_ca",
        }
    }
}

/// When what a file certifies ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CertificateExpiry {
    /// The file.
    pub file: String,
    /// What it is used for.
    pub used_for: CertificateUse,
    /// Of a chain, when its first certificate expires; of a CA file, when its last one does.
    pub at: SystemTime,
}

/// What of the files behind a policy grows old.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AgeingFiles {
    /// Certificates.
    pub certificates: Vec<CertificateExpiry>,
    /// List files, and when each was last written.
    pub lists: Vec<(String, SystemTime)>,
}

/// What is in force.
#[derive(Clone, Copy, Debug)]
pub struct PolicyInForce<'a> {
    /// Counts the swaps of this process, from 1.
    pub revision: u64,
    /// SHA-256 over the file and what it refers to.
    pub digest: &'a str,
    /// Since when.
    pub loaded_at: SystemTime,
    /// The number of ACLs.
    pub acls: usize,
    /// The number of their ranges.
    pub ranges: usize,
    /// What it depends on.
    pub files: &'a AgeingFiles,
    /// What is counted of it.
    pub hits: &'a Arc<Hits>,
}

/// What belongs to no worker.
#[derive(Debug)]
pub struct ProcessMetrics {
    /// Attempts to reload.
    pub reloads: ReloadCounters,
    pub(super) epoch: Epoch,
    pub(super) last_reload_success: AtomicBool,
    pub(super) last_reload_at: AtomicU64,
    pub(super) revision: AtomicU64,
    pub(super) loaded_at: AtomicU64,
    pub(super) acls: AtomicU64,
    pub(super) ranges: AtomicU64,
    described: Mutex<Described>,
}

/// What is no number.
#[derive(Clone, Debug, Default)]
pub(super) struct Described {
    pub(super) digest: String,
    pub(super) files: AgeingFiles,
    pub(super) hits: Option<Arc<Hits>>,
}

impl Default for ProcessMetrics {
    fn default() -> Self {
        Self {
            reloads: ReloadCounters::default(),
            epoch: Epoch::now(),
            last_reload_success: AtomicBool::default(),
            last_reload_at: AtomicU64::default(),
            revision: AtomicU64::default(),
            loaded_at: AtomicU64::default(),
            acls: AtomicU64::default(),
            ranges: AtomicU64::default(),
            described: Mutex::default(),
        }
    }
}

impl ProcessMetrics {
    /// Notes when the last attempt to reload was made and whether it did not fail.
    pub fn reload_attempted(&self, at: SystemTime, success: bool) {
        self.last_reload_at.store(seconds(at), Ordering::Relaxed);
        self.last_reload_success.store(success, Ordering::Relaxed);
    }

    /// Notes what is in force; replaces what was noted before.
    pub fn policy_in_force(&self, policy: &PolicyInForce<'_>) {
        let PolicyInForce { revision, digest, loaded_at, acls, ranges, files, hits } = *policy;
        self.revision.store(revision, Ordering::Relaxed);
        self.loaded_at.store(seconds(loaded_at), Ordering::Relaxed);
        self.acls.store(acls as u64, Ordering::Relaxed);
        self.ranges.store(ranges as u64, Ordering::Relaxed);
        let mut files = files.clone();
        files.certificates.truncate(FILES);
        files.lists.truncate(FILES);
        let described = Described { digest: digest.to_owned(), files, hits: Some(Arc::clone(hits)) };
        *self.described.lock().unwrap_or_else(PoisonError::into_inner) = described;
    }

    pub(super) fn described(&self) -> Described {
        self.described.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Whole seconds since 1970.
pub(super) fn seconds(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
