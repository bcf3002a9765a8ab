//! One HTTP/1.1 connection to upstream: a request out, its response in, one exchange after the other.
//!
//! hyper speaks HTTP/2 to upstreams for us. Here a lean writer and reader stand in its place: an exchange is
//! polled by the task that wants its response, without a task, a channel or a `HeaderMap` of its own, which is most of
//! what a proxied request cost beside the system's share. In the order of an exchange: `request_head` writes the head,
//! `Sending` sends it and the body, `response_head` and `receiving` read what comes back.
//!
//! Invariants: a connection serves again only if its last response ended where its framing said, the request was sent
//! whole, not a byte more has come, and neither message was of a kind that servers are known to frame in two ways. Everything else is closed by being dropped, so that no byte of one exchange can
//! become part of another. An upload that outlives its response's head goes on in a task of its own, so that it never
//! waits for a client that is slow to read; the task ends with the response.
//! Sources: RFC 9112 §6 (framing), §9.3 (persistence), §9.5 (hanging up).

mod chunk_line;
mod plain_head;
mod receiving;
mod request_head;
mod response_head;

pub use receiving::Receiving;
pub(super) use request_head::RequestLine;
pub use response_head::ResponseHead;

use super::deadline::Deadline;
use super::error::BreakOff;
use super::stream::Stream;
use super::upload::Outgoing;
use crate::http1::{Coding, Sending, put_field};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::io::AsyncWrite;
use tokio::task::AbortHandle;

/// What is kept of the buffer for heads between exchanges.
const KEPT_HEAD: usize = 4 * 1024;

/// A connection. Dropped, it is closed at once, whatever is under way.
pub(super) struct Http1 {
    stream: Rc<RefCell<Stream>>,
    receiving: Receiving,
    /// What the next head is written into.
    head: Vec<u8>,
    /// The request that is being sent.
    sending: Option<Sending<Outgoing>>,
    remainder: Option<Remainder>,
    /// Whether it ends with this exchange.
    ends: bool,
    pub(super) deadline: Deadline,
    /// Whether it has served before, so that the upstream may have closed it meanwhile.
    pub(super) reused: bool,
}

/// Why there is no response head.
pub(super) struct Unanswered {
    pub(super) error: BreakOff,
    /// The body, if not a byte of the request was written.
    pub(super) unsent: Option<Outgoing>,
}

/// The rest of an upload, in a task of its own.
struct Remainder {
    task: AbortHandle,
    whole: Rc<Cell<bool>>,
}

impl Drop for Remainder {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Http1 {
    pub(super) fn new(stream: Stream, span: Duration) -> Box<Self> {
        Box::new(Self {
            stream: Rc::new(RefCell::new(stream)),
            receiving: Receiving::default(),
            head: Vec::new(),
            sending: None,
            remainder: None,
            ends: false,
            deadline: Deadline::new(span),
            reused: false,
        })
    }

    /// Makes the request of the next exchange; `write_fields` writes its fields.
    pub(super) fn load(
        &mut self,
        line: &RequestLine<'_>,
        (body, coding): (Outgoing, Coding),
        write_fields: impl FnOnce(&mut Vec<u8>),
    ) {
        let mut head = std::mem::take(&mut self.head);
        head.clear();
        line.begin(&mut head);
        write_fields(&mut head);
        if line.ends {
            self.ends = true;
            put_field(&mut head, b"connection", b"close");
        }
        coding.put(&mut head);
        head.extend_from_slice(b"\r\n");
        let mut sending = Sending::new(head, body, coding);
        if !line.announces_trailers {
            sending = sending.without_trailers();
        }
        self.sending = Some(sending);
        self.receiving.expect(!line.is_head());
    }

    /// Sends the request until the head of its response is here. `silence` is asked whenever nothing happens, and is ready
    /// once that has been so for too long: then there is no outcome at all.
    pub(super) async fn exchange(
        &mut self,
        mut silence: impl FnMut(&mut Deadline, &mut Context<'_>) -> Poll<()>,
    ) -> Option<Result<ResponseHead, Unanswered>> {
        let answered = poll_fn(|context| match self.step(context) {
            Poll::Ready(answered) => Poll::Ready(Some(answered)),
            Poll::Pending => silence(&mut self.deadline, context).map(|()| None),
        });
        match answered.await? {
            Ok(head) => {
                // What is left of an upload goes on beside its response.
                self.remainder = self.sending.take().map(|sending| go_on(Rc::clone(&self.stream), sending));
                Some(Ok(head))
            }
            Err(error) => {
                let unsent = self.sending.take().and_then(Sending::unsent);
                Some(Err(Unanswered { error, unsent }))
            }
        }
    }

    /// Sends what can be sent, and reads what has come.
    fn step(&mut self, context: &mut Context<'_>) -> Poll<Result<ResponseHead, BreakOff>> {
        let stream = &mut *self.stream.borrow_mut();
        if let Some(sending) = &mut self.sending
            && let Poll::Ready(outcome) = sending.poll(stream, context)
        {
            outcome.map_err(BreakOff::from)?;
            self.head = sending.take_buffer(KEPT_HEAD);
            self.sending = None;
        }
        self.receiving.poll_head(stream, context)
    }

    /// The next piece of the response's body.
    pub(super) fn poll_frame(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BreakOff>>> {
        self.receiving.poll_frame(&mut *self.stream.borrow_mut(), context)
    }

    /// Whether the response has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.receiving.has_ended()
    }

    /// Whether what remains of the response was read already.
    pub(super) fn is_here(&self) -> bool {
        self.receiving.is_here()
    }

    /// What is known of the length of what remains of the response.
    pub(super) fn size_hint(&self) -> SizeHint {
        self.receiving.size_hint()
    }

    /// Makes it ready to serve again, now that its response has ended. Whether it can.
    pub(super) fn rest(&mut self) -> bool {
        let sent = self.remainder.take().is_none_or(|remainder| remainder.whole.get());
        sent && !self.ends && self.receiving.rest()
    }

    /// Whether an idle connection still stands: nothing has come of it, not even its end.
    pub(super) fn is_alive(&self) -> bool {
        self.stream.borrow_mut().is_silent()
    }

    /// Closes an idle connection with a proper goodbye, as far as the system takes it at once.
    pub(super) fn close(self) {
        let nobody = &mut Context::from_waker(Waker::noop());
        // Whoever does not take it finds the connection closed all the same.
        let _ = Pin::new(&mut *self.stream.borrow_mut()).poll_shutdown(nobody);
    }

    /// The stream behind a 101, and what came of it already.
    pub(super) fn into_tunnel(self) -> Option<(Stream, Bytes)> {
        let Self { stream, receiving, .. } = self;
        let stream = Rc::into_inner(stream)?.into_inner();
        Some((stream, receiving.into_rest()))
    }
}

/// Sends what remains of a request while its response comes in.
fn go_on(stream: Rc<RefCell<Stream>>, mut sending: Sending<Outgoing>) -> Remainder {
    let whole = Rc::new(Cell::new(false));
    let done = Rc::clone(&whole);
    let task = tokio::task::spawn_local(async move {
        poll_fn(|context| {
            let stream = &mut *stream.borrow_mut();
            let sent = sending.poll(stream, context);
            done.set(matches!(sent, Poll::Ready(Ok(()))));
            // Nobody waits any more for what the upstream does not take.
            if stream.is_deaf() { Poll::Ready(()) } else { sent.map(drop) }
        })
        .await;
    });
    Remainder { task: task.abort_handle(), whole }
}

#[cfg(test)]
mod tests;
