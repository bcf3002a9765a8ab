//! The supervising thread: the servers, the watcher and what follows a new snapshot, from the first request to the end of
//! draining.

use super::service_manager;
use crate::admin::listener::Management;
use crate::config::{Config, Timeouts};
use crate::decision_service::{DecisionListeners, DecisionServers};
use crate::gateway::{Gateway, Shared};
use crate::server::{BoundListener, Drained, Options, Server, Settings, Stage, TlsHandle};
use crate::store::watch::Watcher;
use crate::store::{Editor, Reloader, Snapshot, SnapshotStore};
use arc_swap::ArcSwap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// What serves clients, and the settings that it obeys.
pub(super) struct Serving {
    pub(super) server: Server,
    pub(super) decisions: DecisionServers,
    pub(super) settings: Arc<ArcSwap<Settings>>,
}

/// Serves clients and other proxies' questions.
pub(super) fn serve(
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
pub(super) struct ListenerTls {
    pub(super) server: Vec<Option<Arc<TlsHandle>>>,
    pub(super) decisions: Vec<Option<Arc<TlsHandle>>>,
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
pub(super) struct Supervision {
    pub(super) server: Serving,
    pub(super) tls: ListenerTls,
    pub(super) admin: Option<Management>,
    pub(super) editor: Editor,
    pub(super) reloader: Arc<Reloader>,
    pub(super) watcher: Watcher,
    pub(super) relieved: Arc<AtomicBool>,
}

impl Supervision {
    async fn run(self) {
        let Self {
            server: Serving { server, decisions, settings },
            tls,
            admin,
            editor,
            reloader,
            watcher,
            relieved,
        } = self;
        let store = Arc::clone(reloader.store());
        let mut stage = server.stage();
        let pulses = admin.iter().map(Management::pulses).chain([server.pulses()]).chain(decisions.pulses());
        let pulses = pulses.collect();
        tokio::spawn(service_manager::keep_alive(pulses, server.stage()));
        // A change that was to be confirmed may have outlived the last process.
        editor.resume().await;
        tokio::select! {
            () = reloader.run(watcher) => {}
            () = follow(&store, &settings, (&tls, admin.as_ref())) => {}
            _ = stage.wait_for(|stage| *stage != Stage::Serving) => {}
        }
        let timeouts = store.load().config.server.timeouts;
        if relieved.load(Ordering::Relaxed) {
            // Whoever asks for the gateway's health is to be told of the new process.
            let admin = async {
                if let Some(admin) = admin {
                    admin.end(timeouts.drain_idle).await;
                }
            };
            tokio::join!(drain((server, decisions), timeouts), admin);
        } else {
            drain((server, decisions), timeouts).await;
            // Last, so that it can say until then that the gateway is draining.
            if let Some(admin) = admin {
                admin.end(Duration::ZERO).await;
            }
        }
    }
}

async fn drain((server, decisions): (Server, DecisionServers), timeouts: Timeouts) {
    let (drained, ()) = tokio::join!(server.drain(timeouts.drain), decisions.end(timeouts.drain_idle));
    match drained {
        Drained::Whole => tracing::info!("drained"),
        Drained::Cut => tracing::warn!("ended before every connection was finished"),
    }
}

/// Runs the supervision on a thread of its own; the receiver learns of its end.
pub(super) fn supervise(
    runtime: Runtime,
    supervision: Supervision,
) -> io::Result<(JoinHandle<()>, oneshot::Receiver<()>)> {
    let (end, ended) = oneshot::channel();
    let thread = std::thread::Builder::new().name("aclgate".to_owned()).spawn(move || {
        runtime.block_on(supervision.run());
        drop(end);
    })?;
    Ok((thread, ended))
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
            admin.follow(settings, settings_of(&snapshot));
        }
        tls.follow(&snapshot.config);
    }
    std::future::pending().await
}
