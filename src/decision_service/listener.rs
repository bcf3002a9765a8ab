//! The listeners of `[[decision]]`: bound first, then served, each by a server of its own with as many workers as the
//! gateway has, which sleep while nobody asks.

use super::DecisionService;
use crate::config::Decision;
use crate::gateway::{Gateway, Shared};
use crate::server::{BoundListener, Drained, Inherited, ListenError, Options, Pulses, Server, TlsHandle};
use crate::store::SnapshotReader;
use std::io;
use std::net::{SocketAddr, TcpListener};
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
    /// Binds as configured, or takes inherited sockets. Blocking.
    ///
    /// # Errors
    /// An address cannot be had, or its TLS.
    pub fn bind(decisions: &[Decision], inherited: &mut Inherited) -> Result<Self, ListenError> {
        let bind = |decision: &Decision| {
            Ok((BoundListener::inherit_or_bind(&decision.listener, inherited)?, decision.clone()))
        };
        decisions.iter().map(bind).collect::<Result<_, ListenError>>().map(Self)
    }

    /// The same sockets again, for another process. Fails where there are too many open files.
    pub fn share(&self) -> impl Iterator<Item = io::Result<TcpListener>> {
        self.0.iter().map(|(listener, _)| listener.share())
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
    /// The workers' signs of life.
    pub fn pulses(&self) -> impl Iterator<Item = Pulses> {
        self.0.iter().map(Server::pulses)
    }

    /// Ends them, after the answers that are under way; idle connections have `grace` for another request.
    pub async fn end(self, grace: Duration) {
        for server in &self.0 {
            server.stopper().drain();
        }
        for server in self.0 {
            if server.drain(LAST_ANSWERS + grace).await == Drained::Cut {
                tracing::warn!("a decision listener ended before every answer was given");
            }
        }
    }
}
