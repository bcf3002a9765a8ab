//! One exchange with upstream: a request's head and body in → the response, its body streaming, out.
//!
//! 1. An address is chosen in turn, a connection taken or made; if that fails, the next address is tried.
//! 2. The request goes out, the response's head comes in, both within their time.
//! 3. A request is sent again, once for each address, only if nothing of it was written, or if
//!    it broke off on a pooled connection, has no body and an idempotent method (RFC 9110 §9.2.2): the upstream may
//!    have closed the connection just when we took it. A POST that may have arrived is never repeated.
//! 4. What comes back is cleaned, or refused if it cannot be passed on safely.

use super::Upstream;
use super::body::{Outgoing, Source, Upload, UpstreamBody};
use super::connect::{self, Http2Line, Line, Need};
use super::deadline::Deadline;
use super::error::{BreakOff, UpstreamError};
use super::headers::{self, Forwarding, Wish};
use super::hop::HopFields;
use super::http1::{Http1, RequestLine, ResponseHead, Unanswered};
use super::origin::Candidates;
use super::pool::{Endpoint, Keep};
use super::response_fields;
use super::upgrade;
use crate::config;
use crate::http1::Coding;
use crate::request::{RequestError, RequestHead};
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Method, Request, Response, StatusCode, Uri, Version};
use http_body::Body;
use hyper::body::Incoming;
use std::borrow::Cow;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// What remains to be said if there was no address at all.
const NO_ADDRESS: UpstreamError = UpstreamError::Dns { host: String::new(), source: None };

/// Why an exchange failed, and the body if it can be sent again.
struct Failure {
    error: UpstreamError,
    unsent: Option<Outgoing>,
}

/// An attempt that failed.
struct Attempt {
    endpoint: Rc<Endpoint>,
    need: Need,
    /// Whether its connection had served before.
    reused: bool,
    failure: Box<Failure>,
}

/// What hardly any request has to wait for, by itself: all requests would pay for its room and its code.
fn later<'a, T>(wait: impl Future<Output = T> + 'a) -> Pin<Box<dyn Future<Output = T> + 'a>> {
    Box::pin(wait)
}

/// What an exchange is about; the same for every attempt.
struct Errand<'a> {
    settings: &'a config::Upstream,
    request: &'a RequestHead,
    hop: HopFields<'a>,
    forwarding: &'a Forwarding<'a>,
    wish: Wish,
}

impl Upstream {
    /// Sends a request upstream and returns what comes back. Must run within a `LocalRuntime`.
    ///
    /// The settings are those of the moment: addresses that are gone from them are not used any more. What is
    /// said of the request's sender holds its permit, and is taken by value: one permit, one request.
    ///
    /// Behind a 101 the tunnel is left in `forwarding.connection`.
    ///
    /// # Errors
    /// [`UpstreamError`] if there is no response, or none that can be passed on.
    pub async fn forward<B>(
        &self,
        settings: &config::Upstream,
        request: &RequestHead,
        body: B,
        forwarding: Forwarding<'_>,
    ) -> Result<Response<UpstreamBody>, UpstreamError>
    where
        B: Body<Data = Bytes, Error = RequestError> + 'static,
    {
        let body = Outgoing::new(body);
        let wish = if body.is_end_stream() { upgrade::wish(request) } else { Wish::Response };
        let hop = HopFields::of(&request.fields)?;
        let errand = Errand { settings, request, hop, forwarding: &forwarding, wish };
        let repeatable = body.is_end_stream() && request.method.is_idempotent();
        let need = Need { fresh: false, http1: wish == Wish::Tunnel };
        let mut candidates = match self.origins.known(settings) {
            Some(candidates) => candidates,
            None => later(self.origins.candidates(settings)).await?,
        };
        let first = candidates.next();
        let pooled = first.as_ref().and_then(|endpoint| connect::pooled(endpoint, settings, need));
        let (endpoint, line) = match (first, pooled) {
            (Some(endpoint), Some(line)) => (endpoint, line),
            (first, _) => {
                let reached = later(self.reach(&mut candidates, first, settings, need)).await;
                reached.map_err(|error| error.unwrap_or(NO_ADDRESS))?
            }
        };
        let reused = line.is_reused();
        match errand.run(&endpoint, line, body).await {
            Ok(response) => Ok(response),
            Err(failure) => {
                let first = Attempt { endpoint, need, reused, failure };
                later(self.send_again(&errand, candidates, first, repeatable)).await
            }
        }
    }

