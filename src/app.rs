//! Builds everything once and owns the tasks: listeners first, then workers, then the watcher, then readiness.
//!
//! A loaded file in → a [`Running`] gateway out. One supervising thread accepts connections, follows the file and
//! drains; workers serve. Signals, inherited sockets and the service manager are the business of [`run`] alone, so that
//! tests can start as many gateways as they like.

mod process;
mod service_manager;
mod signals;
mod supervision;
mod upgrade;

pub use process::run;

use crate::admin::listener::ManagementListener;
use crate::config::Config;
use crate::decision_service::DecisionListeners;
use crate::gateway::Shared;
use crate::server::{BoundListener, Inherited, ListenError, Stopper};
use crate::store::watch::{Events, Watcher};
use crate::store::{Candidate, Editor, Loader, Reloader};
use crate::telemetry::access_log::AccessWriter;
use crate::telemetry::logging::LogControl;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::traces::Traces;
#[cfg(not(feature = "otlp"))]
use crate::telemetry::traces::collector_is_named;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use supervision::{ListenerTls, Supervision, serve, supervise};
use tokio::sync::oneshot;

#[cfg(feature = "otlp")]
mod collector;

/// Why the gateway did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A listener.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Threads, timers or file watching.
    #[error("the system does not give what the gateway needs: {0}")]
    System(#[from] io::Error),
    /// Traces.
    #[cfg(feature = "otlp")]
    #[error(transparent)]
    Traces(#[from] crate::telemetry::traces::TracesError),
}

/// A running gateway. Dropping it aborts it.
#[derive(Debug)]
pub struct Running {
    addresses: Vec<SocketAddr>,
    admin_address: Option<SocketAddr>,
    decision_addresses: Vec<SocketAddr>,
    reloader: Arc<Reloader>,
    metrics: Arc<Metrics>,
    traces: Traces,
    stopper: Stopper,
    relieved: Arc<AtomicBool>,
    ended: Option<oneshot::Receiver<()>>,
    supervisor: Option<JoinHandle<()>>,
}

impl Running {
    /// Where it listens, in the order of the file.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Where the management API listens, if it does.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin_address
    }

    /// Where other proxies ask for decisions, in the order of the file.
    pub fn decision_addresses(&self) -> &[SocketAddr] {
        &self.decision_addresses
    }

    /// What is in force, and how to read the file again.
    pub fn reloader(&self) -> &Arc<Reloader> {
        &self.reloader
    }

    /// What is counted.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Stops it from elsewhere.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Another process listens on the same sockets: what is still to be accepted is that one's, the management API
    /// included. Said before draining.
    fn relieve(&self) {
        self.relieved.store(true, Ordering::Relaxed);
    }

    /// Drains it and waits for the end, `[server.timeouts] drain` at the most. Blocks.
    pub fn drain(mut self) {
        self.stopper.drain();
        self.join();
    }

    /// Cuts everything off and waits for the end. Blocks.
    pub fn abort(mut self) {
        self.stopper.abort();
        self.join();
    }

    fn join(&mut self) {
        if let Some(supervisor) = self.supervisor.take()
            && supervisor.join().is_err()
        {
            tracing::error!("the supervisor ended in a panic");
        }
        self.traces.flush();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stopper.abort();
        self.join();
    }
}

/// Starts the gateway. It listens when this returns.
///
/// # Errors
/// A listener cannot be had, or threads.
pub fn start(loader: Loader, first: Candidate, log: LogControl) -> Result<Running, StartError> {
    begin(loader, first, log, &mut Inherited::default()).map(|(running, _)| running)
}

