//! An HTTP/2 connection (RFC 9113): many requests at once, each in a task of its own.
//!
//! In the order of an exchange: `reader` cuts the client's bytes into frames, `session` does what they say, `blocks` and `hpack`
//! decode heads and `head` makes requests of them, `incoming` is a request's body in the handler's hands, `respond` writes
//! the response, and `outgoing` holds what all streams wrote until this task sends it. What a `stream` and its connection
//! know of each other is in `streams`; what a client may ask for nothing is in `budget`.
//!
//! A connection without open streams for `timeouts.idle` is shut down gracefully, and cut off if the client does not
//! follow within `timeouts.head`, which is also what a head may take. A stream whose client takes nothing of the response for
//! `timeouts.body` is reset; a client that takes nothing from the socket for so long is cut off. A body that stays away
//! for `timeouts.body` fails. A connection beyond the limit gets one answer for each stream of its first moment, and GOAWAY.
//! Behind our last word a client is listened to until it hangs up, lest the kernel's reset overtake an answer.
//!
//! An idle connection holds no buffer, and of its streams nothing but what the client put into the table of names.

mod blocks;
mod budget;
mod frame;
pub mod head;
pub mod hpack;
mod incoming;
mod outgoing;
mod reader;
mod respond;
mod session;
mod stream;
mod streams;
mod window;

use super::Handler;
use super::connection::Client;
use super::deadline::{Registry, Slot, Wait};
use super::scratch;
use super::stream::{LINGER, Paced, linger};
use frame::ErrorCode;
use reader::Reader;
use session::Session;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use streams::Streams;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

struct Connection<H, S> {
    stream: Paced<S>,
    slot: Rc<Slot>,
    reader: Reader,
    session: Session<H>,
    streams: Rc<Streams>,
    /// Why nothing more is read, if so.
    error: Option<ErrorCode>,
    is_surplus: bool,
}

/// Serves a connection to its end.
pub(super) async fn serve<H, S>(stream: S, client: Rc<Client<H>>, registry: Rc<Registry>)
where
    H: Handler,
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let (slot, timeouts) = (Rc::clone(&client.slot), client.settings.timeouts);
    let peer = client.connection.peer;
    let streams = Streams::new(registry, timeouts);
    let mut connection = Connection {
        stream: Paced::new(stream, Rc::clone(&slot), timeouts.body),
        slot: Rc::clone(&slot),
        reader: Reader::default(),
        is_surplus: client.surplus.is_some(),
        session: Session::new(client, Rc::clone(&streams)),
        streams: Rc::clone(&streams),
        error: None,
    };
    let ended = poll_fn(|context| connection.poll(context)).await;
    streams.leave();
    if let Some(error) = connection.error {
        tracing::debug!(%peer, ?error, "connection ended early");
    }
    if ended == End::Said {
        // Who broke the rules, or has no place here, is not waited for long.
        let is_brief = connection.error.is_some() || connection.is_surplus;
        let patience = if is_brief { LINGER } else { timeouts.body };
        linger(&mut connection.stream, &slot, patience).await;
    }
}

/// How a connection ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    /// The client knows.
    Said,
    /// The client has gone, or takes nothing.
    Gone,
}

impl<H: Handler, S: AsyncRead + AsyncWrite + Unpin> Connection<H, S> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<End> {
        self.slot.watch(context);
        self.streams.task.watch(context);
        if self.slot.write_expired() || self.slot.read_expired() == Some(Wait::Head) {
            return Poll::Ready(End::Gone);
        }
        loop {
            let is_gone = self.poll_read(context) == Poll::Ready(End::Gone);
            self.say_goodbye();
            let held = self.streams.out.borrow().is_overfull();
            let wrote = self.poll_write(context);
            if is_gone || matches!(wrote, Poll::Ready(Err(_))) {
                return Poll::Ready(End::Gone);
            }
            if wrote.is_ready() && self.is_done() {
                return Poll::Ready(End::Said);
            }
            // What could not be read for want of room can be now.
            if !(held && wrote.is_ready()) {
                self.arm();
                return Poll::Pending;
            }
        }
    }

    /// Reads as long as there is room for what comes of it. Ready if the client has gone.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<End> {
        while self.error.is_none() && !self.streams.out.borrow().is_overfull() {
            let Self { stream, reader, session, .. } = self;
            let read = scratch::with(|scratch| {
                let mut buffer = ReadBuf::new(scratch);
                let polled = ready!(Pin::new(stream).poll_read(context, &mut buffer));
                let whole = polled.is_ok() && !buffer.filled().is_empty();
                Poll::Ready(whole.then(|| reader.take(buffer.filled(), session)))
            });
            match ready!(read) {
                None => return Poll::Ready(End::Gone),
                Some(Ok(())) => {}
                Some(Err(code)) => {
                    self.session.end(code);
                    self.error = Some(code);
                    self.streams.leave();
                }
            }
        }
        Poll::Pending
    }

    /// Writes all that the streams have left, and tells those that waited for it.
    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let before = self.streams.out.borrow().len();
        let wrote = self.streams.out.borrow_mut().poll_write(&mut self.stream, context);
        self.session.earn(before.saturating_sub(self.streams.out.borrow().len()));
        if !self.streams.out.borrow().is_full() {
            self.streams.gone_out();
        }
        wrote
    }

    /// Announces the end, and holds to it though the client may not say that it knows.
    fn say_goodbye(&mut self) {
        let is_told = self.is_surplus && self.session.has_begun();
        if is_told || self.session.has_had_time() {
            self.session.end(ErrorCode::NoError);
        } else if !self.session.is_closing() && self.is_over() {
            self.session.announce_end();
        }
    }

    /// Whether the connection is to be shut down, though something may still run on it.
    fn is_over(&self) -> bool {
        self.slot.draining() || self.slot.read_expired() == Some(Wait::Idle)
    }

    fn is_done(&self) -> bool {
        self.error.is_some() || (self.session.is_closed() && self.streams.len() == 0)
    }

    /// What the client has time for: the rest of a head, or without open streams to begin one, or to hang up.
    fn arm(&self) {
        let timeouts = self.streams.timeouts;
        let is_head = self.session.is_within_head() || self.reader.is_within_frame();
        let is_idle = self.streams.len() == 0;
        if self.streams.out.borrow().is_overfull() {
            // It is we who do not read.
            self.slot.disarm_read();
        } else if is_head || (is_idle && (self.session.is_closing() || self.is_surplus)) {
            self.slot.arm_read(Wait::Head, timeouts.head);
        } else if is_idle {
            self.slot.arm_read(Wait::Idle, timeouts.idle);
        } else {
            self.slot.disarm_read();
        }
    }
}
