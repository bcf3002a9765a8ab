//! Why a request got no response from upstream.
//!
//! Messages are for the log and name the upstream's address; the client learns a status and nothing else
//! (`answer` maps each variant to 502, 504 or, for [`UpstreamError::Request`], to what the client did wrong).

use crate::http1::SendError;
use crate::request::RequestError;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use thiserror::Error;

/// How a connection to upstream ended in the middle of an exchange.
#[derive(Debug, Error)]
pub enum BreakOff {
    /// It was closed.
    #[error("connection closed in the middle of an exchange")]
    Ended,
    /// It failed.
    #[error(transparent)]
    Io(io::Error),
    /// What came has no place in an HTTP/1.1 response.
    #[error("not HTTP: {0}")]
    NotHttp(&'static str),
    /// A head, or trailers, that cannot be read.
    #[error("not HTTP: {0}")]
    Head(httparse::Error),
    /// The client's body failed, or did not keep to its length.
    #[error("the request's body failed")]
    Client,
    /// An HTTP/2 stream or its connection ended.
    #[error(transparent)]
    Http2(#[from] hyper::Error),
}

impl From<SendError<RequestError>> for BreakOff {
    fn from(error: SendError<RequestError>) -> Self {
        match error {
            SendError::Io(error) => Self::Io(error),
            SendError::Closed => Self::Ended,
            SendError::Body(_) | SendError::Length => Self::Client,
        }
    }
}

/// No response came from upstream.
#[derive(Debug, Error)]
pub enum UpstreamError {
    /// 502: the host name could not be resolved.
    #[error("upstream `{host}`: name not resolved")]
    Dns {
        /// The name.
        host: String,
        /// What the resolver said; `None`: it knows the name, but no address.
        #[source]
        source: Option<io::Error>,
    },
    /// 502: the connection was refused or the address is out of reach.
    #[error("upstream {address}: connection failed")]
    Connect {
        /// The upstream's address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// 504: resolving the name took longer than `connect_timeout`.
    #[error("upstream `{host}`: resolving the name took too long")]
    DnsTimeout {
        /// The name.
        host: String,
    },
    /// 504: connection and TLS handshake took longer than `connect_timeout`.
    #[error("upstream {address}: connecting took too long")]
    ConnectTimeout {
        /// The upstream's address.
        address: SocketAddr,
    },
    /// 502: no TLS with this upstream: its certificate is not trusted, or it does not speak TLS.
    #[error("upstream {address}: TLS handshake failed")]
    Tls {
        /// The upstream's address.
        address: SocketAddr,
        /// What rustls said.
        #[source]
        source: io::Error,
    },
    /// 502: the CA file, or the system's roots, could not be read.
    #[error("CA certificates for upstream not readable{}", path.as_ref().map(|p| format!(": `{}`", p.display())).unwrap_or_default())]
    Roots {
        /// `[upstream] ca`; `None`: the system's.
        path: Option<PathBuf>,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// 502: the connection broke off before the response's head was complete, or what came was not HTTP.
    #[error("upstream {address}: broke off")]
    BrokeOff {
        /// The upstream's address.
        address: SocketAddr,
        /// How.
        #[source]
        source: BreakOff,
    },
    /// 502: a response that cannot be passed on safely.
    #[error("upstream {address}: bad response: {reason}")]
    BadResponse {
        /// The upstream's address.
        address: SocketAddr,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// 504: no response head within `response_timeout`.
    #[error("upstream {address}: no response in time")]
    ResponseTimeout {
        /// The upstream's address.
        address: SocketAddr,
    },
    /// The client's fault: its body broke off, or was too slow.
    #[error(transparent)]
    Request(#[from] RequestError),
}

/// A response body that broke off: the client's connection (or stream) is cut, so that it cannot take the
/// part for the whole.
#[derive(Debug, Error)]
pub enum BodyError {
    /// The upstream broke off.
    #[error("upstream {address}: response broke off")]
    BrokeOff {
        /// The upstream's address.
        address: SocketAddr,
        /// How.
        #[source]
        source: BreakOff,
    },
    /// No byte for `response_timeout`.
    #[error("upstream {address}: response stalled")]
    Stalled {
        /// The upstream's address.
        address: SocketAddr,
    },
}

impl UpstreamError {
    /// Whether the upstream was too slow (504) rather than wrong (502).
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::DnsTimeout { .. } | Self::ConnectTimeout { .. } | Self::ResponseTimeout { .. })
    }
}
