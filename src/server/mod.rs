//! From sockets to requests: listeners, TLS, connections, workers, draining.
//!
//! The server is handed its [`Handler`] by `app` and knows nothing of policy. In the order of a connection's life:
//! [`listener`] accepts → [`worker`] → [`connection`] ([`byte_meter`], [`proxy_protocol`], [`tls`], which protocol) → [`http1`]
//! by the strict [`scanner`], or [`http2`] → the handler. [`deadline`] holds the clock by which all of them end, [`shutdown`] the end of all;
//! [`turns`] keep one connection's beginning from holding up the rest. All of a worker's connections are read through its
//! [`scratch`] buffer.

pub mod byte_meter;
pub mod connection;
mod date;
pub mod deadline;
pub mod http1;
pub mod http2;
pub mod inherited;
pub mod listener;
pub mod proxy_protocol;
pub mod pulse;
pub mod scanner;
mod scratch;
pub mod shutdown;
pub mod stream;
mod task;
pub mod tls;
mod turns;
pub mod worker;

#[cfg(test)]
mod tests;

pub use crate::telemetry::metrics::ServerCounters as Counters;
pub use connection::{Settings, TrustedPeers};
pub use inherited::Inherited;
pub use listener::{BoundListener, ListenError};
pub use pulse::Pulses;
pub use shutdown::{Drained, Stage, Stopper};
pub use tls::{TlsError, TlsHandle};

use crate::http1::Lined;
use crate::request::{Connection, RequestBody, RequestError, RequestHead};
use arc_swap::ArcSwap;
use bytes::Bytes;
use http::Response;
use listener::Reception;
use std::fmt;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use worker::{Common, Running};

/// Who answers requests; lives on one worker.
pub trait Handler: 'static {
    /// The body of its responses.
    type Body: http_body::Body<Data = Bytes, Error: std::error::Error + Send + Sync + 'static>
        + Lined
        + Unpin
        + 'static;

    /// Answers a request. Never fails: failures are responses.
    fn handle(
        &self,
        request: Box<RequestHead>,
        body: RequestBody,
        connection: &Connection,
    ) -> impl Future<Output = Response<Self::Body>>;

    /// Answers a request whose head was refused before it could be parsed. The connection is closed behind it.
    fn refuse(&self, error: RequestError, connection: &Connection) -> Response<Self::Body>;
}

/// How a server runs.
#[derive(Clone)]
pub struct Options {
    /// Worker threads; at least one is started.
    pub workers: usize,
    /// Limits and time-outs; a change holds for connections that begin after it.
    pub settings: Arc<ArcSwap<Settings>>,
    /// Whose PROXY headers are believed; IPv4-mapped addresses are folded before it is asked.
    pub trusted: TrustedPeers,
    /// Counted into.
    pub counters: Arc<Counters>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("workers", &self.workers)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// A running server. Dropped without [`drain`](Self::drain) it accepts no more, and its connections are cut off as soon
/// as no [`Stopper`] of it is left.
#[derive(Debug)]
pub struct Server {
    stopper: Stopper,
    workers: Vec<Running>,
    acceptors: JoinSet<()>,
}

impl Server {
    /// Serves these listeners. Accepts on the current runtime; `make` is called on each worker's thread.
    ///
    /// # Errors
    /// Threads or their runtimes cannot be had.
    pub fn start<H, F>(listeners: Vec<BoundListener>, options: Options, make: F) -> io::Result<Self>
    where
        H: Handler,
        F: Fn() -> H + Clone + Send + 'static,
    {
        let stopper = Stopper::new();
        let Options { workers, settings, trusted, counters } = options;
        let stage = stopper.stage();
        let common = Common { settings, trusted, counters, stage };
        let (desks, workers) = worker::start(workers, &common, &make)?;
        let Common { settings, counters, stage, trusted: _ } = common;
        let reception = Reception { workers: Arc::new(desks), settings, counters, stage };
        let mut acceptors = JoinSet::new();
        for listener in listeners {
            acceptors.spawn(listener::accept(listener, reception.clone()));
        }
        Ok(Self { stopper, workers, acceptors })
    }

    /// Where in its life the server stands.
    pub fn stage(&self) -> watch::Receiver<Stage> {
        self.stopper.stage()
    }

    /// The workers' signs of life.
    pub fn pulses(&self) -> Pulses {
        self.workers.iter().map(|worker| worker.pulse.clone()).collect()
    }

    /// Stops this server from elsewhere.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Ends the server: drains it for as long as `deadline`, then cuts off what still runs.
    pub async fn drain(self, deadline: Duration) -> Drained {
        let Self { stopper, workers, acceptors } = self;
        stopper.drain();
        acceptors.join_all().await;
        shutdown::drain(&stopper, workers, deadline).await
    }
}
