//! One request on a connection of its own: what the gateway asks in its own name, such as a collector of traces or
//! another gateway's management API. Never for what a client sent.
//!
//! An origin, a request and a deadline in, the whole answer out. Certificates are verified. Whoever asks has a thread to
//! wait on and no runtime, so asking blocks. Deliberately absent: redirects, proxies, connections that are kept.

use super::tls::client_tls;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The most bytes of an answer.
const LONGEST_ANSWER: usize = 256 << 20;

/// Sends a request to scheme, host and port of `origin`, which becomes its `Host`. `ca` holds whom to trust for https;
/// `None`: the system's roots. Blocks, no longer than `patience`.
///
/// # Errors
/// The origin cannot be reached, breaks off, or takes too long ([`io::ErrorKind::TimedOut`]).
pub fn one_shot(
    origin: &Uri,
    ca: Option<&Path>,
    request: Request<Bytes>,
    patience: Duration,
) -> io::Result<Response<Bytes>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let answered = runtime.block_on(async { timeout(patience, ask(origin, ca, request)).await });
    answered.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

async fn ask(origin: &Uri, ca: Option<&Path>, request: Request<Bytes>) -> io::Result<Response<Bytes>> {
    let host = origin.host().unwrap_or_default();
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let tls = origin.scheme_str() == Some("https");
    let port = origin.port_u16().unwrap_or(if tls { 443 } else { 80 });
    let mut request = request;
    let authority = origin.authority().map_or("", |authority| authority.as_str());
    let authority = HeaderValue::from_str(authority).map_err(io::Error::other)?;
    request.headers_mut().insert(header::HOST, authority);
    let stream = TcpStream::connect((name, port)).await?;
    if !tls {
        return exchange(stream, request).await;
    }
    let server = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
    let connector = tokio_rustls::TlsConnector::from(Arc::new(client_tls(ca)?));
    exchange(connector.connect(server, stream).await?, request).await
}

async fn exchange<S>(stream: S, request: Request<Bytes>) -> io::Result<Response<Bytes>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    tokio::spawn(async move {
        // The answer says whether it went well.
        let _ = connection.await;
    });
    let response = sender.send_request(request.map(Full::new)).await.map_err(io::Error::other)?;
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, LONGEST_ANSWER).collect().await.map_err(io::Error::other)?;
    Ok(Response::from_parts(parts, body.to_bytes()))
}
