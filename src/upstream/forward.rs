//! One exchange with upstream: a request's head and body in → the response, its body streaming, out.
//!
//! 1. An address is chosen in turn, a connection taken or made; if that fails, the next address is tried.
//! 2. The request goes out, the response's head comes in, both within their time.
//! 3. A request is sent again, once for each address, only if nothing of it was written, or if
//!    it broke off on a pooled connection, has no body and an idempotent method (RFC 9110 §9.2.2): the upstream may
//!    have closed the connection just when we took it. A POST that may have arrived is never repeated.
//! 4. What comes back is cleaned, or refused if it cannot be passed on safely.

mod http1;
mod http2;

use super::Upstream;
use super::body::UpstreamBody;
use super::connect::{self, Line, Need};
use super::error::UpstreamError;
use super::headers::{self, Forwarding, Wish};
use super::hop::HopFields;
use super::origin::Candidates;
use super::pool::Endpoint;
use super::upgrade;
use super::upload::Outgoing;
use crate::config;
use crate::request::{RequestError, RequestHead};
use bytes::Bytes;
use http::{Method, Response};
use http_body::Body;
use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

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
}

fn final_error(error: UpstreamError) -> Box<Failure> {
    Box::new(Failure { error, unsent: None })
}

fn authority(url: &config::UpstreamUrl) -> String {
    let config::UpstreamUrl { tls: _, host, port } = url;
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}
