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
use answer::Terms;
use bytes::BytesMut;
use http::{Response, StatusCode};
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

struct Session<H, S> {
    client: Rc<Client<H>>,
    stream: Shared<S>,
    wire: SharedWire<S>,
    /// What the next head is written into.
    head: Vec<u8>,
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
    let mut session = Session { client, stream, wire, head: Vec::new() };
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
        let response = self.client.handler.refuse(error, &self.client.connection);
        self.send(response, Terms::refused()).await
    }

    async fn exchange(&mut self, text: BytesMut, places: Vec<Place>) -> Outcome {
        let Ok(request) = head::request(text, places) else {
            return self.refuse(RequestError::Malformed("head")).await;
        };
        let terms = Terms::of(&request);
        let body = Upload::begin(&self.wire, terms.expects_continue);
        let body = body.map_or_else(RequestBody::default, RequestBody::wrapped);
        match self.handled(request, body).await {
            None => Outcome::Gone,
            Some(response) => self.send(response, terms).await,
        }
    }

    /// The handler's response, unless the client goes before. By itself, so that what follows has the same room; and no
    /// `async fn`, which would copy what it is given once more.
    fn handled(
        &self,
        request: Box<RequestHead>,
        body: RequestBody,
    ) -> impl Future<Output = Option<Response<H::Body>>> {
        let client = &*self.client;
        async move {
            let mut handling = pin!(client.handler.handle(request, body, &client.connection));
            poll_fn(|context| match self.poll_gone(context) {
                Poll::Ready(()) => Poll::Ready(None),
                Poll::Pending => match handling.as_mut().poll(context) {
                    Poll::Ready(response) => Poll::Ready(Some(response)),
                    Poll::Pending => self.wire.borrow_mut().poll_hang_up(context).map(|()| None),
                },
            })
            .await
        }
    }

    /// Sends a response, and says how the connection goes on behind it. No `async fn`, for the same reason.
    fn send(&mut self, response: Response<H::Body>, terms: Terms) -> impl Future<Output = Outcome> {
        let (parts, mut body) = response.into_parts();
        async move {
            let switches = parts.status == StatusCode::SWITCHING_PROTOCOLS;
            let lines = body.take_lines().unwrap_or_default();
            let mut head = std::mem::take(&mut self.head);
            head.clear();
            head.extend_from_slice(self.wire.borrow_mut().answering());
            // A body that nobody reads any more is either here already, or the client is told that it need not come.
            let is_read = self.wire.borrow().has_ended() || Rc::strong_count(&self.wire) > 1;
            let may_stay = is_read || self.passes_over().await;
            let may_stay = may_stay && !self.client.slot.draining() && !self.wire.borrow().is_broken();
            let written = answer::write(&mut head, (&parts, &lines), &body, terms.staying(may_stay));
            let body = pin!(body);
            let mut sending = Sending::new(head, body, written.coding);
            if !terms.takes_trailers {
                sending = sending.without_trailers();
            }
            let sent = poll_fn(|context| match self.poll_gone(context) {
                Poll::Ready(()) => Poll::Ready(false),
                Poll::Pending => match sending.poll(&mut self.stream, context) {
                    Poll::Ready(sent) => Poll::Ready(sent.is_ok()),
                    Poll::Pending => self.wire.borrow_mut().poll_hang_up(context).map(|()| false),
                },
            })
            .await;
            if !sent {
                return Outcome::Gone;
            }
            self.head = sending.take_buffer(KEPT_HEAD);
            if switches {
                return Outcome::Switched;
            }
            // Even if draining has begun meanwhile: what the client was told holds.
            if written.stays && self.passes_over().await { Outcome::Next } else { Outcome::Last }
        }
    }

    /// Passes over what is left of the request. Whether the next can be read.
    async fn passes_over(&self) -> bool {
        poll_fn(|context| Poll::Ready(self.wire.borrow_mut().discard(context))).await
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
async fn tunnel<H, S: AsyncRead + AsyncWrite + Unpin + 'static>(session: Session<H, S>) {
    let Session { client, stream, wire, head: _ } = session;
    let early = wire.borrow_mut().take_rest();
    drop(wire);
    client.slot.disarm_read();
    if let (Some(tunnel), Some(stream)) = (client.connection.take_tunnel(), stream.into_inner()) {
        tunnel(Box::new(Prefixed::new(early, stream))).await;
    }
}
