//! What happens to connections before and after requests. Written once or twice a connection, by any worker; the
//! traffic by the connection's worker alone.

use super::Counter;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

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
    traffic: Mutex<Vec<Arc<Traffic>>>,
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
    /// Where one more worker counts its traffic.
    pub fn new_traffic(&self) -> Arc<Traffic> {
        let traffic = Arc::<Traffic>::default();
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&traffic));
        traffic
    }

    /// The bytes of all workers, received and sent.
    pub(super) fn bytes(&self) -> (u64, u64) {
        let traffic = self.traffic.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = |of: fn(&Traffic) -> &Counter| traffic.iter().map(|traffic| of(traffic).get()).sum();
        (sum(|traffic| &traffic.received), sum(|traffic| &traffic.sent))
    }
}
