//! From sockets to requests: listeners, TLS, connections, workers, draining.
//!
//! The server is handed its [`Handler`] by `app` and knows nothing of policy.

use crate::request::{Connection, RequestBody, RequestError};
use bytes::Bytes;
use http::{Request, Response};
use std::future::Future;

/// Who answers requests; lives on one worker.
pub trait Handler: 'static {
    /// The body of its responses.
    type Body: http_body::Body<Data = Bytes, Error: std::error::Error + Send + Sync + 'static> + 'static;

    /// Answers a request. Never fails: failures are responses.
    fn handle(
        &self,
        request: Request<RequestBody>,
        connection: &Connection,
    ) -> impl Future<Output = Response<Self::Body>>;

    /// Answers a request whose head was refused before it could be parsed. The connection is closed behind it.
    fn refuse(&self, error: RequestError) -> Response<Self::Body>;
}
