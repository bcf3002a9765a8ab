//! The story of one request, from its head to its response. Read this page first.
//!
//! 1. The snapshot in force is taken, once ([`crate::store`]).
//! 2. The head is checked: what is ambiguous or not for us is refused before any policy is asked
//!    ([`head`]).
//! 3. The facts are gathered: the client's address, its keys, what it names ([`crate::request`]); the body is
//!    looked into only where it could lead to a block.
//! 4. The policy decides ([`decide()`]), and the decision is enforced ([`crate::enforce`]).
//! 5. What is permitted goes upstream ([`crate::upstream`]); everything else gets its answer ([`crate::answer`]).
//!
//! Never fails: failures are responses.

pub mod body;
pub mod decision;
pub mod live;


pub use body::ResponseBody;

use crate::answer::{self, Asker};
use crate::enforce::{Permit, Refusal, enforce};
use crate::policy::decide::{blocked_by_api_key, body_matters, decide};
use crate::request::client_address::{self, ClientAddress};
use crate::request::{Connection, RequestBody, RequestError, api_key, facts, head};
use crate::server::Handler;
use crate::store::{Snapshot, SnapshotStore};
use crate::upstream::{Forwarding, Upstream, UpstreamBody, UpstreamError};
use bytes::Bytes;
use decision::{Asked, Said};
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body::Body;
use live::LiveRequests;
use std::sync::Arc;

/// The gateway of one worker.
#[derive(Debug)]
pub struct Gateway {
    store: Arc<SnapshotStore>,
    upstream: Upstream,
    live: LiveRequests,
}

/// Why a request got no response from upstream.
#[derive(Debug)]
enum Failure {
    Request(RequestError),
    Refused(Refusal),
    Upstream(UpstreamError),
}

impl Gateway {
    /// The story.
    async fn serve(
        &self,
        snapshot: &Snapshot,
        parts: &mut Parts,
        mut body: RequestBody,
        connection: &Connection,
    ) -> Result<(Response<UpstreamBody>, Said), Failure> {
        head::check(parts, &snapshot.config.server.limits)?;
        let client = client_address::resolve(&snapshot.config.client_ip, connection.peer.ip(), &parts.headers);
        let (permit, said) = self.permit(snapshot, parts, &client, &mut body).await?;
        if permit.demands_disguise() {
            api_key::disguise(&mut parts.headers, &snapshot.policy);
        }
        let forwarding = Forwarding { connection, client: client.address, peer_trusted: client.peer_trusted, decisive: &[] };
        let response = self.upstream.forward(permit, &snapshot.config.upstream, parts, body, &forwarding).await?;
        Ok((response, said))
    }

    /// Gathers the facts, looks into the body where it matters, decides and enforces.
    async fn permit(
        &self,
        snapshot: &Snapshot,
        parts: &Parts,
        client: &ClientAddress,
        body: &mut RequestBody,
    ) -> Result<(Permit, Said), Failure> {
        let policy = &snapshot.policy;
        let mut said = if body.is_end_stream() { Said::Nothing } else { Said::NotHeard };
        let heard;
        let mut facts = facts::gather(policy, parts, client.address)?;
        let refused_already = blocked_by_api_key(&facts) && !snapshot.config.answers.has_decoy();
        if matches!(said, Said::NotHeard) && !refused_already && body_matters(policy, &facts) {
            heard = body.inspect(policy.rules().inspect_body_limit).await?;
            facts::add_body(policy, &mut facts, parts, &heard)?;
            said = Said::Heard(heard.clone());
        }
        let decision = decide(policy, &facts, |_| {});
        Ok((enforce(snapshot, &decision)?, said))
    }

    /// The response on its way to the client, judged again whenever the policy changes.
    fn pass_on(&self, response: Response<UpstreamBody>, asked: Asked, connection: &Connection) -> Response<ResponseBody> {
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            if let Some(tunnel) = connection.take_tunnel() {
                connection.open_tunnel(self.live.guard(tunnel, asked));
            }
            return response.map(ResponseBody::Ended);
        }
        response.map(|body| ResponseBody::streaming(body, asked, &self.live))
    }
}

impl Handler for Gateway {
    type Body = ResponseBody;

    async fn handle(&self, request: Request<RequestBody>, connection: &Connection) -> Response<ResponseBody> {
        let snapshot = self.store.load();
        let (mut parts, body) = request.into_parts();
        match self.serve(&snapshot, &mut parts, body, connection).await {
            Ok((response, said)) => {
                self.pass_on(response, Asked { parts, said, peer: connection.peer.ip() }, connection)
            }
            Err(failure) => failure.answer(&snapshot, &parts, connection).map(ResponseBody::Own),
        }
    }

    fn refuse(&self, error: RequestError) -> Response<ResponseBody> {
        answer::not_understood(error).map(ResponseBody::Own)
    }
}
