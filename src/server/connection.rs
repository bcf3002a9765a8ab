//! One connection, from the accepted socket to its end: PROXY header, TLS, choice of protocol, requests.
//!
//! Rules:
//! 1. With `proxy_protocol`, a connection begins with a PROXY header from a trusted peer, or it is closed without an
//!    answer; so is one that sends a second header.
//! 2. HTTP/2 is spoken where ALPN chose it, or in cleartext where the client begins with HTTP/2's preface (prior
//!    knowledge, RFC 9113 §3.3); else HTTP/1.
//! 3. PROXY header, handshake and preface must each be there within `timeouts.head`, the first byte within
//!    `timeouts.idle`.

use super::byte_meter::ByteMeter;
use super::deadline::{Registry, Slot, Wait};
use super::listener::ListenerKind;
use super::proxy_protocol::{self, Header, ProxyError};
use super::stream::Prefixed;
use super::turns::Turns;
use super::{Counters, Handler, http1, http2};
use crate::config::{Limits, Timeouts};
use crate::request::{Connection, RequestError, Scheme};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What a connection obeys; that of the moment at which it begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// `[server.limits]`
    pub limits: Limits,
    /// `[server.timeouts]`
    pub timeouts: Timeouts,
}

/// Whose PROXY headers are believed.
pub type TrustedPeers = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// What serves a connection's requests, and what it is served by.
pub(super) struct Client<H> {
    /// Who answers.
    pub(super) handler: Rc<H>,
    /// What requests inherit.
    pub(super) connection: Rc<Connection>,
    /// Its deadlines.
    pub(super) slot: Rc<Slot>,
    /// Its bounds.
    pub(super) settings: Rc<Settings>,
    /// Why all of its requests are refused, if so.
    pub(super) surplus: Option<RequestError>,
    /// What telemetry reads.
    pub(super) counters: Arc<Counters>,
}

/// A socket on its way to becoming a connection.
pub(super) struct Arrival<H> {
    /// The socket.
    pub(super) stream: ByteMeter,
    /// Its other end.
    pub(super) peer: SocketAddr,
    /// What its listener says.
    pub(super) kind: Arc<ListenerKind>,
    /// Whether it is beyond the limit of connections.
    pub(super) surplus: bool,
    /// Who answers.
    pub(super) handler: Rc<H>,
    /// The worker's slots.
    pub(super) registry: Rc<Registry>,
    /// The worker's turns.
    pub(super) turns: Rc<Turns>,
    /// Its bounds.
    pub(super) settings: Rc<Settings>,
    /// Whose PROXY headers count.
    pub(super) trusted: TrustedPeers,
    /// What telemetry reads.
    pub(super) counters: Arc<Counters>,
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Protocol {
    Http1,
    Http2,
}

type Socket = Prefixed<ByteMeter>;

/// Serves a connection to its end.
pub(super) async fn serve<H: Handler>(arrival: Box<Arrival<H>>) {
    let peer = arrival.peer;
    if let Err(error) = run(arrival).await {
        tracing::debug!(%peer, %error, "connection closed");
    }
}

/// What each step and protocol needs is allocated for itself, lest every connection keep the room of the largest: three KiB for
/// HTTP/1, which runs the handler within the connection, two for HTTP/2. What is handed down is boxed: every function on its
/// way keeps room for it, twice.
async fn run<H: Handler>(arrival: Box<Arrival<H>>) -> io::Result<()> {
    let arrival = {
        // The box ends with this scope.
        let boxed = arrival;
        *boxed
    };
    let slot = Slot::new(&arrival.registry);
    let local = arrival.stream.local_addr()?;
    let (peer, local, stream) = if arrival.kind.proxy_protocol {
        let trusted = (arrival.trusted)(arrival.peer.ip().to_canonical());
        let read = Box::pin(read_proxy_header(trusted, arrival.stream, &slot, arrival.settings.timeouts));
        let (header, stream) = read.await.inspect_err(|_| {
            arrival.counters.proxy_refused.fetch_add(1, Relaxed);
        })?;
        match header {
            Header::Peer => (arrival.peer, local, stream),
            Header::Proxied { source, destination } => (source, destination, stream),
        }
    } else {
        (arrival.peer, local, Prefixed::new(Vec::new(), arrival.stream))
    };
    let scheme = if arrival.kind.tls.is_some() { Scheme::Https } else { Scheme::Http };
    let client = Rc::new(Client {
        handler: arrival.handler,
        connection: Rc::new(Connection::new(peer, local, scheme)),
        slot,
        settings: arrival.settings,
        surplus: arrival.surplus.then_some(RequestError::TooManyConnections),
        counters: arrival.counters,
    });
    match &arrival.kind.tls {
        None => cleartext(stream, client, arrival.registry).await,
        Some(tls) => {
            let acceptor = TlsAcceptor::from(tls.current());
            let (stream, protocol) = Box::pin(handshake(acceptor, stream, (&client, arrival.turns))).await?;
            match protocol {
                Protocol::Http1 => Box::pin(http1::serve(stream, client)).await,
                Protocol::Http2 => Box::pin(http2::serve(stream, client, arrival.registry)).await,
            }
            Ok(())
        }
    }
}

async fn read_proxy_header(
    trusted: bool,
    stream: ByteMeter,
    slot: &Slot,
    timeouts: Timeouts,
) -> io::Result<(Header, Socket)> {
    if !trusted {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "PROXY header expected from trusted peers alone",
        ));
    }
    let read = slot.within(Wait::Head, timeouts.head, proxy_protocol::read(stream));
    let (header, stream) = read.await.ok_or(io::ErrorKind::TimedOut)?.map_err(io::Error::other)?;
    if proxy_protocol::begins(stream.early()) && stream.early().len() >= 5 {
        return Err(io::Error::other(ProxyError::Repeated));
    }
    Ok((header, stream))
}

