//! `aclgate health`: asks a running gateway whether it is ready, for health checks where there is no other client.
//!
//! A URL in → exit code 0 if the answer is 2xx. The configuration is deliberately not read: a gateway on its last good
//! policy is healthy, whatever its file says by now. Cleartext alone: the management API of a health check is on loopback.

use super::CliError;
use bytes::Bytes;
use http::uri::Scheme;
use http::{Request, StatusCode, Uri, header};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::io;
use std::process::ExitCode;
use std::time::Duration;
use tokio::net::TcpStream;

/// Below the time-out of any health check.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why a gateway is not known to be ready.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    /// Only cleartext HTTP with a host is asked.
    #[error("`{0}` is not a URL that begins with `http://` and names a host")]
    Url(Uri),
    /// Nobody answers there.
    #[error("no answer from `{url}`: {source}")]
    Unreachable {
        /// Who was asked.
        url: Uri,
        /// Why not.
        source: io::Error,
    },
    /// Somebody answers, and is not ready.
    #[error("`{url}` answers {status}")]
    NotReady {
        /// Who was asked.
        url: Uri,
        /// What the answer is.
        status: StatusCode,
    },
}

/// Asks once.
///
/// # Errors
/// There is no answer, or not a good one.
pub fn run(url: &Uri) -> Result<ExitCode, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let asked = runtime.block_on(async { tokio::time::timeout(PATIENCE, ask(url)).await });
    let unreachable = |source| HealthError::Unreachable { url: url.clone(), source };
    let late = |_| unreachable(io::ErrorKind::TimedOut.into());
    match asked.map_err(late)?.map_err(unreachable)? {
        None => Err(HealthError::Url(url.clone()).into()),
        Some(status) if status.is_success() => Ok(ExitCode::SUCCESS),
        Some(status) => Err(HealthError::NotReady { url: url.clone(), status }.into()),
    }
}

/// The status of the answer; `None` if the URL names nobody whom we could ask.
async fn ask(url: &Uri) -> io::Result<Option<StatusCode>> {
    let cleartext = url.scheme() == Some(&Scheme::HTTP);
    let Some(authority) = url.authority().filter(|_| cleartext) else { return Ok(None) };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((host, authority.port_u16().unwrap_or(80))).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    // The answer says whether it went well.
    tokio::spawn(connection);
    let target = url.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let request = Request::get(target).header(header::HOST, authority.as_str()).body(Empty::<Bytes>::new());
    let answer = sender.send_request(request.map_err(io::Error::other)?).await.map_err(io::Error::other)?;
    Ok(Some(answer.status()))
}