/// Starts with what was handed over. Also gives the listening sockets, to be handed on; whoever holds them keeps them
/// open.
fn begin(
    loader: Loader,
    first: Candidate,
    log: LogControl,
    inherited: &mut Inherited,
) -> Result<(Running, Vec<TcpListener>), StartError> {
    let config = first.config.clone();
    let Bound { listeners, admin, decisions, sockets, relieved } = bind(&config, inherited)?;
    let relieved = Arc::new(AtomicBool::new(relieved));
    let addresses = listeners.iter().map(BoundListener::address).collect();
    let admin_address = admin.as_ref().map(ManagementListener::address);
    let decision_addresses = decisions.addresses();
    let workers = workers(&config);
    let metrics = Arc::new(Metrics::new(workers * (1 + decisions.count())));
    let access = AccessWriter::start(io::stdout())?;
    let traces = traces()?;
    metrics.observe_logs(log.clone(), Some(access.clone()));
    let watcher = Watcher::start(first.files.clone(), Events::Use)?;
    let reloader = Arc::new(Reloader::new(loader, first, log.clone(), Arc::clone(&metrics)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let shared = Shared {
        store: Arc::clone(reloader.store()),
        metrics: Arc::clone(&metrics),
        access,
        traces: traces.clone(),
    };
    let tls = ListenerTls {
        server: listeners.iter().map(BoundListener::tls).collect(),
        decisions: decisions.tls(),
    };
    let server = serve(&runtime, (listeners, decisions), &shared, workers)?;
    let stopper = server.server.stopper();
    let editor = Editor::new(Arc::clone(&reloader));
    let management = crate::admin::Shared {
        reloader: Arc::clone(&reloader),
        editor: editor.clone(),
        metrics: Arc::clone(&metrics),
        log,
        stage: server.server.stage(),
        relieved: Arc::clone(&relieved),
    };
    let settings = **server.settings.load();
    let admin = admin.map(|admin| admin.serve(&runtime, &management, settings)).transpose()?;
    let supervision = Supervision {
        server,
        tls,
        admin,
        editor,
        reloader: Arc::clone(&reloader),
        watcher,
        relieved: Arc::clone(&relieved),
    };
    let (supervisor, ended) = supervise(runtime, supervision)?;
    let running = Running {
        addresses,
        admin_address,
        decision_addresses,
        reloader,
        metrics,
        traces,
        stopper,
        relieved,
        ended: Some(ended),
        supervisor: Some(supervisor),
    };
    Ok((running, sockets))
}

/// As many as are configured, or one a core.
fn workers(config: &Config) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    config.server.workers.unwrap_or_else(cores)
}

/// Everything that is listened on.
struct Bound {
    listeners: Vec<BoundListener>,
    admin: Option<ManagementListener>,
    decisions: DecisionListeners,
    sockets: Vec<TcpListener>,
    /// Whether others held a socket before us, and may hold it after us.
    relieved: bool,
}

fn bind(config: &Config, inherited: &mut Inherited) -> Result<Bound, StartError> {
    let relieved = !inherited.is_empty();
    let listen = config.server.listen.iter();
    let listeners = listen
        .map(|listener| BoundListener::inherit_or_bind(listener, inherited))
        .collect::<Result<Vec<_>, ListenError>>()?;
    let admin = config.admin.as_ref().map(|admin| ManagementListener::bind(admin, inherited)).transpose()?;
    let decisions = DecisionListeners::bind(&config.decisions, inherited)?;
    let all = listeners.iter().map(BoundListener::share).chain(admin.iter().map(ManagementListener::share));
    let sockets = all.chain(decisions.share()).collect::<io::Result<_>>()?;
    Ok(Bound { listeners, admin, decisions, sockets, relieved })
}

#[cfg(feature = "otlp")]
fn traces() -> Result<Traces, StartError> {
    Ok(Traces::from_environment(collector::Collector::from_environment())?)
}

#[cfg(not(feature = "otlp"))]
fn traces() -> Result<Traces, StartError> {
    if collector_is_named() {
        tracing::warn!(
            "a collector of traces is named, but this program is built without the feature `otlp`"
        );
    }
    Ok(Traces)
}
