//! From an address to a connection that can carry a request: a pooled one, or TCP, TLS, ALPN and a handshake.

use super::deadline::Deadline;
use super::error::{BreakOff, UpstreamError};
use super::http1::Http1;
use super::pool::{Endpoint, Protocol, Shared};
use super::stream::Stream;
use super::tls::ClientTls;
use crate::config;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::pki_types::ServerName;
use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Bytes of a request body that hyper keeps for a stream.
const HTTP2_SEND_BUFFER: usize = 32 * 1024;
const HTTP2_STREAM_WINDOW: u32 = 128 * 1024;
const HTTP2_CONNECTION_WINDOW: u32 = 1024 * 1024;
const HTTP2_PING: Duration = Duration::from_secs(30);
const HTTP2_PONG: Duration = Duration::from_secs(10);

/// A connection that can carry a request.
pub(super) enum Line {
    /// For one exchange at a time.
    Http1(Box<Http1>),
    /// A share.
    Http2(Http2Line),
}

/// A share in an HTTP/2 connection, for one exchange.
pub(super) struct Http2Line {
    pub(super) shared: Shared,
    pub(super) deadline: Deadline,
    reused: bool,
}

impl Line {
    /// Whether it has stood for a while, so that the upstream may have closed it.
    pub(super) fn is_reused(&self) -> bool {
        match self {
            Self::Http1(connection) => connection.reused,
            Self::Http2(stream) => stream.reused,
        }
    }
}

/// What a request needs of its connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Need {
    /// A new one: a pooled one was found dead.
    pub(super) fresh: bool,
    /// HTTP/1.1: for a WebSocket.
    pub(super) http1: bool,
}

/// Makes connections; keeps the worker's TLS configuration.
#[derive(Debug, Default)]
pub(super) struct Connector {
    tls: RefCell<Option<(Option<PathBuf>, ClientTls)>>,
}

impl Connector {
    /// A connection to an address, whose health learns of failures.
    pub(super) async fn line(
        &self,
        endpoint: &Rc<Endpoint>,
        settings: &config::Upstream,
        need: Need,
    ) -> Result<Line, UpstreamError> {
        if let Some(line) = pooled(endpoint, settings, need) {
            return Ok(line);
        }
        let is_shareable = || {
            !need.http1 && (settings.h2c || endpoint.url.tls) && endpoint.protocol.get() != Protocol::Http1
        };
        let mut turn = None;
        if is_shareable() {
            turn = Some(endpoint.connecting.lock().await);
            if let Some(shared) = endpoint.http2() {
                return Ok(http2_line(shared, settings, true));
            }
            if !is_shareable() {
                turn = None;
            }
        }
        let address = endpoint.address;
        let made = timeout(settings.connect_timeout, self.make(endpoint, settings, need)).await;
        drop(turn);
        let made = made.unwrap_or(Err(UpstreamError::ConnectTimeout { address }));
        if made.is_err() {
            endpoint.health.failed();
        }
        made
    }

    async fn make(
        &self,
        endpoint: &Rc<Endpoint>,
        settings: &config::Upstream,
        need: Need,
    ) -> Result<Line, UpstreamError> {
        let address = endpoint.address;
        let tls = if endpoint.url.tls { Some(self.tls(settings).await?) } else { None };
        let connected = TcpStream::connect(address).await;
        let tcp = connected.map_err(|source| UpstreamError::Connect { address, source })?;
        // Without it small writes wait for the other side; if the system cannot, they wait.
        let _ = tcp.set_nodelay(true);
        let Some(tls) = tls else {
            let h2c = settings.h2c && !need.http1;
            return handshake(endpoint, settings, Stream::plain(tcp), h2c).await;
        };
        let failed = |source| UpstreamError::Tls { address, source };
        let name = ServerName::try_from(endpoint.url.host.clone())
            .map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
        let offer = if need.http1 { tls.http1 } else { tls.any };
        let stream = tokio_rustls::TlsConnector::from(offer).connect(name, tcp).await.map_err(failed)?;
        let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        if !need.http1 {
            endpoint.protocol.set(if h2 { Protocol::Http2 } else { Protocol::Http1 });
        }
        handshake(endpoint, settings, Stream::tls(stream), h2).await
    }

    async fn tls(&self, settings: &config::Upstream) -> Result<ClientTls, UpstreamError> {
        let known =
            self.tls.borrow().as_ref().filter(|(ca, _)| *ca == settings.ca).map(|(_, tls)| tls.clone());
        match known {
            Some(tls) => Ok(tls),
            None => {
                let tls = ClientTls::load(settings.ca.as_ref()).await?;
                self.tls.replace(Some((settings.ca.clone(), tls.clone())));
                Ok(tls)
            }
        }
    }
}

/// A connection that stands already, if it may be used.
pub(super) fn pooled(endpoint: &Endpoint, settings: &config::Upstream, need: Need) -> Option<Line> {
    if need.fresh {
        return None;
    }
    let shared = if need.http1 { None } else { endpoint.http2() };
    match shared {
        Some(shared) => Some(http2_line(shared, settings, true)),
        None => endpoint.take().map(Line::Http1),
    }
}

fn http2_line(shared: Shared, settings: &config::Upstream, reused: bool) -> Line {
    Line::Http2(Http2Line { shared, deadline: Deadline::new(settings.response_timeout), reused })
}

async fn handshake(
    endpoint: &Rc<Endpoint>,
    settings: &config::Upstream,
    stream: Stream,
    h2: bool,
) -> Result<Line, UpstreamError> {
    let address = endpoint.address;
    let failed = |error| UpstreamError::BrokeOff { address, source: BreakOff::Http2(error) };
    if h2 {
        let (sender, connection) = http2::Builder::new(Local)
            .timer(TokioTimer::new())
            .initial_stream_window_size(HTTP2_STREAM_WINDOW)
            .initial_connection_window_size(HTTP2_CONNECTION_WINDOW)
            .max_send_buf_size(HTTP2_SEND_BUFFER)
            .keep_alive_interval(HTTP2_PING)
            .keep_alive_timeout(HTTP2_PONG)
            .keep_alive_while_idle(true)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(failed)?;
        tokio::task::spawn_local(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%address, %error, "upstream HTTP/2 connection ended");
            }
        });
        let shared = Shared::new(sender);
        endpoint.share(shared.clone());
        return Ok(http2_line(shared, settings, false));
    }
    Ok(Line::Http1(Http1::new(stream, settings.response_timeout)))
}

/// Runs what hyper wants to have run on the worker's own thread.
#[derive(Clone, Copy, Debug)]
struct Local;

impl<F: Future<Output: 'static> + 'static> hyper::rt::Executor<F> for Local {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}
