//! A new process takes the place of this one, and its listening sockets with it, without a refused connection.
//!
//! SIGUSR2 in → the program that the command line names is started with the same arguments and with our listening
//! sockets ([`Inherited`]) → once it is ready, we drain. It is the same sockets that both
//! listen on: what waits in their queues waits for whoever is left. Should the new process not come up, we stay.
//!
//! The two talk over the new process's standard input, a socket pair: one byte says that it is ready, its end that it
//! has failed. Why this and not `SO_REUSEPORT`: see [`manual::upgrades`](crate::manual::upgrades).

use crate::server::Inherited;
use command_fds::{CommandFdExt, FdMapping};
use std::io::{self, Write};
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::parent_id;
use std::process::{Child, Command};
use std::time::Duration;
use tokio::io::AsyncReadExt;

/// The process that a new one takes over from.
const PREDECESSOR: &str = "ACLGATE_PREDECESSOR";
/// The first of the sockets that are handed over, sd_listen_fds(3).
const FIRST: i32 = 3;
/// How long a new process may take to be ready; a large policy is there in seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why no other process takes over.
#[derive(Debug, thiserror::Error)]
pub(super) enum UpgradeError {
    #[error("the first process of a container ends with its container: replace that instead")]
    Container,
    #[error("cannot start the new process: {0}")]
    Start(#[from] io::Error),
    #[error("the new process ended before it was ready ({0}); its log says why")]
    Ended(String),
    #[error("the new process was not ready within {} s", PATIENCE.as_secs())]
    Late,
}

/// A process that is about to take over; killed if it is dropped before it is ready.
#[derive(Debug)]
pub(super) struct Successor {
    child: Option<Child>,
    news: tokio::net::UnixStream,
}

impl Successor {
    /// Starts it with these sockets.
    pub(super) fn start(sockets: &[TcpListener]) -> Result<Self, UpgradeError> {
        if std::process::id() == 1 {
            return Err(UpgradeError::Container);
        }
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let child = command(sockets, theirs)?.spawn()?;
        Ok(Self { child: Some(child), news: tokio::net::UnixStream::from_std(ours)? })
    }

    /// Waits until it is ready; its process id.
    pub(super) async fn ready(mut self) -> Result<u32, UpgradeError> {
        let read = tokio::time::timeout(PATIENCE, self.news.read_u8()).await;
        match (read.map_err(|_| UpgradeError::Late)?, self.child.take()) {
            (Ok(_), Some(child)) => Ok(child.id()),
            (_, mut child) => Err(UpgradeError::Ended(child.as_mut().map_or_else(String::new, end))),
        }
    }
}

impl Drop for Successor {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            end(child);
        }
    }
}

/// Ends a process that is of no use, and says how it ended.
fn end(child: &mut Child) -> String {
    // It may have ended by itself.
    let _ = child.kill();
    child.wait().map_or_else(|error| error.to_string(), |status| status.to_string())
}

fn command(sockets: &[TcpListener], news: UnixStream) -> io::Result<Command> {
    let mut arguments = std::env::args_os();
    // Not the file that this process was started from: that one may have been replaced, and be deleted.
    let mut command = Command::new(arguments.next().ok_or(io::ErrorKind::NotFound)?);
    let mapping = |(socket, child_fd): (&TcpListener, i32)| {
        socket.try_clone().map(|socket| FdMapping { parent_fd: socket.into(), child_fd })
    };
    let mappings = sockets.iter().zip(FIRST..).map(mapping).collect::<io::Result<Vec<_>>>()?;
    command
        .args(arguments)
        .stdin(OwnedFd::from(news))
        .env(PREDECESSOR, std::process::id().to_string())
        .env("LISTEN_FDS", sockets.len().to_string())
        // What holds for this process alone.
        .env_remove("LISTEN_PID")
        .env_remove("LISTEN_FDNAMES")
        .env_remove("WATCHDOG_PID")
        .fd_mappings(mappings)
        .map_err(io::Error::other)?;
    Ok(command)
}

/// Tells the process that this one takes over from, if there is one, that it may go.
pub(super) fn tell_predecessor() {
    let predecessor = std::env::var(PREDECESSOR).ok().and_then(|id| id.parse().ok());
    if predecessor != Some(parent_id()) {
        return;
    }
    let told =
        io::stdin().as_fd().try_clone_to_owned().and_then(|news| UnixStream::from(news).write_all(b"\n"));
    if let Err(error) = told {
        tracing::warn!(%error, "the process before this one was not told to go");
    }
}

/// Says which inherited sockets no listener has asked for.
pub(super) fn warn_of_strangers(inherited: &Inherited) {
    for address in inherited.addresses() {
        tracing::warn!(%address, "a socket was handed over that no `listen` names; nobody serves it");
    }
}
