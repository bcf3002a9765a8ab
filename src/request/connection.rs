//! What a request inherits from its connection.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use tokio::io::{AsyncRead, AsyncWrite};

/// The scheme by which the client reached the gateway.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scheme {
    /// Cleartext.
    Http,
    /// TLS.
    Https,
}

/// Both directions of a byte stream.
pub trait Duplex: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Duplex for T {}

/// What remains to be done with a connection after a 101: it is run with the client's stream, any bytes that the
/// client sent early in front.
pub type Tunnel = Box<dyn FnOnce(Box<dyn Duplex>) -> Pin<Box<dyn Future<Output = ()>>>>;

/// A downstream connection. Lives on one worker.
pub struct Connection {
    /// The other end, or the address in its PROXY protocol header; IPv4-mapped addresses folded.
    pub peer: SocketAddr,
    /// Our end.
    pub local: SocketAddr,
    /// How the client reached us.
    pub scheme: Scheme,
    tunnel: RefCell<Option<Tunnel>>,
}

impl Connection {
    /// A connection without a tunnel.
    pub fn new(peer: SocketAddr, local: SocketAddr, scheme: Scheme) -> Self {
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        Self { peer, local, scheme, tunnel: RefCell::new(None) }
    }

    /// Leaves what is to be run once the 101 is written.
    pub fn open_tunnel(&self, tunnel: Tunnel) {
        self.tunnel.replace(Some(tunnel));
    }

    /// Takes what was left by [`open_tunnel`](Self::open_tunnel).
    pub fn take_tunnel(&self) -> Option<Tunnel> {
        self.tunnel.take()
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("peer", &self.peer)
            .field("scheme", &self.scheme)
            .finish_non_exhaustive()
    }
}
