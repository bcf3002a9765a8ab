//! An HTTP/1 connection: heads read by our own scanner, answered one after the other by the handler.
//!
//! In the order of an exchange: `wire` reads and frames, `head` turns a strict head into a request, `upload` is the
//! request's body in the handler's hands, `answer` writes the response's head. One parser alone looks at the client's
//! bytes, so there is nobody to disagree with it.
//!
//! Ends when the client or the handler wants it to, when the client is idle for too long or takes nothing, behind the next
//! response once draining has begun (its head says so, lest the client send another request), or behind a refusal. After
//! a 101 the stream goes to the tunnel that the handler left. Whoever may still be sending when we close is listened to for a moment, so that the kernel's reset does not
//! overtake our answer. A client that hangs up, even half, ends its exchange.
//!
//! A pipelined request waits, unread, until the response before it is sent. An idle connection holds no buffer.

mod answer;
mod head;
mod upload;
mod wire;

use super::Handler;
use super::connection::Client;
use super::deadline::Wait;
use super::stream::{LINGER, Paced, Prefixed, linger};
use crate::http1::{Lined, Sending};
use crate::request::fields::Place;
use crate::request::{RequestBody, RequestError, RequestHead};
use answer::{Terms, Written};
use bytes::BytesMut;
use http::Response;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use upload::Upload;
use wire::{Next, Shared, SharedWire, Wire};

/// What is kept of the buffer for heads between exchanges.
const KEPT_HEAD: usize = 1024;

/// How an exchange ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Outcome {
    /// Another may follow.
    Next,
    /// It was the last.
    Last,
    /// The connection speaks another protocol from here on.
    Switched,
    /// The client has gone, or takes nothing.
    Gone,
}

struct Session<H: Handler, S> {
    client: Rc<Client<H>>,
    stream: Shared<S>,
    wire: SharedWire<S>,
    /// What the next head is written into.
    head: Vec<u8>,
    /// The response on its way.
    sending: Option<Sending<H::Body>>,
}

/// Serves a connection to its end.
pub(super) async fn serve<H, S>(stream: S, client: Rc<Client<H>>)
where
    H: Handler,
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let slot = Rc::clone(&client.slot);
    let stream = Shared::new(Paced::new(stream, Rc::clone(&slot), client.settings.timeouts.body));
    let wire = Wire::shared(stream.clone(), Rc::clone(&slot), *client.settings);
    let mut session = Session { client, stream, wire, head: Vec::new(), sending: None };
    let outcome = session.run().await;
    if outcome == Outcome::Switched {
        return tunnel(session).await;
    }
    if outcome != Outcome::Gone && session.wire.borrow().is_unread() {
        linger(&mut session.stream, &slot, LINGER).await;
    } else if outcome != Outcome::Gone {
        slot.within(Wait::Head, LINGER, session.stream.shutdown()).await;
    }
}

