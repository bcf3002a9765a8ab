//! The listener of the management API: a server of its own, with one worker, its own TLS and no PROXY headers.
//!
//! Never one of the public listeners: what is served here is served nowhere else.

use super::{AdminApi, Shared};
use crate::config::{Admin, Listener};
use crate::server::{
    BoundListener, Counters, Drained, Inherited, ListenError, Options, Pulses, Server, Settings, TlsHandle,
};
use arc_swap::ArcSwap;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;

/// How long the last answers may take at the end.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// Bound, and not yet served.
#[derive(Debug)]
pub struct ManagementListener(BoundListener);

/// The running management API.
#[derive(Debug)]
pub struct Management {
    server: Server,
    tls: Option<Arc<TlsHandle>>,
    settings: Arc<ArcSwap<Settings>>,
}

impl ManagementListener {
    /// Binds as configured, or takes the inherited socket. Blocking.
    ///
    /// # Errors
    /// The address cannot be had, or its TLS.
    pub fn bind(admin: &Admin, inherited: &mut Inherited) -> Result<Self, ListenError> {
        let Admin { listen, tls, api_keys: _, audit_log: _ } = admin;
        let listener = Listener { address: listen.clone(), tls: tls.clone(), proxy_protocol: false };
        BoundListener::inherit_or_bind(&listener, inherited).map(Self)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// The same socket again, for another process.
    ///
    /// # Errors
    /// There are too many open files.
    pub fn share(&self) -> io::Result<TcpListener> {
        self.0.share()
    }

    /// Serves it; accepts on this runtime.
    ///
    /// # Errors
    /// Threads or their runtimes cannot be had.
    pub fn serve(self, runtime: &Runtime, shared: &Shared, settings: Settings) -> io::Result<Management> {
        let tls = self.0.tls();
        let settings = Arc::new(ArcSwap::from_pointee(settings));
        let options = Options {
            workers: 1,
            settings: Arc::clone(&settings),
            trusted: Arc::new(|_| false),
            counters: Arc::new(Counters::default()),
        };
        let shared = shared.clone();
        let _entered = runtime.enter();
        let server = Server::start(vec![self.0], options, move || AdminApi::new(shared.clone()))?;
        Ok(Management { server, tls, settings })
    }
}

impl Management {
    /// The worker's signs of life.
    pub fn pulses(&self) -> Pulses {
        self.server.pulses()
    }

    /// Takes over what a new snapshot says of bounds and certificates.
    pub fn follow(&self, admin: &Admin, settings: Settings) {
        self.settings.store(Arc::new(settings));
        if let (Some(settings), Some(handle)) = (&admin.tls, &self.tls)
            && let Err(error) = handle.reload(settings)
        {
            tracing::error!(%error, listener = admin.listen, "certificates stay as they are");
        }
    }

    /// Ends it, after the answers that are under way; idle connections have `grace` for another request.
    pub async fn end(self, grace: Duration) {
        let mut settings = **self.settings.load();
        settings.timeouts.drain_idle = grace;
        self.settings.store(Arc::new(settings));
        if self.server.drain(LAST_ANSWERS + grace).await == Drained::Cut {
            tracing::warn!("the management API ended before every answer was given");
        }
    }
}
