//! `aclgate health`: asks a running gateway whether it is ready, for health checks where there is no other client.
//!
//! A URL in → exit code 0 if the answer is 2xx. The configuration is deliberately not read: a gateway on its last good
//! policy is healthy, whatever its file says by now.

use super::CliError;
use crate::upstream::one_shot;
use bytes::Bytes;
use http::{Request, StatusCode, Uri};
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// Below the time-out of any health check.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why a gateway is not known to be ready.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    /// Only HTTP with a host is asked.
    #[error("`{0}` is not a URL that begins with `http://` or `https://` and names a host")]
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

/// Asks once. `ca` as for [`one_shot`].
///
/// # Errors
/// There is no answer, or not a good one.
pub fn run(url: &Uri, ca: Option<&Path>) -> Result<ExitCode, CliError> {
    if !matches!(url.scheme_str(), Some("http" | "https")) || url.host().is_none() {
        return Err(HealthError::Url(url.clone()).into());
    }
    let target = url.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let request = Request::get(target).body(Bytes::new()).map_err(io::Error::other)?;
    let answered = one_shot(url, ca, request, PATIENCE);
    let answered = answered.map_err(|source| HealthError::Unreachable { url: url.clone(), source })?;
    match answered.status() {
        status if status.is_success() => Ok(ExitCode::SUCCESS),
        status => Err(HealthError::NotReady { url: url.clone(), status }.into()),
    }
}
