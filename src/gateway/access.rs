//! The access log: a line for each request, once its response is over.

use super::request_id::RequestId;
use crate::config::AccessLog;
use crate::request::{Connection, client_address};
use crate::store::Snapshot;
use crate::telemetry::SubjectKind;
use crate::telemetry::access_log::{AccessWriter, RequestRecord};
use http::header::{HOST, REFERER, USER_AGENT};
use http::request::Parts;
use http::{HeaderName, Version};
use std::fmt;
use std::net::IpAddr;
use std::time::{Instant, SystemTime};

/// What is kept of a request for its line, which is written when this is dropped.
pub struct Visit {
    writer: AccessWriter,
    format: AccessLog,
    at: SystemTime,
    begun: Instant,
    request_id: String,
    peer: IpAddr,
    client: Option<IpAddr>,
    method: String,
    target: String,
    version: Version,
    host: Option<String>,
    user_agent: Option<String>,
    referer: Option<String>,
    status: u16,
    response_bytes: u64,
    blocked_by: Option<SubjectKind>,
}

/// Holds what a client sent.
impl fmt::Debug for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visit").finish_non_exhaustive()
    }
}

impl Visit {
    /// Begins a line, if the log is on.
    pub(super) fn begin(
        snapshot: &Snapshot,
        parts: &Parts,
        connection: &Connection,
        (id, writer): (&RequestId, &AccessWriter),
    ) -> Option<Box<Self>> {
        let format = snapshot.config.log.access;
        if format == AccessLog::Off {
            return None;
        }
        let text = |name: HeaderName| {
            parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let peer = connection.peer.ip();
        Some(Box::new(Self {
            writer: writer.clone(),
            format,
            at: SystemTime::now(),
            begun: Instant::now(),
            request_id: id.of(&parts.headers).to_owned(),
            peer,
            client: client_address::resolve(&snapshot.config.client_ip, peer, &parts.headers).address,
            method: parts.method.to_string(),
            target: parts.uri.to_string(),
            version: parts.version,
            host: text(HOST).or_else(|| parts.uri.authority().map(ToString::to_string)),
            user_agent: text(USER_AGENT),
            referer: text(REFERER),
            status: 0,
            response_bytes: 0,
            blocked_by: None,
        }))
    }

    /// The response's head is known.
    pub(super) fn answered(&mut self, status: http::StatusCode, blocked_by: Option<SubjectKind>) {
        self.status = status.as_u16();
        self.blocked_by = blocked_by;
    }

    /// So many bytes of the response's body went out.
    pub(super) fn sent(&mut self, bytes: usize) {
        self.response_bytes = self.response_bytes.saturating_add(bytes as u64);
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.writer.write(
            self.format,
            &RequestRecord {
                at: self.at,
                request_id: &self.request_id,
                peer: self.peer,
                client: self.client,
                method: &self.method,
                target: &self.target,
                version: self.version,
                host: self.host.as_deref(),
                user_agent: self.user_agent.as_deref(),
                referer: self.referer.as_deref(),
                status: self.status,
                response_bytes: self.response_bytes,
                duration: self.begun.elapsed(),
                blocked_by: self.blocked_by,
            },
        );
    }
}
