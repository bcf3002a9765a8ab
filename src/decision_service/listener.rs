//! The listeners of `[[decision]]`: bound first, then served, each by a server of its own with as many workers as the
//! gateway has, which sleep while nobody asks.

use super::DecisionService;
use crate::config::Decision;
use crate::gateway::{Gateway, Shared};
use crate::server::{BoundListener, Drained, ListenError, Options, Server, TlsHandle};
use crate::store::SnapshotReader;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How long the last answers may take at the end.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// Bound, and not yet served.
#[derive(Debug)]
pub struct DecisionListeners(Vec<(BoundListener, Decision)>);

/// Running.
#[derive(Debug)]
pub struct DecisionServers(Vec<Server>);

impl DecisionListeners {
    /// Binds as configured. Blocking.
    ///
    /// # Errors
    /// An address cannot be had, or its TLS.
    pub fn bind(decisions: &[Decision]) -> Result<Self, ListenError> {
        let bind = |decision: &Decision| Ok((BoundListener::bind(&decision.listener)?, decision.clone()));
        decisions.iter().map(bind).collect::<Result<_, ListenError>>().map(Self)
    }

    /// Where they listen, in the order of the file.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.0.iter().map(|(listener, _)| listener.address()).collect()
    }

    /// Their TLS, in the order of the file.
    pub fn tls(&self) -> Vec<Option<Arc<TlsHandle>>> {
        self.0.iter().map(|(listener, _)| listener.tls()).collect()
    }

    /// How many of them there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Serves them; accepts on the current runtime. `first` is the number of their first worker; each
    /// listener has as many as `options` says.
    ///
    /// # Errors
    /// Threads or their runtimes cannot be had.
    pub fn serve(self, options: &Options, shared: &Shared, first: usize) -> io::Result<DecisionServers> {
        let next = Arc::new(AtomicUsize::new(first));
        let serve = |(listener, decision): (BoundListener, Decision)| {
            let (shared, next) = (shared.clone(), Arc::clone(&next));
            let make = move || {
                let gateway = Gateway::new(&shared, next.fetch_add(1, Ordering::Relaxed));
                DecisionService::new(gateway, SnapshotReader::new(Arc::clone(&shared.store)), &decision)
            };
            Server::start(vec![listener], options.clone(), make)
        };
        self.0.into_iter().map(serve).collect::<io::Result<_>>().map(DecisionServers)
    }
}

impl DecisionServers {
    /// Ends them, after the answers that are under way.
    pub async fn end(self) {
        for server in self.0 {
            if server.drain(LAST_ANSWERS).await == Drained::Cut {
                tracing::warn!("a decision listener ended before every answer was given");
            }
        }
    }
}
