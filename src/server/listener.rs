//! Listening sockets: bound or inherited first, served later.
//!
//! Each socket has one task on the runtime of [`Server::start`](super::Server::start) that accepts and hands sockets to the
//! worker with the fewest open connections.
//!
//! Limit of connections: beyond it a new connection waits in the kernel's backlog for up to [`PATIENCE`]; if no other has
//! closed by then, it is answered 503 over cleartext HTTP/1 (and its TLS handshake is spared: it is closed). Of such
//! surplus connections there may be an eighth of the limit; beyond that the backlog waits.

use super::connection::Settings;
use super::inherited::Inherited;
use super::tls::{TlsError, TlsHandle};
use super::worker::{Admission, Delivery, Workers};
use super::{Counters, Stage};
use crate::config;
use arc_swap::ArcSwap;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::watch;

/// How many connections the kernel keeps for us.
const BACKLOG: i32 = 4096;
/// How long a connection beyond the limit waits before it is answered.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long accepting rests after an error of ours, such as too many open files; doubled each time up to a second.
const BACK_OFF: Duration = Duration::from_millis(20);

/// Why a listener cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address is not `host:port`, or its host is unknown.
    #[error("cannot resolve listen address `{address}`: {source}")]
    Unresolved {
        /// As configured.
        address: String,
        /// What the resolver says.
        source: io::Error,
    },
    /// The socket cannot be bound.
    #[error("cannot listen on `{address}`: {source}{hint}")]
    Unbound {
        /// As configured.
        address: String,
        /// What the kernel says.
        source: io::Error,
        /// What may help.
        hint: &'static str,
    },
    /// Something else than a listening socket was handed over.
    #[error("what was handed over as socket {number} (counted from 0) cannot be listened on: {source}")]
    Inherited {
        /// Its place in the order of `LISTEN_FDS`.
        number: usize,
        /// Why.
        source: io::Error,
    },
    /// Its TLS cannot be set up.
    #[error("cannot serve TLS on `{address}`: {source}")]
    Tls {
        /// As configured.
        address: String,
        /// What is wrong.
        source: Box<TlsError>,
    },
}

/// How the connections of a listener begin.
#[derive(Debug, Default)]
pub struct ListenerKind {
    /// TLS, if it speaks it.
    pub tls: Option<Arc<TlsHandle>>,
    /// Whether there is a PROXY header in front.
    pub proxy_protocol: bool,
}

/// A bound socket that nobody serves yet.
#[derive(Debug)]
pub struct BoundListener {
    socket: TcpListener,
    address: SocketAddr,
    kind: Arc<ListenerKind>,
}

impl BoundListener {
    /// Binds as configured. Resolves names and reads certificates: blocking.
    ///
    /// # Errors
    /// [`ListenError`] names the address.
    pub fn bind(listener: &config::Listener) -> Result<Self, ListenError> {
        Self::inherit_or_bind(listener, &mut Inherited::default())
    }

    /// Takes the inherited socket of the configured address, or else binds as [`Self::bind`] does.
    ///
    /// # Errors
    /// [`ListenError`] names the address.
    pub fn inherit_or_bind(
        listener: &config::Listener,
        inherited: &mut Inherited,
    ) -> Result<Self, ListenError> {
        let address = || listener.address.clone();
        let unresolved = |source| ListenError::Unresolved { address: address(), source };
        let resolved = listener.address.to_socket_addrs().map_err(unresolved)?.next();
        let resolved = resolved.ok_or_else(|| unresolved(io::ErrorKind::NotFound.into()))?;
        let alone = inherited.is_empty();
        let unbound =
            |source| ListenError::Unbound { address: address(), hint: hint(&source, alone), source };
        let socket = inherited.take(resolved).map_or_else(|| open(resolved), Ok).map_err(unbound)?;
        Self::from_socket(socket, listener)
    }

    /// Takes a socket that somebody else has bound, as socket activation does.
    ///
    /// # Errors
    /// [`ListenError`] names the address.
    pub fn from_socket(socket: TcpListener, listener: &config::Listener) -> Result<Self, ListenError> {
        let address = || listener.address.clone();
        let unbound = |source| ListenError::Unbound { address: address(), hint: "", source };
        socket.set_nonblocking(true).map_err(unbound)?;
        let local = socket.local_addr().map_err(unbound)?;
        let tls = listener.tls.as_ref().map(TlsHandle::load).transpose();
        let tls = tls
            .map_err(|source| ListenError::Tls { address: address(), source: Box::new(source) })?
            .map(Arc::new);
        let kind = Arc::new(ListenerKind { tls, proxy_protocol: listener.proxy_protocol });
        Ok(Self { socket, address: local, kind })
    }

