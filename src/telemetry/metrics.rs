//! The metrics: counters that belong to one worker each, summed when they are scraped.
//!
//! In: what workers, the reloader and the listeners count. Out: the text that Prometheus reads, in either [`Format`].
//! Every name, label and unit stands in one table, [`families`].
//!
//! INVARIANT: a [`Counter`] of [`WorkerMetrics`] has one writer, its worker, so counting is a load and a store without
//! a locked bus; readers may see a sum that never was, but each part of it was.

mod encode;
mod exposition;
pub mod families;
mod process;
mod server;
mod time;
mod usage;

pub use exposition::Format;
pub use process::{
    AgeingFiles, CertificateExpiry, CertificateUse, PolicyInForce, ProcessMetrics, ReloadResult,
};
pub use server::{ServerCounters, Traffic};
pub use time::{Histogram, Sampled};

use super::SubjectKind;
use super::access_log::AccessWriter;
use super::hits::Hits;
use super::logging::LogControl;
use crate::policy::Policy;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// Everything that is counted in this process.
#[derive(Debug)]
pub struct Metrics {
    /// What belongs to no worker.
    pub process: ProcessMetrics,
    /// What the server counts of its connections.
    pub server: Arc<ServerCounters>,
    workers: Vec<Arc<WorkerMetrics>>,
    log: OnceLock<LogControl>,
    access: OnceLock<AccessWriter>,
}

/// What became of a request, as a label.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RequestDecision {
    /// It went upstream.
    Allow,
    /// An ACL blocked it.
    Block,
    /// An ACL would have blocked it, were its mode not `report`.
    Report,
    /// It was refused before any ACL was asked.
    Refuse,
}

impl RequestDecision {
    const ALL: [Self; 4] = [Self::Allow, Self::Block, Self::Report, Self::Refuse];

    /// The label's value.
    pub fn label(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Block => "block",
            Self::Report => "report",
            Self::Refuse => "refuse",
        }
    }
}

/// How the address of a request's client was found, as a label. Tells of what stands before the gateway.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClientFound {
    /// The peer is no trusted proxy and names nobody: it is the client.
    Peer,
    /// A trusted proxy named it.
    Value,
    /// A trusted proxy named several.
    Chain,
    /// A trusted proxy named nobody: the proxy is the client.
    Missing,
    /// Somebody who is not trusted named one, and was not believed.
    Ignored,
    /// What a trusted proxy named is no address.
    Undetermined,
}

impl ClientFound {
    /// Every way.
    pub const ALL: [Self; 6] =
        [Self::Peer, Self::Value, Self::Chain, Self::Missing, Self::Ignored, Self::Undetermined];

    /// The label's value.
    pub fn label(self) -> &'static str {
        match self {
            Self::Peer => "peer",
            Self::Value => "value",
            Self::Chain => "chain",
            Self::Missing => "missing",
            Self::Ignored => "ignored",
            Self::Undetermined => "undetermined",
        }
    }
}

/// A number that only grows and has one writer.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds; only for the one writer.
    pub fn add(&self, count: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(count), Ordering::Relaxed);
    }

    /// The number.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What one worker counts. Aligned so that no two workers write to one cache line.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct WorkerMetrics {
    /// By decision, then by subject kind, `none` last.
    requests: [[Counter; SubjectKind::ALL.len() + 1]; RequestDecision::ALL.len()],
    /// By the way in which the client's address was found.
    clients: [Counter; ClientFound::ALL.len()],
    /// By the first digit of the status.
    responses: [Counter; 5],
    /// From the head to the decision, waiting for a body aside.
    pub decision_time: Sampled<{ time::DECISION.len() }>,
    /// From the decision, its own time included, to the response's head.
    pub upstream_time: Histogram<{ time::UPSTREAM.len() }>,
    /// Upstream refused, timed out or broke off.
    pub upstream_failures: Counter,
    /// Lines of the decision log that were held back in a flood.
    pub decisions_held_back: Counter,
}

impl WorkerMetrics {
    /// Counts a request; `kind` is of the subject that decided, if one did.
    pub fn request(&self, decision: RequestDecision, kind: Option<SubjectKind>) {
        if let Some(counter) = self.requests_of(decision, kind) {
            counter.add(1);
        }
    }

    /// Counts the way in which a client's address was found.
    pub fn client(&self, found: ClientFound) {
        if let Some(counter) = self.clients.get(found as usize) {
            counter.add(1);
        }
    }

    /// Counts an answer.
    pub fn response(&self, status: http::StatusCode) {
        if let Some(counter) = self.responses.get(usize::from(status.as_u16() / 100).wrapping_sub(1)) {
            counter.add(1);
        }
    }

    fn requests_of(&self, decision: RequestDecision, kind: Option<SubjectKind>) -> Option<&Counter> {
        let row = RequestDecision::ALL.iter().position(|known| *known == decision)?;
        let column = SubjectKind::ALL.iter().position(|known| Some(*known) == kind);
        self.requests.get(row)?.get(column.unwrap_or(SubjectKind::ALL.len()))
    }
}

impl Metrics {
    /// Counters for this many workers.
    pub fn new(workers: usize) -> Self {
        Self {
            process: ProcessMetrics::default(),
            server: Arc::default(),
            workers: (0..workers).map(|_| Arc::default()).collect(),
            log: OnceLock::new(),
            access: OnceLock::new(),
        }
    }

    /// The counters of a worker, if there are so many; each is for one thread alone.
    pub fn worker(&self, index: usize) -> Option<Arc<WorkerMetrics>> {
        self.workers.get(index).cloned()
    }

    /// What is to be counted of a policy.
    pub fn hits_of(&self, policy: &Policy) -> Arc<Hits> {
        Arc::new(Hits::new(policy, self.workers.len(), self.process.epoch))
    }

    /// Counts the dropped lines of these logs from now on; the first ones told are kept.
    pub fn observe_logs(&self, log: LogControl, access: Option<AccessWriter>) {
        // Told twice, the first stays.
        let _ = self.log.set(log);
        if let Some(access) = access {
            let _ = self.access.set(access);
        }
    }

    /// All of it, as text.
    pub fn render(self: &Arc<Self>, format: Format) -> String {
        let text = encode::render(self);
        match format {
            Format::Classic => exposition::classic(&text),
            Format::OpenMetrics => text,
        }
    }

    fn sum(&self, of: impl Fn(&WorkerMetrics) -> u64) -> u64 {
        self.workers.iter().map(|worker| of(worker)).sum()
    }

    fn dropped_lines(&self) -> u64 {
        self.log.get().map_or(0, LogControl::dropped) + self.access.get().map_or(0, AccessWriter::dropped)
    }
}

#[cfg(test)]
mod tests;
