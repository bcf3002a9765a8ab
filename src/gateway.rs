//! The story of one request, from its head to its response. Read this page first.
//!
//! 1. The snapshot in force is taken, once ([`crate::store`]).
//! 2. The head is checked: what is ambiguous or not for us is refused before any policy is asked ([`head`]).
//! 3. The facts are gathered: the client's address, its keys, what it names ([`crate::request`]); the body is
//!    looked into only where it could lead to a block.
//! 4. The policy decides ([`decide()`]), and the decision is enforced ([`crate::enforce`]).
//! 5. What is permitted goes upstream ([`crate::upstream`]); everything else gets its answer ([`crate::answer`]).
//!
//! Never fails: failures are responses.

pub mod access;
pub mod asked;
mod blocked_line;
pub mod body;
mod failure;
pub mod judge;
pub mod live;
mod recording;
mod request_id;

pub use body::ResponseBody;

use crate::config::Config;
use crate::enforce::{Permit, enforce};
use crate::policy::decide::decide;
use crate::request::client_address::{self, ClientAddress, Source};
use crate::request::{Connection, Fields, RequestBody, RequestError, RequestHead, api_key, facts, head};
use crate::server::Handler;
use crate::store::{Snapshot, SnapshotReader, SnapshotStore};
use crate::telemetry::access_log::AccessWriter;
use crate::telemetry::decision_log::DecisionLog;
use crate::telemetry::metrics::{ClientFound, Metrics, RequestDecision, WorkerMetrics};
use crate::telemetry::traces::Traces;
use crate::upstream::{Forwarding, Upstream, UpstreamBody};
use access::{Became, Visit, Witnesses};
use asked::{Asked, Said};
use blocked_line::Decided;
use failure::Failure;
use http::{Response, StatusCode};
use http_body::Body;
use live::LiveRequests;
use request_id::RequestId;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What the gateways of all workers share.
#[derive(Clone, Debug)]
pub struct Shared {
    /// What is in force.
    pub store: Arc<SnapshotStore>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The access log.
    pub access: AccessWriter,
    /// Where spans go.
    pub traces: Traces,
}

/// The gateway of one worker.
#[derive(Debug)]
pub struct Gateway {
    snapshots: SnapshotReader,
    upstream: Upstream,
    live: LiveRequests,
    worker: usize,
    metrics: Arc<WorkerMetrics>,
    decisions: Rc<DecisionLog>,
    witnesses: Witnesses,
}

/// What else of a request than its head has to be kept for another judgement.
struct Judged {
    said: Said,
    disguised: bool,
    waited: Duration,
}

impl Gateway {
    /// The gateway of the worker with this number, on the worker's own thread.
    pub fn new(shared: &Shared, worker: usize) -> Self {
        let metrics = shared.metrics.worker(worker).unwrap_or_default();
        let decisions = Rc::new(DecisionLog::new(Arc::clone(&metrics)));
        tokio::task::spawn_local(recording::tell_what_was_held_back(Rc::clone(&decisions)));
        Self {
            snapshots: SnapshotReader::new(Arc::clone(&shared.store)),
            upstream: Upstream::new(),
            live: LiveRequests::watch(Arc::clone(&shared.store)),
            decisions,
            worker,
            metrics,
            witnesses: Witnesses { access: shared.access.clone(), traces: shared.traces.clone() },
        }
    }

    /// The story.
    async fn serve(
        &self,
        snapshot: &Snapshot,
        request: &mut RequestHead,
        mut body: RequestBody,
        (connection, id): (&Connection, &RequestId),
    ) -> Result<(Response<UpstreamBody>, Judged), Failure> {
        head::check(request, &snapshot.config.server.limits)?;
        let client = self.client(snapshot, request, connection);
        let said = self.hear(snapshot, request, &client, &mut body).await?;
        let (permit, begun) = self.permit(snapshot, request, (&client, connection, id), &said)?;
        id.pass_on(&mut request.fields);
        let disguised = permit.demands_disguise();
        if disguised {
            api_key::disguise(&mut request.fields, &snapshot.policy)?;
        }
        let forwarding = Forwarding {
            permit,
            connection,
            client: client.address,
            peer_trusted: client.peer_trusted,
            decisive: snapshot.policy.decisive_headers(),
        };
        let response = self.upstream.forward(&snapshot.config.upstream, request, body, forwarding).await?;
        let waited = begun.elapsed();
        if !disguised && snapshot.config.answers.has_decoy() && response.status().is_client_error() {
            self.rehearse(snapshot, request, (&client, connection, id));
        }
        self.metrics.upstream_time.observe(waited);
        Ok((response, Judged { said, disguised, waited }))
    }

    /// Whose request it is.
    fn client(&self, snapshot: &Snapshot, request: &RequestHead, connection: &Connection) -> ClientAddress {
        let config = &snapshot.config;
        let client = client_address::resolve(&config.client_ip, connection.peer.ip(), &request.fields);
        self.metrics.client(how_found(&client, config, &request.fields));
        client
    }