    /// Where it really listens: the port is the one that port 0 became.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same socket again, for another process to take over: it stays open, with what waits in its queue, until the
    /// last holder has closed it.
    ///
    /// # Errors
    /// There are too many open files.
    pub fn share(&self) -> io::Result<TcpListener> {
        self.socket.try_clone()
    }

    /// Its TLS, to be reloaded when files change.
    pub fn tls(&self) -> Option<Arc<TlsHandle>> {
        self.kind.tls.clone()
    }
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn hint(error: &io::Error, alone: bool) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse if !alone => {
            "; write `listen` as the sockets that were handed over are bound, such as `[::]:8443`"
        }
        io::ErrorKind::AddrInUse => "; another process listens there: stop it, or choose another port",
        io::ErrorKind::PermissionDenied => {
            "; ports below 1024 need CAP_NET_BIND_SERVICE, or choose a higher port"
        }
        io::ErrorKind::AddrNotAvailable => "; this host has no such address",
        _ => "",
    }
}

/// What an acceptor needs beside its socket.
#[derive(Clone)]
pub(super) struct Reception {
    pub(super) workers: Arc<Workers>,
    pub(super) settings: Arc<ArcSwap<Settings>>,
    pub(super) counters: Arc<Counters>,
    pub(super) stage: watch::Receiver<Stage>,
}

/// Accepts until draining begins.
pub(super) async fn accept(listener: BoundListener, mut reception: Reception) {
    let socket = match tokio::net::TcpListener::from_std(listener.socket) {
        Ok(socket) => socket,
        Err(error) => {
            tracing::error!(address = %listener.address, %error, "cannot listen");
            return;
        }
    };
    run(&socket, &listener.kind, &mut reception).await;
}

async fn run(socket: &tokio::net::TcpListener, kind: &Arc<ListenerKind>, reception: &mut Reception) {
    let mut back_off = BACK_OFF;
    let mut stage = reception.stage.clone();
    loop {
        // What has been accepted is always handed over: its client has a connection, and waits for an answer.
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            _ = stage.wait_for(|stage| *stage != Stage::Serving) => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                back_off = BACK_OFF;
                reception.counters.accepted.fetch_add(1, Relaxed);
                hand_over(stream, peer, kind, reception).await;
            }
            Err(error) if is_the_peers(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections");
                tokio::time::sleep(back_off).await;
                back_off = (back_off * 2).min(Duration::from_secs(1));
            }
        }
    }
}

/// Whether accepting failed because the peer has gone.
fn is_the_peers(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

async fn hand_over(stream: TcpStream, peer: SocketAddr, kind: &Arc<ListenerKind>, reception: &Reception) {
    let limit = reception.settings.load().limits.connections;
    let mut stage = reception.stage.clone();
    let surplus = tokio::select! {
        admission = reception.workers.admit(limit, PATIENCE) => admission == Admission::Surplus,
        // The last one of this process need not wait for room.
        _ = stage.wait_for(|stage| *stage != Stage::Serving) => false,
    };
    if surplus {
        reception.counters.surplus.fetch_add(1, Relaxed);
        if kind.tls.is_some() {
            return;
        }
    }
    // A socket that has died meanwhile is no reason to stop.
    let Ok(()) = stream.set_nodelay(true) else { return };
    let Ok(stream) = stream.into_std() else { return };
    reception.workers.deliver(Delivery { stream, peer, kind: Arc::clone(kind), surplus });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listener(address: &str) -> config::Listener {
        config::Listener { address: address.to_owned(), tls: None, proxy_protocol: false }
    }

    #[test]
    fn port_0_becomes_a_real_port_and_a_port_in_use_is_named() {
        let bound = BoundListener::bind(&listener("127.0.0.1:0")).unwrap();
        let address = bound.address().to_string();
        assert_ne!(bound.address().port(), 0);
        let error = BoundListener::bind(&listener(&address)).err().unwrap().to_string();
        assert!(error.contains(&address) && error.contains("another process listens there"), "{error}");
        drop(bound);
        BoundListener::bind(&listener(&address)).expect("free again at once");
    }

    #[test]
    fn addresses_that_cannot_be_are_named() {
        for address in ["127.0.0.1", "256.0.0.1:x", "[::1:80"] {
            let error = BoundListener::bind(&listener(address)).err().unwrap().to_string();
            assert!(error.contains(address), "{error}");
        }
        let error = BoundListener::bind(&listener("192.0.2.1:0")).err().unwrap().to_string();
        assert!(error.contains("no such address"), "{error}");
    }
}
