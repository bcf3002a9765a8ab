//! The listener of the management API: a server of its own, with one worker, its own TLS and no PROXY headers.
//!
//! Never one of the public listeners: what is served here is served nowhere else.

use super::{AdminApi, Shared};
use crate::config::{Admin, Listener};
use crate::server::{BoundListener, Counters, Drained, ListenError, Options, Server, Settings, TlsHandle};
use arc_swap::ArcSwap;
use std::io;
use std::net::SocketAddr;
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
}

impl ManagementListener {
    /// Binds as configured. Blocking.
    ///
    /// # Errors
    /// The address cannot be had, or its TLS.
    pub fn bind(admin: &Admin) -> Result<Self, ListenError> {
        let Admin { listen, tls, api_keys: _, audit_log: _ } = admin;
        let listener = Listener { address: listen.clone(), tls: tls.clone(), proxy_protocol: false };
        BoundListener::bind(&listener).map(Self)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// Serves it; accepts on this runtime.
    ///
    /// # Errors
    /// Threads or their runtimes cannot be had.
    pub fn serve(
        self,
        runtime: &Runtime,
        shared: &Shared,
        settings: &Arc<ArcSwap<Settings>>,
    ) -> io::Result<Management> {
        let tls = self.0.tls();
        let options = Options {
            workers: 1,
            settings: Arc::clone(settings),
            trusted: Arc::new(|_| false),
            counters: Arc::new(Counters::default()),
        };
        let shared = shared.clone();
        let _entered = runtime.enter();
        let server = Server::start(vec![self.0], options, move || AdminApi::new(shared.clone()))?;
        Ok(Management { server, tls })
    }
}

impl Management {
    /// Takes over what a new snapshot says of its certificates.
    pub fn follow(&self, admin: &Admin) {
        if let (Some(settings), Some(handle)) = (&admin.tls, &self.tls)
            && let Err(error) = handle.reload(settings)
        {
            tracing::error!(%error, listener = admin.listen, "certificates stay as they are");
        }
    }

    /// Ends it, after the answers that are under way.
    pub async fn end(self) {
        if self.server.drain(LAST_ANSWERS).await == Drained::Cut {
            tracing::warn!("the management API ended before every answer was given");
        }
    }
}
