//! What the decision log says of a request, kept so that it can be said later.

use super::access::host;
use crate::request::Connection;
use crate::request::client_address::ClientAddress;
use crate::telemetry::decision_log::BlockedRequest;
use http::Method;
use http::request::Parts;
use std::fmt;
use std::net::IpAddr;

/// A line that is not written yet.
pub(super) struct BlockedLine {
    request_id: String,
    peer: IpAddr,
    client: Option<IpAddr>,
    client_source: String,
    method: Method,
    target: String,
    host: Option<String>,
    revision: u64,
}

/// Holds what a client sent.
impl fmt::Debug for BlockedLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockedLine").finish_non_exhaustive()
    }
}

impl BlockedLine {
    /// All that the line needs of the request.
    pub(super) fn of(
        parts: &Parts,
        (client, connection): (&ClientAddress, &Connection),
        (request_id, client_source): (&str, &str),
        revision: u64,
    ) -> Self {
        Self {
            request_id: request_id.to_owned(),
            peer: connection.peer.ip(),
            client: client.address,
            client_source: client_source.to_owned(),
            method: parts.method.clone(),
            target: parts.uri.to_string(),
            host: host(parts).map(str::to_owned),
            revision,
        }
    }

    /// As the log takes it; the log redacts.
    pub(super) fn request(&self) -> BlockedRequest<'_> {
        BlockedRequest {
            request_id: &self.request_id,
            peer: self.peer,
            client: self.client,
            client_source: &self.client_source,
            method: self.method.as_str(),
            target: &self.target,
            host: self.host.as_deref(),
            revision: self.revision,
        }
    }
}
