//! The gateway in this process, on free ports.

use super::{Answer, Client, Upstream};
use aclgate::app;
use aclgate::store::{Clock, Loader};
use aclgate::telemetry::logging::LogControl;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// A running gateway, drained and stopped when dropped.
pub(crate) struct Gateway {
    running: Option<app::Running>,
    folder: TempDir,
}

impl Gateway {
    /// Starts with a policy in front of an upstream; the listener and the upstream are added to it.
    pub(crate) fn start(upstream: &Upstream, policy: &str) -> Self {
        Self::start_with(&format!(
            "[server]\nlisten = [\"127.0.0.1:0\"]\n[upstream]\nurl = \"http://{}\"\n{policy}",
            upstream.address
        ))
    }

    /// Starts with a whole file.
    pub(crate) fn start_with(text: &str) -> Self {
        Self::start_in(|_| text.to_owned())
    }

    /// Starts with what is written for a folder, in which other files may have been put.
    pub(crate) fn start_in(text: impl FnOnce(&Path) -> String) -> Self {
        Self::start_by(Clock::default(), text)
    }

    /// As [`start_in`](Self::start_in), by another clock than the system's.
    pub(crate) fn start_by(clock: Clock, text: impl FnOnce(&Path) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = text(folder.path());
        let file = folder.path().join("gateway.toml");
        std::fs::write(&file, text).unwrap();
        let loader = Loader::new(&file).with_clock(clock);
        let first = loader.load().unwrap_or_else(|error| panic!("{error}"));
        let running = app::start(loader, first, LogControl::none()).unwrap_or_else(|error| panic!("{error}"));
        Self { running: Some(running), folder }
    }

    /// The file that it runs on.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("gateway.toml")
    }

    /// The folder that the file is in.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Does something that changes what is in force, and waits until it is.
    pub(crate) fn and_then_in_force(&self, change: impl FnOnce()) {
        let mut changes = self.running().reloader().store().changes();
        changes.borrow_and_update();
        change();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            tokio::time::timeout(Duration::from_secs(20), changes.changed()).await.expect("a swap").unwrap();
        });
    }

    pub(crate) fn running(&self) -> &app::Running {
        self.running.as_ref().unwrap()
    }

    /// The address of its first listener.
    pub(crate) fn address(&self) -> SocketAddr {
        self.running().addresses()[0]
    }

    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.address())
    }

    /// One request on a connection of its own.
    pub(crate) fn send(&self, bytes: impl AsRef<[u8]>) -> Answer {
        self.connect().send(bytes)
    }

    /// `GET` of a target, as if from a client behind a trusted proxy.
    pub(crate) fn get(&self, client: &str, target: &str) -> Answer {
        self.send(format!("GET {target} HTTP/1.1\r\nHost: idp.example\r\nX-Forwarded-For: {client}\r\n\r\n"))
    }

    /// `POST` of a form.
    pub(crate) fn post(&self, client: &str, target: &str, form: &str) -> Answer {
        self.send(format!(
            "POST {target} HTTP/1.1\r\nHost: idp.example\r\nX-Forwarded-For: {client}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        ))
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.abort();
        }
    }
}