    /// Sends a request again, behind a first attempt, for as long as that is safe and there is an address left to try.
    async fn send_again(
        &self,
        errand: &Errand<'_>,
        mut candidates: Candidates,
        mut attempt: Attempt,
        repeatable: bool,
    ) -> Result<Response<UpstreamBody>, UpstreamError> {
        loop {
            let Attempt { endpoint, mut need, reused, failure } = attempt;
            let Failure { error, unsent } = *failure;
            let broke_off = matches!(error, UpstreamError::BrokeOff { .. });
            if broke_off && !reused {
                endpoint.health.broke_off();
            }
            let body = match unsent {
                Some(unsent) => unsent,
                None if broke_off && reused && repeatable => Outgoing::Empty,
                None => return Err(error),
            };
            tracing::debug!(%error, "sending the request again");
            // A pooled connection that died says nothing of its address; a fresh one does.
            let again = (reused && !need.fresh).then_some(endpoint);
            need.fresh |= reused;
            let first = again.or_else(|| candidates.next());
            let (endpoint, line) = match self.reach(&mut candidates, first, errand.settings, need).await {
                Ok(reached) => reached,
                Err(reason) => return Err(reason.unwrap_or(error)),
            };
            let reused = line.is_reused();
            match errand.run(&endpoint, line, body).await {
                Ok(response) => return Ok(response),
                Err(failure) => attempt = Attempt { endpoint, need, reused, failure },
            }
        }
    }

    /// A connection to `next`, or to whichever address behind it lets itself be connected to. Fails with the last reason,
    /// or with none where no address was left to try.
    async fn reach(
        &self,
        candidates: &mut Candidates,
        mut next: Option<Rc<Endpoint>>,
        settings: &config::Upstream,
        need: Need,
    ) -> Result<(Rc<Endpoint>, Line), Option<UpstreamError>> {
        let mut reason = None;
        while let Some(endpoint) = next {
            match self.connector.line(&endpoint, settings, need).await {
                Ok(line) => return Ok((endpoint, line)),
                Err(error) => {
                    tracing::debug!(%error, "trying the next address");
                    reason = Some(error);
                }
            }
            next = candidates.next();
        }
        Err(reason)
    }
}

impl Errand<'_> {
    async fn run(
        &self,
        endpoint: &Rc<Endpoint>,
        line: Line,
        body: Outgoing,
    ) -> Result<Response<UpstreamBody>, Box<Failure>> {
        let upload = body.upload();
        let outcome = match line {
            Line::Http1(connection) => self.run_http1(endpoint, connection, body, upload.as_deref()).await,
            Line::Http2(stream) => later(self.run_http2(endpoint, stream, body, upload.as_deref())).await,
        };
        let client_failed = upload.and_then(|upload| upload.failure.get());
        outcome.map_err(|failure| match client_failed {
            Some(error) => final_error(error.into()),
            None => failure,
        })
    }

    async fn run_http1(
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

    /// The `Content-Length` to be sent, if any.
    fn length(&self, body: &Outgoing) -> Option<u64> {
        body.size_hint().exact().filter(|&length| length > 0 || self.takes_content())
    }

    /// Whether content means something to the method (RFC 9110 §9.3), so that every server reads it.
    fn takes_content(&self) -> bool {
        matches!(self.request.method, Method::POST | Method::PUT | Method::PATCH)
    }

    fn host(&self, endpoint: &Endpoint) -> Cow<'_, [u8]> {
        match headers::host(self.request) {
            Some(host) => Cow::Borrowed(host),
            None => Cow::Owned(authority(&endpoint.url).into_bytes()),
        }
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

    async fn run_http2(
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

fn final_error(error: UpstreamError) -> Box<Failure> {
    Box::new(Failure { error, unsent: None })
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

fn authority(url: &config::UpstreamUrl) -> String {
    let config::UpstreamUrl { tls: _, host, port } = url;
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
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

fn poll_silence(
    deadline: &mut Deadline,
    span: Duration,
    upload: Option<&Upload>,
    context: &mut Context<'_>,
) -> Poll<()> {
    loop {
        ready!(deadline.poll_silence(context));
        let Some(upload) = upload else {
            return Poll::Ready(());
        };
        let since = upload.last.get().elapsed();
        if upload.failure.get().is_some() {
            return Poll::Ready(());
        } else if upload.awaits_client.get() {
            deadline.push_back(span);
        } else if since < span {
            deadline.push_back(span - since);
        } else {
            return Poll::Ready(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use tokio::time::{Instant, advance};

    async fn is_over(deadline: &mut Deadline, upload: &Upload) -> bool {
        let span = Duration::from_secs(10);
        poll_fn(|context| Poll::Ready(poll_silence(deadline, span, Some(upload), context).is_ready())).await
    }

    #[tokio::test(start_paused = true)]
    async fn time_does_not_run_while_the_client_is_waited_for() {
        let upload = Upload {
            last: Cell::new(Instant::now()),
            awaits_client: Cell::new(true),
            failure: Cell::new(None),
        };
        let mut deadline = Deadline::new(Duration::from_secs(10));
        let seconds = |seconds| advance(Duration::from_secs(seconds));
        for _ in 0..4 {
            assert!(!is_over(&mut deadline, &upload).await);
            seconds(9).await;
        }
        upload.last.set(Instant::now());
        upload.awaits_client.set(false);
        seconds(9).await;
        assert!(!is_over(&mut deadline, &upload).await, "nine seconds after upstream took the last piece");
        seconds(2).await;
        assert!(is_over(&mut deadline, &upload).await);
    }
}