async fn handshake<H>(
    acceptor: TlsAcceptor,
    stream: Socket,
    (client, turns): (&Client<H>, Rc<Turns>),
) -> io::Result<(Box<TlsStream<Socket>>, Protocol)> {
    let counters = &client.counters;
    let handshake = turns.take(acceptor.accept(stream));
    let handshake = client.slot.within(Wait::Head, client.settings.timeouts.head, handshake);
    let outcome = handshake.await.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()));
    let counter = if outcome.is_ok() { &counters.tls_handshakes } else { &counters.tls_failures };
    counter.fetch_add(1, Relaxed);
    let stream = Box::new(outcome?);
    let protocol = match stream.get_ref().1.alpn_protocol() {
        Some(b"h2") => Protocol::Http2,
        _ => Protocol::Http1,
    };
    Ok((stream, protocol))
}

async fn cleartext<H: Handler>(
    stream: Socket,
    client: Rc<Client<H>>,
    registry: Rc<Registry>,
) -> io::Result<()> {
    let timeouts = client.settings.timeouts;
    let mut first = [0; PREFACE.len()];
    if stream.early().is_empty() {
        // There is no room for a client that says nothing.
        let patience = if client.surplus.is_some() { timeouts.head } else { timeouts.idle };
        let wait = client.slot.within(Wait::Idle, patience, stream.inner().peek(&mut first));
        if wait.await.transpose()?.is_none_or(|bytes| bytes == 0) {
            return Ok(());
        }
    }
    let Some(sniffed) = client.slot.within(Wait::Head, timeouts.head, sniff(stream)).await else {
        return Ok(());
    };
    match sniffed? {
        (stream, Protocol::Http1) => Box::pin(http1::serve(stream, client)).await,
        (stream, Protocol::Http2) => Box::pin(http2::serve(stream, client, registry)).await,
    }
    Ok(())
}

/// Whether the first bytes are HTTP/2's preface. Bytes are read only while they could be, and else left in the socket.
async fn sniff(stream: Socket) -> io::Result<(Socket, Protocol)> {
    let mut stream = stream;
    let mut read = Vec::new();
    if stream.early().is_empty() {
        let mut first = [0; PREFACE.len()];
        let peeked = stream.inner().peek(&mut first).await?;
        if !PREFACE.starts_with(first.get(..peeked).unwrap_or_default()) {
            return Ok((stream, Protocol::Http1));
        }
    }
    loop {
        if read.len() >= PREFACE.len() || !PREFACE.starts_with(&read) {
            let protocol = if read.starts_with(PREFACE) { Protocol::Http2 } else { Protocol::Http1 };
            let (early, inner) = stream.into_parts();
            return Ok((Prefixed::new([read, early].concat(), inner), protocol));
        }
        let mut piece = [0; PREFACE.len()];
        let wanted = PREFACE.len() - read.len();
        let bytes = stream.read(piece.get_mut(..wanted).unwrap_or_default()).await?;
        if bytes == 0 {
            stream.shutdown().await?;
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        read.extend(piece.iter().take(bytes));
    }
}
