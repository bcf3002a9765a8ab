//! The exchange over HTTP/2, which hyper speaks: a `HeaderMap` and a `Uri` in place of lines.

use super::super::body::{Source, UpstreamBody};
use super::super::connect::Http2Line;
use super::super::deadline::Deadline;
use super::super::error::{BreakOff, UpstreamError};
use super::super::pool::Endpoint;
use super::super::upload::{Outgoing, Upload, poll_silence};
use super::super::{headers, response_fields};
use super::{Errand, Failure, final_error};
use crate::request::RequestError;
use http::header::{self, HeaderMap, HeaderValue};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Request, Response, Uri, Version};
use hyper::body::Incoming;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

impl Errand<'_> {
    pub(super) async fn run_http2(
        &self,
        endpoint: &Rc<Endpoint>,
        mut stream: Http2Line,
        body: Outgoing,
        upload: Option<&Upload>,
    ) -> Result<Response<UpstreamBody>, Box<Failure>> {
        let address = endpoint.address;
        let span = self.settings.response_timeout;
        let request = self.request(endpoint, body).map_err(|error| final_error(error.into()))?;
        let answer = stream.shared.sender.try_send_request(request);
        stream.deadline.restart(span);
        match wait(&mut stream.deadline, span, upload, answer).await {
            Some(Ok(response)) => {
                endpoint.health.answered();
                respond_http2(address, stream.deadline, response).map_err(final_error)
            }
            Some(Err(mut error)) => {
                if error.message().is_some() {
                    endpoint.unshare(&stream.shared);
                }
                let unsent = error.take_message().map(Request::into_body);
                let source = BreakOff::Http2(error.into_error());
                Err(Box::new(Failure { error: UpstreamError::BrokeOff { address, source }, unsent }))
            }
            None => Err(final_error(UpstreamError::ResponseTimeout { address })),
        }
    }

    /// The request as an HTTP/2 upstream gets it.
    fn request(&self, endpoint: &Endpoint, body: Outgoing) -> Result<Request<Outgoing>, RequestError> {
        let asked = self.request;
        let host = self.host(endpoint);
        let mut fields = HeaderMap::with_capacity(asked.fields.len() + 12);
        let request = (asked, &self.hop);
        headers::write_request(&mut fields, request, self.forwarding, self.settings, (&host, self.wish));
        fields.remove(header::HOST);
        fields.remove(header::CONNECTION);
        if let Some(length) = self.length(&body) {
            fields.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        let mut uri = http::uri::Parts::default();
        uri.scheme = Some(if endpoint.url.tls { Scheme::HTTPS } else { Scheme::HTTP });
        uri.authority =
            Some(Authority::try_from(&*host).map_err(|_| RequestError::Malformed("invalid host"))?);
        let target = asked.target.path_and_query().ok_or(RequestError::MethodNotAllowed)?;
        uri.path_and_query = PathAndQuery::try_from(target).ok();
        let mut request = Request::new(body);
        request.method_mut().clone_from(&asked.method);
        *request.version_mut() = Version::HTTP_2;
        *request.uri_mut() = Uri::from_parts(uri).map_err(|_| RequestError::Malformed("invalid target"))?;
        *request.headers_mut() = fields;
        Ok(request)
    }
}

fn respond_http2(
    address: SocketAddr,
    mut deadline: Deadline,
    response: Response<Incoming>,
) -> Result<Response<UpstreamBody>, UpstreamError> {
    let bad = |reason| UpstreamError::BadResponse { address, reason };
    let (mut parts, incoming) = response.into_parts();
    response_fields::clean(&mut parts).map_err(bad)?;
    parts.version = Version::HTTP_11;
    deadline.progress();
    let source = Source::Http2 { incoming, deadline };
    Ok(Response::from_parts(parts, UpstreamBody::new(source, address, None)))
}

/// What the answer is, or `None` if upstream was silent for `span` while nobody waited for the client.
async fn wait<F: Future>(
    deadline: &mut Deadline,
    span: Duration,
    upload: Option<&Upload>,
    answer: F,
) -> Option<F::Output> {
    let mut answer = pin!(answer);
    poll_fn(|context| {
        if let Poll::Ready(output) = answer.as_mut().poll(context) {
            return Poll::Ready(Some(output));
        }
        poll_silence(deadline, span, upload, context).map(|()| None)
    })
    .await
}
