//! What happens to connections before and after requests. Written once or twice a connection, by any worker; the
//! traffic by the connection's worker alone.

use super::Counter;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// What a server counts of its connections; all but `open` only ever grow.
#[derive(Debug, Default)]
pub struct ServerCounters {
    /// Connections accepted.
    pub accepted: AtomicU64,
    /// Connections beyond `[server.limits] connections`.
    pub surplus: AtomicU64,
    /// Connections closed for their PROXY header, or the lack of one.
    pub proxy_refused: AtomicU64,
    /// HTTP/1 heads refused before they were parsed.
    pub refused_heads: AtomicU64,
    /// TLS handshakes done.
    pub tls_handshakes: AtomicU64,
    /// TLS handshakes failed.
    pub tls_failures: AtomicU64,
    /// Connections open now.
    pub open: AtomicU64,
    pub(super) traffic: Vec<Arc<Traffic>>,
}

/// Bytes of client connections as they are on the wire, TLS included. Aligned so that no two workers write to one cache
/// line.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Traffic {
    /// From clients.
    pub received: Counter,
    /// To clients.
    pub sent: Counter,
}

impl ServerCounters {
    /// Counters for this many workers.
    pub fn new(workers: usize) -> Self {
        Self { traffic: (0..workers).map(|_| Arc::default()).collect(), ..Self::default() }
    }

    /// The traffic of a worker; of one that was not foreseen, counted nowhere.
    pub fn traffic(&self, worker: usize) -> Arc<Traffic> {
        self.traffic.get(worker).cloned().unwrap_or_default()
    }
}
