//! What is said of a request once its response is over: a line of the access log, and a span of a trace.

use super::request_id::RequestId;
use crate::config::AccessLog;
use crate::request::{Connection, FieldName, Fields, RequestHead, Scheme, client_address, fields};
use crate::store::Snapshot;
use crate::telemetry::SubjectKind;
use crate::telemetry::access_log::{AccessWriter, RequestRecord};
use crate::telemetry::trace_context::TraceParent;
use crate::telemetry::traces::{RequestSpan, Traces};
use http::{HeaderValue, Method, Version};
use std::fmt;
use std::net::IpAddr;
use std::time::{Duration, Instant, SystemTime};

/// Who is told of requests.
#[derive(Clone, Debug)]
pub(super) struct Witnesses {
    /// The access log.
    pub(super) access: AccessWriter,
    /// Where spans go.
    pub(super) traces: Traces,
}

/// What is kept of a request for its line and its span, which are written when this is dropped.
pub struct Visit {
    writer: AccessWriter,
    format: AccessLog,
    span: Option<RequestSpan>,
    at: SystemTime,
    begun: Instant,
    request_id: String,
    peer: IpAddr,
    client: Option<IpAddr>,
    tls: bool,
    line: Option<(Method, String, Version)>,
    host: Option<String>,
    user_agent: Option<String>,
    referer: Option<String>,
    status: u16,
    response_bytes: u64,
    became: Became,
    trace_id: Option<String>,
}

/// What became of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Became {
    /// Upstream answered, after this time.
    Forwarded(Duration),
    /// We answered ourselves; if it was blocked, for this kind of subject.
    Answered(Option<SubjectKind>),
}

/// Holds what a client sent.
impl fmt::Debug for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visit").finish_non_exhaustive()
    }
}

impl Visit {
    /// Begins, if anybody is to be told.
    pub(super) fn begin(
        snapshot: &Snapshot,
        request: &RequestHead,
        connection: &Connection,
        (id, witnesses): (&RequestId, &Witnesses),
    ) -> Option<Box<Self>> {
        let span = witnesses.traces.begin(&request.method, |name| request.fields.named(name));
        let mut visit = Self::blank(snapshot, connection, (witnesses, span))?;
        let peer = visit.peer;
        visit.request_id = id.of(&request.fields).to_owned();
        visit.client = client_address::resolve(&snapshot.config.client_ip, peer, &request.fields).address;
        visit.line = Some((request.method.clone(), request.target.to_string(), request.version));
        visit.host = host(request).map(str::to_owned);
        visit.user_agent = text(request, FieldName::UserAgent).map(str::to_owned);
        visit.referer = text(request, FieldName::Referer).map(str::to_owned);
        let trace = visit.span.as_ref().map(RequestSpan::trace_id);
        visit.trace_id = trace.or_else(|| {
            Some(TraceParent::of(request.fields.named(TraceParent::FIELD))?.trace_id.to_string())
        });
        Some(visit)
    }

    /// As [`begin`](Self::begin), of a request whose head cannot be read: nothing of it is known but its connection.
    pub(super) fn unread(
        snapshot: &Snapshot,
        connection: &Connection,
        witnesses: &Witnesses,
    ) -> Option<Box<Self>> {
        let mut visit = Self::blank(snapshot, connection, (witnesses, None))?;
        let nothing = Fields::default();
        visit.request_id = RequestId::default().of(&nothing).to_owned();
        visit.client = client_address::resolve(&snapshot.config.client_ip, visit.peer, &nothing).address;
        Some(visit)
    }

    fn blank(
        snapshot: &Snapshot,
        connection: &Connection,
        (witnesses, span): (&Witnesses, Option<RequestSpan>),
    ) -> Option<Box<Self>> {
        let format = snapshot.config.log.access;
        if format == AccessLog::Off && span.is_none() {
            return None;
        }
        Some(Box::new(Self {
            writer: witnesses.access.clone(),
            format,
            span,
            at: SystemTime::now(),
            begun: Instant::now(),
            request_id: String::new(),
            peer: connection.peer.ip(),
            client: None,
            tls: connection.scheme == Scheme::Https,
            line: None,
            host: None,
            user_agent: None,
            referer: None,
            status: 0,
            response_bytes: 0,
            became: Became::Answered(None),
            trace_id: None,
        }))
    }

    /// The request's place in its trace, for upstream.
    pub(super) fn traceparent(&self) -> Option<HeaderValue> {
        self.span.as_ref()?.traceparent()
    }

    /// The response's head is known.
    pub(super) fn answered(&mut self, status: http::StatusCode, became: Became) {
        self.status = status.as_u16();
        self.became = became;
    }

    /// So many bytes of the response's body went out.
    pub(super) fn sent(&mut self, bytes: usize) {
        self.response_bytes = self.response_bytes.saturating_add(bytes as u64);
    }
}

/// `Host`, or the authority of the target.
pub(super) fn host(request: &RequestHead) -> Option<&str> {
    text(request, FieldName::Host).or_else(|| request.target.authority())
}

fn text(request: &RequestHead, name: FieldName) -> Option<&str> {
    fields::text(request.fields.get(name)?)
}

impl Drop for Visit {
    fn drop(&mut self) {
        let (upstream, blocked_by) = match self.became {
            Became::Forwarded(waited) => (Some(waited), None),
            Became::Answered(blocked_by) => (None, blocked_by),
        };
        let span = self.span.take();
        let record = RequestRecord {
            at: self.at,
            request_id: &self.request_id,
            peer: self.peer,
            client: self.client,
            tls: self.tls,
            line: self.line.as_ref().map(|(method, target, version)| (method.as_str(), &**target, *version)),
            host: self.host.as_deref(),
            user_agent: self.user_agent.as_deref(),
            referer: self.referer.as_deref(),
            status: self.status,
            response_bytes: self.response_bytes,
            duration: self.begun.elapsed(),
            upstream,
            trace_id: self.trace_id.as_deref(),
            blocked_by,
        };
        self.writer.write(self.format, &record);
        if let Some(span) = span {
            span.end(&record);
        }
    }
}
