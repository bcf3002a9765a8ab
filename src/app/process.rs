//! The gateway as a process: signals, the service manager, and the process that follows.
//!
//! Inherited sockets and signals in → the process serves, drains, ends. A second SIGTERM or SIGINT ends it at once.
//! Two may follow one another without a refused connection: with SIGUSR2 ([`super::upgrade`]), or because somebody
//! else, such as systemd, holds the sockets and gives them to both.

use super::service_manager::notify;
use super::signals::{Order, Orders};
use super::upgrade::{self, Successor, UpgradeError};
use super::{Running, StartError, begin};
use crate::server::Inherited;
use crate::store::{Candidate, Loader};
use crate::telemetry::logging::LogControl;
use sd_notify::NotifyState;
use std::net::TcpListener;

/// Starts the gateway and serves until SIGTERM or SIGINT; a second signal ends it at once. Blocks.
///
/// # Errors
/// As [`start`](super::start), and inherited sockets that cannot be listened on.
pub fn run(loader: Loader, first: Candidate, log: LogControl) -> Result<(), StartError> {
    let signals = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _entered = signals.enter();
    let mut orders = Orders::listen()?;
    let mut inherited = Inherited::from_environment()?;
    let (mut running, sockets) = begin(loader, first, log, &mut inherited)?;
    for address in running.addresses() {
        tracing::info!(%address, "listening");
    }
    if let Some(address) = running.admin_address() {
        tracing::info!(%address, "the management API listens");
    }
    for address in running.decision_addresses() {
        tracing::info!(%address, "decisions for other proxies");
    }
    upgrade::warn_of_strangers(&inherited);
    drop(inherited);
    notify(&[NotifyState::Ready]);
    upgrade::tell_predecessor();
    signals.block_on(follow(&mut orders, &mut running, sockets));
    running.join();
    Ok(())
}

/// Obeys until the gateway has ended.
async fn follow(orders: &mut Orders, running: &mut Running, sockets: Vec<TcpListener>) {
    let stopper = running.stopper();
    let ended = running.ended.take();
    let over = async {
        if let Some(ended) = ended {
            // The sender is dropped, never used.
            let _ = ended.await;
        }
    };
    tokio::pin!(over);
    let successor = tokio::select! {
        successor = until_leaving(orders, &sockets) => successor,
        () = &mut over => return,
    };
    // Held on to, they would keep connections waiting that nobody accepts.
    drop(sockets);
    match successor {
        Some(process) => {
            tracing::info!(process, "another process has taken over; draining");
            notify(&[NotifyState::MainPid(process)]);
            running.relieve();
        }
        None => {
            tracing::info!("draining; a second signal ends at once");
            notify(&[NotifyState::Stopping]);
        }
    }
    stopper.drain();
    tokio::select! {
        () = orders.stop() => stopper.abort(),
        () = over => {}
    }
}

/// Waits until it is time to go: because of a signal, or because another process is ready, which one.
async fn until_leaving(orders: &mut Orders, sockets: &[TcpListener]) -> Option<u32> {
    while orders.next().await == Order::Upgrade {
        tracing::info!("SIGUSR2: starting a new process");
        let taken_over = async { Successor::start(sockets)?.ready().await };
        tokio::select! {
            taken_over = taken_over => match taken_over {
                Ok(process) => return Some(process),
                Err(error) => stay(&error),
            },
            () = orders.stop() => return None,
        }
    }
    None
}

fn stay(error: &UpgradeError) {
    tracing::error!(%error, "no other process takes over; this one stays");
}
