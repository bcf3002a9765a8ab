//! Builds everything once and owns the tasks: listeners first, then workers, then the watcher, then readiness.
//!
//! A loaded file in → a [`Running`] gateway out. One supervising thread accepts connections, follows the file and
//! drains; workers serve. Signals are listened to by [`run`] alone, so that tests can start as many gateways as they
//! like.

use crate::admin::listener::{Management, ManagementListener};
use crate::config::Config;
use crate::decision_service::{DecisionListeners, DecisionServers};
use crate::gateway::{Gateway, Shared};
use crate::server::{BoundListener, ListenError, Options, Server, Settings, Stage, Stopper, TlsHandle};
use crate::store::watch::{Events, Watcher};
use crate::store::{Candidate, Editor, Loader, Reloader, Snapshot, SnapshotStore};
use crate::telemetry::access_log::AccessWriter;
use crate::telemetry::logging::LogControl;
use crate::telemetry::metrics::Metrics;
use arc_swap::ArcSwap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// Why the gateway did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A listener.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Threads, timers or file watching.
    #[error("the system does not give what the gateway needs: {0}")]
    System(#[from] io::Error),
}

/// A running gateway. Dropping it aborts it.
#[derive(Debug)]
pub struct Running {
    addresses: Vec<SocketAddr>,
    admin_address: Option<SocketAddr>,
    decision_addresses: Vec<SocketAddr>,
    reloader: Arc<Reloader>,
    metrics: Arc<Metrics>,
    stopper: Stopper,
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
    let config = first.config.clone();
    let listeners =
        config.server.listen.iter().map(BoundListener::bind).collect::<Result<Vec<_>, ListenError>>()?;
    let addresses = listeners.iter().map(BoundListener::address).collect();
    let admin = config.admin.as_ref().map(ManagementListener::bind).transpose()?;
    let admin_address = admin.as_ref().map(ManagementListener::address);
    let decisions = DecisionListeners::bind(&config.decisions)?;
    let decision_addresses = decisions.addresses();
    let workers = config
        .server
        .workers
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get));
    let metrics = Arc::new(Metrics::new(workers * (1 + decisions.count())));
    let access = AccessWriter::start(io::stdout())?;
    metrics.observe_logs(log.clone(), Some(access.clone()));
    let watcher = Watcher::start(first.files.clone(), Events::Use)?;
    let reloader = Arc::new(Reloader::new(loader, first, log.clone(), Arc::clone(&metrics)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let shared = Shared { store: Arc::clone(reloader.store()), metrics: Arc::clone(&metrics), access };
    let tls = ListenerTls {
        server: listeners.iter().map(BoundListener::tls).collect(),
        decisions: decisions.tls(),
    };
    let server = serve(&runtime, (listeners, decisions), &shared, workers)?;
    let stopper = server.server.stopper();
    let (end, ended) = oneshot::channel();
    let editor = Editor::new(Arc::clone(&reloader));
    let management = crate::admin::Shared {
        reloader: Arc::clone(&reloader),
        editor: editor.clone(),
        metrics: Arc::clone(&metrics),
        log,
        stage: server.server.stage(),
    };
    let admin = admin.map(|admin| admin.serve(&runtime, &management, &server.settings)).transpose()?;
    let supervision = Supervision { server, tls, admin, editor, reloader: Arc::clone(&reloader), watcher };
    let supervisor = std::thread::Builder::new().name("aclgate".to_owned()).spawn(move || {
        runtime.block_on(supervision.run());
        drop(end);
    })?;
    Ok(Running {
        addresses,
        admin_address,
        decision_addresses,
        reloader,
        metrics,
        stopper,
        ended: Some(ended),
        supervisor: Some(supervisor),
    })
}

struct Serving {
    server: Server,
    decisions: DecisionServers,
    settings: Arc<ArcSwap<Settings>>,
}

fn serve(
    runtime: &Runtime,
    (listeners, decisions): (Vec<BoundListener>, DecisionListeners),
    shared: &Shared,
    workers: usize,
) -> io::Result<Serving> {
    let snapshot = shared.store.load();
    let settings = Arc::new(ArcSwap::from_pointee(settings_of(&snapshot)));
    let store = Arc::clone(&shared.store);
    let options = Options {
        workers,
        settings: Arc::clone(&settings),
        trusted: Arc::new(move |peer| store.load().config.client_ip.trusted_proxies.contain(peer)),
        counters: Arc::clone(&shared.metrics.server),
    };
    let _entered = runtime.enter();
    let decisions = decisions.serve(&options, shared, workers)?;
    let (shared, next) = (shared.clone(), Arc::new(AtomicUsize::new(0)));
    let make = move || Gateway::new(&shared, next.fetch_add(1, Ordering::Relaxed));
    Ok(Serving { server: Server::start(listeners, options, make)?, decisions, settings })
}

fn settings_of(snapshot: &Snapshot) -> Settings {
    let server = &snapshot.config.server;
    Settings { limits: server.limits, timeouts: server.timeouts }
}

/// The TLS of all public listeners, in the order of the file.
struct ListenerTls {
    server: Vec<Option<Arc<TlsHandle>>>,
    decisions: Vec<Option<Arc<TlsHandle>>>,
}

impl ListenerTls {
    /// Takes over what a new snapshot says of certificates.
    fn follow(&self, config: &Config) {
        let server = config.server.listen.iter().zip(&self.server);
        let decisions = config.decisions.iter().map(|decision| &decision.listener).zip(&self.decisions);
        for (listener, handle) in server.chain(decisions) {
            if let (Some(settings), Some(handle)) = (&listener.tls, handle)
                && let Err(error) = handle.reload(settings)
            {
                tracing::error!(%error, listener = listener.address, "certificates stay as they are");
            }
        }
    }
}

/// What the supervising thread does.
struct Supervision {
    server: Serving,
    tls: ListenerTls,
    admin: Option<Management>,
    editor: Editor,
    reloader: Arc<Reloader>,
    watcher: Watcher,
}

impl Supervision {
    async fn run(self) {
        let Self { server: Serving { server, decisions, settings }, tls, admin, editor, reloader, watcher } =
            self;
        let store = Arc::clone(reloader.store());
        let mut stage = server.stage();
        // A change that was to be confirmed may have outlived the last process.
        editor.resume().await;
        tokio::select! {
            () = reloader.run(watcher) => {}
            () = follow(&store, &settings, (&tls, admin.as_ref())) => {}
            _ = stage.wait_for(|stage| *stage != Stage::Serving) => {}
        }
        let drain = store.load().config.server.timeouts.drain;
        let (drained, ()) = tokio::join!(server.drain(drain), decisions.end());
        match drained {
            crate::server::Drained::Whole => tracing::info!("drained"),
            crate::server::Drained::Cut => tracing::warn!("ended before every connection was finished"),
        }
        // Last, so that it can say until then that the gateway is draining.
        if let Some(admin) = admin {
            admin.end().await;
        }
    }
}

/// Hands on what a new snapshot changes for the server, for ever.
async fn follow(
    store: &SnapshotStore,
    settings: &ArcSwap<Settings>,
    (tls, admin): (&ListenerTls, Option<&Management>),
) {
    let mut changes = store.changes();
    while changes.changed().await.is_ok() {
        let snapshot = store.load();
        settings.store(Arc::new(settings_of(&snapshot)));
        if let Some((admin, settings)) = admin.zip(snapshot.config.admin.as_ref()) {
            admin.follow(settings);
        }
        tls.follow(&snapshot.config);
    }
    std::future::pending().await
}

/// Starts the gateway and serves until SIGTERM or SIGINT; a second signal ends it at once. Blocks.
///
/// # Errors
/// As [`start`].
pub fn run(loader: Loader, first: Candidate, log: LogControl) -> Result<(), StartError> {
    let signals = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut stop = signals.block_on(async { Stop::listen() })?;
    let mut running = start(loader, first, log)?;
    for address in running.addresses() {
        tracing::info!(%address, "listening");
    }
    if let Some(address) = running.admin_address() {
        tracing::info!(%address, "the management API listens");
    }
    for address in running.decision_addresses() {
        tracing::info!(%address, "decisions for other proxies");
    }
    notify(&[sd_notify::NotifyState::Ready]);
    let stopper = running.stopper();
    let ended = running.ended.take();
    signals.block_on(async {
        let over = async {
            if let Some(ended) = ended {
                // The sender is dropped, never used.
                let _ = ended.await;
            }
        };
        tokio::pin!(over);
        tokio::select! {
            () = stop.signalled() => {}
            () = &mut over => return,
        }
        tracing::info!("draining; a second signal ends at once");
        notify(&[sd_notify::NotifyState::Stopping]);
        stopper.drain();
        tokio::select! {
            () = stop.signalled() => stopper.abort(),
            () = over => {}
        }
    });
    running.join();
    Ok(())
}

/// Tells systemd, if it is there.
fn notify(state: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "the service manager was not told");
    }
}

#[cfg(unix)]
struct Stop {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Stop {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn signalled(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Stop;

#[cfg(not(unix))]
impl Stop {
    fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    async fn signalled(&mut self) {
        // Without the handler there is only one signal that ends the process: the system's own.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