    /// Reads the body where what it says could lead to a block. The facts that say so are not kept while it comes: what
    /// outlives a wait is memory of the connection's, touched and paid for by every request that does not wait.
    async fn hear(
        &self,
        snapshot: &Snapshot,
        request: &RequestHead,
        client: &ClientAddress,
        body: &mut RequestBody,
    ) -> Result<Said, Failure> {
        if body.is_end_stream() {
            return Ok(Said::Nothing);
        }
        let Snapshot { policy, config, .. } = snapshot;
        let path = facts::path(request)?;
        let matters = facts::needs_body(
            policy,
            &facts::without_subjects(policy, request, client.address, path),
            &config.answers,
        );
        if !matters {
            return Ok(Said::NotHeard);
        }
        Ok(Said::Heard(body.inspect(policy.rules().inspect_body_limit).await?))
    }

    /// Gathers the facts, decides and enforces. Says when it began to, which is as good as when it had: looking at the clock
    /// takes as long as a decision.
    fn permit(
        &self,
        snapshot: &Snapshot,
        request: &RequestHead,
        (client, connection, id): (&ClientAddress, &Connection, &RequestId),
        said: &Said,
    ) -> Result<(Permit, Instant), Failure> {
        let policy = &snapshot.policy;
        let begun = Instant::now();
        let mut facts = facts::gather_along(policy, request, client.address, facts::path(request)?);
        if let Said::Heard(body) = said {
            facts::add_body(policy, &mut facts, request, body)?;
        }
        let decision = decide(policy, &facts, |check| snapshot.hits.count(self.worker, check, begun));
        self.metrics.decision_time.observe(|| begun.elapsed());
        let line = Decided { decision: &decision, facts: &facts, said };
        self.record(snapshot, &line, request, (client, connection, id));
        let permit =
            enforce(snapshot, &decision).map_err(|refusal| Failure::Refused(refusal, client.address))?;
        Ok((permit, begun))
    }

    /// Counts what kept a request from its response; blocks are counted as decisions.
    fn count(&self, failure: &Failure) {
        match failure {
            Failure::Request(_) => self.metrics.request(RequestDecision::Refuse, None),
            Failure::Upstream(_) => self.metrics.upstream_failures.add(1),
            Failure::Refused(..) | Failure::NoDecoy(_) => {}
        }
    }

    /// Counts a response, and tells whoever watches the request of it.
    fn tell(&self, visit: Option<Box<Visit>>, status: StatusCode, became: Became) -> Option<Box<Visit>> {
        self.metrics.response(status);
        let mut visit = visit?;
        visit.answered(status, became);
        Some(visit)
    }

    /// The response on its way to the client, judged again whenever the policy changes.
    fn pass_on(
        &self,
        response: Response<UpstreamBody>,
        (asked, visit): (Asked, Option<Box<Visit>>),
        connection: &Connection,
    ) -> Response<ResponseBody> {
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            if let Some(tunnel) = connection.take_tunnel() {
                connection.open_tunnel(self.live.guard(tunnel, asked));
            }
            return response.map(|body| ResponseBody::here(body).visited(visit));
        }
        response.map(|body| ResponseBody::streaming(body, asked, &self.live).visited(visit))
    }
}

/// The way in which a client's address was found, as it is counted.
fn how_found(client: &ClientAddress, config: &Config, fields: &Fields) -> ClientFound {
    match (client.source, client.address) {
        (Source::Header, None) => ClientFound::Undetermined,
        (Source::Header, Some(_)) if client.chained => ClientFound::Chain,
        (Source::Header, Some(_)) => ClientFound::Value,
        (Source::Peer, _) if client.peer_trusted => ClientFound::Missing,
        (Source::Peer, _) if client_address::is_sent(&config.client_ip, fields) => ClientFound::Ignored,
        (Source::Peer, _) => ClientFound::Peer,
    }
}

impl Handler for Gateway {
    type Body = ResponseBody;

    /// No `async fn`, which would copy head and body once more.
    fn handle(
        &self,
        mut request: Box<RequestHead>,
        body: RequestBody,
        connection: &Connection,
    ) -> impl Future<Output = Response<ResponseBody>> {
        let snapshot = self.snapshots.load();
        async move {
            let id = RequestId::default();
            let visit = Visit::begin(&snapshot, &request, connection, (&id, &self.witnesses));
            if let Some(place) = visit.as_ref().and_then(|visit| visit.traceparent()) {
                request.fields.set("traceparent", place.as_bytes());
            }
            match self.serve(&snapshot, &mut request, body, (connection, &id)).await {
                Ok((response, Judged { said, disguised, waited })) => {
                    let visit = self.tell(visit, response.status(), Became::Forwarded(waited));
                    let asked = Asked { request, said, peer: connection.peer.ip(), disguised };
                    self.pass_on(response, (asked, visit), connection)
                }
                Err(failure) => {
                    self.count(&failure);
                    let answer = failure.answer(&snapshot, &request, &id.shown(&request.fields));
                    let visit = self.tell(visit, answer.status(), Became::Answered(failure.blocked_by()));
                    ResponseBody::of(answer, visit)
                }
            }
        }
    }

    fn refuse(&self, error: RequestError, connection: &Connection) -> Response<ResponseBody> {
        tracing::debug!(%error, peer = %connection.peer.ip(), "request refused unread");
        self.turn_away(crate::answer::not_understood(error), connection)
    }
}
