//! A request that another proxy forwards is judged here as one that the gateway forwards itself: the same checks of
//! its head, the same facts, the same decision, the same metrics and lines in the logs.
//!
//! A [`Question`] in, the answer to whoever asked out. Nothing goes upstream, so nothing can be disguised: where a
//! decoy would be sent, the key is refused.

use super::access::{Became, Visit};
use super::failure::Failure;
use super::request_id::RequestId;
use super::{Gateway, ResponseBody};
use crate::enforce::Refusal;
use crate::request::{Connection, RequestBody, RequestHead, head};
use crate::store::Snapshot;
use crate::telemetry::metrics::RequestDecision;
use bytes::Bytes;
use http::{Method, Response, Version};
use std::fmt;

/// What another proxy asks about. Holds secrets, so it cannot be printed.
pub struct Question {
    /// The head of the request that is asked about.
    pub request: RequestHead,
    /// Its body, as far as the proxy sends it.
    pub body: RequestBody,
    /// The method and the version with which the proxy asks: by them the answer has a body and a length or none.
    pub asked_with: (Method, Version),
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question").finish_non_exhaustive()
    }
}

impl Gateway {
    /// Judges a request. `reply` makes the answer of a permit, or of the response that the client is to get.
    pub async fn judge(
        &self,
        snapshot: &Snapshot,
        question: Question,
        connection: &Connection,
        reply: impl FnOnce(Result<(), Response<Bytes>>) -> Response<Bytes>,
    ) -> Response<ResponseBody> {
        let Question { mut request, mut body, asked_with } = question;
        let id = RequestId::default();
        let visit = Visit::begin(snapshot, &request, connection, (&id, &self.witnesses));
        let judged = self.may_pass(snapshot, &request, &mut body, (connection, &id)).await;
        let became = Became::Answered(judged.as_ref().err().and_then(Failure::blocked_by));
        (request.method, request.version) = asked_with;
        let response = reply(judged.map_err(|failure| {
            self.count(&failure);
            failure.answer(snapshot, &request, &id.shown(&request.fields))
        }));
        let visit = self.tell(visit, response.status(), became);
        response.map(|body| ResponseBody::own(body).visited(visit))
    }

    /// Counts what is answered without a judgement; in the access log it is a head that was not read.
    pub fn turn_away(&self, response: Response<Bytes>, connection: &Connection) -> Response<ResponseBody> {
        self.metrics.request(RequestDecision::Refuse, None);
        let visit = Visit::unread(&self.snapshots.load(), connection, &self.witnesses);
        let visit = self.tell(visit, response.status(), Became::Answered(None));
        response.map(|body| ResponseBody::own(body).visited(visit))
    }

    async fn may_pass(
        &self,
        snapshot: &Snapshot,
        request: &RequestHead,
        body: &mut RequestBody,
        (connection, id): (&Connection, &RequestId),
    ) -> Result<(), Failure> {
        head::check(request, &snapshot.config.server.limits)?;
        let client = self.client(snapshot, request, connection);
        let said = self.hear(snapshot, request, &client, body).await?;
        let (permit, _) = self.permit(snapshot, request, (&client, connection, id), &said)?;
        if permit.demands_disguise() {
            return Err(Failure::Refused(Refusal::ApiKey, client.address));
        }
        Ok(())
    }
}
