//! What the decision log says of a request, kept so that it can be said later.
//!
//! Where the log is for machines, a line also has what another policy needs to decide over the request
//! ([`Record`]): it costs some hashes, so it is made for lines that are written and for no other.

use super::access::host;
use super::asked::Said;
use crate::config::{ClientIp, ClientIpHeader, LogFormat};
use crate::policy::decide::{Decision, Effect};
use crate::policy::facts::RequestFacts;
use crate::request::client_address::{ClientAddress, Source};
use crate::request::record::{Body, Record};
use crate::request::{Connection, RequestHead};
use crate::store::Snapshot;
use crate::telemetry::CheckReport;
use crate::telemetry::decision_log::{BlockedRequest, DecisionLog};
use crate::telemetry::metrics::RequestDecision;
use http::Method;
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
    client_header: Option<String>,
    record: Option<String>,
    decision: RequestDecision,
    check: Option<CheckReport>,
}

/// A request that was decided over, as far as it is known then.
pub(super) struct Decided<'a, 'p> {
    pub(super) decision: &'a Decision<'p>,
    pub(super) facts: &'a RequestFacts<'p>,
    pub(super) said: &'a Said,
}

impl Decided<'_, '_> {
    /// What became of it, as it is counted.
    pub(super) fn label(&self) -> RequestDecision {
        match (self.decision.effect, self.decision.reported) {
            (Effect::Block, _) => RequestDecision::Block,
            (Effect::Allow, Some(_)) => RequestDecision::Report,
            (Effect::Allow, None) => RequestDecision::Allow,
        }
    }
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
        snapshot: &Snapshot,
        request: &RequestHead,
        seen: (&ClientAddress, &Connection, &str),
        decided: &Decided<'_, '_>,
    ) -> Self {
        let Decision { cause, reported, .. } = decided.decision;
        let decision = decided.label();
        let check = if decision == RequestDecision::Report { reported.as_ref() } else { cause.as_ref() };
        let check = check.map(|check| CheckReport::of(&snapshot.policy, check));
        Self { decision, check, ..Self::rehearsed(snapshot, request, seen) }
    }

    /// A line that will not be written, of an allowed request.
    pub(super) fn rehearsed(
        snapshot: &Snapshot,
        request: &RequestHead,
        (client, connection, request_id): (&ClientAddress, &Connection, &str),
    ) -> Self {
        Self {
            request_id: request_id.to_owned(),
            peer: connection.peer.ip(),
            client: client.address,
            client_source: client.source.name(&snapshot.config.client_ip).to_owned(),
            method: request.method.clone(),
            target: request.target.to_string(),
            host: host(request).map(str::to_owned),
            revision: snapshot.revision,
            client_header: None,
            record: None,
            decision: RequestDecision::Allow,
            check: None,
        }
    }

    /// With what a replay needs, where the log is for machines.
    pub(super) fn recorded(
        self,
        snapshot: &Snapshot,
        request: &RequestHead,
        decided: &Decided<'_, '_>,
    ) -> Self {
        if snapshot.config.log.format != LogFormat::Json {
            return self;
        }
        let body = match decided.said {
            Said::Nothing => Body::None,
            Said::NotHeard => Body::Unheard,
            Said::Heard(bytes) => Body::Heard(bytes),
        };
        let record = Record::of(&snapshot.policy, request, decided.facts, body).to_string();
        let client_header = client_header(&snapshot.config.client_ip, request);
        Self { client_header, record: Some(record), ..self }
    }

    /// Writes it.
    pub(super) fn write(&self, log: &DecisionLog) {
        log.write(&self.request(), self.decision, self.check.as_ref());
    }

    /// As the log takes it; the log redacts.
    fn request(&self) -> BlockedRequest<'_> {
        BlockedRequest {
            request_id: &self.request_id,
            peer: self.peer,
            client: self.client,
            client_source: &self.client_source,
            method: self.method.as_str(),
            target: &self.target,
            host: self.host.as_deref(),
            revision: self.revision,
            client_header: self.client_header.as_deref(),
            record: self.record.as_deref(),
        }
    }
}

/// `x-forwarded-for: 203.0.113.9, 10.0.0.1`: all lines as one list, nothing behind the colon where there is none;
/// `None` where no header counts.
fn client_header(settings: &ClientIp, request: &RequestHead) -> Option<String> {
    if settings.header == ClientIpHeader::None {
        return None;
    }
    let name = Source::Header.name(settings);
    let values = request.fields.named(name).map(String::from_utf8_lossy);
    Some(format!("{name}: {}", values.collect::<Vec<_>>().join(", ")))
}
