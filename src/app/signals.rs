//! The signals that the process obeys, but for SIGHUP, which is the reloader's.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What the process is asked to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Order {
    /// SIGTERM, SIGINT: finish what runs and end.
    Stop,
    /// SIGUSR2: start a new process and leave the place to it.
    Upgrade,
}

/// Signals as they come.
#[derive(Debug)]
pub(super) struct Orders {
    terminate: Signal,
    interrupt: Signal,
    upgrade: Signal,
}

impl Orders {
    /// Listens from now on; needs a runtime.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            upgrade: signal(SignalKind::user_defined2())?,
        })
    }

    /// The next one.
    pub(super) async fn next(&mut self) -> Order {
        tokio::select! {
            _ = self.terminate.recv() => Order::Stop,
            _ = self.interrupt.recv() => Order::Stop,
            _ = self.upgrade.recv() => Order::Upgrade,
        }
    }

    /// The next order to stop.
    pub(super) async fn stop(&mut self) {
        while self.next().await != Order::Stop {}
    }
}
