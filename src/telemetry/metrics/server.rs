//! What happens to connections before and after requests. Written once or twice a connection, by any worker.

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
}
