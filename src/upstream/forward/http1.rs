//! The exchange over HTTP/1.1: the target to the byte, the fields anew, the framing as the body has it.

use super::super::body::{Source, UpstreamBody};
use super::super::deadline::Deadline;
use super::super::error::UpstreamError;
use super::super::headers::{self, Wish};
use super::super::http1::{Http1, RequestLine, ResponseHead, Unanswered};
use super::super::pool::{Endpoint, Keep};
use super::super::upgrade;
use super::super::upload::{Outgoing, Upload, poll_silence};
use super::{Errand, Failure, final_error};
use crate::http1::Coding;
use crate::request::RequestError;
use http::{Response, StatusCode, Version};
use http_body::Body;
use std::rc::Rc;
use std::task::Context;

impl Errand<'_> {
    pub(super) async fn run_http1(
        &self,
        endpoint: &Rc<Endpoint>,
        mut connection: Box<Http1>,
        body: Outgoing,
        upload: Option<&Upload>,
    ) -> Result<Response<UpstreamBody>, Box<Failure>> {
        let address = endpoint.address;
        let span = self.settings.response_timeout;
        self.load(endpoint, &mut connection, body).map_err(|error| final_error(error.into()))?;
        connection.deadline.restart(span);
        let silence = |deadline: &mut Deadline, context: &mut Context<'_>| {
            poll_silence(deadline, span, upload, context)
        };
        match connection.exchange(silence).await {
            Some(Ok(head)) => {
                endpoint.health.answered();
                self.respond_http1(endpoint, connection, head).map_err(final_error)
            }
            Some(Err(Unanswered { error, unsent })) => {
                Err(Box::new(Failure { error: UpstreamError::BrokeOff { address, source: error }, unsent }))
            }
            None => Err(final_error(UpstreamError::ResponseTimeout { address })),
        }
    }

    /// Makes the request as an HTTP/1.1 upstream gets it: the target to the byte, the fields anew, the framing as the body
    /// has it.
    fn load(&self, endpoint: &Endpoint, connection: &mut Http1, body: Outgoing) -> Result<(), RequestError> {
        let target = self.request.target.path_and_query().ok_or(RequestError::MethodNotAllowed)?;
        let announces_trailers = self.hop.announces_trailers;
        let coding = match self.length(&body) {
            Some(length) => Coding::Length(length),
            None if body.is_end_stream() => Coding::None,
            None => Coding::Chunked,
        };
        // A server that does not read such a body would take it for the next request, unless there is none.
        let ends = coding != Coding::None && !self.takes_content();
        let line = RequestLine { method: &self.request.method, target, announces_trailers, ends };
        let host = self.host(endpoint);
        connection.load(&line, (body, coding), |head| {
            let request = (self.request, &self.hop);
            headers::write_request(head, request, self.forwarding, self.settings, (&host, self.wish));
        });
        Ok(())
    }

    fn respond_http1(
        &self,
        endpoint: &Rc<Endpoint>,
        mut connection: Box<Http1>,
        head: ResponseHead,
    ) -> Result<Response<UpstreamBody>, UpstreamError> {
        let mut parts = head.parts;
        let address = endpoint.address;
        let bad = |reason| UpstreamError::BadResponse { address, reason };
        if parts.status == StatusCode::SWITCHING_PROTOCOLS {
            return match self.wish {
                Wish::Tunnel => upgrade::open(parts, *connection, address, self.forwarding).map_err(bad),
                Wish::Response => Err(bad("101 that was not asked for")),
            };
        }
        let lines = head.lines.map_err(bad)?;
        parts.version = Version::HTTP_11;
        connection.deadline.progress();
        let keep = Keep::of(self.settings);
        let source = Source::Http1 { connection, endpoint: Rc::clone(endpoint), keep };
        Ok(Response::from_parts(parts, UpstreamBody::new(source, address, Some(lines))))
    }
}
