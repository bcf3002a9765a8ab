//! Answers other proxies' question whether a request may pass: nginx's `auth_request`, Traefik's ForwardAuth, Caddy's
//! `forward_auth`, Envoy's `ext_authz` over HTTP.
//!
//! In: a request of such a proxy, on a listener of `[[decision]]`. Out: 200, or the answer that the client is to get.
//! The decision is [`Gateway::judge`]'s; here is only what the questions of a dialect mean and which answers it
//! understands.
//!
//! 1. A question is heard from trusted peers alone; anybody else gets 403, whatever it asks.
//! 2. [`original`] puts the request together that is asked about. A fact that is missing, there twice or told in two
//!    ways is answered 403, and so is a client whose address the proxy does not tell: the peer is no client here.
//! 3. [`unseen`] sees to it that a body that the proxy kept for itself is not taken for none.
//! 4. The answer of a block is the one that the client would have got; nginx gets 403 for what it does not know.
//!
//! Deliberately absent: a path of our own. A proxy that can reach the listener may ask at any path.

pub mod listener;
mod original;
mod unseen;

pub use listener::{DecisionListeners, DecisionServers};

use crate::answer;
use crate::config::{Decision, Dialect, Original};
use crate::gateway::judge::Question;
use crate::gateway::{Gateway, ResponseBody};
use crate::request::client_address::{self, Source};
use crate::request::{Connection, RequestBody, RequestError, RequestHead};
use crate::server::Handler;
use crate::store::{Snapshot, SnapshotReader};
use bytes::Bytes;
use http::header::LOCATION;
use http::{Response, StatusCode};
use original::Doubt;
use std::cell::Cell;
use std::time::{Duration, Instant};

/// How long after a doubt was told the next ones are told at level debug alone: whoever floods must not fill the log.
const QUIET: Duration = Duration::from_secs(1);

/// The decision service of one worker.
#[derive(Debug)]
pub struct DecisionService {
    gateway: Gateway,
    snapshots: SnapshotReader,
    dialect: Dialect,
    original: Original,
    told: Cell<Option<Instant>>,
}

impl DecisionService {
    /// What a listener serves, on the worker's own thread.
    pub fn new(gateway: Gateway, snapshots: SnapshotReader, decision: &Decision) -> Self {
        let Decision { listener: _, dialect, original } = decision;
        Self { gateway, snapshots, dialect: *dialect, original: original.clone(), told: Cell::default() }
    }

    fn understand(
        &self,
        snapshot: &Snapshot,
        (request, body): (RequestHead, RequestBody),
        connection: &Connection,
    ) -> Result<Question, Doubt> {
        let client =
            client_address::resolve(&snapshot.config.client_ip, connection.peer.ip(), &request.fields);
        if !client.peer_trusted {
            return Err(Doubt::Stranger(connection.peer.ip()));
        }
        if client.source == Source::Peer {
            return Err(Doubt::NoClient);
        }
        let asked_with = (request.method.clone(), request.version);
        let request = original::read(&self.original, request)?;
        let body = unseen::guarded(&request, body);
        Ok(Question { request, body, asked_with })
    }

    fn tell(&self, doubt: &Doubt) {
        let now = Instant::now();
        if self.told.get().is_some_and(|told| now.duration_since(told) < QUIET) {
            tracing::debug!(%doubt, "question refused");
        } else {
            self.told.set(Some(now));
            tracing::warn!(%doubt, dialect = self.dialect.name(), "question refused");
        }
    }

    /// nginx makes 500 of every answer that it does not know.
    fn in_dialect(&self, mut response: Response<Bytes>) -> Response<Bytes> {
        let known = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&response.status());
        if self.dialect == Dialect::Nginx && !known {
            *response.status_mut() = StatusCode::FORBIDDEN;
            response.headers_mut().remove(LOCATION);
        }
        response
    }
}

impl Handler for DecisionService {
    type Body = ResponseBody;

    async fn handle(
        &self,
        request: Box<RequestHead>,
        body: RequestBody,
        connection: &Connection,
    ) -> Response<ResponseBody> {
        let snapshot = self.snapshots.load();
        match self.understand(&snapshot, (*request, body), connection) {
            Ok(question) => {
                let reply = |judged| match judged {
                    Ok(()) => answer::may_pass(),
                    Err(response) => self.in_dialect(response),
                };
                self.gateway.judge(&snapshot, question, connection, reply).await
            }
            Err(doubt) => {
                self.tell(&doubt);
                self.gateway.turn_away(answer::forbidden(), connection)
            }
        }
    }

    fn refuse(&self, error: RequestError, connection: &Connection) -> Response<ResponseBody> {
        self.gateway.turn_away(self.in_dialect(answer::not_understood(error)), connection)
    }
}