impl<H: Handler, S: AsyncRead + AsyncWrite + Unpin + 'static> Session<H, S> {
    async fn run(&mut self) -> Outcome {
        let mut surplus = self.client.surplus;
        loop {
            let next = poll_fn(|context| {
                self.client.slot.watch(context);
                self.wire.borrow_mut().poll_head(context)
            });
            let outcome = match (next.await, surplus.take()) {
                (Next::Over, _) => return Outcome::Last,
                (Next::Head(..) | Next::Refused(_), Some(error)) | (Next::Refused(error), None) => {
                    self.refuse(error).await
                }
                (Next::Head(head, places), None) => self.exchange(head, places).await,
            };
            if outcome != Outcome::Next {
                return outcome;
            }
        }
    }

    async fn refuse(&mut self, error: RequestError) -> Outcome {
        self.client.counters.refused_heads.fetch_add(1, Relaxed);
        self.wire.borrow_mut().give_up();
        let mut response = Some(self.client.handler.refuse(error, &self.client.connection));
        let begun = poll_fn(|context| {
            Poll::Ready(response.take().map(|response| self.begin(response, Terms::refused(), context)))
        })
        .await;
        self.go_on(begun).await
    }

    async fn exchange(&mut self, text: BytesMut, places: Vec<Place>) -> Outcome {
        let Ok(request) = head::request(text, places) else {
            return self.refuse(RequestError::Malformed("head")).await;
        };
        let terms = Terms::of(&request);
        let body = Upload::begin(&self.wire, terms.expects_continue);
        let body = body.map_or_else(RequestBody::default, RequestBody::wrapped);
        let begun = self.handled(request, body, terms).await;
        self.go_on(begun).await
    }

    /// The beginning of the handler's response, unless the client goes before. By itself, so that what follows has the
    /// same room; and no `async fn`, which would copy what it is given once more.
    fn handled(
        &mut self,
        request: Box<RequestHead>,
        body: RequestBody,
        terms: Terms,
    ) -> impl Future<Output = Option<Written>> {
        let client = Rc::clone(&self.client);
        async move {
            let mut handling = pin!(client.handler.handle(request, body, &client.connection));
            poll_fn(|context| match self.poll_gone(context) {
                Poll::Ready(()) => Poll::Ready(None),
                Poll::Pending => match handling.as_mut().poll(context) {
                    Poll::Ready(response) => Poll::Ready(Some(self.begin(response, terms, context))),
                    Poll::Pending => self.wire.borrow_mut().poll_hang_up(context).map(|()| None),
                },
            })
            .await
        }
    }

    /// Writes the head of a response, and makes ready what is to be sent.
    fn begin(&mut self, response: Response<H::Body>, terms: Terms, context: &mut Context<'_>) -> Written {
        let (parts, mut body) = response.into_parts();
        let lines = body.take_lines().unwrap_or_default();
        let mut wire = self.wire.borrow_mut();
        let mut head = std::mem::take(&mut self.head);
        head.clear();
        head.extend_from_slice(wire.answering());
        // A body that nobody reads any more is either here already, or the client is told that it need not come.
        let is_read = wire.has_ended() || Rc::strong_count(&self.wire) > 1;
        let may_stay = is_read || wire.discard(context);
        let may_stay = may_stay && !self.client.slot.draining() && !wire.is_broken();
        // The response's body may be the request's, and look at the wire itself.
        drop(wire);
        let written = answer::write(&mut head, (&parts, &lines), &body, terms.staying(may_stay));
        let sending = Sending::new(head, body, written.coding);
        self.sending = Some(if terms.takes_trailers { sending } else { sending.without_trailers() });
        written
    }

    /// Sends what was begun, and says how the connection goes on behind it.
    async fn go_on(&mut self, begun: Option<Written>) -> Outcome {
        match begun {
            None => Outcome::Gone,
            Some(written) => poll_fn(|context| self.poll_send(written, context)).await,
        }
    }

    fn poll_send(&mut self, written: Written, context: &mut Context<'_>) -> Poll<Outcome> {
        let gone = self.poll_gone(context).is_ready();
        let Some(sending) = self.sending.as_mut().filter(|_| !gone) else {
            return Poll::Ready(Outcome::Gone);
        };
        match sending.poll(&mut self.stream, context) {
            Poll::Pending => self.wire.borrow_mut().poll_hang_up(context).map(|()| Outcome::Gone),
            Poll::Ready(Err(_)) => Poll::Ready(Outcome::Gone),
            Poll::Ready(Ok(())) => {
                self.head = sending.take_buffer(KEPT_HEAD);
                self.sending = None;
                Poll::Ready(self.behind(written, context))
            }
        }
    }

    /// How it goes on behind a response. Even if draining has begun meanwhile: what the client was told holds.
    fn behind(&self, written: Written, context: &mut Context<'_>) -> Outcome {
        match written {
            Written { switches: true, .. } => Outcome::Switched,
            Written { stays: true, .. } if self.wire.borrow_mut().discard(context) => Outcome::Next,
            _ => Outcome::Last,
        }
    }

    /// Ready once the client takes nothing any more.
    fn poll_gone(&self, context: &Context<'_>) -> Poll<()> {
        let slot = &self.client.slot;
        slot.watch(context);
        if slot.read_expired() == Some(Wait::Body) {
            self.wire.borrow_mut().fail(RequestError::BodyTimeout);
        }
        if slot.write_expired() { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// Leaves the stream to the tunnel that the handler left.
async fn tunnel<H: Handler, S: AsyncRead + AsyncWrite + Unpin + 'static>(session: Session<H, S>) {
    let Session { client, stream, wire, .. } = session;
    let early = wire.borrow_mut().take_rest();
    drop(wire);
    client.slot.disarm_read();
    if let (Some(tunnel), Some(stream)) = (client.connection.take_tunnel(), stream.into_inner()) {
        tunnel(Box::new(Prefixed::new(early, stream))).await;
    }
}
